//! Clients that register themselves (RFC 7591, OpenID Connect Registration) and look after their registration
//! (RFC 7592).
//!
//! | request | what happens |
//! |---|---|
//! | `POST /register` | a client is registered |
//! | `GET /register/{client_id}` | its settings, as they are |
//! | `PUT /register/{client_id}` | its settings are replaced; a new registration access token follows |
//! | `DELETE /register/{client_id}` | it is gone, and with it all that was granted to it |

mod authority;
mod manage;
mod quota;
mod register;
mod sector;
mod statement;

use http::{Method, StatusCode, header};
use latchkey_http::{Request, Response};
use protocol::StoredClient;
use protocol::registration::{self, Registration};
use provider::{Actor, AuditEvent, Context, Function, HandlerError};
use serde_json::{Map, Value, json};
use types::{ClientId, Error, ErrorCode};

/// The function, as every platform calls it.
pub const FUNCTION: Function = Function::api("register", |request, context| Box::pin(handle(request, context)));

/// Answers one request.
pub async fn handle(request: &Request, context: &Context) -> Result<Response, HandlerError> {
    let answer = match request.path.strip_prefix("/register/") {
        None => register::register(request, context).await,
        Some(name) => match (ClientId::parse(name), &request.method) {
            (None, _) => Err(manage::refused().into()),
            (Some(client_id), &Method::PUT) => manage::replace(&client_id, request, context).await,
            (Some(client_id), &Method::DELETE) => manage::delete(&client_id, request, context).await,
            (Some(client_id), _) => manage::read(&client_id, request, context).await,
        },
    };
    if let Ok(response) = &answer {
        record(request, response);
    }
    answer.or_else(|error| match error {
        HandlerError::Request(error) if error.code == ErrorCode::InvalidToken => {
            Ok(authority::challenge(request, &error))
        }
        HandlerError::Request(error) if error.code == ErrorCode::AccessDenied => {
            request.log.error(error.code.as_str(), &error.description);
            Ok(Response::json(StatusCode::FORBIDDEN, &error.to_body()))
        }
        other => Err(other),
    })
}

/// Records the audit event of a registration that was stored, changed or deleted.
fn record(request: &Request, response: &Response) {
    let Some(client) = request.log.client_id() else { return };
    let (client, actor) = (&client, Actor::Client);
    let event = match (&request.method, response.status) {
        (&Method::POST, StatusCode::CREATED) => AuditEvent::ClientRegistered { client, actor },
        (&Method::PUT, StatusCode::OK) => AuditEvent::ClientChanged { client, actor },
        (&Method::DELETE, StatusCode::NO_CONTENT) => AuditEvent::ClientDeleted { client, actor },
        _ => return,
    };
    event.record(request);
}

/// Returns the JSON object of a request.
fn metadata(request: &Request) -> Result<Map<String, Value>, Error> {
    let invalid = |description| Error::new(ErrorCode::InvalidClientMetadata, description);
    if !request.has_content_type("application/json") {
        return Err(invalid("the body must be application/json"));
    }
    match types::json::value(&request.body) {
        Ok(Value::Object(metadata)) => Ok(metadata),
        _ => Err(invalid("the body must be a JSON object")),
    }
}

/// Returns the client secret at a generation of the registration. The secret is derived, so a repeated request gets
/// it again; the store has the verifier only.
fn client_secret(context: &Context, client_id: &ClientId, registration: &Registration, generation: u32) -> String {
    let id = registration.id.name();
    let parts = [b"registered".as_slice(), client_id.as_str().as_bytes(), id.as_bytes(), &generation.to_be_bytes()];
    authority::base64url(&context.secrets.mac(keys::Purpose::ClientSecret, &parts))
}

/// Returns the client information response (RFC 7591 §3.2.1, RFC 7592 §3), with the registration access token of this
/// generation.
fn document(
    context: &Context,
    stored: &StoredClient,
    registration: &Registration,
    secret: u32,
    generation: u32,
) -> Result<Map<String, Value>, HandlerError> {
    let client_id = &stored.client.client_id;
    let mut document = registration::document(&stored.client);
    document.insert("client_id_issued_at".to_owned(), json!(registration.registered_at.as_secs()));
    if stored.client.has_secret() {
        let secret = client_secret(context, client_id, registration, secret);
        // The client secret was derived from another deployment secret: only the client knows it.
        if stored.accepts(&secret) {
            document.insert("client_secret".to_owned(), json!(secret));
        }
        document.insert("client_secret_expires_at".to_owned(), json!(0));
    }
    if let Some(statement) = &registration.software_statement {
        document.insert("software_statement".to_owned(), json!(statement));
    }
    let token = context.registration_access_token(client_id, registration, generation);
    document.insert("registration_access_token".to_owned(), json!(token));
    let uri = format!("{}/register/{client_id}", context.config.issuer);
    document.insert("registration_client_uri".to_owned(), json!(uri));
    Ok(document)
}

fn answer(request: &Request, status: StatusCode, document: &Map<String, Value>, client_id: &ClientId) -> Response {
    request.log.client(client_id);
    Response::json(status, document).with(header::PRAGMA, "no-cache")
}

#[cfg(target_arch = "wasm32")]
#[worker::event(fetch)]
async fn fetch(request: worker::Request, env: worker::Env, _: worker::Context) -> worker::Result<worker::Response> {
    provider::worker::serve(FUNCTION, request, &env).await
}
