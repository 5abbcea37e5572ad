//! The clients of the admin API: read, register, change, remove.

use http::StatusCode;
use latchkey_http::{Request, Response};
use platform::entropy;
use protocol::{Client, ClientOrigin, Problem, SecretRotation, SecretVerifier, StoredClient, chosen_secret_problem};
use provider::administration::{listing, not_found, problem};
use provider::{Actor, AuditEvent, Context, HandlerError};
use serde_json::{Map, Value, json};
use storage::registrations;
use types::ClientId;

/// A change of the client secret.
enum SecretChange {
    /// Generates a secret, if the rotation needs one.
    Generate(SecretRotation),
    /// Replaces all secrets by this one.
    Set(String),
}

pub(crate) async fn list(request: &Request, context: &Context) -> Result<Response, HandlerError> {
    let cursor = listing::cursor(request);
    let page = storage::clients::list(&*context.records, cursor.as_ref(), listing::PAGE).await?;
    let items: Vec<Value> = page.items.iter().map(|stored| json!(stored.client)).collect();
    Ok(listing::page(&items, &page.unreadable, page.next, request))
}

pub(crate) async fn get(client_id: &str, request: &Request, context: &Context) -> Result<Response, HandlerError> {
    let Some(client_id) = &ClientId::parse(client_id) else { return Ok(not_found(request)) };
    Ok(match storage::clients::find(&*context.records, client_id).await? {
        Some(stored) => Response::json(StatusCode::OK, &stored.client),
        None => not_found(request),
    })
}

/// Registers a client, or replaces all its settings, with the members of the table of client settings.
/// `client_secret` sets the secret. `new_client_secret` generates one: `"replace"`, or `"add"` to keep the previous
/// one. Only this response contains a new secret; the store has its verifier.
pub(crate) async fn put(
    client_id: &str,
    mut body: Map<String, Value>,
    request: &Request,
    context: &Context,
) -> Result<Response, HandlerError> {
    let now = request.received_at;
    let Some(client_id) = &ClientId::parse(client_id) else {
        return Ok(problem(request, StatusCode::BAD_REQUEST, &[Client::id_problem()]));
    };
    let mut problems = Vec::new();
    let change = secret_change(&mut body, &mut problems);
    if body.get("client_id").is_some_and(|sent| sent.as_str() != Some(client_id.as_str())) {
        problems.push(Problem::new("client_id", "is not the one in the path"));
    }
    body.insert("client_id".to_owned(), json!(client_id));
    let (client, wrong) = Client::parse(body);
    problems.extend(wrong);
    if let Some(client) = &client {
        // A member that was removed as invalid was already reported.
        let reported: Vec<String> = problems.iter().map(|problem| problem.field().to_owned()).collect();
        let is_new = |problem: &Problem| !reported.iter().any(|field| field == problem.field());
        let signatures = client.signature_problems(context.config.signing.offered());
        let mutual_tls = client.mutual_tls_problems(context.config.mutual_tls.as_ref());
        let profile = client.profile.max(context.config.profile);
        let broken = Client { profile, ..client.clone() }.validate();
        problems.extend(broken.into_iter().chain(signatures).chain(mutual_tls).filter(is_new));
        if !client.has_secret() && !matches!(change, SecretChange::Generate(SecretRotation::Keep)) {
            let rule = "only a client whose token_endpoint_auth_method is client_secret_basic or client_secret_post has a secret";
            problems.push(Problem::new("client_secret", rule));
        }
    }
    let client = match client {
        Some(client) if problems.is_empty() => client,
        _ => return Ok(problem(request, StatusCode::BAD_REQUEST, &problems)),
    };
    // The first client makes the first signing keys: functions that only verify or publish cannot.
    context.keyring(now).await?;
    let (stored, (status, secret)) = storage::clients::change(&*context.records, client_id, |before| {
        // A dynamically registered client that was deleted as unused does not own this client_id any more.
        let before = before.filter(|stored| stored.is_there(now));
        let status = if before.is_some() { StatusCode::OK } else { StatusCode::CREATED };
        let since = before.as_ref().map_or(Some(now), |stored| stored.since);
        let origin = before.as_ref().map_or(ClientOrigin::Operator, |stored| stored.origin);
        let reviewed = before.as_ref().is_some_and(|stored| stored.reviewed);
        let logo = before.as_ref().and_then(|stored| stored.logo.clone());
        let before = before.map(|stored| stored.secrets).unwrap_or_default();
        let (secrets, secret) = if client.has_secret() { changed(before, &change)? } else { (Vec::new(), None) };
        let stored = StoredClient { since, origin, reviewed, logo, ..StoredClient::new(client.clone(), secrets) };
        Ok::<_, HandlerError>((stored, (status, secret)))
    })
    .await?;
    context.forget_client(client_id);
    let mut answer = json!(stored.client);
    if let (Some(secret), Value::Object(members)) = (secret, &mut answer) {
        members.insert("client_secret".to_owned(), Value::String(secret));
    }
    let event = match status {
        StatusCode::CREATED => AuditEvent::ClientRegistered { client: client_id, actor: Actor::Administrator },
        _ => AuditEvent::ClientChanged { client: client_id, actor: Actor::Administrator },
    };
    event.record(request);
    Ok(Response::json(status, &answer))
}

