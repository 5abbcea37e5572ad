//! The page of a session of another browser, and its end.

use crate::visit::Visit;
use http::StatusCode;
use latchkey_http::Response;
use pages::{AccountOutcome, AccountSession};
use protocol::SessionId;
use provider::sessions::SignedIn;
use provider::{AuditEvent, Context, HandlerError, interactions, responses};
use serde::{Deserialize, Serialize};
use storage::sessions;

/// Path of the page.
pub(crate) const PATH: &str = "/account/session";

/// The form of the page.
const FORM: &str = "account-session";

/// The name of a session on its way to its page. It travels sealed: the identifier of a session is in its cookie alone.
#[derive(Serialize, Deserialize)]
struct SessionReference {
    session: SessionId,
}

/// Returns the path of the page of a session, with its query.
pub(crate) fn href(context: &Context, session: SessionId) -> Result<String, HandlerError> {
    Ok(format!("{PATH}?session={}", interactions::seal(context, &SessionReference { session })?))
}

/// Shows the page, or handles its form. Round trips: 2; then, for the form, those of [`SignedIn::end`].
pub(crate) async fn respond(visit: &Visit<'_>) -> Result<Response, HandlerError> {
    let sealed = visit.parameters.value("session").unwrap_or_default();
    let Some(SessionReference { session: id }) = interactions::open(visit.context, sealed) else {
        return visit.not_there();
    };
    if id == visit.signed_in.id {
        return Ok(Response::see_other(&format!("{}/logout", visit.context.config.issuer)));
    }
    let found = sessions::find(visit.context.records.as_ref(), id).await?;
    let Some(session) = found.filter(|session| session.subject == *visit.subject()) else {
        return visit.not_there();
    };
    let other = SignedIn { id, session };
    if visit.is_post() { end(visit, &other, sealed).await } else { show(visit, &other, sealed) }
}

/// Asks whether the session is to end.
fn show(visit: &Visit<'_>, other: &SignedIn, sealed: &str) -> Result<Response, HandlerError> {
    let frame = visit.frame()?;
    let view = AccountSession {
        frame: &frame,
        user: visit.signed_in.profile(),
        browser: other.session.browser.as_deref(),
        since: other.session.authentication.auth_time.as_secs(),
        session: sealed,
        csrf: &visit.form_token(FORM, sealed),
    };
    Ok(responses::page(StatusCode::OK, pages::account_session(&view)))
}

/// Ends the session and notifies its clients, as a sign-out in that browser does.
async fn end(visit: &Visit<'_>, other: &SignedIn, sealed: &str) -> Result<Response, HandlerError> {
    visit.check_form(FORM, sealed)?;
    let notifications = other.end(visit.context, visit.now()).await?;
    AuditEvent::SignedOut { subject: visit.subject() }.record(visit.request);
    notifications.send(visit.context, visit.now()).await;
    visit.outcome(StatusCode::OK, AccountOutcome::Ended)
}
