//! The deletion of the account, where the operator allows it.

use crate::visit::Visit;
use http::{StatusCode, header};
use latchkey_http::Response;
use pages::{AccountDeletion, AccountOutcome};
use provider::{Actor, AuditEvent, HandlerError, cookies, names, responses, sessions};
use storage::{directory, users};

/// Path of the page.
pub(crate) const PATH: &str = "/account/deletion";

/// The form of the page.
const FORM: &str = "account-deletion";

/// Shows the page, or handles its form.
pub(crate) async fn respond(visit: &Visit<'_>) -> Result<Response, HandlerError> {
    if !visit.context.config.account_deletion {
        return visit.not_there();
    }
    if visit.is_post() { delete(visit).await } else { show(visit) }
}

/// Asks whether the account is to be deleted. Round trips: 1, that of the session.
fn show(visit: &Visit<'_>) -> Result<Response, HandlerError> {
    let frame = visit.frame()?;
    let csrf = visit.form_token(FORM, PATH);
    let view = AccountDeletion { frame: &frame, user: visit.signed_in.profile(), csrf: &csrf };
    Ok(responses::page(StatusCode::OK, pages::account_deletion(&view)))
}

/// Deletes the account, as an operator does: the `sub` is never used again.
async fn delete(visit: &Visit<'_>) -> Result<Response, HandlerError> {
    visit.check_form(FORM, PATH)?;
    if visit.parameters.value("confirmed") != Some("yes") {
        return show(visit);
    }
    let (context, subject) = (visit.context, visit.subject());
    let records = context.records.as_ref();
    let user = visit.user().await?;
    let username = user.as_ref().and_then(|user| names::username(&user.username));
    let Some(username) = username else { return visit.not_there() };
    context.check_clock(visit.request).await?;
    users::remove_credential(records, &username).await?;
    sessions::erase(context, subject, visit.now()).await?;
    storage::sessions::end(records, visit.signed_in.id, visit.now()).await?;
    directory::remove(records, &username).await?;
    AuditEvent::UserDeleted { subject, actor: Actor::User }.record(visit.request);
    Ok(visit
        .outcome(StatusCode::OK, AccountOutcome::Deleted)?
        .with(header::SET_COOKIE, &cookies::clear(&context.config, cookies::SESSION))
        .with(header::SET_COOKIE, &visit.browser.replaced()?.cookie(context)))
}
