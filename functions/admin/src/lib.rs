//! Administration: clients, users and keys, for the `latchkey` command.
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
//! | `/admin/initial-access-tokens` | | | | issues an initial access token: `{initial_access_token, uses, expires_at}` |
//! | `/admin/admin-keys` | `{items: [{kid, name, scopes, created_at, expires_at, created_by, revoked_at?}…], next?}` | | | creates an admin key |
//! | `/admin/admin-keys/{kid}` | | | revokes the admin key | |
//! | `/admin/records/restore` | | | | Cloudflare: lets all records go back to the time `at`; returns the state |
//! | `/admin/records/reshard` | | | | Cloudflare: changes the number of objects to `shards`; returns the state |
//!
//! Every request carries `Authorization: Bearer` with a token that an admin key signed for this request alone
//! (`protocol::administration`). The table in `routes` has the scope that the key needs. A body that is not accepted is answered with 400
//! and `{error: "invalid_request", error_description, problems: [text…]}`, which has all problems at once.

mod admin_keys;
mod authentication;
mod clients;
mod imported_hash;
mod initial_access_tokens;
mod keys;
mod listing;
mod new_password;
mod records;
mod routes;
mod users;

use ::keys::Occasion;
use authentication::Rejection;
use http::{Method, StatusCode, header};
use latchkey_http::{Request, Response};
use platform::entropy;
use protocol::administration::{ADMIN_TOKEN_MOST_AGE as MOST_AGE, Administrator, token_digest};
use protocol::rate_limit::Quota;
use provider::rate_limiter::{Allowance, network};
use provider::{AuditEvent, Context, Function, HandlerError, bearer_challenge, responses};
use routes::{Action, Found};
use serde_json::{Map, Value, json};
use std::fmt::Display;
use std::time::Duration;
use storage::markers;
use types::{Error, ErrorCode};

/// The function, as every platform calls it.
pub const FUNCTION: Function = Function::api("admin", |request, context| Box::pin(handle(request, context)));

/// Answers one request.
pub async fn handle(request: &Request, context: &Context) -> Result<Response, HandlerError> {
    let Some(keys) = &context.config.admin_keys else { return Ok(not_found(request)) };
    let token = request.bearer().unwrap_or_default();
    let rejection = match token {
        None => None,
        Some(token) => match authentication::administrator(token, keys, request, context).await? {
            Ok(administrator) if is_first_use(token, request, context).await? => {
                return answer(request, &administrator, context).await;
            }
            Ok(_) => Some(Rejection::new("the token was used before: sign one for each request")),
            Err(rejection) => Some(rejection),
        },
    };
    AuditEvent::AdministrationRejected.record(request);
    if rejection.is_some()
        && let Err(wait) = failures(request, context).add().await?
    {
        return Ok(too_many_failures(request, wait));
    }
    Ok(unauthorized(request, rejection))
}

/// True if the token was not used before, or may be used again: a read may be repeated, and so may maintenance of the records, which
/// continues where it stopped. Round trips: 1; 0 for these.
async fn is_first_use(token: &str, request: &Request, context: &Context) -> Result<bool, HandlerError> {
    // While the records move, no use can be noted.
    let is_maintenance = match routes::find(&request.method, &request.path) {
        Found::Route(route, _) => matches!(route.action, Action::RestoreRecords | Action::ReshardRecords),
        Found::OtherMethods(_) | Found::Nothing => false,
    };
    if request.method == Method::GET || is_maintenance {
        return Ok(true);
    }
    // What is signed names the token. A signature may have several encodings.
    let signed = token.rsplit_once('.').map_or(token, |(signed, _)| signed);
    let forgotten_at = request.received_at.after(MOST_AGE);
    let write_id = entropy::name()?;
    Ok(markers::use_once(&*context.records, "admin-token", &token_digest(signed), forgotten_at, &write_id).await?)
}

