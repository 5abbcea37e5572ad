//! The authentication methods: one file and one page for each. A new method is a new arm of each `match` here.

use crate::limits::Attempt;
use crate::passkey::UsedPasskey;
use crate::password::Rehash;
use crate::second_factor::UsedSecondFactor;
use crate::{SignInView, passkey, password, second_factor};
use http::StatusCode;
use latchkey_http::Response;
use protocol::{AuthenticationDenied, AuthenticationMethod, AuthenticationState};
use provider::{Context, HandlerError, InteractionPage};

/// Returns the method of a form: that of the field that it has.
pub(crate) fn of_form(page: &InteractionPage<'_>) -> AuthenticationMethod {
    let has = |field| page.parameters.value(field).is_some_and(|value| !value.is_empty());
    if has(passkey::FIELD) {
        AuthenticationMethod::Passkey
    } else if has(second_factor::FIELD) {
        second_factor::method(page)
    } else {
        AuthenticationMethod::FIRST
    }
}

/// Shows the page of a method.
pub(crate) fn render(
    method: AuthenticationMethod,
    page: &InteractionPage<'_>,
    status: StatusCode,
    view: &SignInView<'_>,
) -> Result<Response, HandlerError> {
    match method {
        AuthenticationMethod::Password | AuthenticationMethod::Passkey => password::render(page, status, view),
        AuthenticationMethod::Totp | AuthenticationMethod::RecoveryCode => second_factor::render(page, status, view),
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
    /// The act that follows a success.
    pub(crate) after: AfterSuccess,
    /// True if the user is known to have a passkey.
    pub(crate) has_passkey: bool,
}

impl Judged<'_> {
    /// Returns a step with this outcome and nothing else.
    pub(crate) fn of(state: AuthenticationState) -> Self {
        Self { state, attempt: None, username: None, after: AfterSuccess::Nothing, has_passkey: false }
    }

    /// Returns a step that failed.
    pub(crate) fn denied(reason: AuthenticationDenied) -> Self {
        Self::of(AuthenticationState::Denied(reason))
    }
}

/// An act that follows a success, at the same time as the new session is stored.
pub(crate) enum AfterSuccess {
    /// No act.
    Nothing,
    /// A hash is replaced.
    Rehash(Box<Rehash>),
    /// The use of a passkey is recorded.
    PasskeyUse(Box<UsedPasskey>),
    /// The code of the second factor is used up.
    SecondFactor(Box<UsedSecondFactor>),
}

impl AfterSuccess {
    /// Runs the act. Errors: the sign-in does not succeed. Round trips: 0 or 1.
    pub(crate) async fn run(self, context: &Context) -> Result<(), HandlerError> {
        match self {
            Self::Nothing => Ok(()),
            Self::Rehash(rehash) => {
                rehash.run(context).await;
                Ok(())
            }
            Self::PasskeyUse(used) => used.run(context).await,
            Self::SecondFactor(used) => used.run(context).await,
        }
    }
}

/// Judges what the user sent to the page of a method.
pub(crate) async fn authenticate<'a>(
    method: AuthenticationMethod,
    page: &InteractionPage<'a>,
) -> Result<Judged<'a>, HandlerError> {
    match method {
        AuthenticationMethod::Password => password::authenticate(page).await,
        AuthenticationMethod::Passkey => passkey::authenticate(page).await,
        AuthenticationMethod::Totp | AuthenticationMethod::RecoveryCode => second_factor::authenticate(page).await,
    }
}

/// Returns the text that fills the username field when the page of a method is shown again.
pub(crate) fn typed_username<'a>(method: AuthenticationMethod, page: &'a InteractionPage<'_>) -> &'a str {
    match method {
        AuthenticationMethod::Password => password::typed_username(page),
        AuthenticationMethod::Passkey | AuthenticationMethod::Totp | AuthenticationMethod::RecoveryCode => "",
    }
}
