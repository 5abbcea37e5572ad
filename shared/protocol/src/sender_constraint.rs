//! Sender-constrained tokens (RFC 9700 §2.2): the policy. Proofs are parsed and checked in `jose`, because the resource server needs
//! that too.

use crate::Client;
use types::{Confirmation, Error, ErrorCode};

/// The sender of the refresh tokens of a grant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RefreshSender {
    /// The client, with or without a proof.
    Client,
    /// The client, which authenticates, with a proof of any key: it may change its keys (RFC 9449 §5).
    ProvenClient,
    /// The holder of the key: the client is public (RFC 9449 §5).
    Holder(Confirmation),
}

impl RefreshSender {
    /// Returns the sender of the next refresh token of a client whose request had this proof.
    pub fn of(client: &Client, proof: Option<Confirmation>) -> Self {
        match proof {
            None => Self::Client,
            Some(_) if client.is_confidential() => Self::ProvenClient,
            Some(key) => Self::Holder(key),
        }
    }

    /// Checks that the sender of a refresh is that of the token. A grant never loses its constraint. Errors: `invalid_dpop_proof` if
    /// the request has no proof; `invalid_grant` if it is by another key.
    pub fn check(self, proof: Option<Confirmation>) -> Result<(), Error> {
        match (self, proof) {
            (Self::Client, _) | (Self::ProvenClient, Some(_)) => Ok(()),
            (Self::Holder(key), Some(sent)) if key == sent => Ok(()),
            (Self::Holder(_), Some(_)) => Err(Error::invalid_grant("the refresh token is bound to another key")),
            (Self::ProvenClient | Self::Holder(_), None) => {
                Err(missing("the refresh token is of a grant whose tokens are bound to a key"))
            }
        }
    }
}

/// Checks that a token request has the proof that its client promised (`dpop_bound_access_tokens`, RFC 9449 §5.2), or that its profile
/// demands (FAPI 2.0 Security Profile §5.3.2.1 (4)). Errors: `invalid_dpop_proof`.
pub fn check_promise(client: &Client, proof: Option<Confirmation>) -> Result<(), Error> {
    match proof {
        None if client.profile.is_some() => Err(missing("the profile of the client demands bound access tokens")),
        None if client.dpop_bound_access_tokens => {
            Err(missing("the client is registered for DPoP-bound access tokens"))
        }
        _ => Ok(()),
    }
}

/// Checks the exchange of a token: what it yields is bound to a key if the token is. The key may be another one, because the client
/// authenticates and may have received the token as a resource server. Errors: `invalid_dpop_proof`.
pub fn check_exchange(is_bound: bool, proof: Option<Confirmation>) -> Result<(), Error> {
    match proof {
        None if is_bound => Err(missing("the subject_token is bound to a key, and so must the new token be")),
        _ => Ok(()),
    }
}

fn missing(why: &'static str) -> Error {
    Error::new(ErrorCode::InvalidDpopProof, format!("{why}: send a DPoP proof (RFC 9449)"))
}
