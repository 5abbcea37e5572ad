//! The clients of the admin API: read, register, change, remove.

use crate::{listing, not_found, problem};
use http::StatusCode;
use latchkey_http::{Request, Response};
use platform::entropy;
use protocol::{Client, SecretVerifier, StoredClient};
use provider::{Actor, AuditEvent, Context, HandlerError};
use serde_json::{Map, Value, json};
use storage::registrations;

/// Shortest client secret that an operator may choose, in characters; a shorter one could be guessed.
const MIN_SECRET: usize = 12;
const MAX_SECRET: usize = 256;
/// Greatest number of secrets of a client, the newest first.
const MAX_SECRETS: usize = 2;

/// A change of the client secret.
enum SecretChange {
    /// No change; a confidential client without a secret gets one.
    Keep,
    /// Replaces all secrets by this one.
    Set(String),
    /// Replaces all secrets by a generated one.
    Replace,
    /// Adds a generated secret, and keeps the newest old one.
    Add,
}

pub(crate) async fn list(request: &Request, context: &Context) -> Result<Response, HandlerError> {
    let cursor = listing::cursor(request);
    let page = storage::clients::list(&*context.records, cursor.as_ref(), listing::PAGE).await?;
    let items: Vec<Value> = page.items.iter().map(|stored| json!(stored.client)).collect();
    Ok(listing::page(&items, &page.unreadable, page.next, request))
}

pub(crate) async fn get(client_id: &str, request: &Request, context: &Context) -> Result<Response, HandlerError> {
    Ok(match storage::clients::find(&*context.records, client_id).await? {
        Some(stored) => Response::json(StatusCode::OK, &stored.client),
        None => not_found(request),
    })
}

/// Registers a client, or replaces all its settings, with the members of RFC 7591 §2 and of [`Client`].
/// `client_secret` sets the secret. `new_client_secret` generates one: `"replace"`, or `"add"` to keep the previous
/// one. Only this response contains a new secret; the store has its verifier.
pub(crate) async fn put(
    client_id: &str,
    mut body: Map<String, Value>,
    request: &Request,
    context: &Context,
) -> Result<Response, HandlerError> {
    let now = request.received_at;
    let mut problems = Vec::new();
    let change = secret_change(&mut body, &mut problems);
    let client = parse(client_id, body, &mut problems);
    if let Some(client) = &client {
        // A member that was removed as invalid was already reported.
        let field = |problem: &str| problem.split(':').next().map(str::to_owned);
        let told: Vec<_> = problems.iter().map(|problem| field(problem)).collect();
        problems.extend(client.problems().into_iter().filter(|problem| !told.contains(&field(problem))));
        if !client.has_secret() && !matches!(change, SecretChange::Keep) {
            problems.push(
                "client_secret: a client whose token_endpoint_auth_method is none or private_key_jwt has no secret"
                    .to_owned(),
            );
        }
    }
    let client = match client {
        Some(client) if problems.is_empty() => client,
        _ => return Ok(problem(request, StatusCode::BAD_REQUEST, &problems)),
    };
    let (stored, (status, told)) = storage::clients::change(&*context.records, client_id, |before| {
        // A dynamically registered client that was deleted as unused does not own this client_id any more.
        let before = before.filter(|stored| stored.is_there(now));
        let status = if before.is_some() { StatusCode::OK } else { StatusCode::CREATED };
        let since = before.as_ref().map_or(Some(now), |stored| stored.since);
        let before = before.map(|stored| stored.secrets).unwrap_or_default();
        let (secrets, told) = if client.has_secret() { changed(before, &change)? } else { (Vec::new(), None) };
        let stored = StoredClient { since, ..StoredClient::new(client.clone(), secrets) };
        Ok::<_, HandlerError>((stored, (status, told)))
    })
    .await?;
    context.forget_client(client_id);
    let mut answer = json!(stored.client);
    if let (Some(secret), Value::Object(members)) = (told, &mut answer) {
        members.insert("client_secret".to_owned(), Value::String(secret));
    }
    let event = match status {
        StatusCode::CREATED => AuditEvent::ClientRegistered { client: client_id, actor: Actor::Administrator },
        _ => AuditEvent::ClientChanged { client: client_id, actor: Actor::Administrator },
    };
    event.record(request);
    Ok(Response::json(status, &answer))
}

