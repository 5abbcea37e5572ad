//! A page of the user's own account, which needs a sign-in: no client asks.

use serde::{Deserialize, Serialize};

/// A page of this server that needs a sign-in, and that no client asked for. A sign-in leads to no place beside these.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AccountPage {
    /// The applications and what they may do, and where the user is signed in.
    Overview,
    /// The backchannel requests that wait for the user (CIBA Core §8).
    Requests,
}

impl AccountPage {
    /// Returns the path of the page.
    pub const fn path(self) -> &'static str {
        match self {
            Self::Overview => "/account",
            Self::Requests => "/requests",
        }
    }
}
