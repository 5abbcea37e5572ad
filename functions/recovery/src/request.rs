//! The form that asks for a link by which the user chooses a new password.
//!
//! The request is written into the outbox as it was typed. The function `mail` finds the user and the address, so this function makes the
//! same calls and gives the same answer whether there is such a user or not.

use crate::Visit;
use http::{StatusCode, header};
use latchkey_http::Response;
use pages::{RecoveryOutcome, RecoveryProblem, RecoveryRequest};
use protocol::mail::MailContent;
use protocol::rate_limit::Quota;
use provider::rate_limiter::{Allowance, QuotaCounter, network};
use provider::{HandlerError, mail, responses};

/// The text that the CSRF token of the form is bound to beside the browser.
const FORM: &str = "request";

/// The longest text of the field, in bytes.
const MAX_IDENTIFIER: usize = 256;

/// Shows the form, or handles it.
pub(crate) async fn respond(visit: &Visit<'_>) -> Result<Response, HandlerError> {
    if visit.is_post() { submit(visit).await } else { show(visit, StatusCode::OK, None) }
}

fn show(visit: &Visit<'_>, status: StatusCode, problem: Option<RecoveryProblem>) -> Result<Response, HandlerError> {
    let frame = visit.frame()?;
    let typed = visit.parameters.value("identifier").unwrap_or_default();
    let view = RecoveryRequest {
        frame: &frame,
        identifier: if visit.is_post() && typed.len() <= MAX_IDENTIFIER { typed } else { "" },
        problem,
        csrf: &visit.form_token(FORM),
    };
    Ok(responses::page(status, pages::recovery_request(&view)))
}

/// Writes the request into the outbox, within the limits of the network and of what was typed. Round trips: 2 at the same time, and 1.
async fn submit(visit: &Visit<'_>) -> Result<Response, HandlerError> {
    if !visit.accepts_form(FORM) {
        return show(visit, StatusCode::BAD_REQUEST, Some(RecoveryProblem::NotAccepted));
    }
    let identifier = visit.parameters.value("identifier").unwrap_or_default().trim();
    if identifier.is_empty() || identifier.len() > MAX_IDENTIFIER || identifier.chars().any(char::is_control) {
        return show(visit, StatusCode::BAD_REQUEST, Some(RecoveryProblem::Unreadable));
    }
    let (context, now) = (visit.context, visit.now());
    let of_network = network(visit.request.address);
    let of_network = Allowance::new(context, now, Quota::RESET_REQUESTS, "reset requests", &[&of_network]);
    if let Err(wait) = of_network.check() {
        return too_many(visit, wait.as_secs());
    }
    let typed = identifier.to_lowercase();
    let of_identifier = QuotaCounter::new(context, now, Quota::MAILS_TO_ADDRESS, "reset", &[&typed]);
    let (in_network, used) = futures::join!(of_network.add(), of_identifier.add());
    if let Err(wait) = in_network? {
        return too_many(visit, wait.as_secs());
    }
    // Beyond the quota, the mailbox has a mail whose link works: the answer is the same.
    if used?.exceeded.is_none() {
        let content = MailContent::PasswordReset { identifier: identifier.to_owned(), is_counted: true };
        mail::put(context, content, now).await?;
    }
    visit.outcome(StatusCode::OK, RecoveryOutcome::Requested)
}

fn too_many(visit: &Visit<'_>, wait: u64) -> Result<Response, HandlerError> {
    visit.log("too many requests for a new password came from this network");
    let response =
        show(visit, StatusCode::TOO_MANY_REQUESTS, Some(RecoveryProblem::TooMany { retry_after_secs: wait }))?;
    Ok(response.with(header::RETRY_AFTER, &wait.to_string()))
}
