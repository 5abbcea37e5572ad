//! JWTs of trusted issuers (RFC 7523 §3): assertions that are grants, and hints about a user.

use crate::{Context, HandlerError, KeyError, KeySource};
use jose::Jwt;
use protocol::{Assertion, AssertionKind, AssertionRules, CLOCK_SKEW, Client, TrustedIssuer};
use serde_json::Value;
use types::json::numeric_date;
use types::{Error, Timestamp};

/// A parsed JWT of a trusted issuer. Nothing is verified yet.
#[derive(Debug)]
pub struct PresentedAssertion<'a> {
    /// The JWT.
    pub jwt: Jwt<'a>,
    /// `iss`.
    pub issuer: Option<String>,
}

impl<'a> PresentedAssertion<'a> {
    /// Parses a JWT. `None` if it is none with an algorithm that is known here.
    pub fn parse(text: &'a str) -> Option<Self> {
        let jwt = Jwt::parse(text)?;
        let issuer = jwt.unverified_claims().and_then(|claims| claims.get("iss")?.as_str().map(str::to_owned));
        Some(Self { jwt, issuer })
    }

    /// True if the JWT says that it has expired. Its signature need not be verified.
    pub fn has_expired(&self, now: Timestamp) -> bool {
        let claims = self.jwt.unverified_claims();
        let end = claims.as_ref().and_then(Value::as_object).and_then(|claims| numeric_date(claims, "exp").ok()?);
        end.is_some_and(|end| end.after(CLOCK_SKEW).is_past(now))
    }

    /// Returns the trusted issuer that the assertion names. This server is none: it issues no access token for its own ID-JAG
    /// (draft-ietf-oauth-identity-assertion-authz-grant §9.3).
    pub fn trusted_issuer<'c>(&self, context: &'c Context) -> Result<Option<&'c TrustedIssuer>, HandlerError> {
        let named = self.issuer.as_deref().filter(|named| *named != context.config.issuer.as_str());
        let is_named = |trusted: &&TrustedIssuer| Some(trusted.issuer.as_str()) == named;
        Ok(context.configuration.issuers.jwt()?.iter().find(is_named))
    }

    /// Checks the signature algorithm against the profile of the client that presents the assertion (FAPI 2.0 Security Profile §5.4.1). Errors:
    /// `invalid_grant`.
    pub fn check_algorithm(&self, client: &Client) -> Result<(), Error> {
        let description = "the profile of the client does not allow the alg of the assertion";
        if client.may_sign_by(self.jwt.header().alg) { Ok(()) } else { Err(Error::invalid_grant(description)) }
    }

    /// Verifies the assertion with the keys and the rules of its issuer. Round trips: 0. Errors: `invalid_grant`; 503 if the keys
    /// cannot be fetched, so that the client does not discard its assertion.
    pub async fn verified(
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
        let assertion = Assertion::check(claims, &rules).map_err(|problem| refused_assertion(problem.as_str()))?;
        if !issuer.claims.accept(&assertion.claims) {
            return Err(refused_assertion(protocol::AssertionProblem::Claims.as_str()).into());
        }
        Ok(assertion)
    }
}

/// Returns `invalid_grant` with the rule that the assertion breaks.
pub fn refused_assertion(rule: &str) -> Error {
    Error::invalid_grant(format!("the assertion is refused: {rule}"))
}
