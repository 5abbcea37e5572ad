//! `tls_client_auth` and `self_signed_tls_client_auth`: the certificate of the client's TLS connection (RFC 8705 §2).
//!
//! The request names the client by `client_id` and presents nothing else. A certificate beside another method authenticates no client: it
//! only binds tokens (§3).

use super::{Evidence, Verification, invalid_client};
use crate::Client;
use types::{Certificate, Error, Timestamp};

/// The way in which a certificate belongs to a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CertificateMethod {
    /// `tls_client_auth`: a trusted CA issued it for the subject that the client registered (§2.1).
    Pki,
    /// `self_signed_tls_client_auth`: the client registered the certificate itself (§2.2).
    SelfSigned,
}

/// The reason why a certificate does not authenticate a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CertificateProblem {
    /// The connection has none.
    Missing,
    /// The deployment does not offer the method.
    NotOffered,
    /// The platform's certificate cannot be read.
    Malformed,
    /// The time is not within its validity.
    Validity,
    /// The platform did not verify the chain.
    Chain,
    /// The subject is another one.
    Subject,
    /// The client did not register this certificate.
    Unregistered,
    /// The keys of the client cannot be fetched.
    NoKeys,
}

impl CertificateProblem {
    /// Returns the reason, for the client developer.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Missing => {
                "the client authenticates by mutual TLS, but the connection has no client certificate: use the URL in mtls_endpoint_aliases of the metadata, and send the certificate in the handshake (RFC 8705)"
            }
            Self::NotOffered => "this server does not offer the token_endpoint_auth_method of the client any more",
            Self::Malformed => "the client certificate cannot be read",
            Self::Validity => "the client certificate has expired, or is not yet valid",
            Self::Chain => "the client certificate leads to no CA that this server trusts",
            Self::Subject => {
                "the client certificate has another subject than the one of tls_client_auth_… that the client registered"
            }
            Self::Unregistered => {
                "the client certificate is none of those in x5c of the keys that the client registered"
            }
            Self::NoKeys => "the keys of the client cannot be read: jwks_uri must answer with status 200 and a JWK Set",
        }
    }
}

impl From<CertificateProblem> for Error {
    fn from(problem: CertificateProblem) -> Self {
        invalid_client(problem.as_str())
    }
}

/// Accepts a request without other evidence. The certificate is left to verify.
pub(super) fn accept(evidence: &Evidence, method: CertificateMethod) -> Option<Verification<'_>> {
    matches!(evidence, Evidence::None).then_some(Verification::Certificate(method))
}

/// Checks that a certificate in DER has the subject that the client registered (RFC 8705 §2.1.2). The platform verifies the chain.
pub fn check_subject(
    der: &[u8],
    is_chain_verified: bool,
    client: &Client,
    now: Timestamp,
) -> Result<(), CertificateProblem> {
    let certificate = Certificate::from_der(der).ok_or(CertificateProblem::Malformed)?;
    if !certificate.is_valid_at(now) {
        return Err(CertificateProblem::Validity);
    }
    if !is_chain_verified {
        return Err(CertificateProblem::Chain);
    }
    let is_its = client.certificate_subject().is_some_and(|subject| certificate.has_subject(&subject));
    if is_its { Ok(()) } else { Err(CertificateProblem::Subject) }
}
