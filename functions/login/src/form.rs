//! What the page sends.

use crate::{password, show, show_again, sign_in};
use http::{StatusCode, header};
use latchkey_http::Response;
use pages::SignInProblem;
use protocol::interaction::{Decision, Interaction, Step};
use protocol::throttle::{ACCOUNT, ADDRESS};
use provider::browser::{self, SignedIn};
use provider::throttle::Slots;
use provider::{HandlerError, Visit};
use storage::users;
use types::{Error, ErrorCode};

/// The longest password that is hashed, in bytes.
const MAX_PASSWORD: usize = 1024;

/// Takes the form.
pub(crate) async fn submit(visit: &Visit<'_>) -> Result<Response, HandlerError> {
    if !visit.accepts_form("login", &visit.sealed) {
        return show_again(visit, StatusCode::BAD_REQUEST, "", SignInProblem::SessionExpired);
    }
    match visit.parameters.value("decision") {
        Some("cancel") => {
            let interaction = Interaction { decision: Some(Decision::Denied), ..visit.interaction.clone() };
            browser::forward(visit.context, interaction.path(), &interaction)
        }
        Some("continue") => go_on(visit).await,
        _ => check_password(visit).await,
    }
}

/// Goes on as whoever is signed in, when the request allows it.
async fn go_on(visit: &Visit<'_>) -> Result<Response, HandlerError> {
    let Some(signed_in) = SignedIn::of(visit.request, visit.context).await? else { return show(visit).await };
    let now = visit.request.received_at;
    match browser::step(visit.context, &visit.interaction, Some(&signed_in), &visit.client.client, now) {
        Ok(Step::SelectAccount | Step::Proceed) => {
            let interaction = Interaction { chosen: Some(signed_in.name), decision: None, ..visit.interaction.clone() };
            browser::forward(visit.context, interaction.path(), &interaction)
        }
        _ => show(visit).await,
    }
}

async fn check_password(visit: &Visit<'_>) -> Result<Response, HandlerError> {
    let username = visit.parameters.value("username").unwrap_or_default();
    let given = visit.parameters.value("password").unwrap_or_default();
    if username.is_empty() || given.is_empty() || username.len() > 256 || given.len() > MAX_PASSWORD {
        return show_again(visit, StatusCode::FORBIDDEN, "", SignInProblem::Wrong);
    }
    let slots = Slots::new(visit.context, visit.request)?.per_address("address", visit.request.address, ADDRESS).per(
        "account",
        &users::normalize(username),
        ACCOUNT,
    );
    if let Err(wait) = slots.reserve().await? {
        let problem = SignInProblem::TooManyAttempts { retry_after_secs: wait.as_secs() };
        let response = show_again(visit, StatusCode::TOO_MANY_REQUESTS, username, problem)?;
        let error = Error::new(ErrorCode::TemporarilyUnavailable, "too many sign-in attempts");
        visit.request.log.error(error.code.as_str(), &error.description);
        return Ok(response.with(header::RETRY_AFTER, &wait.as_secs().to_string()));
    }
    let credential = users::find_credential(visit.context.records.as_ref(), username).await?;
    if password::is_right(given.to_owned(), credential.as_ref().map(|credential| credential.password.clone())).await?
        && let Some(credential) = credential
    {
        slots.forgive().await?;
        return sign_in(visit, credential.subject).await;
    }
    let error = Error::new(ErrorCode::AccessDenied, "wrong username or password");
    visit.request.log.error(error.code.as_str(), &error.description);
    show_again(visit, StatusCode::FORBIDDEN, username, SignInProblem::Wrong)
}
