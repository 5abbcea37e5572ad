//! The form of the sign-in page.

use crate::method::Judged;
use crate::{AuthenticatedUser, SignInView, current_user, method, second_factor, show, sign_in};
use http::{StatusCode, header};
use latchkey_http::Response;
use pages::{CurrentUser, SignInProblem};
use protocol::{AuthenticationDenied, AuthenticationMethod, AuthenticationState, NextPrompt};
use provider::sessions::SignedIn;
use provider::{AuditEvent, HandlerError, InteractionPage, interactions};
use types::{Error, ErrorCode};

/// Handles the form.
pub(crate) async fn submit(page: InteractionPage<'_>) -> Result<Response, HandlerError> {
    let method = method::of_form(&page);
    if page.has_restarted {
        // The user signed in in another tab since, or the page was open for too long: the request proceeds, or asks anew.
        return show(&page, Some(SignInProblem::SessionExpired)).await;
    }
    if !page.accepts_form("login", &page.sealed) {
        let username = method::typed_username(method, &page);
        let view = SignInView { username, problem: Some(SignInProblem::SessionExpired), current: None };
        return method::render(method, &page, StatusCode::BAD_REQUEST, &view);
    }
    match page.parameters.value("decision") {
        Some("cancel") => interactions::resume(page.context, &page.interaction.deny()),
        Some("continue") => continue_as(page).await,
        _ => authenticate(page, method).await,
    }
}

/// Continues as the user who is signed in, if the request allows it.
async fn continue_as(page: InteractionPage<'_>) -> Result<Response, HandlerError> {
    let Some(signed_in) = SignedIn::of(page.request, page.context).await? else { return show(&page, None).await };
    let now = page.request.received_at;
    let client = page.client.as_ref().map(|stored| &stored.client);
    match interactions::next_prompt(page.context, &page.interaction, Some(&signed_in), client, now) {
        Ok(NextPrompt::SelectAccount | NextPrompt::Proceed) => {
            interactions::resume(page.context, &page.interaction.continue_as(signed_in.id)?)
        }
        Ok(NextPrompt::SignIn) | Err(_) => show(&page, None).await,
    }
}

/// Runs a step of an authentication method.
async fn authenticate(page: InteractionPage<'_>, method: AuthenticationMethod) -> Result<Response, HandlerError> {
    let (judged, before) =
        futures::join!(method::authenticate(method, &page), SignedIn::of(page.request, page.context));
    let Judged { state, attempt, after, username, has_passkey } = judged?;
    match state {
        AuthenticationState::Success { subject, name, context } => {
            let user = AuthenticatedUser { subject, name, username, context, method, has_passkey };
            sign_in(page, user, before?, attempt.as_ref(), after).await
        }
        AuthenticationState::Continue(passed) => {
            let end_attempt = async {
                if let Some(attempt) = &attempt {
                    attempt.succeed().await;
                }
            };
            let ((), done) = futures::join!(end_attempt, after.run(page.context));
            done?;
            second_factor::ask(&page, &passed)
        }
        AuthenticationState::External(location) => Ok(Response::see_other(&location)),
        AuthenticationState::Denied(denied) => {
            let before = before?;
            let current = current_user(&page, before.as_ref());
            show_denied(&page, method, denied, current)
        }
    }
}

/// Shows the page again, with the reason.
fn show_denied(
    page: &InteractionPage<'_>,
    method: AuthenticationMethod,
    denied: AuthenticationDenied,
    current: Option<CurrentUser<'_>>,
) -> Result<Response, HandlerError> {
    let log = |code: ErrorCode, description| {
        let error = Error::new(code, description);
        page.request.log.error(error.code.as_str(), &error.description);
    };
    let (username, client) = (method::typed_username(method, page), page.client_id());
    let view = |problem| SignInView { username, problem: Some(problem), current };
    match denied {
        AuthenticationDenied::WrongCredential => {
            log(ErrorCode::AccessDenied, "wrong username or password");
            AuditEvent::SignInFailed { client, method }.record(page.request);
            method::render(method, page, StatusCode::FORBIDDEN, &view(SignInProblem::Wrong))
        }
        AuthenticationDenied::UnknownPasskey => {
            AuditEvent::SignInFailed { client, method }.record(page.request);
            method::render(method, page, StatusCode::FORBIDDEN, &view(SignInProblem::UnknownPasskey))
        }
        AuthenticationDenied::WrongCode => {
            log(ErrorCode::AccessDenied, "wrong code of the second factor");
            AuditEvent::SignInFailed { client, method }.record(page.request);
            method::render(method, page, StatusCode::FORBIDDEN, &view(SignInProblem::WrongCode))
        }
        AuthenticationDenied::Expired => {
            log(ErrorCode::AccessDenied, "the first factor was passed too long ago, or elsewhere");
            let first = AuthenticationMethod::FIRST;
            method::render(first, page, StatusCode::BAD_REQUEST, &view(SignInProblem::SessionExpired))
        }
        AuthenticationDenied::TooManyAttempts { retry_after } => {
            log(ErrorCode::TemporarilyUnavailable, "too many sign-in attempts");
            AuditEvent::SignInThrottled { client }.record(page.request);
            let problem = SignInProblem::TooManyAttempts { retry_after_secs: retry_after };
            let response = method::render(method, page, StatusCode::TOO_MANY_REQUESTS, &view(problem))?;
            Ok(response.with(header::RETRY_AFTER, &retry_after.to_string()))
        }
    }
}
