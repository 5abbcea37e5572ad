//! Requests of administrators, for the functions below `/admin/`.
//!
//! Every request carries `Authorization: Bearer` with a token that an admin key signed for this request alone
//! (`protocol::administration`). The table of a function's routes has the scope that the key needs. A request that is not accepted is
//! answered with `{error: "invalid_request", error_description, problems: [text…]}`, which has all problems at once.

mod authentication;
pub mod listing;
mod routes;

use crate::rate_limiter::{Allowance, network};
use crate::{AuditEvent, Context, HandlerError, bearer_challenge, responses};
use authentication::Rejection;
use http::{StatusCode, header};
use latchkey_http::{Request, Response};
use platform::entropy;
use protocol::administration::{ADMIN_TOKEN_MOST_AGE as MOST_AGE, Administrator, token_digest};
use protocol::rate_limit::Quota;
pub use routes::AdminRoute;
use routes::Found;
use serde_json::{Map, Value, json};
use std::fmt::Display;
use std::time::Duration;
use storage::markers;
use types::json::NotJson;
use types::{Error, ErrorCode};

/// The request of an administrator whose key allows it.
#[derive(Clone, Debug)]
pub struct AdminCall<A: 'static> {
    /// The answer that the row of the route names.
    pub action: &'static A,
    /// The decoded segments in the place of `{}`, in the order of the path.
    pub names: Vec<String>,
    /// The administrator.
    pub administrator: Administrator,
}

impl<A> AdminCall<A> {
    /// Opens a request: authenticates the administrator, finds the route, and checks the scope of the key.
    ///
    /// Round trips: 1 for a key of the store, and 1 for a change, which notes the use of the token. Errors: the response.
    pub async fn open(
        routes: &'static [AdminRoute<A>],
        request: &Request,
        context: &Context,
    ) -> Result<Self, HandlerError> {
        let Some(keys) = &context.config.admin_keys else { return Err(not_found(request).into()) };
        let found = Found::find(routes, &request.method, &request.path);
        let token = request.bearer().unwrap_or_default();
        let rejection = match token {
            None => None,
            Some(token) => match authentication::administrator(token, keys, request, context).await? {
                Ok(administrator) if may_use(token, &found, request, context).await? => {
                    return Self::of(administrator, found, request);
                }
                Ok(_) => Some(Rejection::new("the token was used before: sign one for each request")),
                Err(rejection) => Some(rejection),
            },
        };
        AuditEvent::AdministrationRejected.record(request);
        if rejection.is_some()
            && let Err(wait) = failures(request, context).add().await?
        {
            return Err(too_many_failures(request, wait).into());
        }
        Err(unauthorized(request, rejection).into())
    }

    /// Opens a request of an administrator who is authenticated already. Errors: the response.
    pub fn of_administrator(
        routes: &'static [AdminRoute<A>],
        administrator: Administrator,
        request: &Request,
    ) -> Result<Self, HandlerError> {
        Self::of(administrator, Found::find(routes, &request.method, &request.path), request)
    }

    fn of(administrator: Administrator, found: Found<A>, request: &Request) -> Result<Self, HandlerError> {
        request.log.admin_key(administrator.key.as_str());
        let (route, names) = match found {
            Found::Route(route, names) => (route, names),
            Found::OtherMethods(allow) => {
                let rule = format!("the path serves {allow} alone");
                let response = problem(request, StatusCode::METHOD_NOT_ALLOWED, &[rule]);
                return Err(response.with(header::ALLOW, &allow).into());
            }
            Found::Nothing => return Err(not_found(request).into()),
        };
        if !administrator.scopes.allow(route.scope) {
            AuditEvent::AdministrationRejected.record(request);
            return Err(forbidden(request, &[format!("the admin key needs the scope {}", route.scope)]).into());
        }
        Ok(Self { action: &route.action, names, administrator })
    }
}

/// True if the token was not used before, or may be used again. Round trips: 1; 0 where it may be used again.
async fn may_use<A>(token: &str, found: &Found<A>, request: &Request, context: &Context) -> Result<bool, HandlerError> {
    // A request without a route changes nothing.
    let is_repeatable = match found {
        Found::Route(route, _) => route.is_repeatable,
        Found::OtherMethods(_) | Found::Nothing => true,
    };
    if is_repeatable {
        return Ok(true);
    }
    // What is signed names the token. A signature may have several encodings.
    let signed = token.rsplit_once('.').map_or(token, |(signed, _)| signed);
    let forgotten_at = request.received_at.after(MOST_AGE);
    let write_id = entropy::name()?;
    Ok(markers::use_once(&*context.records, "admin-token", &token_digest(signed), forgotten_at, &write_id).await?)
}

/// Returns the JSON object of a request. Errors: 415 or 400, with the reason.
pub fn json_object(request: &Request) -> Result<Map<String, Value>, HandlerError> {
    let rejected = |status, rule: String| Err(problem(request, status, &[rule]).into());
    if !request.has_content_type("application/json") {
        return rejected(StatusCode::UNSUPPORTED_MEDIA_TYPE, "the body must be application/json".to_owned());
    }
    match types::json::value(&request.body) {
        Ok(Value::Object(body)) => Ok(body),
        Ok(_) => rejected(StatusCode::BAD_REQUEST, "the body must be a JSON object".to_owned()),
        Err(NotJson { line, column }) => {
            rejected(StatusCode::BAD_REQUEST, format!("the body is not JSON: see line {line}, column {column}"))
        }
    }
}

/// Answers 404.
pub fn not_found(request: &Request) -> Response {
    problem(request, StatusCode::NOT_FOUND, &["there is nothing of this name"])
}

/// Answers with all problems of a request.
pub fn problem(request: &Request, status: StatusCode, problems: &[impl Display]) -> Response {
    let problems: Vec<String> = problems.iter().map(ToString::to_string).collect();
    let description = problems.join("; ");
    let body = json!({ "error": "invalid_request", "error_description": description, "problems": problems });
    request.log.error("invalid_request", &description);
    Response::json(status, &body)
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
pub fn forbidden(request: &Request, problems: &[impl Display]) -> Response {
    let problems: Vec<String> = problems.iter().map(ToString::to_string).collect();
    let error = Error::new(ErrorCode::InsufficientScope, problems.join("; "));
    request.log.error(error.code.as_str(), &error.description);
    let challenge = bearer_challenge(Some(&error));
    Response::json(StatusCode::FORBIDDEN, &error.to_body()).with(header::WWW_AUTHENTICATE, &challenge)
}
