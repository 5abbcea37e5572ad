//! The refresh token grant (RFC 6749 §6), with rotation and replay detection (RFC 9700 §4.14).

use crate::Exchange;
use crate::issue::{Nonce, TokenResponse};
use protocol::{GrantId, TokenKind, resource, sealed_token};
use provider::HandlerError;
use storage::grants::{self, Rotation};
use types::{Error, ErrorCode, Scope};

/// Rotates a refresh token. A token that is forged, expired, or another client's is rejected without a storage call.
pub(crate) async fn refresh(exchange: &Exchange<'_>) -> Result<TokenResponse, HandlerError> {
    let token = exchange.parameters.required("refresh_token")?;
    let binding = sealed_token::refresh_binding(&exchange.client.client.client_id);
    let token = sealed_token::open(&exchange.context.secrets, TokenKind::RefreshToken, token, &binding, exchange.now)
        .filter(|token| exchange.client.may_have_got(token.standing.started_at))
        .ok_or_else(|| {
            Error::invalid_grant("the refresh token is unknown or expired, or was issued to another client")
        })?;
    let narrowed = narrowed(exchange, token.standing.grant).await?;
    match grants::rotate(exchange.context.records.as_ref(), &token.standing, &exchange.issuer().step()?).await? {
        Rotation::Rotated(live) => {
            let (scope, resources) =
                narrowed.unwrap_or_else(|| (live.grant.scope.clone(), live.grant.resources.clone()));
            Ok(exchange.tokens(&live, &scope, &resources, Nonce::LeftOut).await?)
        }
        Rotation::Replayed => {
            Err(Error::invalid_grant("the refresh token was used before; it and all that came of it are revoked now")
                .into())
        }
        Rotation::Ended => Err(Error::invalid_grant("the grant was revoked or has ended").into()),
    }
}

/// Returns the requested scope and resources, which must be within the grant (RFC 6749 §6, RFC 8707 §2.2); `None` if
/// the request names neither. The check comes before the rotation, so a mistake does not cost the client its token.
async fn narrowed(exchange: &Exchange<'_>, grant: GrantId) -> Result<Option<(Scope, Vec<String>)>, HandlerError> {
    let parameters = exchange.parameters;
    if parameters.value("scope").is_none() && parameters.value("resource").is_none() {
        return Ok(None);
    }
    let scope = parameters.scope()?;
    let live = grants::find(exchange.context.records.as_ref(), grant).await?;
    let granted = live.ok_or_else(|| Error::invalid_grant("the grant was revoked or has ended"))?.grant;
    let scope = scope.unwrap_or_else(|| granted.scope.clone());
    if !scope.is_within(&granted.scope) {
        return Err(Error::new(ErrorCode::InvalidScope, "scope asks for more than was granted").into());
    }
    Ok(Some((scope, resource::narrowed(parameters, &granted.resources)?)))
}
