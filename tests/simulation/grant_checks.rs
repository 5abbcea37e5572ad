//! The number of live grants of a user for one client.

use crate::common::{PASSWORD, deployment, keep_log};
use protocol::grants_are_counted;
use serde_json::Value;
use simulation::{Flow, Instance, Tokens, subject};
use std::sync::Arc;
use std::time::Duration;
use storage::memory::Memory;
use storage::sign_out::{self, DueWork};
use storage::{Key, Kind, Record, Records, grant_checks};

const USER: &str = "alice-subject";

/// Moves the clock to a moment at which a new grant leaves a note, or leaves none.
fn wait_for(instance: &mut Instance, is_counted: bool) {
    while grants_are_counted(&subject(USER), instance.now) != is_counted {
        instance.wait(Duration::from_millis(1));
    }
}

async fn run(instance: &Instance) {
    notify::run(&instance.scheduled_run(), instance.context()).await.unwrap();
}

fn grants(memory: &Memory) -> Vec<Record> {
    memory.snapshot().into_iter().filter(|record| record.key.is(Kind::Grant)).collect()
}

/// Copies a grant, as other installations of a client have one: each was used `seconds` after the one before.
async fn copy(memory: &Memory, grant: &Record, count: u64, client_id: &str) -> Vec<Key> {
    let state: Value = serde_json::from_str(&grant.state).unwrap();
    let body = grant.body.replace("\"spa\"", &format!("\"{client_id}\""));
    let mut keys = Vec::new();
    for number in 0..count {
        let name = format!("{}{}{number:03}", &grant.key.id()[..18], &client_id[..1]);
        let key = Key::new(Kind::Grant, grant.key.partition(), &name);
        let mut state = state.clone();
        let used = state["active"]["rotated_at"].as_u64().unwrap() - (count - number) * 1000;
        state["active"]["rotated_at"] = used.into();
        let record =
            Record { key: key.clone(), body: body.clone(), state: state.to_string(), generation: 0, ..grant.clone() };
        memory.create(&record).await.unwrap();
        keys.push(key);
    }
    keys
}

/// Of 130 grants for one client the 30 that were unused longest end. Those of another client stay.
#[tokio::test]
async fn grants_beyond_the_limit_end_those_unused_longest() {
    let memory = Arc::new(Memory::new());
    let mut instance = deployment(memory.clone()).await;
    let lines = keep_log(&mut instance);
    let mut browser = Flow::default();
    wait_for(&mut instance, false);
    Flow::redeem(&instance, &browser.code(&instance, PASSWORD, "openid offline_access").await).await;
    let grant = grants(&memory).pop().unwrap();
    let of_client = copy(&memory, &grant, 128, "spa").await;
    let of_other = copy(&memory, &grant, 30, "web").await;

    let before = memory.counts().total();
    let code = browser.code(&instance, "unused", "openid offline_access").await;
    let without_note = memory.counts().total() - before;
    Flow::redeem(&instance, &code).await;
    let last = of_client.last().unwrap().clone();
    memory.delete(&last).await.unwrap();
    run(&instance).await;
    assert!(grants(&memory).iter().all(|grant| !grant.state.contains("revoked")), "no note, no count");

    wait_for(&mut instance, true);
    let before = memory.counts().total();
    let code = browser.code(&instance, "unused", "openid offline_access").await;
    assert_eq!(memory.counts().total() - before, without_note + 1, "the note");
    let newest = Tokens::of(&Flow::redeem(&instance, &code).await);
    run(&instance).await;
    let found = grants(&memory);
    let is_revoked = |key: &Key| found.iter().any(|grant| grant.key == *key && grant.state.contains("revoked"));
    let revoked: Vec<&Key> = of_client.iter().filter(|key| is_revoked(key)).collect();
    assert_eq!(revoked, of_client[..30].iter().collect::<Vec<_>>());
    assert_eq!(found.iter().filter(|grant| grant.state.contains("revoked")).count(), 30);
    assert!(of_other.iter().all(|key| !is_revoked(key)));
    assert!(Flow::refresh(&instance, &newest.refresh).await.status.is_success());
    let is_event = |line: &String| line.contains("\"event\":\"excess_grants_ended\"");
    assert!(!lines.lock().unwrap().iter().any(is_event), "a run writes the line by its shell");
    assert!(!memory.snapshot().iter().any(|record| record.key.is(Kind::GrantCheck)), "the note is done");
}

/// 20 grants never end, whatever the setting says. A grant that is used during the check stays.
#[tokio::test]
async fn twenty_grants_never_end() {
    let memory = Arc::new(Memory::new());
    let mut instance = deployment(memory.clone()).await;
    wait_for(&mut instance, false);
    Flow::redeem(&instance, &Flow::default().code(&instance, PASSWORD, "openid offline_access").await).await;
    let grant = grants(&memory).pop().unwrap();
    copy(&memory, &grant, 24, "spa").await;
    for _ in 0..2 {
        grant_checks::note(memory.as_ref(), &subject(USER), instance.now).await.unwrap();
        let due = sign_out::due(memory.as_ref(), instance.now).await.pop().unwrap().unwrap();
        let DueWork::GrantCheck(check) = due else { panic!("{due:?}") };
        let now = instance.now;
        check.end_excess(memory.as_ref(), 1, now, "write").await.unwrap();
        let left = grants(&memory).iter().filter(|grant| !grant.state.contains("revoked")).count();
        assert_eq!(left, 20);
    }
}