/// Records that the operator reviewed a client, or withdraws that. Pages mark a client that registered itself until then.
pub(crate) async fn review(
    client_id: &str,
    reviewed: bool,
    request: &Request,
    context: &Context,
) -> Result<Response, HandlerError> {
    let Some(client_id) = &ClientId::parse(client_id) else { return Ok(not_found(request)) };
    let changed = storage::clients::change(&*context.records, client_id, |before| match before {
        Some(before) if before.is_there(request.received_at) => Ok((StoredClient { reviewed, ..before }, ())),
        Some(_) | None => Err(HandlerError::from(not_found(request))),
    });
    let (stored, ()) = changed.await?;
    context.forget_client(client_id);
    AuditEvent::ClientChanged { client: client_id, actor: Actor::Administrator }.record(request);
    let answer = json!({ "client_id": client_id, "reviewed": reviewed, "client": stored.client });
    Ok(Response::json(StatusCode::OK, &answer))
}

/// Deletes a client. If it registered itself, ends its registration first: the registration access token must not
/// control a later client with the same client_id.
pub(crate) async fn delete(client_id: &str, request: &Request, context: &Context) -> Result<Response, HandlerError> {
    let Some(client_id) = &ClientId::parse(client_id) else { return Ok(not_found(request)) };
    let now = request.received_at;
    let records = &*context.records;
    let logo = match storage::clients::find(records, client_id).await {
        Ok(Some(stored)) => stored.logo,
        // A client that cannot be read is deleted all the same.
        Err(_) if storage::clients::exists(records, client_id).await? => None,
        Ok(None) | Err(_) => return Ok(not_found(request)),
    };
    if let Some(logo) = logo {
        storage::logos::remove(records, &logo).await?;
    }
    registrations::end_for_operator(records, client_id, now, &entropy::name()?).await?;
    storage::clients::remove(records, client_id).await?;
    context.forget_client(client_id);
    AuditEvent::ClientDeleted { client: client_id, actor: Actor::Administrator }.record(request);
    Ok(Response::new(StatusCode::NO_CONTENT))
}

/// Reads and removes the members of the body that change the secret.
fn secret_change(body: &mut Map<String, Value>, problems: &mut Vec<Problem>) -> SecretChange {
    let sent = body.remove("new_client_secret");
    let rotation = SecretRotation::parse(sent.as_ref()).unwrap_or_else(|problem| {
        problems.push(problem);
        SecretRotation::Keep
    });
    let Some(secret) = body.remove("client_secret") else { return SecretChange::Generate(rotation) };
    let secret = secret.as_str().unwrap_or_default();
    if let Some(problem) = chosen_secret_problem(secret) {
        problems.push(problem);
        SecretChange::Generate(rotation)
    } else if rotation == SecretRotation::Keep {
        SecretChange::Set(secret.to_owned())
    } else {
        problems.push(Problem::new("client_secret", "cannot be set and made at once"));
        SecretChange::Generate(SecretRotation::Keep)
    }
}

/// Returns the verifiers after the change, and the secret if it is new.
fn changed(
    before: Vec<SecretVerifier>,
    change: &SecretChange,
) -> Result<(Vec<SecretVerifier>, Option<String>), HandlerError> {
    let (rotation, secret) = match change {
        SecretChange::Generate(rotation) if !rotation.needs_secret(&before) => return Ok((before, None)),
        SecretChange::Generate(rotation) => (*rotation, entropy::secret()?),
        SecretChange::Set(secret) => (SecretRotation::Replace, secret.clone()),
    };
    let new = SecretVerifier::new(&secret, entropy::bytes()?);
    Ok((rotation.apply(&before, new), Some(secret)))
}
