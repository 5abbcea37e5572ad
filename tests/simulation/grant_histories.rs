//! Random histories of one grant, on a store that fails, checked against a small model (RFC 6749 §4.1.2, RFC 9700 §4.14).
//!
//! A history is a list of steps. The requests of one step run at the same time; the clock moves between steps. A fault may
//! disturb a step: the store refuses, loses answers, repeats a write, or dies after a write. The model then knows the outcome
//! of a request only if the client was told. It demands:
//!
//! - a code is redeemed at most once;
//! - each refresh token has one successor, so at most one lineage is alive;
//! - a client that retries within the grace window is never stranded;
//! - a replay and a revocation end the grant: nothing of it is accepted afterwards;
//! - a revoked access token is rejected, and no other token is affected;
//! - another client can neither use nor revoke the tokens.

use crate::common::{PASSWORD, deployment};
use futures::future::join_all;
use latchkey_http::Response;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestCaseError, TestRunner};
use simulation::{Flow, Instance, T0, json_of};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use storage::Records;
use storage::faults::{Call, Fault, Faulty, turns};
use storage::memory::Memory;

/// The grace window of refresh tokens: the default of the server.
const GRACE: Duration = Duration::from_secs(30);
/// A second redemption of a code within this time is refused and revokes nothing (`protocol::RACE`).
const RACE: Duration = protocol::RACE;
/// The lifetime of codes that the histories set: the longest allowed.
const CODE_LIFETIME: Duration = Duration::from_secs(600);
/// More than the calls that one step makes.
const FOR_GOOD: u64 = 1_000;

/// One request.
#[derive(Clone, Debug)]
enum Act {
    /// Redeems the code.
    Redeem,
    /// Uses a refresh token: the newest (0), the one before (1), …
    Refresh(usize),
    /// Presents an access token at UserInfo, counted likewise.
    UserInfo(usize),
    /// Revokes a refresh token.
    Revoke(usize),
    /// Revokes an access token.
    RevokeAccess(usize),
    /// Another client presents a refresh token.
    ForeignRefresh(usize),
    /// Another client revokes a refresh token.
    ForeignRevoke(usize),
}

/// How the store fails.
#[derive(Clone, Copy, Debug)]
enum Failure {
    /// It does nothing from this call on.
    Refused,
    /// It does the call, and one answer is lost.
    LostOnce,
    /// It does each call from this one on, and every answer is lost.
    Lost,
    /// It does this call; then the function dies: no later call is made.
    CrashAfterWrite,
    /// It does this call twice, because its answer was lost on the way.
    Twice,
}

/// One step of a history.
#[derive(Clone, Debug)]
struct Step {
    /// The time that passes before it.
    wait: Duration,
    acts: Vec<Act>,
    /// The first call that fails (0 is the first of the step), and how.
    failure: Option<(u64, Failure)>,
    /// Mixes the order in which the requests of the step reach the store.
    order: u32,
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        3 => Just(Act::Redeem),
        12 => Just(Act::Refresh(0)),
        4 => (0_usize..2).prop_map(Act::Refresh),
        1 => (0_usize..4).prop_map(Act::Refresh),
        4 => (0_usize..4).prop_map(Act::UserInfo),
        1 => (0_usize..3).prop_map(Act::Revoke),
        2 => (0_usize..3).prop_map(Act::RevokeAccess),
        1 => (0_usize..2).prop_map(Act::ForeignRefresh),
        1 => (0_usize..2).prop_map(Act::ForeignRevoke),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    let wait = prop_oneof![
        4 => Just(0_u64),
        2 => Just(900),
        2 => Just(1_100),
        2 => Just(5_000),
        1 => Just(29_000),
        1 => Just(31_000),
    ];
    let acts = prop_oneof![
        3 => proptest::collection::vec(act(), 1..=1),
        2 => proptest::collection::vec(act(), 2..=4),
    ];
    let failure = prop_oneof![
        Just(Failure::Refused),
        Just(Failure::LostOnce),
        Just(Failure::Lost),
        Just(Failure::CrashAfterWrite),
        Just(Failure::Twice)
    ];
    let failure = proptest::option::weighted(0.4, (0_u64..4, failure));
    (wait, acts, failure, any::<u32>()).prop_map(|(wait, acts, failure, order)| Step {
        wait: Duration::from_millis(wait),
        acts,
        failure,
        order,
    })
}

/// The plan of the faulty store: set before each step.
#[derive(Clone, Copy, Debug, Default)]
struct Plan {
    failure: Option<(u64, Failure)>,
    /// Zero: the requests of the step do not overlap.
    order: u32,
    calls: u64,
}

