//! Administration: clients and users, for the `latchkey` command.
//!
//! | path | GET | PUT | DELETE | POST |
//! |---|---|---|---|---|
//! | `/admin/clients` | `{items: [client…], unreadable?, next?}`, paged with `?cursor=` | | | |
//! | `/admin/clients/{client_id}` | the client | registers or changes it | removes it | |
//! | `/admin/users` | `{items: [{username, sub}…], unreadable?, next?}` | | | |
//! | `/admin/users/{username}` | `{username, sub, claims}` | registers or changes the user | removes the user | |
//! | `/admin/users/{username}/sign-out` | | | | ends all sessions and grants of the user; returns their numbers: `{sessions, grants}` |
//! | `/admin/users/{username}/consents` | `{items: [{client_id, scope}…]}` | | | |
//! | `/admin/users/{username}/consents/{client_id}` | | | withdraws the consent and ends the client's grants; returns their number: `{grants}` | |
//! | `/admin/keys` | `{items: [{kid, alg, signs, signs_from, verifies_until}…]}`, times in seconds since the epoch | | | |
//! | `/admin/keys/rotate`, `…/replace` | | | | starts a rotation, or replaces the signing keys at once; `?alg=` for one |
//!
//! Every request carries `Authorization: Bearer` with a token of [`bearer`]. A body that is not accepted is answered
//! with 400 and `{error: "invalid_request", error_description, problems: [text…]}`, which has all problems at once.

pub mod bearer;
mod clients;
mod imported_hash;
mod keys;
mod listing;
mod new_password;
mod users;

use http::{Method, StatusCode, header};
use latchkey_http::{Request, Response};
use percent_encoding::percent_decode_str;
use protocol::rate_limit::Quota;
use provider::rate_limiter::{Allowance, network};
use provider::{AuditEvent, Context, Function, HandlerError, bearer_challenge, responses};
use serde_json::{Map, Value, json};
use std::fmt::Display;
use std::time::Duration;
use types::{Error, ErrorCode};

/// The function, as every platform calls it.
pub const FUNCTION: Function = Function::api("admin", |request, context| Box::pin(handle(request, context)));

/// Answers one request.
pub async fn handle(request: &Request, context: &Context) -> Result<Response, HandlerError> {
    let failures = failures(request, context);
    if let Err(wait) = failures.check() {
        return Ok(too_many_failures(request, wait));
    }
    let token = request.bearer().unwrap_or_default();
    if !token.is_some_and(|token| bearer::verify(&context.secrets, token, request.received_at)) {
        AuditEvent::AdministrationRejected.record(request);
        if token.is_some()
            && let Err(wait) = failures.add().await?
        {
            return Ok(too_many_failures(request, wait));
        }
        return Ok(unauthorized(request, token.is_some()));
    }
    let Some(path) = request.path.strip_prefix("/admin/").map(|path| path.trim_end_matches('/')) else {
        return Ok(not_found(request));
    };
    let (collection, name) = match path.split_once('/') {
        Some((collection, name)) => (collection, Some(name)),
        None => (path, None),
    };
    if request.method == Method::POST && collection == "keys" {
        return keys::act(name.unwrap_or_default(), request, context).await;
    }
    if request.method == Method::POST {
        let username = name.filter(|_| collection == "users").and_then(|name| name.strip_suffix("/sign-out"));
        return match username.and_then(decoded) {
            Some(username) => users::sign_out(&username, request, context).await,
            None => Ok(not_found(request)),
        };
    }
    if let Some((username, rest)) = name.filter(|_| collection == "users").and_then(|name| name.split_once('/')) {
        return of_user(username, rest, request, context).await;
    }
    let name = match name.map(decoded) {
        Some(None) => return Ok(not_found(request)),
        Some(name) => name,
        None => None,
    };
    let method = &request.method;
    match (collection, name) {
        ("clients", None) if method == Method::GET => clients::list(request, context).await,
        ("users", None) if method == Method::GET => users::list(request, context).await,
        ("keys", None) if method == Method::GET => keys::list(request.received_at, context).await,
        ("clients" | "users" | "keys", None) => {
            Ok(problem(request, StatusCode::METHOD_NOT_ALLOWED, &["a listing can be read, no more"]))
        }
        ("clients", Some(id)) => match *method {
            Method::PUT => match body(request) {
                Ok(body) => clients::put(&id, body, request, context).await,
                Err((status, reason)) => Ok(problem(request, status, &[reason])),
            },
            Method::DELETE => clients::delete(&id, request, context).await,
            _ => clients::get(&id, request, context).await,
        },
        ("users", Some(username)) => match *method {
            Method::PUT => match body(request) {
                Ok(body) => users::put(&username, body, request, context).await,
                Err((status, reason)) => Ok(problem(request, status, &[reason])),
            },
            Method::DELETE => users::delete(&username, request, context).await,
            _ => users::get(&username, request, context).await,
        },
        _ => Ok(not_found(request)),
    }
}

