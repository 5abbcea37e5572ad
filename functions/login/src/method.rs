//! The authentication methods: one file and one page for each. A new method is a new arm of each `match` here.

use crate::limits::Attempt;
use crate::password::Rehash;
use crate::{SignInView, password};
use http::StatusCode;
use latchkey_http::Response;
use protocol::{AuthenticationMethod, AuthenticationState};
use provider::{HandlerError, InteractionPage};

/// Shows the page of a method.
pub(crate) fn render(
    method: AuthenticationMethod,
    page: &InteractionPage<'_>,
    status: StatusCode,
    view: &SignInView<'_>,
) -> Result<Response, HandlerError> {
    match method {
        AuthenticationMethod::Password => password::render(page, status, view),
    }
}

/// A step of an authentication.
pub(crate) struct Judged<'a> {
    /// The state after the step.
    pub(crate) state: AuthenticationState,
    /// The attempt that succeeded; `None` if the step ended it.
    pub(crate) attempt: Option<Attempt<'a>>,
    /// The sign-in name, in the form in which users are stored.
    pub(crate) username: Option<String>,
    /// The hash to replace after a success.
    pub(crate) rehash: Option<Box<Rehash>>,
}

/// Judges what the user sent to the page of a method.
pub(crate) async fn authenticate<'a>(
    method: AuthenticationMethod,
    page: &InteractionPage<'a>,
) -> Result<Judged<'a>, HandlerError> {
    match method {
        AuthenticationMethod::Password => password::authenticate(page).await,
    }
}

/// Returns the text that fills the username field when the page of a method is shown again.
pub(crate) fn typed_username<'a>(method: AuthenticationMethod, page: &'a InteractionPage<'_>) -> &'a str {
    match method {
        AuthenticationMethod::Password => password::typed_username(page),
    }
}
