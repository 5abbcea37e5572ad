//! The meaning of a code or refresh token that lost to another request.

use crate::limits::CLOCK_DIFFERENCE;
use crate::{ActiveGrant, GrantState, RetryWindows};
use std::time::Duration;
use types::Timestamp;

/// Time after a redemption in which another redemption of the same code counts as the client's own double submit: rejected,
/// but nothing is revoked. A later one is a replay. One second, and as much as the clocks of two instances may differ.
pub const RACE: Duration = Duration::from_secs(1).saturating_add(CLOCK_DIFFERENCE);

/// The meaning of a second redemption of a code (RFC 6749 §4.1.2: MUST deny, SHOULD revoke). It is rejected in each case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CodeVerdict {
    /// The client submitted the code twice at the same time.
    Race,
    /// The code is replayed: revoke the grant.
    Replay,
    /// The grant is revoked already.
    Ended,
}

/// The meaning of a refresh token, given the state of its grant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RefreshVerdict {
    /// The token is the current one: rotate from the record's generation.
    Live,
    /// The token was rotated within the grace window, by the same client and sender: answer with the same successor.
    Retry,
    /// The token was rotated before the grace window, and its successor was never used: the client did not receive the answer.
    /// Issue another successor in place of the unused one, which is a replay from then on.
    LostAnswer,
    /// The token was used before, and so was its successor, or the window for lost answers is over (RFC 9700 §4.14.2): revoke
    /// the grant.
    Replay,
    /// The grant is revoked, or has no refresh token.
    Ended,
}

impl GrantState {
    /// Judges a redemption that lost to an earlier one. The race window counts from the earlier redemption.
    pub fn judge_code(&self, now: Timestamp) -> CodeVerdict {
        match self {
            Self::Revoked(_) => CodeVerdict::Ended,
            Self::Active(active) if now.since(active.started_at) > RACE => CodeVerdict::Replay,
            Self::Active(_) | Self::Issued(_) => CodeVerdict::Race,
        }
    }

    /// Judges a refresh token of generation `generation`.
    pub fn judge_refresh(&self, generation: u32, now: Timestamp, windows: RetryWindows) -> RefreshVerdict {
        self.active().map_or(RefreshVerdict::Ended, |active| active.judge_refresh(generation, now, windows))
    }
}

impl ActiveGrant {
    /// Judges a refresh token of generation `generation`.
    pub fn judge_refresh(&self, generation: u32, now: Timestamp, windows: RetryWindows) -> RefreshVerdict {
        let age = now.since(self.rotated_at);
        if generation == self.refresh {
            RefreshVerdict::Live
        } else if generation != self.previous {
            RefreshVerdict::Replay
        } else if is_within(age, windows.grace) {
            RefreshVerdict::Retry
        } else if is_within(age, windows.lost_answer) {
            // `previous` is replaced when the successor is used: it is unused.
            RefreshVerdict::LostAnswer
        } else {
            RefreshVerdict::Replay
        }
    }
}

/// True if a window is open. A clock that is ahead does not close it early. A window of no length is never open.
fn is_within(age: Duration, window: Duration) -> bool {
    !window.is_zero() && age < window.saturating_add(CLOCK_DIFFERENCE)
}
