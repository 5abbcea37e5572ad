//! The scheme with which an access token is sent (RFC 9449 §7.1, §7.2).

use types::{Confirmation, Thumbprint};

/// The scheme with which an access token is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenScheme {
    /// RFC 6750 §2.
    Bearer,
    /// RFC 9449 §7.1.
    Dpop,
}

/// The reason why a token is rejected as it is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SchemeProblem {
    /// A token without a key comes with a proof (RFC 9449 §7.1).
    Unbound,
    /// A token with a key comes as a bearer token (RFC 9449 §7.2).
    Bound,
    /// The token is bound to a certificate.
    Certificate,
}

impl SchemeProblem {
    /// Returns the reason, for the client developer.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unbound => "the access token is a bearer token, and must be sent as one",
            Self::Bound => "the access token is bound to a key: send it with the scheme DPoP and a proof",
            Self::Certificate => "the access token is bound to a certificate, which this API cannot check",
        }
    }
}

impl TokenScheme {
    /// Returns the key that the proof of the request must have, given `cnf` of the token; `None` for a bearer token, which needs no
    /// proof.
    pub const fn key_of(self, cnf: Option<Confirmation>) -> Result<Option<Thumbprint>, SchemeProblem> {
        match (cnf, self) {
            (None, Self::Bearer) => Ok(None),
            (None, Self::Dpop) => Err(SchemeProblem::Unbound),
            (Some(Confirmation::Dpop(key)), Self::Dpop) => Ok(Some(key)),
            (Some(Confirmation::Dpop(_)), Self::Bearer) => Err(SchemeProblem::Bound),
            (Some(Confirmation::Certificate(_)), _) => Err(SchemeProblem::Certificate),
        }
    }
}
