//! Sign-in with a password: the page, the limit of attempts, and the hash (Argon2id).

use crate::SignInView;
use argon2::{Algorithm, Argon2, Params, PasswordHash, PasswordVerifier, Version};
use http::StatusCode;
use latchkey_http::Response;
use pages::SignIn;
use platform::{blocking, entropy};
use protocol::throttle::{ACCOUNT, ADDRESS};
use protocol::{AuthenticationDenied, AuthenticationState, PasswordAttempt};
use provider::throttle::Slots;
use provider::{HandlerError, InteractionPage, responses};
use storage::users;

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
        Some(redirect_uri) => redirect_uri,
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

/// Judges the username and the password of the form. Each attempt is counted before the password is compared.
pub(crate) async fn authenticate(page: &InteractionPage<'_>) -> Result<AuthenticationState, HandlerError> {
    let attempt = match PasswordAttempt::from_form(&page.parameters) {
        Ok(attempt) => attempt,
        Err(denied) => return Ok(AuthenticationState::Denied(denied)),
    };
    let slots = Slots::new(page.context, page.request)?.per_address("address", page.request.address, ADDRESS).per(
        "account",
        &users::normalize(attempt.username()),
        ACCOUNT,
    );
    if let Err(wait) = slots.reserve().await? {
        let denied = AuthenticationDenied::TooManyAttempts { retry_after: wait.as_secs() };
        return Ok(AuthenticationState::Denied(denied));
    }
    let credential = users::find_credential(page.context.records.as_ref(), attempt.username()).await?;
    let hash = credential.as_ref().map(|credential| credential.password.clone());
    let is_right = is_right(attempt.password().to_owned(), hash).await?;
    if is_right {
        slots.forgive().await?;
    }
    let subject = credential.filter(|_| is_right).map(|credential| credential.subject);
    Ok(PasswordAttempt::judge(subject, page.request.received_at))
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

/// Does the work of a comparison without one (OWASP: 19 MiB, two passes, one lane).
fn waste(password: &str) {
    let mut output = [0; 32];
    if let Ok(params) = Params::new(19_456, 2, 1, Some(32)) {
        let _ = Argon2::new(Algorithm::Argon2id, Version::V0x13, params).hash_password_into(
            password.as_bytes(),
            b"salt of no user",
            &mut output,
        );
    }
    std::hint::black_box(output);
}
