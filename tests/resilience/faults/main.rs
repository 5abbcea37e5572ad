//! Faults: at every call of the store, in each step of each flow, the store refuses, loses its response, or dies after
//! the call. The client tries again. No token is issued twice; no client is stranded and no user is signed out.
//!
//! `LATCHKEY_TEST_FAULTS` is the URL at which the faults are planned; `RUST_TEST_THREADS` is 1.

#![allow(clippy::disallowed_methods, reason = "runs only where the system has a clock")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "as above")]

mod browser;
mod clients;
mod tokens;

use suite::Reply;
use suite::faults::{ALL, Attempt, Fault, during, is_passing};

/// The most calls of the store that one request makes.
const MOST_CALLS: u32 = 24;

/// The result of a step that a fault disturbed.
struct Trial<'a, T> {
    /// The subject of the step.
    subject: &'a T,
    /// The last response: the first one that reported no fault.
    reply: Reply,
    /// True if the store may have done the whole step without a response to the client.
    untold: bool,
}

/// Takes a step once for each call of the store and each fault at that call. Tries again as long as the server reports a
/// fault, then calls `judge`. `prepare` creates the subject of one step.
#[track_caller]
fn at_every_call<T>(prepare: impl Fn() -> T, step: impl Fn(&T) -> Reply, judge: impl Fn(&Trial<'_, T>)) {
    for (fault, times) in ALL {
        let befalls = |skip: &u32| {
            let subject = prepare();
            let Attempt { answer, befell } = during(fault, *skip, times, || step(&subject));
            let untold = befell && is_passing(&answer) && fault != Fault::Refused;
            let mut reply = answer;
            for _ in 0..3 {
                if befell && is_passing(&reply) {
                    reply = step(&subject);
                }
            }
            let context = format!("{fault:?}, {times} time(s) after {skip} calls");
            eprintln!("  {context}: befell {befell}, untold {untold}, {}", reply.status);
            assert!(!is_passing(&reply), "{context}: never answered: {reply:?}");
            judge(&Trial { subject: &subject, reply, untold });
            befell
        };
        let calls = (0..MOST_CALLS).take_while(befalls).count();
        assert!(calls > 0, "{fault:?}: the step asks nothing of the store");
        assert!(calls < MOST_CALLS as usize, "{fault:?}: the step never ends");
    }
}
