//! Nothing lost: at every call of the store, in every step of every flow, the store refuses, loses its answer, or dies with
//! it done. The client tries again. Nothing is issued twice, and nobody is stranded or signed out.
//!
//! `LATCHKEY_TEST_FAULTS` is where the faults are planned; `RUST_TEST_THREADS` is 1.

#![allow(clippy::disallowed_methods, reason = "runs only where the system has a clock")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "as above")]

mod browser;
mod clients;
mod tokens;

use suite::Reply;
use suite::faults::{ALL, Attempt, Fault, during, is_passing};

/// The most calls of the store that one request makes.
const MOST_CALLS: u32 = 24;

/// How a step went that was disturbed.
struct Trial<'a, T> {
    /// What the step was about.
    subject: &'a T,
    /// The last answer: the first that owned up to no fault.
    reply: Reply,
    /// The store may have done all that was asked, with nobody told.
    untold: bool,
}

/// Takes a step while each call of the store goes wrong in turn, in each way; tries again as long as the server says that it
/// should; and judges what came of it. `prepare` makes what one step is about.
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
