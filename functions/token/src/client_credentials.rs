//! The client credentials grant (RFC 6749 §4.4): no storage, no refresh token (§4.4.3).

use crate::TokenRequest;
use crate::issue::TokenResponse;
use protocol::STANDARD_SCOPES;
use provider::HandlerError;
use types::{Error, ErrorCode, Subject};

/// Issues an access token to the client itself. Scopes about a user are rejected.
pub(crate) async fn issue(request: &TokenRequest<'_>) -> Result<TokenResponse, HandlerError> {
    let client = &request.client.client;
    let allowed = client.scope.filtered(|token| !STANDARD_SCOPES.contains(&token));
    let requested = request.parameters.scope()?;
    let invalid = |description| Err(Error::new(ErrorCode::InvalidScope, description).into());
    if requested.as_ref().is_some_and(|scope| !scope.is_within(&allowed)) {
        return invalid("scope asks for more than the client may have");
    }
    let scope = requested.as_ref().unwrap_or(&allowed);
    let targets = request.context.configuration.targets(request.client);
    let resources = targets.or_implied(targets.named(request.parameters, client)?, scope, client);
    let claims = request.issuer().access_token_claims(&Subject::from(&client.client_id), scope, &resources)?;
    if requested.is_some() && claims.scope.is_empty() {
        return invalid("none of these scopes means anything to the resource");
    }
    request.token_of(claims).await
}
