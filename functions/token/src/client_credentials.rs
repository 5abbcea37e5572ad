//! The client credentials grant (RFC 6749 §4.4): no storage, no refresh token (§4.4.3).

use crate::Exchange;
use crate::issue::TokenResponse;
use protocol::{Error, ErrorCode, STANDARD_SCOPES, Scope, resource};
use runtime::Refusal;

/// Issues a token to the client itself. Scopes about a person make no sense here and are refused.
pub(crate) async fn issue(exchange: &Exchange<'_>) -> Result<TokenResponse, Refusal> {
    let client = &exchange.client.client;
    let allowed = STANDARD_SCOPES.iter().fold(client.scope.clone(), |scope, token| scope.without(token));
    let scope = match exchange.parameters.value("scope") {
        None => allowed,
        Some(text) => Scope::parse(text)
            .filter(|scope| scope.is_within(&allowed))
            .ok_or_else(|| Error::new(ErrorCode::InvalidScope, "scope asks for more than the client may have"))?,
    };
    let resources = resource::requested(exchange.parameters, &exchange.context.config.resources, client)?;
    let claims = exchange.issuer().access_token_claims(&client.client_id, &scope, &resources)?;
    Ok(exchange.token_of(claims).await?)
}
