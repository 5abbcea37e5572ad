//! The clock of the test, and of the server as the test sees it.
//!
//! `latchkey dev --test-clock` adds the milliseconds in the header field `latchkey-test-clock` to the time of a request. A
//! test that waits then only moves its own clock: each of its later requests names the offset, and the tests beside it do
//! not notice. `LATCHKEY_TEST_CLOCK` says that the server has this option; against any other server a wait is a wait.

use std::cell::Cell;
use std::time::{Duration, SystemTime};

/// The header field that names the offset.
pub(crate) const FIELD: &str = "latchkey-test-clock";

thread_local! {
    static OFFSET: Cell<Duration> = const { Cell::new(Duration::ZERO) };
}

/// Lets time pass for this test: moves its clock where the server follows, and sleeps where it does not.
pub fn wait(duration: Duration) {
    if std::env::var_os("LATCHKEY_TEST_CLOCK").is_some() {
        OFFSET.set(OFFSET.get() + duration);
    } else {
        std::thread::sleep(duration);
    }
}

/// The clock of a test, for the threads that it starts.
#[derive(Clone, Copy, Debug)]
pub struct Clock(Duration);

impl Clock {
    /// The clock of this thread.
    pub fn here() -> Self {
        Self(OFFSET.get())
    }

    /// Makes it the clock of this thread.
    pub fn set(self) {
        OFFSET.set(self.0);
    }

    /// Runs `work` by the real clock.
    pub(crate) fn real<T>(work: impl FnOnce() -> T) -> T {
        let clock = Self::here();
        OFFSET.set(Duration::ZERO);
        let result = work();
        clock.set();
        result
    }

    /// The offset from the real clock.
    pub(crate) fn offset(self) -> Duration {
        self.0
    }
}

/// The time now, in seconds since 1970.
pub fn now() -> i64 {
    let elapsed = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).expect("the clock is past 1970");
    i64::try_from((elapsed + OFFSET.get()).as_secs()).expect("the clock is before the year 292 billion")
}
