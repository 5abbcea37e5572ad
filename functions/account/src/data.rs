//! The download of all that is stored about a user.

use crate::visit::Visit;
use http::{StatusCode, header};
use latchkey_http::Response;
use provider::{AuditEvent, HandlerError};
use serde_json::{Value, json};
use storage::sessions::ListedSession;

/// Path of the download.
pub(crate) const PATH: &str = "/account/data";

/// Answers with a JSON file: profile, sessions, consents and grants. Times are in seconds since the epoch. It holds no credential and no
/// token, and no identifier of a session. Round trips: 3, of which 2 in sequence.
pub(crate) async fn respond(visit: &Visit<'_>) -> Result<Response, HandlerError> {
    let (account, user) = futures::join!(visit.account(), visit.user());
    let account = account?;
    let Some(user) = user? else { return visit.not_there() };
    let data = json!({
        "exported_at": visit.now().as_secs(),
        "sub": user.subject,
        "username": user.username,
        "has_user_code": user.user_code.is_some(),
        "claims": user.claims,
        "sessions": account.sessions.iter().map(session).collect::<Vec<_>>(),
        "consents": account.consents,
        "grants": account.grants,
    });
    AuditEvent::DataDownloaded { subject: visit.subject() }.record(visit.request);
    let response = Response::json(StatusCode::OK, &data);
    Ok(response.with(header::CONTENT_DISPOSITION, "attachment; filename=\"account.json\""))
}

fn session(listed: &ListedSession) -> Value {
    json!({
        "signed_in_at": listed.session.authentication.auth_time.as_secs(),
        "expires_at": listed.expires_at.map(|expires_at| expires_at.as_secs()),
        "browser": listed.session.browser,
        "acr": listed.session.authentication.acr,
        "amr": listed.session.authentication.amr,
    })
}
