//! Rate limits: delays after failed attempts, and quotas per window of time.

use serde::{Deserialize, Serialize};
use std::time::Duration;
use types::Timestamp;

/// Recent failed attempts for one account, address or browser. An attempt is counted before it is checked, so that
/// concurrent attempts cannot evade the limit.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempts {
    /// Number of attempts.
    pub count: u32,
    /// Time of the last attempt.
    pub last: Timestamp,
    /// Random text of the request that wrote this state.
    pub writer: String,
}

/// The limit of a counter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience {
    /// Number of failures without a delay.
    pub free: u32,
}

/// For an account: guesses of one user's password.
pub const ACCOUNT: Patience = Patience { free: 5 };
/// For an address: attempts on many accounts. Many users may share an address.
pub const ADDRESS: Patience = Patience { free: 50 };

/// For a browser: guesses of user codes. A browser can discard its cookie, so the address counts, too.
pub const BROWSER: Patience = Patience { free: 5 };

/// The longest delay, and the time without an attempt after which the counter is reset.
const LONGEST: Duration = Duration::from_secs(15 * 60);

impl Attempts {
    /// Returns the time from which the next attempt is allowed.
    pub fn next_allowed(&self, patience: Patience) -> Timestamp {
        let Some(over) = self.count.checked_sub(patience.free).filter(|over| *over > 0) else {
            return Timestamp::default();
        };
        let wait = 2u64.saturating_pow(over.min(20)).saturating_mul(500);
        self.last.after(Duration::from_millis(wait).min(LONGEST))
    }

    /// Returns the counter after one more attempt.
    #[must_use]
    pub fn one_more(&self, now: Timestamp, writer: String) -> Self {
        let count = if now.since(self.last) > LONGEST { 0 } else { self.count };
        Self { count: count.saturating_add(1), last: now, writer }
    }

    /// Returns the counter after an attempt succeeded.
    #[must_use]
    pub fn one_less(&self, writer: String) -> Self {
        Self { count: self.count.saturating_sub(1), last: self.last, writer }
    }

    /// Returns the time from which the record may be deleted.
    pub fn forgotten_at(&self) -> Timestamp {
        self.last.after(LONGEST).after(LONGEST)
    }
}

/// A counter for one window of time.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Window {
    /// Start of the window.
    pub began_at: Timestamp,
    /// Number of uses.
    pub count: u32,
    /// Random text of the request that wrote this state.
    pub writer: String,
}

impl Window {
    /// Returns the counter after one more use, in this window or in the next one. Errors: the end of the window, if
    /// it has `most` uses already.
    pub fn one_more(&self, length: Duration, most: u32, now: Timestamp, writer: String) -> Result<Self, Timestamp> {
        let (began_at, count) = if now.since(self.began_at) >= length { (now, 0) } else { (self.began_at, self.count) };
        if count >= most {
            return Err(began_at.after(length));
        }
        Ok(Self { began_at, count: count.saturating_add(1), writer })
    }

    /// Returns the end of the window.
    pub fn ends_at(&self, length: Duration) -> Timestamp {
        self.began_at.after(length)
    }
}