/// Deletes a client. If it registered itself, ends its registration first: the registration access token must not
/// control a later client with the same client_id.
pub(crate) async fn delete(client_id: &str, request: &Request, context: &Context) -> Result<Response, HandlerError> {
    let now = request.received_at;
    let records = &*context.records;
    if !storage::clients::exists(records, client_id).await? {
        return Ok(not_found(request));
    }
    registrations::end_for_operator(records, client_id, now, &entropy::name()?).await?;
    storage::clients::remove(records, client_id).await?;
    context.forget_client(client_id);
    AuditEvent::ClientDeleted { client: client_id, actor: Actor::Administrator }.record(request);
    Ok(Response::new(StatusCode::NO_CONTENT))
}

/// Returns the client that the body describes. Adds each invalid member to `problems`.
fn parse(client_id: &str, mut body: Map<String, Value>, problems: &mut Vec<String>) -> Option<Client> {
    if body.get("client_id").is_some_and(|sent| sent.as_str() != Some(client_id)) {
        problems.push("client_id: is not the one in the path".to_owned());
    }
    body.insert("client_id".to_owned(), Value::String(client_id.to_owned()));
    let wrong: Vec<_> = Client::wrong_members(&body).map(|(name, error)| (name.to_owned(), error)).collect();
    for (name, error) in wrong {
        let is_unknown = error.starts_with("unknown field");
        problems.push(format!("{name}: {}", if is_unknown { "there is no such setting" } else { &error }));
        body.remove(&name);
    }
    serde_json::from_value(Value::Object(body)).ok()
}

fn secret_change(body: &mut Map<String, Value>, problems: &mut Vec<String>) -> SecretChange {
    let made = match body.remove("new_client_secret") {
        None => None,
        Some(Value::String(how)) if how == "replace" => Some(SecretChange::Replace),
        Some(Value::String(how)) if how == "add" => Some(SecretChange::Add),
        Some(_) => {
            problems.push("new_client_secret: must be \"replace\" or \"add\"".to_owned());
            None
        }
    };
    let set = match body.remove("client_secret") {
        None => None,
        Some(Value::String(secret))
            if (MIN_SECRET..=MAX_SECRET).contains(&secret.len())
                && secret.bytes().all(|byte| byte.is_ascii_graphic()) =>
        {
            Some(SecretChange::Set(secret))
        }
        Some(_) => {
            problems.push(format!(
                "client_secret: must be {MIN_SECRET} to {MAX_SECRET} visible ASCII characters; leave it out to have one made"
            ));
            None
        }
    };
    match (set, made) {
        (Some(_), Some(_)) => {
            problems.push("client_secret: cannot be set and made at once".to_owned());
            SecretChange::Keep
        }
        (set, made) => set.or(made).unwrap_or(SecretChange::Keep),
    }
}

/// Returns the verifiers after the change, and the new secret.
fn changed(
    before: Vec<SecretVerifier>,
    change: &SecretChange,
) -> Result<(Vec<SecretVerifier>, Option<String>), HandlerError> {
    let (secret, kept) = match change {
        SecretChange::Keep if !before.is_empty() => return Ok((before, None)),
        SecretChange::Set(secret) => (secret.clone(), Vec::new()),
        SecretChange::Keep | SecretChange::Replace => (entropy::secret()?, Vec::new()),
        SecretChange::Add => (entropy::secret()?, before),
    };
    let new = SecretVerifier::new(&secret, entropy::bytes()?);
    Ok(([new].into_iter().chain(kept).take(MAX_SECRETS).collect(), Some(secret)))
}
