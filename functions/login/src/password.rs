//! Sign-in with a password: the page, the limit of attempts, and the hash (Argon2id).

use crate::SignInView;
use crate::limits::Attempt;
use crate::method::Judged;
use http::StatusCode;
use latchkey_http::Response;
use pages::SignIn;
use platform::entropy;
use protocol::{AuthenticationDenied, AuthenticationState, PasswordAttempt};
use provider::names::PlatformUnicode;
use provider::{HandlerError, InteractionPage, password_hash, responses};
use storage::Unavailable;
use storage::users::{self, Credential};

/// Shows the page with the fields for username and password.
pub(crate) fn render(
    page: &InteractionPage<'_>,
    status: StatusCode,
    view: &SignInView<'_>,
) -> Result<Response, HandlerError> {
    let nonce = entropy::name()?;
    let own_page;
    let requested = &page.interaction.requested;
    let redirect_uri = match requested.redirect_uri() {
        Some(redirect_uri) => redirect_uri.as_str(),
        None => {
            own_page = format!("{}{}", page.context.config.issuer, requested.path());
            &own_page
        }
    };
    let rendered = pages::sign_in(&SignIn {
        nonce: &nonce,
        client: (&page.client.client).into(),
        redirect_uri,
        username: view.username,
        problem: view.problem,
        interaction: &page.sealed,
        csrf: &page.browser.form_token(page.context, "login", &page.sealed),
        continue_as: view.continue_as,
    });
    Ok(responses::page(status, rendered))
}

/// Judges the username and the password of the form. The attempt is counted before the password is compared, while the
/// credential is read.
pub(crate) async fn authenticate<'a>(page: &InteractionPage<'a>) -> Result<Judged<'a>, HandlerError> {
    let denied = |denied| Ok(Judged { state: AuthenticationState::Denied(denied), attempt: None });
    let sent = match PasswordAttempt::from_form(&page.parameters, &PlatformUnicode) {
        Ok(sent) => sent,
        Err(reason) => return denied(reason),
    };
    // The names that no user can have share a counter, and the store is not asked for them.
    let begin = Attempt::begin(page, sent.username().map_or_else(String::new, ToString::to_string));
    let (begun, credential) = futures::join!(begin, find(page, &sent));
    let attempt = match begun? {
        Ok(attempt) => attempt,
        Err(wait) => return denied(AuthenticationDenied::TooManyAttempts { retry_after: wait.as_secs() }),
    };
    match judge(page, &sent, credential).await {
        Ok(Some(state)) => Ok(Judged { state, attempt: Some(attempt) }),
        Ok(None) => {
            attempt.fail().await?;
            denied(AuthenticationDenied::WrongCredential)
        }
        Err(error) => {
            attempt.succeed().await;
            Err(error)
        }
    }
}

async fn find(page: &InteractionPage<'_>, sent: &PasswordAttempt) -> Result<Option<Credential>, Unavailable> {
    match sent.username() {
        Some(username) => users::find_credential(page.context.records.as_ref(), username).await,
        None => Ok(None),
    }
}

/// Compares the password. Returns the state after success; `None` if username or password is wrong.
async fn judge(
    page: &InteractionPage<'_>,
    sent: &PasswordAttempt,
    credential: Result<Option<Credential>, Unavailable>,
) -> Result<Option<AuthenticationState>, HandlerError> {
    let credential = credential?;
    let hash = credential.as_ref().map(|credential| credential.password.clone());
    let is_right = password_hash::matches(sent.password().clone(), hash).await?;
    let Some(Credential { subject, name, .. }) = credential.filter(|_| is_right) else { return Ok(None) };
    let name = match name {
        Some(name) => name,
        None => {
            let user = users::find(page.context.records.as_ref(), &subject).await?;
            user.map_or_else(|| subject.as_str().to_owned(), |user| user.display_name().to_owned())
        }
    };
    Ok(Some(PasswordAttempt::success(subject, name, page.request.received_at)))
}

/// Returns the username that the user typed; nothing if the form was not accepted.
pub(crate) fn typed_username<'a>(page: &'a InteractionPage<'_>) -> &'a str {
    match PasswordAttempt::from_form(&page.parameters, &PlatformUnicode) {
        Ok(_) => page.parameters.value("username").unwrap_or_default(),
        Err(_) => "",
    }
}
