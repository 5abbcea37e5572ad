//! The admin keys of the admin API: list, create, revoke.

use http::StatusCode;
use latchkey_http::{Request, Response};
use protocol::Problem;
use protocol::administration::{AdminKeyId, AdminPublicKey, AdminScope, Administrator, NewAdminKey};
use provider::administration::{forbidden, listing, not_found, problem};
use provider::{AuditEvent, Context, HandlerError};
use serde_json::{Map, Value, json};
use storage::admin_keys::StoredAdminKey;
use types::Timestamp;

/// Returns a page of keys. The first page begins with those of the settings, which have no times.
pub(crate) async fn list(request: &Request, context: &Context) -> Result<Response, HandlerError> {
    let cursor = listing::cursor(request);
    let page = storage::admin_keys::list(&*context.records, cursor.as_ref(), listing::PAGE).await?;
    let of_deployment = of_deployment(context).iter().filter(|_| cursor.is_none());
    let of_deployment =
        of_deployment.map(|key| json!({ "kid": key.id(), "name": "LATCHKEY_ADMIN_KEY", "scopes": ["all"] }));
    let items: Vec<Value> = of_deployment.chain(page.items.iter().map(shown)).collect();
    Ok(listing::page(&items, &page.unreadable, page.next, request))
}

/// Stores the public half of a new key: `name`, `public_key`, `scopes`, and `lifetime` in seconds (by default a year).
pub(crate) async fn create(
    body: Map<String, Value>,
    administrator: &Administrator,
    request: &Request,
    context: &Context,
) -> Result<Response, HandlerError> {
    let new = match NewAdminKey::parse(body) {
        Ok(new) => new,
        Err(problems) => return Ok(problem(request, StatusCode::BAD_REQUEST, &problems)),
    };
    let key = match new.created_by(administrator, request.received_at) {
        Ok(key) => key,
        Err(problems) => return Ok(forbidden(request, &problems)),
    };
    let id = key.public_key.id();
    let is_new = !of_deployment(context).contains(&key.public_key)
        && storage::admin_keys::create(&*context.records, &key).await?;
    if !is_new {
        let taken = Problem::new("public_key", "is an admin key already, or was one: generate another");
        return Ok(problem(request, StatusCode::CONFLICT, &[taken]));
    }
    AuditEvent::AdminKeyCreated { key: id.as_str() }.record(request);
    Ok(Response::json(StatusCode::CREATED, &shown(&StoredAdminKey { key, revoked_at: None })))
}

/// Revokes a key: its next token is rejected. A key that it created stays.
pub(crate) async fn revoke(
    kid: &str,
    administrator: &Administrator,
    request: &Request,
    context: &Context,
) -> Result<Response, HandlerError> {
    let Some(id) = AdminKeyId::parse(kid) else { return Ok(not_found(request)) };
    if of_deployment(context).iter().any(|key| key.id() == id) {
        let of_settings = Problem::new("kid", "is a setting of the deployment: remove it from LATCHKEY_ADMIN_KEY");
        return Ok(problem(request, StatusCode::CONFLICT, &[of_settings]));
    }
    let records = &*context.records;
    match storage::admin_keys::find_for_revocation(records, &id).await? {
        None => return Ok(not_found(request)),
        Some(Some(stored)) => {
            if let Some(problem) = administrator.revocation_problem(&stored.key) {
                return Ok(forbidden(request, &[problem]));
            }
            storage::admin_keys::revoke(records, &id, request.received_at).await?;
        }
        // A key that cannot be read may have any scope.
        Some(None) if administrator.scopes.allow(AdminScope::All) => storage::admin_keys::remove(records, &id).await?,
        Some(None) => {
            return Ok(forbidden(request, &["the key cannot be read: only a key with the scope all revokes it"]));
        }
    }
    AuditEvent::AdminKeyRevoked { key: id.as_str() }.record(request);
    Ok(Response::new(StatusCode::NO_CONTENT))
}

fn of_deployment(context: &Context) -> &[AdminPublicKey] {
    context.config.admin_keys.as_deref().unwrap_or_default()
}

/// Returns a key as the API shows it: times in seconds since 1970.
fn shown(stored: &StoredAdminKey) -> Value {
    let key = &stored.key;
    let mut shown = json!({
        "kid": key.public_key.id(),
        "name": key.name,
        "scopes": key.scopes,
        "created_at": key.created_at.as_secs(),
        "expires_at": key.expires_at.as_secs(),
        "created_by": key.created_by,
    });
    if let (Some(revoked_at), Value::Object(members)) = (stored.revoked_at.map(Timestamp::as_secs), &mut shown) {
        members.insert("revoked_at".to_owned(), revoked_at.into());
    }
    shown
}
