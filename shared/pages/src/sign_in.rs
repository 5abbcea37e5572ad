//! The sign-in page.

use crate::{ClientProfile, Page};

/// What the sign-in page shows. The form posts to `/login`: `username`, `password`, `interaction`, `csrf`; the other buttons
/// send `decision` = `continue` or `cancel` with `interaction` and `csrf`.
#[derive(Debug, Clone, Copy)]
pub struct SignIn<'a> {
    /// Fresh for each response: 128 random bits or more, base64url.
    pub nonce: &'a str,
    /// The application that asks.
    pub client: ClientProfile<'a>,
    /// The validated redirect URI: its host is shown, and the policy lets the form's redirect reach it.
    pub redirect_uri: &'a str,
    /// Fills the `username` field (`login_hint`, or what was typed before).
    pub username: &'a str,
    /// Why the person sees the form again.
    pub problem: Option<SignInProblem>,
    /// The sealed interaction.
    pub interaction: &'a str,
    /// The CSRF token.
    pub csrf: &'a str,
    /// Display name of the account that is signed in: offers to go on with it (`prompt=select_account`).
    pub continue_as: Option<&'a str>,
    /// Offers a cancel button.
    pub cancel: bool,
}

/// Why sign-in did not succeed. None of them tells whether the account exists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SignInProblem {
    /// Wrong username or password.
    Wrong,
    /// Slowed down.
    TooManyAttempts {
        /// Seconds until the next attempt is looked at.
        retry_after_secs: u64,
    },
    /// The interaction or the CSRF token is no longer valid.
    SessionExpired,
}

/// Shows the sign-in page.
pub fn sign_in(view: &SignIn<'_>) -> Page {
    crate::policy::unfinished(view.nonce)
}
