//! Token revocation (RFC 7009).

use http::StatusCode;
use latchkey_http::{Request, Response};
use protocol::{Client, RefreshToken, RevokedToken, TokenError};
use provider::{AuditEvent, ClientRequest, Context, Function, HandlerError, TokenIssuer};
use storage::grants::{self, GrantUpdate};
use storage::markers;
use types::Timestamp;

/// The function, as every platform calls it.
pub const FUNCTION: Function = Function::api("revoke", |request, context| Box::pin(handle(request, context)));

/// Revokes a token of the requesting client. A token that is unknown, expired or another client's is no error (RFC
/// 7009 §2.2) and stays as it is. So does a token of an earlier epoch, which nothing accepts. Round trips: 1.
pub async fn handle(request: &Request, context: &Context) -> Result<Response, HandlerError> {
    let asked = ClientRequest::open(request, context).await?;
    let token = asked.parameters.required("token")?;
    if revoke(token, asked.client(), context, asked.now).await? {
        AuditEvent::TokenRevoked { client: &asked.client().client_id }.record(request);
    }
    // Clients ignore the body (§2.2), but some look for JSON.
    Ok(Response::json(StatusCode::OK, &serde_json::Map::new()))
}

/// Revokes a token; returns false if it is no token of the client. The kind follows from the token itself, so `token_type_hint` is not needed (RFC 7009 §2.1).
async fn revoke(token: &str, client: &Client, context: &Context, now: Timestamp) -> Result<bool, HandlerError> {
    let records = context.records.as_ref();
    // An exchanged token has the grant of another client, which may have to be notified that the session ended.
    let remembered = context.config.session_lifetime;
    let step = GrantUpdate { remembered, ..TokenIssuer { context, client, now }.grant_update()? };
    match RefreshToken::open(&context.secrets, token, &client.client_id, now) {
        Ok(refresh) => {
            grants::revoke(records, &refresh.snapshot, &step).await?;
            return Ok(true);
        }
        Err(TokenError::Invalid) => {}
        Err(TokenError::OlderEpoch) => return Ok(false),
        Err(TokenError::NewerEpoch) => return Err(HandlerError::newer_epoch()),
    }
    let claims = context.access_token(token, now).await?.filter(|claims| claims.client_id == client.client_id);
    let Some(claims) = claims else { return Ok(false) };
    let expires_at = Timestamp::from_secs(claims.exp);
    match claims.snapshot(&context.secrets) {
        Ok(None) => markers::revoke(records, &claims.jti, expires_at).await?,
        Ok(Some(snapshot)) => {
            let token = RevokedToken { jti: claims.jti, expires_at };
            grants::revoke_access_token(records, &snapshot, &token, &step).await?;
        }
        Err(TokenError::Invalid | TokenError::OlderEpoch) => return Ok(false),
        Err(TokenError::NewerEpoch) => return Err(HandlerError::newer_epoch()),
    }
    Ok(true)
}

#[cfg(target_arch = "wasm32")]
#[worker::event(fetch)]
async fn fetch(request: worker::Request, env: worker::Env, _: worker::Context) -> worker::Result<worker::Response> {
    provider::worker::serve(FUNCTION, request, &env).await
}
