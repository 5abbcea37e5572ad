//! Authorization of registrations and of their management: bearer tokens (RFC 6750), and quotas for open
//! registration.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use http::{StatusCode, header};
use keys::Purpose;
use latchkey_http::{Request, Response};
use platform::entropy;
use protocol::InitialAccessToken;
use provider::throttle::network;
use provider::{Context, HandlerError, bearer_challenge};
use std::time::Duration;
use storage::attempts;
use types::{Error, ErrorCode};

const HOUR: Duration = Duration::from_secs(3600);

pub(crate) fn base64url(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Answers a request with an invalid token (RFC 6750 §3), or without a token; then the challenge names no error
/// (§3.1).
pub(crate) fn challenge(request: &Request, error: &Error) -> Response {
    let has_token = matches!(request.bearer(), Ok(Some(_)));
    let value = bearer_challenge(has_token.then_some(error));
    request.log.error(error.code.as_str(), &error.description);
    Response::json(StatusCode::UNAUTHORIZED, &error.to_body()).with(header::WWW_AUTHENTICATE, &value)
}

pub(crate) fn invalid_token(description: &'static str) -> Error {
    Error::new(ErrorCode::InvalidToken, description)
}

/// Returns the initial access token of a request, if it has one (RFC 7591 §3). An invalid token is rejected even if
/// none is required.
pub(crate) fn initial_access(request: &Request, context: &Context) -> Result<Option<InitialAccessToken>, Error> {
    let Some(token) = request.bearer()? else { return Ok(None) };
    InitialAccessToken::open(&context.secrets, token, request.received_at)
        .map(Some)
        .ok_or_else(|| invalid_token("the initial access token is unknown or expired"))
}

/// Counts an open registration, per address and in total.
pub(crate) async fn take_quota(request: &Request, context: &Context) -> Result<(), HandlerError> {
    let policy = &context.config.registration;
    let from = network(request.address);
    let tag = base64url(&context.secrets.mac(Purpose::Throttle, &[b"registration", from.as_bytes()]));
    for (name, most) in [(format!("register-{tag}"), policy.per_address), ("register".to_owned(), policy.in_total)] {
        let write_id = entropy::name()?;
        let now = request.received_at;
        if let Err(next_at) = attempts::take(&*context.records, &name, HOUR, most, now, &write_id).await? {
            return Err(too_many(request, next_at.since(now)).into());
        }
    }
    Ok(())
}

fn too_many(request: &Request, wait: Duration) -> Response {
    let error =
        Error::new(ErrorCode::TemporarilyUnavailable, "too many clients were registered recently; try again later");
    let seconds = wait.as_secs().saturating_add(1).to_string();
    request.log.error(error.code.as_str(), &error.description);
    Response::json(StatusCode::TOO_MANY_REQUESTS, &error.to_body()).with(header::RETRY_AFTER, &seconds)
}