impl Plan {
    fn next(&mut self) -> Fault {
        let call = self.calls;
        self.calls = call + 1;
        if let Some((first, failure)) = self.failure
            && call >= first
        {
            let (fault, times) = match failure {
                Failure::Refused => (Fault::Before, FOR_GOOD),
                Failure::LostOnce => (Fault::After, 1),
                Failure::Lost => (Fault::After, FOR_GOOD),
                Failure::CrashAfterWrite if call == first => (Fault::After, 1),
                Failure::CrashAfterWrite => (Fault::Before, FOR_GOOD),
                Failure::Twice => (Fault::Twice, 1),
            };
            if call < first + times {
                return fault;
            }
        }
        let mixed = u64::from(self.order).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left((call % 64) as u32);
        match (self.order, mixed % 4) {
            (0, _) | (_, 0) => Fault::None,
            (_, 1) => Fault::DelayAnswer(turns((mixed >> 8) as u32 % 6)),
            _ => Fault::Delay(turns((mixed >> 8) as u32 % 6)),
        }
    }
}

/// The outcome of a request, as its client sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outcome {
    Accepted,
    Rejected,
    /// No outcome: the store failed, and the client may try again.
    Unknown,
}

fn outcome(response: &Response) -> Outcome {
    match response.status.as_u16() {
        200 => Outcome::Accepted,
        400 => {
            assert_eq!(json_of(response)["error"], "invalid_grant");
            Outcome::Rejected
        }
        401 => Outcome::Rejected,
        503 => {
            assert_eq!(json_of(response)["error"], "temporarily_unavailable");
            assert!(response.headers.contains_key("retry-after"));
            Outcome::Unknown
        }
        status => panic!("{status}: {}", String::from_utf8_lossy(&response.body)),
    }
}

/// An event that may have happened, or has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
enum Knowledge {
    #[default]
    No,
    Maybe,
    Yes,
}

/// What clients were told of the grant, and what follows from it.
#[derive(Debug, Default)]
struct Model {
    now: Duration,
    redeemed: Knowledge,
    /// The earliest moment at which the code may have been redeemed.
    redeemed_at: Option<Duration>,
    /// Refresh tokens by depth: the code's own is at depth 0. More than one at a depth: the same generation, written
    /// differently after an access token was revoked.
    refresh: Vec<Vec<Token>>,
    /// By depth: the first moment at which the token may have been rotated, and the first at which it certainly was.
    rotated: BTreeMap<usize, (Duration, Option<Duration>)>,
    access: Vec<Token>,
    revoked: BTreeMap<Token, Knowledge>,
    ended: Knowledge,
    /// An access token was revoked: successors may be written differently from then on.
    carries: bool,
}

/// The demand on the outcome of one request, if the model knows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Demand {
    Accept,
    Reject,
    /// Both are right, and a rejection may end the grant.
    Either,
}

/// A token, shown by its end alone.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Token(String);

impl std::fmt::Debug for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0[self.0.len() - 6..])
    }
}

/// A request of a step, with the token that it presents.
#[derive(Clone, Debug)]
enum Request {
    Redeem,
    Refresh { depth: usize, token: Token },
    UserInfo(Token),
    Revoke(Token),
    RevokeAccess(Token),
    ForeignRefresh(Token),
    ForeignRevoke(Token),
}

impl Model {
    fn head(&self) -> usize {
        self.refresh.len().saturating_sub(1)
    }

    /// The request of an act; `None` if the client has no such token yet.
    fn request(&self, act: &Act) -> Option<Request> {
        let depth = |back: usize| self.refresh.len().checked_sub(back + 1);
        let refresh = |back| Some(self.refresh[depth(back)?].last().unwrap().clone());
        let access = |back: usize| self.access.len().checked_sub(back + 1).map(|index| self.access[index].clone());
        Some(match *act {
            Act::Redeem => Request::Redeem,
            Act::Refresh(back) => Request::Refresh { depth: depth(back)?, token: refresh(back)? },
            Act::UserInfo(back) => Request::UserInfo(access(back)?),
            Act::Revoke(back) => Request::Revoke(refresh(back)?),
            Act::RevokeAccess(back) => Request::RevokeAccess(access(back)?),
            Act::ForeignRefresh(back) => Request::ForeignRefresh(refresh(back)?),
            Act::ForeignRevoke(back) => Request::ForeignRevoke(refresh(back)?),
        })
    }

