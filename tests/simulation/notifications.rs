//! The queue of logout tokens: slow and dead clients do not delay the others, and runs are bounded.

use crate::common::deployment;
use async_trait::async_trait;
use http::StatusCode;
use platform::fetch::{Outgoing, Transport};
use platform::{FetchError, Fetched, Fetcher};
use protocol::SessionGroup;
use provider::back_channel::{RunLimits, retry};
use provider::shell;
use serde_json::Value;
use simulation::{Instance, T0, client_id, subject};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use storage::faults::turns;
use storage::memory::Memory;
use storage::notices::{self, Notice, NoticeContent};
use storage::{Kind, clients};
use types::Jti;
use types::remote_url::EgressPolicy;

/// The clients: their answers by host, the deliveries in order, and how many were on their way at once.
#[derive(Clone, Default)]
struct Clients {
    /// Hosts that do not answer.
    dead: Arc<Mutex<Vec<String>>>,
    delivered: Arc<Mutex<Vec<String>>>,
    on_their_way: Arc<Mutex<OnTheirWay>>,
}

/// Deliveries on their way.
#[derive(Clone, Default)]
struct OnTheirWay {
    by_host: BTreeMap<String, usize>,
    /// The most that there were at once to one host, and to all.
    most_to_one: usize,
    most: usize,
}

#[async_trait]
impl Transport for Clients {
    async fn send(&self, request: &Outgoing) -> Result<Fetched, FetchError> {
        let host = request.url.host_str().unwrap().to_owned();
        {
            let mut state = self.on_their_way.lock().unwrap();
            *state.by_host.entry(host.clone()).or_default() += 1;
            state.most_to_one = state.most_to_one.max(state.by_host[&host]);
            state.most = state.most.max(state.by_host.values().sum());
        }
        turns(if host.starts_with("slow") { 5000 } else { 5 })().await;
        *self.on_their_way.lock().unwrap().by_host.get_mut(&host).unwrap() -= 1;
        self.delivered.lock().unwrap().push(host.clone());
        if self.dead.lock().unwrap().contains(&host) {
            return Err(FetchError::TimedOut);
        }
        Ok(Fetched { status: StatusCode::OK, ..Fetched::default() })
    }
}

impl Clients {
    fn deliveries_to(&self, client: &str) -> usize {
        let host = format!("{client}.example");
        self.delivered.lock().unwrap().iter().filter(|delivered| **delivered == host).count()
    }
}

/// A deployment with these clients and this number of pending notifications for each.
async fn deployment_with(pending: &[(&str, usize)]) -> (Arc<Memory>, Clients, Instance) {
    let (memory, peers) = (Arc::new(Memory::new()), Clients::default());
    let mut instance = deployment(memory.clone()).await;
    instance.context_mut().fetch = Fetcher::over(Box::new(peers.clone()), EgressPolicy::Public).into();
    for (client, count) in pending {
        let mut stored = clients::find(memory.as_ref(), &client_id("spa")).await.unwrap().unwrap();
        stored.client.client_id = client_id(client);
        stored.client.backchannel_logout_uri = Some(format!("https://{client}.example/out"));
        clients::save(memory.as_ref(), &stored).await.unwrap();
        for number in 0..*count {
            let (subject, group) = (subject("alice-subject"), SessionGroup::new([1; 16]));
            let notice = Notice {
                jti: Jti::parse(&format!("{client}-{number}")).unwrap(),
                client_id: client_id(client),
                at: T0,
                content: NoticeContent::Logout { subject, group },
            };
            notices::create(memory.as_ref(), &notice, 1, T0, "w0").await.unwrap();
        }
    }
    (memory, peers, instance)
}

fn waiting(memory: &Memory) -> usize {
    memory.snapshot().iter().filter(|record| record.key.is(Kind::Logout)).count()
}

#[tokio::test]
async fn a_dead_client_costs_a_few_attempts_and_delays_no_other() {
    let (memory, peers, instance) = deployment_with(&[("dead", 900), ("one", 5), ("two", 5)]).await;
    peers.dead.lock().unwrap().push("dead.example".to_owned());
    notify::run(&instance.scheduled_run(), instance.context()).await.unwrap();
    assert_eq!((peers.deliveries_to("one"), peers.deliveries_to("two")), (5, 5));
    assert!((3..10).contains(&peers.deliveries_to("dead")), "{}", peers.deliveries_to("dead"));
    assert_eq!(waiting(&memory), 900, "what was not tried is still due");
}

