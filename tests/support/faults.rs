//! Faults of the store. The harness of the platform stands between the functions and the store and follows a plan.
//! All tests share the store, so one test runs at a time (`RUST_TEST_THREADS=1`).

use crate::call::{Call, Reply};
use crate::target::platform;
use serde_json::json;
use std::env;

/// A fault at a call of the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The store does not do the call.
    Refused,
    /// The store does the call, and its response is lost.
    Lost,
    /// The store does the call. Before the response arrives, the function (Lambda) or the store (Workers) dies.
    Crash,
}

/// More faults in a row than a function repeats a call.
pub const FOR_GOOD: u32 = 9;

/// Every fault, and how often in a row: after one lost response the function itself repeats the call.
pub const ALL: [(Fault, u32); 4] =
    [(Fault::Refused, FOR_GOOD), (Fault::Lost, 1), (Fault::Lost, FOR_GOOD), (Fault::Crash, 1)];

/// A request during which the store failed.
#[derive(Debug)]
pub struct Attempt<T> {
    /// The answer.
    pub answer: T,
    /// True if a fault occurred.
    pub befell: bool,
}

/// Sends a request while `times` calls of the store, after the first `skip` calls, have this fault.
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

/// True if the server reported the fault, so that the client tries again. Any other error fails the test: the client would
/// delete its tokens.
#[track_caller]
pub fn is_passing(reply: &Reply) -> bool {
    match reply.status {
        503 => {
            assert!(reply.header("retry-after").is_some(), "{}: when to come back? {reply:?}", platform());
            true
        }
        // The function died: this is the response of the platform.
        500 => true,
        _ => false,
    }
}
