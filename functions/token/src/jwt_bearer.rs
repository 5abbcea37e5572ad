//! The JWT bearer grant (RFC 7523 §2.1): exchanges a JWT of a trusted issuer for an access token.

use crate::TokenRequest;
use crate::assertion_grant::{self, Accepted};
use crate::issue::TokenResponse;
use jose::Jwt;
use protocol::{Assertion, AssertionRules, TrustedIssuer};
use provider::{HandlerError, KeyError, KeySource};
use serde_json::Value;
use types::{Algorithm, Error, Timestamp};

/// Verifies the assertion and issues an access token. An assertion that is malformed, of an unknown issuer, forged,
/// expired, or for another audience is rejected without a storage call.
pub(crate) async fn issue(request: &TokenRequest<'_>) -> Result<TokenResponse, HandlerError> {
    let assertion = request.parameters.required("assertion")?;
    let jwt = Jwt::parse(assertion)
        .ok_or_else(|| Error::invalid_grant("the assertion is not a JWT with an algorithm that is known here"))?;
    let named = jwt.unverified_claims().and_then(|claims| claims.get("iss")?.as_str().map(str::to_owned));
    let trusted = &request.context.configuration.issuers.jwt;
    let issuer = named_issuer(request, trusted, named.as_deref(), jwt.header().alg)?;
    if !issuer.accepts_type(jwt.header().typ.as_deref()) {
        return Err(Error::invalid_grant(
            "the typ of the assertion must be authorization-grant+jwt; JWT, or none, only if this server's operator allows it",
        )
        .into());
    }
    let keys = KeySource::of_issuer(issuer.jwks.as_ref(), issuer.jwks_uri.as_deref())
        .ok_or_else(|| HandlerError::unavailable("a trusted issuer has no keys"))?;
    let claims = match request.context.verify_by(&jwt, keys, request.now).await {
        Ok(Value::Object(claims)) => claims,
        Ok(_) | Err(KeyError::Unverified) => {
            return Err(Error::invalid_grant("the assertion is not signed with a key of its issuer").into());
        }
        // The keys of the issuer cannot be fetched: a fault, so that the client does not discard its assertion.
        Err(error) => return Err(HandlerError::unavailable(format_args!("{}: {error}", issuer.issuer))),
    };
    let rules = AssertionRules {
        issuer: &issuer.issuer,
        audience: request.context.config.issuer.as_str(),
        max_lifetime: issuer.max_lifetime(),
        now: request.now,
    };
    let assertion = Assertion::check(claims, &rules)
        .map_err(|problem| Error::invalid_grant(format!("the assertion is refused: {}", problem.as_str())))?;
    let authenticated_at = assertion.claims.get("auth_time").and_then(Value::as_u64).map(Timestamp::from_secs);
    let accepted = Accepted {
        issuer,
        subject: &assertion.subject,
        claims: &assertion.claims,
        digest: assertion.digest(),
        forgotten_at: assertion.forgotten_at(),
        authenticated_at,
    };
    assertion_grant::issue(request, accepted).await
}

/// Returns the trusted issuer that an assertion names, if this client may present its assertions and the algorithm is
/// allowed. Nothing is verified yet.
fn named_issuer<'a>(
    request: &TokenRequest<'_>,
    trusted: &'a [TrustedIssuer],
    named: Option<&str>,
    algorithm: Algorithm,
) -> Result<&'a TrustedIssuer, Error> {
    let issuer = trusted
        .iter()
        .filter(|issuer| issuer.serves(&request.client.client))
        .find(|issuer| named == Some(&issuer.issuer))
        .ok_or_else(|| {
            Error::invalid_grant("the issuer of the assertion is not trusted here, or not with this client")
        })?;
    if !issuer.algorithms.contains(&algorithm) {
        return Err(Error::invalid_grant("the assertion is signed with an algorithm that its issuer does not use"));
    }
    Ok(issuer)
}
