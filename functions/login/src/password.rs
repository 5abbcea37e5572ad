//! Sign-in with a password: the page, the limit of attempts, and the hash (Argon2id).

use crate::SignInView;
use crate::limits::Attempt;
use crate::method::Judged;
use argon2::{Algorithm, Argon2, Params, PasswordHash, PasswordVerifier, Version};
use http::StatusCode;
use latchkey_http::Response;
use pages::SignIn;
use platform::{blocking, entropy};
use protocol::limits::Argon2Cost;
use protocol::{AuthenticationDenied, AuthenticationState, PasswordAttempt};
use provider::{HandlerError, InteractionPage, responses};
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
    let sent = match PasswordAttempt::from_form(&page.parameters) {
        Ok(sent) => sent,
        Err(reason) => return denied(reason),
    };
    let records = page.context.records.as_ref();
    let begin = Attempt::begin(page, users::normalize(sent.username()));
    let (begun, credential) = futures::join!(begin, users::find_credential(records, sent.username()));
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

/// Compares the password. Returns the state after success; `None` if username or password is wrong.
async fn judge(
    page: &InteractionPage<'_>,
    sent: &PasswordAttempt,
    credential: Result<Option<Credential>, Unavailable>,
) -> Result<Option<AuthenticationState>, HandlerError> {
    let credential = credential?;
    let hash = credential.as_ref().map(|credential| credential.password.clone());
    let is_right = is_right(sent.password().to_owned(), hash).await?;
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
    match PasswordAttempt::from_form(&page.parameters) {
        Ok(_) => page.parameters.value("username").unwrap_or_default(),
        Err(_) => "",
    }
}

/// True if the password matches the hash, a PHC string. Without a hash the password is wrong, and the comparison takes as
/// long as with a hash made by `latchkey user`: the time does not say whether an account exists.
async fn is_right(password: String, hash: Option<String>) -> Result<bool, HandlerError> {
    let outcome = blocking::run(move || match hash {
        Some(hash) => PasswordHash::new(&hash)
            .is_ok_and(|hash| Argon2::default().verify_password(password.as_bytes(), &hash).is_ok()),
        None => {
            waste(&password);
            false
        }
    });
    outcome.await.ok_or_else(|| HandlerError::unavailable("the password check did not finish"))
}

/// Does the work of a comparison without one.
fn waste(password: &str) {
    let mut output = [0; 32];
    let Argon2Cost { memory_kib, passes, lanes } = Argon2Cost::GENERATED;
    if let Ok(params) = Params::new(memory_kib, passes, lanes, Some(output.len())) {
        let _ = Argon2::new(Algorithm::Argon2id, Version::V0x13, params).hash_password_into(
            password.as_bytes(),
            b"salt of no user",
            &mut output,
        );
    }
    std::hint::black_box(output);
}
