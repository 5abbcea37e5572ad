//! The sign-in methods of a user, and their removal for a user who lost them. A removal ends all sessions and grants, because the lost
//! device may be in other hands, and the user receives a notice.

use crate::users::{end_all, entry, numbers};
use http::StatusCode;
use latchkey_http::{Request, Response};
use protocol::AuthenticationMethod;
use protocol::mail::SecurityNotice;
use provider::administration::not_found;
use provider::mail::notify_user;
use provider::{Actor, AuditEvent, Context, HandlerError, user_data};
use storage::{account, directory, passkeys, second_factor, users};

/// Returns the passkeys and the second factor of a user.
pub(crate) async fn list(username: &str, request: &Request, context: &Context) -> Result<Response, HandlerError> {
    let Some(entry) = entry(username, context).await? else { return Ok(not_found(request)) };
    let account = account::read(&*context.records, &entry.subject, request.received_at).await?;
    Ok(Response::json(StatusCode::OK, &user_data::sign_in_methods(&account)))
}

/// Removes the authenticator app and the recovery codes of a user: the password alone suffices again.
pub(crate) async fn remove_second_factor(
    username: &str,
    request: &Request,
    context: &Context,
) -> Result<Response, HandlerError> {
    let Some(entry) = entry(username, context).await? else { return Ok(not_found(request)) };
    let records = &*context.records;
    users::note_second_factor(records, &entry.username, false).await?;
    second_factor::remove(records, &entry.subject).await?;
    removed(&entry, AuthenticationMethod::Totp, request, context).await
}

/// Removes all passkeys of a user.
pub(crate) async fn remove_passkeys(
    username: &str,
    request: &Request,
    context: &Context,
) -> Result<Response, HandlerError> {
    let Some(entry) = entry(username, context).await? else { return Ok(not_found(request)) };
    let records = &*context.records;
    passkeys::forget(records, &entry.subject).await?;
    users::note_passkey(records, &entry.username, false).await?;
    removed(&entry, AuthenticationMethod::Passkey, request, context).await
}

/// Ends the sessions and grants after a removal, and tells the user. Returns their numbers.
async fn removed(
    entry: &directory::Entry,
    method: AuthenticationMethod,
    request: &Request,
    context: &Context,
) -> Result<Response, HandlerError> {
    let (subject, actor) = (&entry.subject, Actor::Administrator);
    AuditEvent::SignInMethodRemoved { subject, method, actor }.record(request);
    let ended = end_all(subject, request.received_at, context).await?;
    AuditEvent::SignedOutEverywhere { subject, actor }.record(request);
    notify_user(context, subject, SecurityNotice::MethodRemoved { method }, request.received_at).await;
    Ok(Response::json(StatusCode::OK, &numbers(ended)))
}
