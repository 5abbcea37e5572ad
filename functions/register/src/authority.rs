//! Authorization of registrations and of their management: bearer tokens (RFC 6750).

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use http::{StatusCode, header};
use latchkey_http::{Request, Response};
use protocol::InitialAccessToken;
use provider::{Context, HandlerError, bearer_challenge};
use types::{Error, ErrorCode};

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
pub(crate) fn initial_access(request: &Request, context: &Context) -> Result<Option<InitialAccessToken>, HandlerError> {
    let Some(token) = request.bearer()? else { return Ok(None) };
    let invalid = invalid_token("the initial access token is unknown or expired");
    let older = invalid_token(
        "the initial access token was issued in an earlier epoch than this deployment's; the operator must issue another",
    );
    InitialAccessToken::open(&context.secrets, token, request.received_at)
        .map(Some)
        .map_err(|reason| HandlerError::of_token(reason, invalid, older))
}