/// Answers a request for a part of a user: `consents`, or `consents/` and a client.
async fn of_user(username: &str, rest: &str, request: &Request, context: &Context) -> Result<Response, HandlerError> {
    let Some(username) = decoded(username) else { return Ok(not_found(request)) };
    match (rest.strip_prefix("consents"), &request.method) {
        (Some(""), &Method::GET) => users::consents(&username, request, context).await,
        (Some(client), &Method::DELETE) => match client.strip_prefix('/').and_then(decoded) {
            Some(client_id) => users::withdraw(&username, &client_id, request, context).await,
            None => Ok(not_found(request)),
        },
        _ => Ok(not_found(request)),
    }
}

/// Decodes a path that is one segment.
fn decoded(segment: &str) -> Option<String> {
    if segment.contains('/') {
        return None;
    }
    let text = percent_decode_str(segment).decode_utf8().ok()?;
    (!text.is_empty()).then(|| text.into_owned())
}

/// Returns the JSON object of a request, or the status and the reason for which it is rejected.
fn body(request: &Request) -> Result<Map<String, Value>, (StatusCode, String)> {
    if !request.has_content_type("application/json") {
        return Err((StatusCode::UNSUPPORTED_MEDIA_TYPE, "the body must be application/json".to_owned()));
    }
    match serde_json::from_slice(&request.body) {
        Ok(Value::Object(body)) => Ok(body),
        Ok(_) => Err((StatusCode::BAD_REQUEST, "the body must be a JSON object".to_owned())),
        Err(error) => {
            let (line, column) = (error.line(), error.column());
            Err((StatusCode::BAD_REQUEST, format!("the body is not JSON: see line {line}, column {column}")))
        }
    }
}

/// Returns the limit of wrong tokens of one network. A right token costs nothing, and is refused only where the limit is used up.
fn failures<'a>(request: &Request, context: &'a Context) -> Allowance<'a> {
    let from = network(request.address);
    Allowance::new(context, request.received_at, Quota::ADMINISTRATION, "administration", &[&from])
}

fn too_many_failures(request: &Request, wait: Duration) -> Response {
    responses::too_many(request, wait, "too many wrong tokens came from this network; try again later")
}

/// Answers 401 with a challenge (RFC 6750 §3).
fn unauthorized(request: &Request, has_token: bool) -> Response {
    let error = Error::new(ErrorCode::InvalidToken, "a bearer token made with the deployment's secret is needed");
    let challenge = bearer_challenge(has_token.then_some(&error));
    request.log.error(error.code.as_str(), &error.description);
    Response::json(StatusCode::UNAUTHORIZED, &error.to_body()).with(header::WWW_AUTHENTICATE, &challenge)
}

fn not_found(request: &Request) -> Response {
    problem(request, StatusCode::NOT_FOUND, &["there is nothing of this name"])
}

/// Answers with all problems of a request.
fn problem(request: &Request, status: StatusCode, problems: &[impl Display]) -> Response {
    let problems: Vec<String> = problems.iter().map(ToString::to_string).collect();
    let description = problems.join("; ");
    let body = json!({ "error": "invalid_request", "error_description": description, "problems": problems });
    request.log.error("invalid_request", &description);
    Response::json(status, &body)
}

#[cfg(target_arch = "wasm32")]
#[worker::event(fetch)]
async fn fetch(request: worker::Request, env: worker::Env, _: worker::Context) -> worker::Result<worker::Response> {
    new_password::bind(&env);
    provider::worker::serve(FUNCTION, request, &env).await
}
