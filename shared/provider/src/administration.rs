//! Requests of administrators, for the functions below `/admin/`: authentication, and the form of requests and answers.
//!
//! Every request carries `Authorization: Bearer` with a token that an admin key signed for this request alone
//! (`protocol::administration`).

use crate::rate_limiter::{Allowance, network};
use crate::{AuditEvent, Context, HandlerError, bearer_challenge, responses};
use http::{StatusCode, header};
use jose::{Jwt, PublicKey, VerificationKey};
use latchkey_http::{Request, Response};
use platform::entropy;
use protocol::administration::{
    ADMIN_TOKEN_MOST_AGE as MOST_AGE, ADMIN_TOKEN_TYPE, AdminKeyId, AdminPublicKey, AdminRequest, AdminScope,
    Administrator, token_digest,
};
use protocol::rate_limit::Quota;
use serde_json::{Map, Value, json};
use std::fmt::Display;
use std::time::Duration;
use storage::markers;
use types::{Algorithm, Error, ErrorCode};

/// Authenticates a request. `is_repeatable`: the token may be used again, because the request reads, or continues where it
/// stopped. Returns the administrator, or the response to a request that has no valid token.
///
/// Round trips: 1 for a key of the store; 1 for the first use, unless the request is repeatable.
pub async fn authenticate(
    request: &Request,
    is_repeatable: bool,
    context: &Context,
) -> Result<Result<Administrator, Response>, HandlerError> {
    let Some(keys) = &context.config.admin_keys else { return Ok(Err(not_found(request))) };
    let token = request.bearer().unwrap_or_default();
    let rejection = match token {
        None => None,
        Some(token) => match administrator(token, keys, request, context).await? {
            Ok(administrator) if is_repeatable || is_first_use(token, request, context).await? => {
                return Ok(Ok(administrator));
            }
            Ok(_) => Some(Rejection::new("the token was used before: sign one for each request")),
            Err(rejection) => Some(rejection),
        },
    };
    AuditEvent::AdministrationRejected.record(request);
    if rejection.is_some()
        && let Err(wait) = failures(request, context).add().await?
    {
        return Ok(Err(too_many_failures(request, wait)));
    }
    Ok(Err(unauthorized(request, rejection)))
}

/// Returns the response to an administrator whose key lacks the scope; `None` if it has it.
pub fn refuse_without(scope: AdminScope, administrator: &Administrator, request: &Request) -> Option<Response> {
    if administrator.scopes.allow(scope) {
        return None;
    }
    AuditEvent::AdministrationRejected.record(request);
    Some(forbidden(request, &[format!("the admin key needs the scope {scope}")]))
}

/// True if the token was not used before. Round trips: 1.
async fn is_first_use(token: &str, request: &Request, context: &Context) -> Result<bool, HandlerError> {
    // What is signed names the token. A signature may have several encodings.
    let signed = token.rsplit_once('.').map_or(token, |(signed, _)| signed);
    let forgotten_at = request.received_at.after(MOST_AGE);
    let write_id = entropy::name()?;
    Ok(markers::use_once(&*context.records, "admin-token", &token_digest(signed), forgotten_at, &write_id).await?)
}

/// The reason for which a token is rejected, for the administrator.
struct Rejection(String);

impl Rejection {
    fn new(reason: &str) -> Self {
        Self(reason.to_owned())
    }
}

/// Authenticates a request by its token. `of_deployment` are the keys in the settings, which may do everything.
///
/// A right token is accepted also from a network that sent too many wrong ones. So a key of the store is read for each token that
/// names it, as a client is read for each `client_id` that a request names.
///
/// Round trips: 1 for a key of the store. A token for another request, another deployment or another time costs none.
async fn administrator(
    token: &str,
    of_deployment: &[AdminPublicKey],
    request: &Request,
    context: &Context,
) -> Result<Result<Administrator, Rejection>, HandlerError> {
    let jwt = Jwt::parse(token).filter(|jwt| jwt.typ_is(ADMIN_TOKEN_TYPE) && jwt.header().alg == Algorithm::EdDSA);
    let kid = jwt.as_ref().and_then(|jwt| AdminKeyId::parse(jwt.header().kid.as_deref()?));
    let (Some(jwt), Some(kid)) = (jwt, kid) else {
        let reason = "an admin token is needed: a JWT of the type admin-request+jwt, signed by an admin key (EdDSA)";
        return Ok(Err(Rejection::new(reason)));
    };
    let now = request.received_at;
    let bound = AdminRequest {
        method: request.method.as_str(),
        path: &request.path,
        query: &request.query,
        body: &request.body,
    };
    // The claims are checked before the signature, because that needs no key. Nothing else uses them.
    if let Err(problem) = bound.check(&jwt.unverified_claims().unwrap_or_default(), &context.config.issuer, now) {
        return Ok(Err(Rejection(problem.to_string())));
    }
    let (key, administrator, end) = match of_deployment.iter().find(|key| key.id() == kid) {
        Some(key) => (*key, Administrator::of_deployment(kid), None),
        None => match storage::admin_keys::find(&*context.records, &kid).await? {
            Some(stored) => {
                let key = stored.key;
                let end = match stored.revoked_at {
                    Some(_) => Some("the admin key is revoked"),
                    None => key.expires_at.is_past(now).then_some("the admin key has expired"),
                };
                let administrator = Administrator { key: kid, scopes: key.scopes, expires_at: Some(key.expires_at) };
                (key.public_key, administrator, end)
            }
            None => return Ok(Err(unknown())),
        },
    };
    if !is_signed_by(key, &jwt).await {
        return Ok(Err(unknown()));
    }
    Ok(match end {
        Some(reason) => Err(Rejection::new(reason)),
        None => Ok(administrator),
    })
}

fn unknown() -> Rejection {
    Rejection::new("the token is signed by no admin key of this deployment")
}

async fn is_signed_by(key: AdminPublicKey, jwt: &Jwt<'_>) -> bool {
    let public = PublicKey::Ed25519 { x: key.to_bytes() };
    match jose::platform().verifier(Algorithm::EdDSA, &public).await {
        Ok(verifier) => VerificationKey::new("", Algorithm::EdDSA, verifier).verify(jwt).await.is_some(),
        Err(_) => false,
    }
}

/// Returns the JSON object of a request, or the status and the reason for which it is rejected.
pub fn body(request: &Request) -> Result<Map<String, Value>, (StatusCode, String)> {
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
pub fn forbidden(request: &Request, problems: &[impl Display]) -> Response {
    let problems: Vec<String> = problems.iter().map(ToString::to_string).collect();
    let error = Error::new(ErrorCode::InsufficientScope, problems.join("; "));
    request.log.error(error.code.as_str(), &error.description);
    let challenge = bearer_challenge(Some(&error));
    Response::json(StatusCode::FORBIDDEN, &error.to_body()).with(header::WWW_AUTHENTICATE, &challenge)
}

/// Answers 404: no such path, or no such object.
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
