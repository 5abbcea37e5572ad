//! What the page sends.

use crate::{Visit, password};
use http::{StatusCode, header};
use pages::SignInProblem;
use protocol::interaction::{self, Decision, Interaction, Step};
use protocol::throttle::{ACCOUNT, ADDRESS};
use protocol::{Error, ErrorCode, Parameters};
use runtime::browser::{self, SignedIn};
use runtime::throttle::Slots;
use runtime::{Fault, Response};
use storage::users;

/// The longest password that is hashed, in bytes.
const MAX_PASSWORD: usize = 1024;

/// Takes the form.
pub(crate) async fn submit(visit: Visit<'_>, parameters: &Parameters) -> Result<Response, Fault> {
    if !visit.browser.accepts_form(visit.context, "login", visit.sealed, parameters.value("csrf")) {
        return visit.page(StatusCode::BAD_REQUEST, "", Some(SignInProblem::SessionExpired), None);
    }
    match parameters.value("decision") {
        Some("cancel") => {
            let interaction = Interaction { decision: Some(Decision::Denied), ..visit.interaction };
            browser::forward(visit.context, interaction.path(), &interaction)
        }
        Some("continue") => go_on(visit).await,
        _ => check_password(visit, parameters).await,
    }
}

/// Goes on as whoever is signed in, when the request allows it.
async fn go_on(visit: Visit<'_>) -> Result<Response, Fault> {
    let Some(signed_in) = SignedIn::of(visit.request, visit.context).await? else { return visit.show().await };
    let known_as = signed_in.known_as(visit.context, &visit.client.client);
    match interaction::step(&visit.interaction, Some(&signed_in.as_active(&known_as)), visit.request.received_at) {
        Ok(Step::SelectAccount | Step::Proceed) => visit.go_on_as(signed_in.name),
        _ => visit.show().await,
    }
}

async fn check_password(visit: Visit<'_>, parameters: &Parameters) -> Result<Response, Fault> {
    let username = parameters.value("username").unwrap_or_default();
    let given = parameters.value("password").unwrap_or_default();
    if username.is_empty() || given.is_empty() || username.len() > 256 || given.len() > MAX_PASSWORD {
        return visit.page(StatusCode::FORBIDDEN, "", Some(SignInProblem::Wrong), None);
    }
    let slots = Slots::new(visit.context, visit.request)?.per_address("address", visit.request.address, ADDRESS).per(
        "account",
        &users::normalize(username),
        ACCOUNT,
    );
    if let Err(wait) = slots.reserve().await? {
        let problem = SignInProblem::TooManyAttempts { retry_after_secs: wait.as_secs() };
        let response = visit.page(StatusCode::TOO_MANY_REQUESTS, username, Some(problem), None)?;
        let error = Error::new(ErrorCode::TemporarilyUnavailable, "too many sign-in attempts");
        return Ok(response.with(header::RETRY_AFTER, &wait.as_secs().to_string()).failed(&error));
    }
    let credential = users::find_credential(visit.context.records.as_ref(), username).await?;
    if password::is_right(given.to_owned(), credential.as_ref().map(|credential| credential.password.clone())).await?
        && let Some(credential) = credential
    {
        slots.forgive().await?;
        return visit.sign_in(credential.subject).await;
    }
    let error = Error::new(ErrorCode::AccessDenied, "wrong username or password");
    Ok(visit.page(StatusCode::FORBIDDEN, username, Some(SignInProblem::Wrong), None)?.failed(&error))
}
