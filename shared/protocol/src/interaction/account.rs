//! A page of the user's own account, which needs a sign-in: no client asks.

use serde::{Deserialize, Serialize};

/// A page of this server that needs a sign-in, and that no client asked for. A sign-in leads to no place beside these.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AccountPage {
    /// The applications and what they may do, and where the user is signed in.
    Overview,
    /// The form for a new password.
    Password,
    /// The ways in which the user signs in.
    SignInMethods,
    /// The page on which the user makes a passkey.
    NewPasskey,
    /// The download of all that is stored about the user.
    Data,
    /// The deletion of the account.
    Deletion,
    /// The backchannel requests that wait for the user (CIBA Core §8).
    Requests,
}

impl AccountPage {
    /// Age up to which a sign-in is recent, in seconds. An older one does not suffice for what takes an account over: a user may have left
    /// the browser open.
    pub const RECENT: u64 = 300;

    /// Returns the greatest age of the sign-in for the page, in seconds; `None` if each session suffices.
    pub const fn max_age(self) -> Option<u64> {
        match self {
            Self::Overview | Self::Requests => None,
            Self::Password | Self::SignInMethods | Self::NewPasskey | Self::Data | Self::Deletion => Some(Self::RECENT),
        }
    }

    /// Returns the path of the page.
    pub const fn path(self) -> &'static str {
        match self {
            Self::Overview => "/account",
            Self::Password => "/account/password",
            Self::SignInMethods => "/account/sign-in",
            Self::NewPasskey => "/account/passkey/new",
            Self::Data => "/account/data",
            Self::Deletion => "/account/deletion",
            Self::Requests => "/requests",
        }
    }
}
