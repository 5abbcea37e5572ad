//! The download of all that is stored about a user.

use crate::visit::Visit;
use http::{StatusCode, header};
use latchkey_http::Response;
use provider::{Actor, AuditEvent, HandlerError, user_data};

/// Path of the download.
pub(crate) const PATH: &str = "/account/data";

/// Answers with a JSON file. Round trips: 3, of which 2 in sequence.
pub(crate) async fn respond(visit: &Visit<'_>) -> Result<Response, HandlerError> {
    let (account, user) = futures::join!(visit.account(), visit.user());
    let account = account?;
    let Some(user) = user? else { return visit.not_there() };
    AuditEvent::DataDownloaded { subject: visit.subject(), actor: Actor::User }.record(visit.request);
    let response = Response::json(StatusCode::OK, &user_data::export(&user, &account, visit.now()));
    Ok(response.with(header::CONTENT_DISPOSITION, "attachment; filename=\"account.json\""))
}
