//! Random histories of one grant, on a store that fails, checked against a small model (RFC 6749 §4.1.2, RFC 9700 §4.14).
//!
//! A history is a list of steps. The requests of one step run at the same time; the clock moves between steps. A fault may
//! disturb a step: the store refuses, loses responses, repeats a write, or dies after a write. The model then knows the outcome
//! of a request only from the response that the client received. It demands:
//!
//! - a code is redeemed at most once;
//! - each refresh token has one successor, so at most one lineage is alive;
//! - a client that retries within the grace window is never stranded;
//! - a replay and a revocation end the grant: nothing of it is accepted afterwards;
//! - a revoked access token is rejected, and no other token is affected;
//! - another client can neither use nor revoke the tokens.

mod history;
mod model;

use crate::common::{PASSWORD, deployment};
use futures::future::join_all;
use history::{Act, Failure, Plan, Step, step};
use latchkey_http::Response;
use model::{Knowledge, Model, Outcome, Request, Token, outcome};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestCaseError, TestRunner};
use simulation::{Flow, Instance, T0};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use storage::Records;
use storage::faults::{Call, Faulty};
use storage::memory::Memory;

/// A deployment whose store follows a plan.
struct Deployment {
    instance: Instance,
    plan: Arc<Mutex<Plan>>,
}

impl Deployment {
    async fn start() -> Self {
        let memory: Arc<dyn Records> = Arc::new(Memory::new());
        deployment(memory.clone()).await;
        let plan = Arc::new(Mutex::new(Plan::default()));
        let planned = Arc::clone(&plan);
        let faulty = Faulty::new(memory, move |_: &Call<'_>| planned.lock().unwrap().next());
        Self {
            instance: Instance::start(
                Arc::new(faulty),
                &[
                    ("LATCHKEY_ACCESS_TOKEN_LIFETIME", "3600"),
                    ("LATCHKEY_CODE_LIFETIME", "600"),
                    // The model knows one successor of each token.
                    ("LATCHKEY_REFRESH_LOST_ANSWER", "0"),
                ],
            ),
            plan,
        }
    }

    async fn send(&self, request: &Request, code: &str) -> Response {
        let revoke = async |client: &str, token: &Token| {
            self.instance.post("/revoke", &[("client_id", client), ("token", token.0.as_str())]).await
        };
        match request {
            Request::Redeem => Flow::redeem(&self.instance, code).await,
            Request::Refresh { token, .. } => Flow::refresh(&self.instance, &token.0).await,
            Request::UserInfo(token) => Flow::userinfo(&self.instance, &token.0).await,
            Request::Revoke(token) | Request::RevokeAccess(token) => revoke("spa", token).await,
            Request::ForeignRevoke(token) => revoke("device", token).await,
            Request::ForeignRefresh(token) => {
                let form =
                    [("grant_type", "refresh_token"), ("client_id", "device"), ("refresh_token", token.0.as_str())];
                self.instance.post("/token", &form).await
            }
        }
    }

    /// Runs one history on a new grant.
    async fn run(&mut self, browser: &mut Flow, steps: &[Step]) -> Result<BTreeSet<&'static str>, TestCaseError> {
        self.instance.now = T0;
        *self.plan.lock().unwrap() = Plan::default();
        let code = browser.code(&self.instance, PASSWORD, "openid offline_access").await;
        let mut model = Model::default();
        let mut seen = BTreeSet::new();
        for step in steps {
            self.instance.wait(step.wait);
            model.now += step.wait;
            let requests: Vec<Request> = step.acts.iter().filter_map(|act| model.request(act)).collect();
            let demands = model.demands(&requests);
            let order = if requests.len() > 1 { step.order } else { 0 };
            *self.plan.lock().unwrap() = Plan { failure: step.failure, order, calls: 0 };
            let responses = join_all(requests.iter().map(|request| self.send(request, &code))).await;
            *self.plan.lock().unwrap() = Plan::default();
            model.settle(&requests, &demands, &responses)?;
            if model.ended == Knowledge::Yes {
                seen.insert("ended");
            }
        }
        // The store is sound again. What clients hold must work, or must not, as the model says.
        let rest: Vec<Act> =
            (0..model.access.len()).map(Act::UserInfo).chain([Act::Refresh(0), Act::UserInfo(0)]).collect();
        for act in rest {
            let requests: Vec<Request> = model.request(&act).into_iter().collect();
            let demands = model.demands(&requests);
            let responses = join_all(requests.iter().map(|request| self.send(request, &code))).await;
            prop_assert!(responses.iter().all(|response| outcome(response) != Outcome::Unknown));
            model.settle(&requests, &demands, &responses)?;
        }
        if model.refresh.len() > 3 {
            seen.insert("rotated");
        }
        if model.ended == Knowledge::No && model.redeemed == Knowledge::Yes {
            seen.insert("alive");
        }
        Ok(seen)
    }
}

/// A redemption that the store refused redeems nothing, so the second one after it sets the time of a replay.
#[tokio::test]
async fn a_refused_redemption_sets_no_time_of_a_replay() {
    let redeem = |wait, times, failure| Step {
        wait: Duration::from_millis(wait),
        acts: vec![Act::Redeem; times],
        failure,
        order: 0,
    };
    let history = [redeem(0, 1, Some((0, Failure::Refused))), redeem(1_100, 1, None), redeem(5_000, 2, None)];
    let seen = Deployment::start().await.run(&mut Flow::default(), &history).await.unwrap();
    assert!(seen.contains("alive"), "{seen:?}");
}

/// The number of cases; `PROPTEST_CASES` sets another.
const CASES: u32 = 150;

#[test]
fn a_grant_keeps_its_promises_whatever_the_store_does() {
    let tokio = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let mut deployment = tokio.block_on(Deployment::start());
    let mut browser = Flow::default();
    let mut seen: BTreeMap<&'static str, u32> = BTreeMap::new();
    let cases = std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(CASES);
    let config = Config { cases, failure_persistence: None, max_shrink_iters: 4_000, ..Config::default() };
    let histories = proptest::collection::vec(step(), 1..24).prop_map(|mut steps| {
        // Without a redemption there is no history.
        steps.insert(0, Step { wait: Duration::ZERO, acts: vec![Act::Redeem], failure: None, order: 0 });
        steps
    });
    let any = proptest::collection::vec(step(), 1..12);
    let deployment = std::cell::RefCell::new((&mut deployment, &mut browser, &mut seen));
    let outcome = TestRunner::new(config).run(&prop_oneof![4 => histories, 1 => any], |steps| {
        let (deployment, browser, seen) = &mut *deployment.borrow_mut();
        for what in tokio.block_on(deployment.run(browser, &steps))? {
            *seen.entry(what).or_default() += 1;
        }
        Ok(())
    });
    outcome.unwrap_or_else(|failure| panic!("{failure}"));
    for what in ["ended", "rotated", "alive"] {
        assert!(
            seen.get(what).is_some_and(|count| *count > cases / 20),
            "{what}: {seen:?}: the histories are too tame"
        );
    }
}