    /// What a refresh means if the head is where `beyond` says: 0 where the clients know it, 1 for one further.
    fn refresh_at(&self, depth: usize, beyond: usize) -> Demand {
        let head = self.head() + beyond;
        if depth == head {
            return Demand::Accept;
        }
        if depth + 1 < head {
            return Demand::Reject;
        }
        let (earliest, certain) = self.rotated.get(&depth).copied().unwrap_or((self.now, Some(self.now)));
        if self.now - earliest < GRACE {
            Demand::Accept
        } else if certain.is_some_and(|certain| self.now - certain >= GRACE) {
            Demand::Reject
        } else {
            Demand::Either
        }
    }

    /// The demand on a request if nothing else of the step mattered but rotations at the head.
    fn alone(&self, request: &Request, head_may_move: bool) -> Demand {
        match request {
            Request::Redeem if self.now >= CODE_LIFETIME => Demand::Reject,
            Request::Redeem if self.redeemed == Knowledge::No => Demand::Accept,
            Request::Redeem if self.redeemed == Knowledge::Yes => Demand::Reject,
            Request::Redeem => Demand::Either,
            Request::Refresh { depth, .. } => {
                let moved = head_may_move || self.rotated.contains_key(&self.head());
                let here = self.refresh_at(*depth, 0);
                if !moved || here == self.refresh_at(*depth, 1) { here } else { Demand::Either }
            }
            Request::UserInfo(token) => match self.revoked.get(token).copied().unwrap_or_default() {
                Knowledge::No => Demand::Accept,
                Knowledge::Maybe => Demand::Either,
                Knowledge::Yes => Demand::Reject,
            },
            Request::Revoke(_) | Request::RevokeAccess(_) | Request::ForeignRevoke(_) => Demand::Accept,
            Request::ForeignRefresh(_) => Demand::Reject,
        }
    }

    /// True if the request may end the grant.
    fn may_end(&self, request: &Request, head_may_move: bool) -> bool {
        match request {
            Request::Revoke(_) => true,
            Request::Refresh { .. } => self.alone(request, head_may_move) != Demand::Accept,
            Request::Redeem => self.is_replay(self.redeemed_at),
            _ => false,
        }
    }

    /// True if a redemption at this moment is a replay of one at `redeemed_at`. An expired code proves nothing.
    fn is_replay(&self, redeemed_at: Option<Duration>) -> bool {
        self.now < CODE_LIFETIME && redeemed_at.is_some_and(|at| self.now - at > RACE)
    }

    /// The demand on each request of a step.
    fn demands(&self, requests: &[Request]) -> Vec<Demand> {
        let refreshes_head =
            |request: &Request| matches!(request, Request::Refresh { depth, .. } if *depth == self.head());
        let demand = |index: usize| {
            let request = &requests[index];
            let others = || requests.iter().enumerate().filter(|(other, _)| *other != index).map(|(_, other)| other);
            let head_may_move = others().any(refreshes_head);
            let alone = self.alone(request, head_may_move);
            if matches!(request, Request::Redeem) {
                // One of several redemptions wins; `settle` counts them.
                let is_contested = others().any(|other| matches!(other, Request::Redeem));
                return if alone == Demand::Accept && is_contested { Demand::Either } else { alone };
            }
            let is_a_use = matches!(request, Request::Refresh { .. } | Request::UserInfo(_));
            if is_a_use && self.ended == Knowledge::Yes {
                return Demand::Reject;
            }
            let is_endangered = self.ended == Knowledge::Maybe
                || others().any(|other| self.may_end(other, requests.iter().any(refreshes_head)))
                || matches!(request, Request::UserInfo(token)
                    if others().any(|other| matches!(other, Request::RevokeAccess(revoked) if revoked == token)));
            if is_a_use && alone == Demand::Accept && is_endangered { Demand::Either } else { alone }
        };
        (0..requests.len()).map(demand).collect()
    }

