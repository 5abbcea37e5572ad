//! The SAML 2.0 bearer grant (RFC 7522 §2.1): exchanges an assertion of a trusted issuer for an access token.

use crate::TokenRequest;
use crate::assertion_grant::{self, Accepted};
use crate::issue::TokenResponse;
use crate::saml_check;
use provider::HandlerError;
use saml::{CheckRequest, CheckResponse, IssuerRules};
use std::borrow::Cow;
use types::Error;

/// Verifies the assertion and issues an access token. An assertion that is malformed, of an unknown issuer, forged,
/// expired, or for another audience is rejected without a storage call.
pub(crate) async fn issue(request: &TokenRequest<'_>) -> Result<TokenResponse, HandlerError> {
    let config = &request.context.config;
    let saml = request.context.configuration.issuers.saml()?;
    let trusted = || saml.iter().filter(|issuer| issuer.serves(request.client));
    let assertion = CheckRequest {
        assertion: Cow::Borrowed(request.parameters.required("assertion")?),
        issuers: trusted().map(IssuerRules::from).collect(),
        audience: Cow::Borrowed(config.issuer.as_str()),
        recipient: Cow::Owned(config.issuer.endpoint("/token")),
        now: request.now,
    };
    let assertion = match saml_check::check(&assertion).await? {
        CheckResponse::Accepted(assertion) => assertion,
        CheckResponse::Rejected(problem) => {
            return Err(Error::invalid_grant(format!("the assertion is refused: {}", problem.as_str())).into());
        }
    };
    let issuer = trusted()
        .find(|issuer| issuer.issuer == assertion.issuer)
        .ok_or_else(|| HandlerError::unavailable("the check of an assertion named an issuer that was not given"))?;
    let accepted = Accepted {
        issuer,
        subject: &assertion.subject,
        claims: &assertion.claims,
        digest: Some(assertion.digest()),
        forgotten_at: assertion.forgotten_at(),
        authenticated_at: assertion.authenticated_at,
        id_jag: None,
    };
    assertion_grant::issue(request, accepted).await
}