/// Answers one request of an authenticated administrator.
pub async fn answer(
    request: &Request,
    administrator: &Administrator,
    context: &Context,
) -> Result<Response, HandlerError> {
    request.log.admin_key(administrator.key.as_str());
    let (route, names) = match routes::find(&request.method, &request.path) {
        Found::Route(route, names) => (route, names),
        Found::OtherMethods(allow) => {
            let rule = format!("the path serves {allow} alone");
            return Ok(problem(request, StatusCode::METHOD_NOT_ALLOWED, &[rule]).with(header::ALLOW, &allow));
        }
        Found::Nothing => return Ok(not_found(request)),
    };
    if !administrator.scopes.allow(route.scope) {
        AuditEvent::AdministrationRejected.record(request);
        return Ok(forbidden(request, &[format!("the admin key needs the scope {}", route.scope)]));
    }
    let mut names = names.into_iter();
    let mut name = || names.next().unwrap_or_default();
    let body = match route.action {
        Action::PutClient
        | Action::IssueInitialAccessToken
        | Action::PutUser
        | Action::CreateAdminKey
        | Action::RestoreRecords
        | Action::ReshardRecords => match body(request) {
            Ok(body) => body,
            Err((status, reason)) => return Ok(problem(request, status, &[reason])),
        },
        _ => Map::new(),
    };
    match route.action {
        Action::ListClients => clients::list(request, context).await,
        Action::GetClient => clients::get(&name(), request, context).await,
        Action::PutClient => clients::put(&name(), body, request, context).await,
        Action::DeleteClient => clients::delete(&name(), request, context).await,
        Action::ReviewClient => clients::review(&name(), true, request, context).await,
        Action::WithdrawReview => clients::review(&name(), false, request, context).await,
        Action::IssueInitialAccessToken => initial_access_tokens::issue(body, request, context),
        Action::ListUsers => users::list(request, context).await,
        Action::GetUser => users::get(&name(), request, context).await,
        Action::PutUser => users::put(&name(), body, request, context).await,
        Action::DeleteUser => users::delete(&name(), request, context).await,
        Action::SignOutUser => users::sign_out(&name(), request, context).await,
        Action::ListConsents => users::consents(&name(), request, context).await,
        Action::WithdrawConsent => {
            let (username, client_id) = (name(), name());
            users::withdraw(&username, &client_id, request, context).await
        }
        Action::ListKeys => keys::list(request.received_at, context).await,
        Action::RotateKeys => keys::act(Occasion::Early, request, context).await,
        Action::ReplaceKeys => keys::act(Occasion::Compromise, request, context).await,
        Action::ListAdminKeys => admin_keys::list(request, context).await,
        Action::CreateAdminKey => admin_keys::create(body, administrator, request, context).await,
        Action::RevokeAdminKey => admin_keys::revoke(&name(), administrator, request, context).await,
        Action::RestoreRecords => records::maintain(records::restore, &body, request, context).await,
        Action::ReshardRecords => records::maintain(records::reshard, &body, request, context).await,
    }
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

/// Returns the limit of wrong tokens of one network. A right token costs nothing and is accepted beyond the limit, too: others may
/// have used it up.
fn failures<'a>(request: &Request, context: &'a Context) -> Allowance<'a> {
    let from = network(request.address);
    Allowance::new(context, request.received_at, Quota::ADMINISTRATION, "administration", &[&from])
}

fn too_many_failures(request: &Request, wait: Duration) -> Response {
    responses::too_many(request, wait, "too many wrong tokens came from this network; try again later")
}

/// Answers 401 with a challenge (RFC 6750 §3).
fn unauthorized(request: &Request, rejection: Option<Rejection>) -> Response {
    let has_token = rejection.is_some();
    let reason = rejection.map_or_else(|| "a token signed by an admin key is needed".to_owned(), |it| it.0);
    let error = Error::new(ErrorCode::InvalidToken, reason);
    let challenge = bearer_challenge(has_token.then_some(&error));
    request.log.error(error.code.as_str(), &error.description);
    Response::json(StatusCode::UNAUTHORIZED, &error.to_body()).with(header::WWW_AUTHENTICATE, &challenge)
}

/// Answers 403 (RFC 6750 §3.1): the admin key may not do this.
fn forbidden(request: &Request, problems: &[impl Display]) -> Response {
    let problems: Vec<String> = problems.iter().map(ToString::to_string).collect();
    let error = Error::new(ErrorCode::InsufficientScope, problems.join("; "));
    request.log.error(error.code.as_str(), &error.description);
    let challenge = bearer_challenge(Some(&error));
    Response::json(StatusCode::FORBIDDEN, &error.to_body()).with(header::WWW_AUTHENTICATE, &challenge)
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
    records::bind(&env);
    provider::worker::serve(FUNCTION, request, &env).await
}