    /// Takes in the outcomes of a step, which must meet the demands.
    fn settle(
        &mut self,
        requests: &[Request],
        demands: &[Demand],
        responses: &[Response],
    ) -> Result<(), TestCaseError> {
        let outcomes: Vec<Outcome> = responses.iter().map(outcome).collect();
        for ((request, demand), outcome) in requests.iter().zip(demands).zip(&outcomes) {
            let is_met =
                !matches!((demand, outcome), (Demand::Accept, Outcome::Rejected) | (Demand::Reject, Outcome::Accepted));
            prop_assert!(is_met, "{request:?}: expected {demand:?}, got {outcome:?}; {self:?}");
        }
        let redemptions = requests.iter().zip(&outcomes).filter(|(request, _)| matches!(request, Request::Redeem));
        let (redemptions, accepted) = redemptions.fold((0, 0), |(all, accepted), (_, outcome)| {
            (all + 1, accepted + usize::from(*outcome == Outcome::Accepted))
        });
        prop_assert!(accepted <= 1, "the code was redeemed {accepted} times");
        let may_move = requests.iter().any(|request| matches!(request, Request::Refresh { .. }));
        let before = (self.redeemed, self.redeemed_at, self.head());
        for ((request, demand), (outcome, response)) in requests.iter().zip(demands).zip(outcomes.iter().zip(responses))
        {
            match (request, outcome) {
                (Request::Redeem, Outcome::Accepted) => {
                    self.redeemed = Knowledge::Yes;
                    self.redeemed_at = Some(before.1.unwrap_or(self.now).min(self.now));
                    self.keep(0, response)?;
                }
                (Request::Redeem, Outcome::Unknown) => {
                    self.redeemed = self.redeemed.max(Knowledge::Maybe);
                    self.redeemed_at.get_or_insert(self.now);
                    if self.is_replay(before.1) {
                        self.ended = self.ended.max(Knowledge::Maybe);
                    }
                }
                (Request::Redeem, Outcome::Rejected) if self.now >= CODE_LIFETIME => {}
                (Request::Redeem, Outcome::Rejected) => match before {
                    (Knowledge::Yes, at, _) if self.is_replay(at) => self.ended = Knowledge::Yes,
                    // It lost to a request whose client was told nothing, or to one of this step.
                    _ => {
                        self.redeemed_at.get_or_insert(self.now);
                        if self.is_replay(before.1) {
                            self.ended = self.ended.max(Knowledge::Maybe);
                        }
                        if redemptions == 1 || accepted == 0 {
                            self.redeemed = self.redeemed.max(Knowledge::Maybe);
                        }
                    }
                },
                (Request::Refresh { depth, .. }, Outcome::Accepted) => {
                    let rotated = self.rotated.entry(*depth).or_insert((self.now, None));
                    rotated.1.get_or_insert(self.now);
                    self.keep(depth + 1, response)?;
                }
                (Request::Refresh { depth, .. }, Outcome::Unknown) => {
                    if *depth == before.2 {
                        self.rotated.entry(*depth).or_insert((self.now, None));
                    }
                    if *demand != Demand::Accept || self.may_end(request, may_move) {
                        self.ended = self.ended.max(Knowledge::Maybe);
                    }
                }
                // The only reasons: it was a replay, or the grant had ended.
                (Request::Refresh { .. }, Outcome::Rejected) => self.ended = Knowledge::Yes,
                (Request::UserInfo(token), Outcome::Rejected) => {
                    // The grant ended, or this token was revoked.
                    let known = self.revoked.entry(token.clone()).or_default();
                    *known = Knowledge::Yes;
                }
                (Request::Revoke(_), Outcome::Accepted) => self.ended = Knowledge::Yes,
                (Request::Revoke(_), Outcome::Unknown) => self.ended = self.ended.max(Knowledge::Maybe),
                (Request::RevokeAccess(token), Outcome::Accepted | Outcome::Unknown) => {
                    self.carries = true;
                    let told = if *outcome == Outcome::Accepted { Knowledge::Yes } else { Knowledge::Maybe };
                    let known = self.revoked.entry(token.clone()).or_default();
                    *known = told.max(*known);
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Keeps the tokens of a response; `depth` is that of its refresh token.
    fn keep(&mut self, depth: usize, response: &Response) -> Result<(), TestCaseError> {
        let json = json_of(response);
        let text = |name: &str| Token(json[name].as_str().unwrap().to_owned());
        let (access, refresh) = (text("access_token"), text("refresh_token"));
        for (other, tokens) in self.refresh.iter().enumerate() {
            prop_assert!(other == depth || !tokens.contains(&refresh), "one token at two places of the lineage");
        }
        prop_assert!(depth <= self.refresh.len(), "a successor of a token that has none");
        if depth == self.refresh.len() {
            self.refresh.push(Vec::new());
        }
        let known = &mut self.refresh[depth];
        if !known.contains(&refresh) {
            prop_assert!(known.is_empty() || self.carries, "two successors of one refresh token");
            known.push(refresh);
        }
        prop_assert!(!self.access.contains(&access), "an access token was issued twice");
        self.access.push(access);
        Ok(())
    }
}

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
                &[("LATCHKEY_ACCESS_TOKEN_LIFETIME", "3600"), ("LATCHKEY_CODE_LIFETIME", "600")],
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
