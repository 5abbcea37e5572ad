//! The logos of clients in the admin API. Only clients of the operator have one: a client that registered itself could pass itself
//! off as another.

use crate::{not_found, problem};
use base64::{Engine, engine::general_purpose::STANDARD};
use http::StatusCode;
use latchkey_http::{Request, Response};
use protocol::{Logo, LogoName, StoredClient};
use provider::{Actor, AuditEvent, Context, HandlerError};
use serde_json::{Map, Value, json};
use storage::logos;
use types::ClientId;

/// Stores the picture in the member `image` (base64) and makes it the logo of a client.
pub(crate) async fn put(
    client_id: &str,
    body: &Map<String, Value>,
    request: &Request,
    context: &Context,
) -> Result<Response, HandlerError> {
    let Some(client_id) = &ClientId::parse(client_id) else { return Ok(not_found(request)) };
    let image = body.get("image").and_then(Value::as_str).unwrap_or_default();
    let logo = match STANDARD.decode(image).map_err(|_| "image is not base64").and_then(Logo::parse) {
        Ok(logo) => logo,
        Err(rule) => return Ok(problem(request, StatusCode::BAD_REQUEST, &[rule])),
    };
    let name = logo.name(client_id);
    let stored = storage::clients::find(&*context.records, client_id).await?;
    if stored.is_some_and(|stored| stored.origin.is_operator()) {
        logos::put(&*context.records, &name, &logo).await?;
    }
    // The picture comes first: the client never names one that is not there. Another client gets no picture, and an error.
    set(client_id, Some(name), request, context).await
}

/// Removes the logo of a client.
pub(crate) async fn delete(client_id: &str, request: &Request, context: &Context) -> Result<Response, HandlerError> {
    let Some(client_id) = &ClientId::parse(client_id) else { return Ok(not_found(request)) };
    set(client_id, None, request, context).await
}

/// Sets the logo of a client, and removes the one before.
async fn set(
    client_id: &ClientId,
    logo: Option<LogoName>,
    request: &Request,
    context: &Context,
) -> Result<Response, HandlerError> {
    let records = &*context.records;
    let changed = storage::clients::change(records, client_id, |before| match before {
        Some(before) if !before.origin.is_operator() => {
            let rule = "only a client that the operator registered has a logo";
            Err(HandlerError::from(problem(request, StatusCode::BAD_REQUEST, &[rule])))
        }
        Some(before) if before.is_there(request.received_at) => {
            let earlier = before.logo.clone().filter(|earlier| Some(earlier) != logo.as_ref());
            Ok((StoredClient { logo: logo.clone(), ..before }, earlier))
        }
        Some(_) | None => Err(HandlerError::from(not_found(request))),
    });
    let (stored, earlier) = changed.await?;
    if let Some(earlier) = earlier {
        logos::remove(records, &earlier).await?;
    }
    context.forget_client(client_id);
    AuditEvent::ClientChanged { client: client_id, actor: Actor::Administrator }.record(request);
    let path = stored.logo.as_ref().map(|name| format!("/logos/{}", name.as_str()));
    Ok(Response::json(StatusCode::OK, &json!({ "client_id": client_id, "logo": path })))
}
