//! Lifetimes of refresh tokens.

use std::time::Duration;
use types::Timestamp;

/// Lifetimes of refresh tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RefreshLifetimes {
    /// From the redemption of the code to the end of the family, however often it is rotated.
    pub absolute: Duration,
    /// From one rotation to the next.
    pub idle: Duration,
}

impl RefreshLifetimes {
    /// Returns the expiry of a refresh token issued at `now` in a family that started at `started_at`; whole seconds.
    pub(crate) fn end(&self, started_at: Timestamp, now: Timestamp) -> Timestamp {
        Timestamp::from_secs(now.after(self.idle).min(started_at.after(self.absolute)).as_secs())
    }
}

/// The times after a rotation in which the rotated refresh token is still accepted. Each lasts
/// [`CLOCK_DIFFERENCE`](crate::limits::CLOCK_DIFFERENCE) longer, because another instance may have rotated the token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RetryWindows {
    /// Grace window: the token yields the same successor again, for requests that were sent twice.
    pub grace: Duration,
    /// Window for lost answers: the token yields another successor, while the first one is unused.
    pub lost_answer: Duration,
}

impl RetryWindows {
    /// No window: only the current refresh token is accepted.
    pub const NONE: Self = Self { grace: Duration::ZERO, lost_answer: Duration::ZERO };
}
