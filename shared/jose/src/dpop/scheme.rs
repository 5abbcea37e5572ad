//! The scheme with which an access token is sent (RFC 9449 §7.1, §7.2).

use types::Confirmation;

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
    /// A token that needs no proof comes with one (RFC 9449 §7.1, RFC 8705 §3).
    Unbound,
    /// A token with a key comes as a bearer token (RFC 9449 §7.2).
    Bound,
}

impl SchemeProblem {
    /// Returns the reason, for the client developer.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unbound => "the access token is a bearer token, and must be sent as one",
            Self::Bound => "the access token is bound to a key: send it with the scheme DPoP and a proof",
        }
    }
}

impl TokenScheme {
    /// Returns the key that the sender of the request must possess, given `cnf` of the token; `None` for a token without a key. Tokens
    /// that are bound to a certificate are bearer tokens (RFC 8705 §3).
    pub const fn key_of(self, cnf: Option<Confirmation>) -> Result<Option<Confirmation>, SchemeProblem> {
        match (cnf, self) {
            (None | Some(Confirmation::Certificate(_)), Self::Bearer) | (Some(Confirmation::Dpop(_)), Self::Dpop) => {
                Ok(cnf)
            }
            (None | Some(Confirmation::Certificate(_)), Self::Dpop) => Err(SchemeProblem::Unbound),
            (Some(Confirmation::Dpop(_)), Self::Bearer) => Err(SchemeProblem::Bound),
        }
    }
}
