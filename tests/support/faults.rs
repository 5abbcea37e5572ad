//! Faults of the store: a plan that the platform's harness carries out between the functions and the store. The store is
//! one for all tests, so that one test runs at a time (`RUST_TEST_THREADS=1`).

use crate::call::{Call, Reply};
use crate::target::platform;
use serde_json::json;
use std::env;

/// What befalls a call of the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The store does not do it.
    Refused,
    /// The store does it, and its answer is lost.
    Lost,
    /// The store does it; then, before its answer arrives, what waits for it dies (Lambda), or the store does (Workers).
    Crash,
}

/// More faults in a row than a function asks again.
pub const FOR_GOOD: u32 = 9;

/// Every fault, and how often in a row: an answer that is lost once is asked for again by the function itself.
pub const ALL: [(Fault, u32); 4] =
    [(Fault::Refused, FOR_GOOD), (Fault::Lost, 1), (Fault::Lost, FOR_GOOD), (Fault::Crash, 1)];

/// What came of a request during which the store misbehaved.
#[derive(Debug)]
pub struct Attempt<T> {
    /// The answer.
    pub answer: T,
    /// Whether the store misbehaved at all.
    pub befell: bool,
}

/// Sends a request while this befalls the calls of the store after the first `skip`, `times` of them.
#[track_caller]
pub fn during<T>(fault: Fault, skip: u32, times: u32, request: impl FnOnce() -> T) -> Attempt<T> {
    let fault = format!("{fault:?}").to_lowercase();
    let plan = json!({ "fault": fault, "skip": skip, "times": times }).to_string();
    let begun = control("PUT").body("application/json", plan).send();
    assert!((200..300).contains(&begun.status), "{begun:?}");
    let answer = request();
    let befell = control("GET").send().expect(200).json()["befell"].as_u64().expect("a number") > 0;
    Attempt { answer, befell }
}

fn control(method: &str) -> Call {
    let url = env::var("LATCHKEY_TEST_FAULTS").expect("LATCHKEY_TEST_FAULTS: where faults of the store are planned");
    Call::new(method, &url)
}

/// Whether the server owned up to the fault, so that the client tries again. Any other refusal fails the test: it would
/// have the client throw its tokens away.
#[track_caller]
pub fn is_passing(reply: &Reply) -> bool {
    match reply.status {
        503 => {
            assert!(reply.header("retry-after").is_some(), "{}: when to come back? {reply:?}", platform());
            true
        }
        // The function died: the platform's own answer.
        500 => true,
        _ => false,
    }
}
