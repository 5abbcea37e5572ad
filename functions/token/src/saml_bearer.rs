//! The SAML 2.0 bearer grant (RFC 7522 §2.1): exchanges an assertion of a trusted issuer for an access token.

use crate::TokenRequest;
use crate::assertion_grant::{self, Accepted};
use crate::issue::TokenResponse;
use jose::PublicKey;
use protocol::TrustedIssuer;
use provider::HandlerError;
use saml::{ParsedAssertion, Problem, Rules, VerifiedAssertion};
use types::Error;

/// Verifies the assertion and issues an access token. An assertion that is malformed, of an unknown issuer, forged,
/// expired, or for another audience is rejected without a storage call.
pub(crate) async fn issue(request: &TokenRequest<'_>) -> Result<TokenResponse, HandlerError> {
    let parsed = ParsedAssertion::parse(request.parameters.required("assertion")?).map_err(refused)?;
    let named = parsed.issuer();
    let config = &request.context.config;
    let issuer =
        assertion_grant::named_issuer(request, &config.trusted_saml_issuers, named.as_deref(), parsed.algorithm())?;
    let verified = verify(parsed, issuer)
        .await
        .ok_or_else(|| Error::invalid_grant("the assertion is not signed with a key of its issuer"))?;
    let recipient = format!("{}/token", config.issuer);
    let rules = Rules {
        issuer: &issuer.issuer,
        audience: &config.issuer,
        recipient: &recipient,
        max_lifetime: issuer.max_lifetime(),
        now: request.now,
    };
    let assertion = verified.check(&rules).map_err(refused)?;
    let accepted = Accepted {
        issuer,
        subject: &assertion.subject,
        claims: &assertion.claims,
        digest: assertion.digest(),
        forgotten_at: assertion.forgotten_at(),
        authenticated_at: assertion.authenticated_at,
    };
    assertion_grant::issue(request, accepted).await
}

/// Returns the verified part of the assertion, if the key of one of the issuer's certificates signed it. Keys of
/// another type than the signature's are skipped.
async fn verify(mut parsed: ParsedAssertion, issuer: &TrustedIssuer) -> Option<VerifiedAssertion> {
    for key in issuer.certificates.iter().filter_map(|certificate| PublicKey::from_certificate(certificate)) {
        let Ok(verifier) = jose::platform().verifier(parsed.algorithm(), &key).await else { continue };
        match parsed.verify(verifier.as_ref()).await {
            Ok(verified) => return Some(verified),
            Err(unverified) => parsed = unverified,
        }
    }
    None
}

fn refused(problem: Problem) -> HandlerError {
    Error::invalid_grant(format!("the assertion is refused: {}", problem.as_str())).into()
}