/// A client that answers again gets everything in the next run.
#[tokio::test]
async fn a_client_that_comes_back_gets_what_was_due() {
    let (memory, peers, mut instance) = deployment_with(&[("dead", 300)]).await;
    peers.dead.lock().unwrap().push("dead.example".to_owned());
    notify::run(&instance.scheduled_run(), instance.context()).await.unwrap();
    peers.dead.lock().unwrap().clear();
    instance.wait(Duration::from_secs(600));
    notify::run(&instance.scheduled_run(), instance.context()).await.unwrap();
    assert_eq!(waiting(&memory), 0);
}

#[tokio::test]
async fn a_slow_client_holds_four_places_at_most() {
    let pending: Vec<(String, usize)> =
        std::iter::once(("slow".to_owned(), 40)).chain((0..20).map(|number| (format!("fast-{number}"), 10))).collect();
    let pending: Vec<(&str, usize)> = pending.iter().map(|(client, count)| (client.as_str(), *count)).collect();
    let (memory, peers, instance) = deployment_with(&pending).await;
    notify::run(&instance.scheduled_run(), instance.context()).await.unwrap();
    assert_eq!(waiting(&memory), 0);
    let OnTheirWay { most_to_one, most, .. } = peers.on_their_way.lock().unwrap().clone();
    assert!(most_to_one <= 4 && (5..=32).contains(&most), "{most_to_one} to one client, {most} to all");
    let delivered = peers.delivered.lock().unwrap().clone();
    let last_fast = delivered.iter().rposition(|host| host.starts_with("fast")).unwrap();
    let slow_before = delivered[..last_fast].iter().filter(|host| host.starts_with("slow")).count();
    assert!(slow_before <= 4, "{slow_before} deliveries to the slow client came first");
}

#[tokio::test]
async fn a_busy_client_and_a_quiet_one_have_fair_shares() {
    let (_, peers, instance) = deployment_with(&[("busy", 900), ("quiet", 3)]).await;
    notify::run(&instance.scheduled_run(), instance.context()).await.unwrap();
    let delivered = peers.delivered.lock().unwrap().clone();
    let last_quiet = delivered.iter().rposition(|host| host.starts_with("quiet")).unwrap();
    assert!(last_quiet < 100, "the last delivery to the quiet client is number {last_quiet}");
}

#[tokio::test]
async fn a_run_ends_at_its_limits_and_loses_nothing() {
    let (memory, peers, instance) = deployment_with(&[("one", 200)]).await;
    let no_time = RunLimits { time: Duration::ZERO, ..RunLimits::default() };
    retry(instance.context(), &instance.scheduled_run(), no_time).await.unwrap();
    assert_eq!((peers.deliveries_to("one"), waiting(&memory)), (0, 200));
    let few = RunLimits { attempts: 10, ..RunLimits::default() };
    retry(instance.context(), &instance.scheduled_run(), few).await.unwrap();
    let delivered = peers.deliveries_to("one");
    assert!((10..10 + 32).contains(&delivered), "{delivered}");
    assert_eq!(waiting(&memory), 200 - delivered);
    retry(instance.context(), &instance.scheduled_run(), RunLimits::default()).await.unwrap();
    assert_eq!((peers.deliveries_to("one"), waiting(&memory)), (200, 0), "each once");
}

/// The client may still have the session: the operator must learn that.
#[tokio::test]
async fn what_is_given_up_leaves_an_audit_event() {
    let (memory, peers, mut instance) = deployment_with(&[("dead", 30)]).await;
    peers.dead.lock().unwrap().push("dead.example".to_owned());
    let log = Arc::new(Mutex::new(Vec::new()));
    let written = Arc::clone(&log);
    instance.context_mut().log = Arc::new(move |line| written.lock().unwrap().push(line.to_owned()));
    instance.wait(Duration::from_secs(86_400 + 60));
    shell::run_scheduled(&notify::FUNCTION, instance.scheduled_run(), instance.context()).await.unwrap();
    assert_eq!(waiting(&memory), 0);
    assert!(peers.deliveries_to("dead") < 10, "most are given up without a further attempt");
    let lines: Vec<Value> = log.lock().unwrap().iter().map(|line| serde_json::from_str(line).unwrap()).collect();
    let events: Vec<&Value> = lines.iter().flat_map(|line| line["events"].as_array()).flatten().collect();
    assert_eq!(events.len(), 30);
    for event in events {
        assert_eq!(event["event"], "logout_notification_given_up");
        assert_eq!((&event["client"], &event["subject"]), (&"dead".into(), &"alice-subject".into()));
        assert_eq!((&event["actor"], &event["outcome"]), (&"schedule".into(), &"failure".into()));
    }
}
