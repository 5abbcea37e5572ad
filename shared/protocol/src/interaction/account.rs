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
    /// The form for another e-mail address.
    EmailAddress,
    /// The page of the link that proves an e-mail address.
    EmailAddressLink,
    /// The backchannel requests that wait for the user (CIBA Core §8).
    Requests,
}

/// A page of the user's own account for which the user signs in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequestedPage {
    /// The page.
    pub page: AccountPage,
    /// The link of a mail, sealed, that led to the page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link: Option<String>,
}

impl From<AccountPage> for RequestedPage {
    fn from(page: AccountPage) -> Self {
        Self { page, link: None }
    }
}

impl RequestedPage {
    /// Returns the path of the page, with its query.
    pub fn href(&self) -> String {
        match &self.link {
            Some(link) => format!("{}?link={link}", self.page.path()),
            None => self.page.path().to_owned(),
        }
    }
}

impl AccountPage {
    /// Age up to which a sign-in is recent, in seconds. An older one does not suffice for what takes an account over: a user may have left
    /// the browser open.
    pub const RECENT: u64 = 300;

    /// Returns the greatest age of the sign-in for the page, in seconds; `None` if each session suffices.
    pub const fn max_age(self) -> Option<u64> {
        match self {
            // The request for the link came after a recent sign-in.
            Self::Overview | Self::EmailAddressLink | Self::Requests => None,
            Self::Password
            | Self::SignInMethods
            | Self::NewPasskey
            | Self::Data
            | Self::Deletion
            | Self::EmailAddress => Some(Self::RECENT),
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
            Self::EmailAddress | Self::EmailAddressLink => "/account/email",
            Self::Requests => "/requests",
        }
    }
}
