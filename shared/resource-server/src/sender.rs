//! The sender of an access token that is bound to a key (RFC 9449 §7) or to a certificate (RFC 8705 §3).

use crate::{AccessError, Claims, Config, RequestHead};
use http::HeaderName;
use jose::certificate_thumbprint;
use jose::dpop::{DpopProblem, DpopProof, DpopRequest, NonceRole, Nonces, SchemeProblem, TokenScheme, mac};
use types::{Confirmation, Thumbprint, Timestamp};
use url::Url;

/// The header field of a proof (RFC 9449 §4.1).
pub const DPOP: HeaderName = HeaderName::from_static("dpop");

/// The header field of a nonce (RFC 9449 §8.1).
pub const DPOP_NONCE: HeaderName = HeaderName::from_static("dpop-nonce");

pub use jose::dpop::NoncePolicy;

/// A token as it was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Presented<'a> {
    pub(crate) scheme: TokenScheme,
    pub(crate) token: &'a str,
}

/// Nonces of proofs (RFC 9449 §9).
#[derive(Clone)]
#[non_exhaustive]
pub struct DpopNonces {
    /// The proofs that must have one.
    pub policy: NoncePolicy,
    /// A secret that the instances of the API share.
    pub key: [u8; 32],
}

impl DpopNonces {
    /// Returns nonces under this policy and secret.
    pub const fn new(policy: NoncePolicy, key: [u8; 32]) -> Self {
        Self { policy, key }
    }
}

impl std::fmt::Debug for DpopNonces {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DpopNonces").field("policy", &self.policy).finish_non_exhaustive()
    }
}

/// Checks that the sender possesses the key of the token, and that a token without a key comes as a bearer token (RFC 9449 §7.1, §7.2,
/// RFC 8705 §3). Returns the nonce for the sender's next proof, if it needs one.
pub(crate) async fn check(
    head: &RequestHead<'_>,
    presented: Presented<'_>,
    claims: &Claims,
    config: &Config,
    now: Timestamp,
) -> Result<Option<String>, AccessError> {
    let key = match presented.scheme.key_of(claims.cnf).map_err(bound)? {
        Some(Confirmation::Dpop(_)) | None if config.requires_certificate => {
            return Err(AccessError::InvalidToken(
                "this API accepts access tokens that are bound to a client certificate alone (RFC 8705)",
            ));
        }
        Some(Confirmation::Certificate(_)) | None if config.requires_dpop => {
            return Err(AccessError::InvalidBoundToken("this API accepts access tokens that are bound to a key alone"));
        }
        Some(Confirmation::Certificate(certificate)) => return check_certificate(head, certificate).map(|()| None),
        Some(Confirmation::Dpop(key)) => key,
        None => return Ok(None),
    };
    let mut fields = head.headers.get_all(&DPOP).iter();
    let field = fields.next().ok_or(AccessError::InvalidProof("the header field DPoP with a proof is missing"))?;
    let text = field.to_str().ok().filter(|_| fields.next().is_none());
    let proof = DpopProof::parse(text.ok_or(refused(DpopProblem::Malformed))?).map_err(refused)?;
    let url = url_of(head.url, config).ok_or(refused(DpopProblem::Url))?;
    let request = DpopRequest { method: head.method.as_str(), urls: &[&url], access_token: Some(presented.token) };
    proof.check(&request).map_err(refused)?;
    let (policy, secret) = config.dpop_nonces.as_ref().map_or((NoncePolicy::Off, &[0; 32]), |it| (it.policy, &it.key));
    let tag = |message: &[u8]| mac(secret, message);
    let nonces = Nonces::new(policy, NonceRole::ResourceServer, &tag);
    nonces.admit(&proof, now).map_err(|problem| match problem {
        DpopProblem::Nonce => AccessError::UseNonce(nonces.newest(now)),
        other => refused(other),
    })?;
    let next = nonces.offer(&proof, now);
    proof.verify().await.map_err(refused)?;
    if proof.thumbprint() != key {
        return Err(AccessError::InvalidBoundToken("the access token is bound to another key than that of the proof"));
    }
    Ok(next)
}

/// Checks that the certificate of the TLS connection is that of the token (RFC 8705 §3).
fn check_certificate(head: &RequestHead<'_>, expected: Thumbprint) -> Result<(), AccessError> {
    match head.certificate {
        Some(der) if certificate_thumbprint(der) == expected => Ok(()),
        Some(_) => Err(AccessError::InvalidToken("the access token is bound to another client certificate")),
        None => Err(AccessError::InvalidToken(
            "the access token is bound to a client certificate, but the connection to this API has none",
        )),
    }
}

const fn bound(problem: SchemeProblem) -> AccessError {
    AccessError::InvalidBoundToken(problem.as_str())
}

const fn refused(problem: DpopProblem) -> AccessError {
    AccessError::InvalidProof(problem.as_str())
}

/// Returns the URL of a request as clients know it: at the origin of the configuration, never at one that the request names.
fn url_of(sent: &str, config: &Config) -> Option<String> {
    let origin = Url::parse(config.origin.as_deref().unwrap_or(&config.resource)).ok()?;
    let path = match Url::parse(sent) {
        Ok(absolute) => absolute.path().to_owned(),
        Err(_) => sent.split(['?', '#']).next().unwrap_or_default().to_owned(),
    };
    path.starts_with('/').then(|| format!("{}{path}", origin.origin().ascii_serialization()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The Host field, and so the origin of an absolute URL, is the client's to choose.
    #[test]
    fn the_origin_is_that_of_the_configuration() {
        let mut config = Config::new("https://id.example", "https://api.example/v1");
        for (sent, url) in [
            ("/v1/x?y=/z#a", Some("https://api.example/v1/x")),
            ("/v1//x", Some("https://api.example/v1//x")),
            ("https://evil.example/v1/x?y", Some("https://api.example/v1/x")),
            ("x", None),
            ("", None),
        ] {
            assert_eq!(url_of(sent, &config).as_deref(), url, "{sent}");
        }
        config.origin = Some("https://public.example".to_owned());
        assert_eq!(url_of("/x", &config).as_deref(), Some("https://public.example/x"));
        config.resource = "urn:api".to_owned();
        assert_eq!(url_of("/x", &config).as_deref(), Some("https://public.example/x"));
    }
}
