//! The client credentials grant (RFC 6749 §4.4): no refresh token (§4.4.3).

use crate::TokenRequest;
use crate::issue::TokenResponse;
use protocol::{AccessTokenClaims, STANDARD_SCOPES};
use provider::HandlerError;
use types::{Error, ErrorCode, Scope, Subject};

/// Issues an access token to the client itself. Round trips: 0; 1 for a client assertion or a DPoP proof.
pub(crate) async fn issue(request: &TokenRequest<'_>) -> Result<TokenResponse, HandlerError> {
    let subject = Subject::from(&request.client.client.client_id);
    let claims = claims(request, subject, request.parameters.scope()?)?;
    request.spend_assertion_or_proof().await?;
    request.token_of(claims).await
}

/// Returns the claims of an access token for the client itself. Scopes about a user are rejected.
pub(crate) fn claims(
    request: &TokenRequest<'_>,
    subject: Subject,
    requested: Option<Scope>,
) -> Result<AccessTokenClaims, HandlerError> {
    let client = &request.client.client;
    let allowed = client.scope.filtered(|token| !STANDARD_SCOPES.contains(&token));
    let invalid = |description| Err(Error::new(ErrorCode::InvalidScope, description).into());
    if requested.as_ref().is_some_and(|scope| !scope.is_within(&allowed)) {
        return invalid("scope asks for more than the client may have");
    }
    let targets = request.context.configuration.targets(request.client);
    let details = targets.details(request.parameters, client)?;
    let scope = match (requested.as_ref(), details.is_empty()) {
        (Some(requested), _) => requested,
        (None, true) => &allowed,
        // The request asks for the details alone.
        (None, false) => &Scope::default(),
    };
    let resources = targets.or_implied(targets.named(request.parameters, client)?, scope, client);
    let resources = targets.with_locations(resources, &details, client)?;
    let mut claims = request.issuer().access_token_claims(&subject, scope, &resources)?;
    if requested.is_some() && claims.scope.is_empty() {
        return invalid("none of these scopes means anything to the resource");
    }
    claims.authorization_details = details;
    Ok(claims)
}
