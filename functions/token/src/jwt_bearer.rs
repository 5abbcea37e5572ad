//! The JWT bearer grant (RFC 7523 §2.1): exchanges a JWT of a trusted issuer for an access token. An ID-JAG is such a JWT
//! (draft-ietf-oauth-identity-assertion-authz-grant §4.4).

use crate::TokenRequest;
use crate::assertion_grant::{self, Accepted};
use crate::issue::TokenResponse;
use latchkey_http::Request;
use protocol::{Assertion, ClientCredentials, IdJag, Parameters, TrustedIssuer, metadata_document};
use provider::{Context, HandlerError, PresentedAssertion, refused_assertion as refused};
use serde_json::Value;
use types::{ClientId, Error, Timestamp};

/// Parses the parameter `assertion`. Errors: `invalid_request`, `invalid_grant`.
pub(crate) fn read(parameters: &Parameters) -> Result<PresentedAssertion<'_>, Error> {
    PresentedAssertion::parse(parameters.required("assertion")?)
        .ok_or_else(|| Error::invalid_grant("the assertion is not a JWT with an algorithm that is known here"))
}

/// Verifies the assertion and issues an access token. An assertion that is malformed, of an unknown issuer, forged,
/// expired, for another audience or of another client is rejected without a storage call.
pub(crate) async fn issue(request: &TokenRequest<'_>) -> Result<TokenResponse, HandlerError> {
    let presented = read(request.parameters)?;
    presented.check_algorithm(&request.client.client)?;
    let issuer = presented.trusted_issuer(request.context)?.filter(|issuer| issuer.serves(request.client));
    let issuer = issuer.ok_or_else(|| {
        Error::invalid_grant("the issuer of the assertion is not trusted here, or not with this client")
    })?;
    let assertion = presented.verified(issuer, request.context, request.now).await?;
    issue_for(request, issuer, &assertion).await
}

/// Issues an access token for a verified assertion of an issuer that serves the client.
pub(crate) async fn issue_for(
    request: &TokenRequest<'_>,
    issuer: &TrustedIssuer,
    assertion: &Assertion,
) -> Result<TokenResponse, HandlerError> {
    let id_jag = id_jag(assertion, issuer, &request.client.client.client_id)?;
    let authenticated_at = assertion.claims.get("auth_time").and_then(Value::as_u64).map(Timestamp::from_secs);
    let accepted = Accepted {
        issuer,
        subject: &assertion.subject,
        claims: &assertion.claims,
        digest: (!issuer.reusable).then(|| assertion.digest()),
        forgotten_at: assertion.forgotten_at(),
        authenticated_at,
        id_jag,
    };
    assertion_grant::issue(request, accepted).await
}

/// Returns the limits of an ID-JAG; `None` for another assertion. Errors: `invalid_grant` if it is not for this client.
fn id_jag(assertion: &Assertion, issuer: &TrustedIssuer, client_id: &ClientId) -> Result<Option<IdJag>, Error> {
    let check = || IdJag::check(assertion, client_id, issuer).map_err(|problem| refused(problem.as_str()));
    issuer.id_jag.then(check).transpose()
}

/// Lets a client with a metadata document in that never was here. An identity provider introduces it: its ID-JAG is verified
/// before the document is fetched, so no one else makes this server fetch a URL. Round trips: 0 for every other request.
pub(crate) async fn introduce(
    request: &Request,
    context: &Context,
    parameters: &Parameters,
) -> Result<(), HandlerError> {
    if !context.configuration.accepts_id_jags() {
        return Ok(());
    }
    let client_id = ClientCredentials::from_request(request.authorization()?, parameters)?.client_id;
    let now = request.received_at;
    if !metadata_document::is_document_url(&client_id, context.config.reach())
        || context.client(&client_id, now).await?.is_some()
    {
        return Ok(());
    }
    let presented = read(parameters)?;
    let issuer = presented.trusted_issuer(context)?.filter(|issuer| issuer.id_jag && issuer.lists(&client_id));
    let Some(issuer) = issuer else { return Ok(()) };
    let assertion = presented.verified(issuer, context, now).await?;
    id_jag(&assertion, issuer, &client_id)?;
    context.introduce_client(&client_id, request).await
}
