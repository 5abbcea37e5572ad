//! How failed sign-ins slow down the next ones, and how often else something may be done.

use serde::{Deserialize, Serialize};
use std::time::Duration;
use types::Timestamp;

/// Attempts that failed of late, against one account or from one address. An attempt is counted before it is made, so
/// that many at once cannot slip through.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempts {
    /// How many.
    pub count: u32,
    /// When the last was.
    pub last: Timestamp,
    /// Tells one writer from another.
    pub writer: String,
}

/// How patient a throttle is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience {
    /// How many failures cost nothing.
    pub free: u32,
}

/// For an account: whoever guesses one person's password.
pub const ACCOUNT: Patience = Patience { free: 5 };
/// For an address: whoever tries many accounts. Many people may share it.
pub const ADDRESS: Patience = Patience { free: 50 };

/// For a browser: whoever types a device's code. It keeps its name only as long as it likes, so the address counts too.
pub const BROWSER: Patience = Patience { free: 5 };

/// The longest wait, and how long without an attempt it takes until all is forgotten.
const LONGEST: Duration = Duration::from_secs(15 * 60);

impl Attempts {
    /// When the next attempt may be made.
    pub fn next_allowed(&self, patience: Patience) -> Timestamp {
        let Some(over) = self.count.checked_sub(patience.free).filter(|over| *over > 0) else {
            return Timestamp::default();
        };
        let wait = 2u64.saturating_pow(over.min(20)).saturating_mul(500);
        self.last.after(Duration::from_millis(wait).min(LONGEST))
    }

    /// After one more attempt.
    #[must_use]
    pub fn one_more(&self, now: Timestamp, writer: String) -> Self {
        let count = if now.since(self.last) > LONGEST { 0 } else { self.count };
        Self { count: count.saturating_add(1), last: now, writer }
    }

    /// After an attempt turned out right.
    #[must_use]
    pub fn one_less(&self, writer: String) -> Self {
        Self { count: self.count.saturating_sub(1), last: self.last, writer }
    }

    /// From when on it may be forgotten.
    pub fn forgotten_at(&self) -> Timestamp {
        self.last.after(LONGEST).after(LONGEST)
    }
}

/// How often something was done in a window of time.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Window {
    /// When the window began.
    pub began_at: Timestamp,
    /// How often.
    pub count: u32,
    /// Tells one writer from another.
    pub writer: String,
}

impl Window {
    /// After once more, in this window or in the one that begins with it; when there were `most` already, from when on it
    /// may be done.
    pub fn one_more(&self, length: Duration, most: u32, now: Timestamp, writer: String) -> Result<Self, Timestamp> {
        let (began_at, count) = if now.since(self.began_at) >= length { (now, 0) } else { (self.began_at, self.count) };
        if count >= most {
            return Err(began_at.after(length));
        }
        Ok(Self { began_at, count: count.saturating_add(1), writer })
    }

    /// When it ends.
    pub fn ends_at(&self, length: Duration) -> Timestamp {
        self.began_at.after(length)
    }
}
