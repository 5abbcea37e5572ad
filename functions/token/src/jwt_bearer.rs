//! The JWT bearer grant (RFC 7523 §2.1): exchanges a JWT of a trusted issuer for an access token. An ID-JAG is such a JWT
//! (draft-ietf-oauth-identity-assertion-authz-grant §4.4).

use crate::TokenRequest;
use crate::assertion_grant::{self, Accepted};
use crate::issue::TokenResponse;
use jose::Jwt;
use latchkey_http::Request;
use protocol::{
    Assertion, AssertionKind, AssertionRules, ClientCredentials, IdJag, Parameters, TrustedIssuer, metadata_document,
};
use provider::{Context, HandlerError, KeyError, KeySource};
use serde_json::Value;
use types::{ClientId, Error, Timestamp};

/// A parsed assertion. Nothing is verified yet.
pub(crate) struct Presented<'a> {
    /// The JWT.
    pub(crate) jwt: Jwt<'a>,
    /// `iss`.
    pub(crate) issuer: Option<String>,
}

impl<'a> Presented<'a> {
    /// Parses the parameter `assertion`. Errors: `invalid_request`, `invalid_grant`.
    pub(crate) fn read(parameters: &'a Parameters) -> Result<Self, Error> {
        let jwt = Jwt::parse(parameters.required("assertion")?)
            .ok_or_else(|| Error::invalid_grant("the assertion is not a JWT with an algorithm that is known here"))?;
        let issuer = jwt.unverified_claims().and_then(|claims| claims.get("iss")?.as_str().map(str::to_owned));
        Ok(Self { jwt, issuer })
    }

    /// Returns the trusted issuer that the assertion names. This server is none: it issues no access token for its own ID-JAG
    /// (draft-ietf-oauth-identity-assertion-authz-grant §9.3).
    pub(crate) fn trusted_issuer<'c>(&self, context: &'c Context) -> Result<Option<&'c TrustedIssuer>, HandlerError> {
        let named = self.issuer.as_deref().filter(|named| *named != context.config.issuer.as_str());
        let is_named = |trusted: &&TrustedIssuer| Some(trusted.issuer.as_str()) == named;
        Ok(context.configuration.issuers.jwt()?.iter().find(is_named))
    }

    /// Verifies the assertion with the keys and the rules of its issuer. Round trips: 0. Errors: `invalid_grant`; 503 if the keys
    /// cannot be fetched, so that the client does not discard its assertion.
    pub(crate) async fn verified(
        &self,
        issuer: &TrustedIssuer,
        context: &Context,
        now: Timestamp,
    ) -> Result<Assertion, HandlerError> {
        let header = self.jwt.header();
        if !issuer.algorithms.contains(&header.alg) {
            let description = "the assertion is signed with an algorithm that its issuer does not use";
            return Err(Error::invalid_grant(description).into());
        }
        let kind = issuer.kind(header.typ.as_deref()).ok_or_else(|| {
            Error::invalid_grant(match issuer.id_jag {
                true => "the typ of the assertion must be oauth-id-jag+jwt",
                false => "the typ of the assertion must be authorization-grant+jwt; JWT, or none, only if this server's operator allows it",
            })
        })?;
        let keys = KeySource::of_issuer(issuer.jwks.as_ref(), issuer.jwks_uri.as_deref())
            .ok_or_else(|| HandlerError::unavailable("a trusted issuer has no keys"))?;
        let claims = match context.verify_by(&self.jwt, keys, now).await {
            Ok(Value::Object(claims)) => claims,
            Ok(_) | Err(KeyError::Unverified) => {
                return Err(Error::invalid_grant("the assertion is not signed with a key of its issuer").into());
            }
            Err(error) => return Err(HandlerError::unavailable(format_args!("{}: {error}", issuer.issuer))),
        };
        let token_endpoint = context.config.issuer.endpoint("/token");
        let may_name_endpoint = issuer.token_endpoint_audience && kind == AssertionKind::Plain;
        let rules = AssertionRules {
            issuer: &issuer.issuer,
            audience: context.config.issuer.as_str(),
            token_endpoint: may_name_endpoint.then_some(&token_endpoint),
            max_lifetime: issuer.max_lifetime(),
            now,
        };
        let assertion = Assertion::check(claims, &rules).map_err(|problem| refused(problem.as_str()))?;
        if !issuer.claims.accept(&assertion.claims) {
            return Err(refused(protocol::AssertionProblem::Claims.as_str()).into());
        }
        Ok(assertion)
    }
}

/// Returns `invalid_grant` with the rule that the assertion breaks.
pub(crate) fn refused(rule: &str) -> Error {
    Error::invalid_grant(format!("the assertion is refused: {rule}"))
}

/// Verifies the assertion and issues an access token. An assertion that is malformed, of an unknown issuer, forged,
/// expired, for another audience or of another client is rejected without a storage call.
pub(crate) async fn issue(request: &TokenRequest<'_>) -> Result<TokenResponse, HandlerError> {
    let presented = Presented::read(request.parameters)?;
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
    let presented = Presented::read(parameters)?;
    let issuer = presented.trusted_issuer(context)?.filter(|issuer| issuer.id_jag && issuer.lists(&client_id));
    let Some(issuer) = issuer else { return Ok(()) };
    let assertion = presented.verified(issuer, context, now).await?;
    id_jag(&assertion, issuer, &client_id)?;
    context.introduce_client(&client_id, request).await
}
