//! Sender-constrained tokens (RFC 9700 §2.2): the policy. Proofs are parsed and checked in `jose`, because the resource server needs
//! that too. Certificates come from the platform.

use crate::Client;
use types::{Confirmation, Error, ErrorCode, Thumbprint};

/// The keys that the sender of a request proved to possess.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ProvenKeys {
    /// The key of its DPoP proof (RFC 9449).
    pub dpop: Option<Thumbprint>,
    /// The certificate of its TLS connection (RFC 8705).
    pub certificate: Option<Thumbprint>,
}

impl ProvenKeys {
    /// True if the sender possesses the key of a token.
    pub fn include(self, confirmation: Confirmation) -> bool {
        match confirmation {
            Confirmation::Dpop(key) => self.dpop == Some(key),
            Confirmation::Certificate(key) => self.certificate == Some(key),
        }
    }

    /// Returns one of the keys: that of the proof, which the sender made for this request, before the certificate.
    fn any(self) -> Option<Confirmation> {
        self.dpop.map(Confirmation::Dpop).or(self.certificate.map(Confirmation::Certificate))
    }

    /// Returns `cnf` of the tokens of a client: its registration decides which key binds them (RFC 9449 §5.2, RFC 8705 §3.4). A client
    /// that registered neither gets bound tokens by a proof, but not by a certificate, which may serve its authentication alone. Errors:
    /// `invalid_dpop_proof`, `invalid_request` if the client promised a key that it did not prove.
    pub fn confirmation(self, client: &Client) -> Result<Option<Confirmation>, Error> {
        match (self.dpop, self.certificate) {
            (_, Some(certificate)) if client.tls_client_certificate_bound_access_tokens => {
                Ok(Some(Confirmation::Certificate(certificate)))
            }
            (_, None) if client.tls_client_certificate_bound_access_tokens => {
                Err(no_certificate("the client is registered for certificate-bound access tokens"))
            }
            (Some(key), _) => Ok(Some(Confirmation::Dpop(key))),
            // FAPI 2.0 Security Profile §5.3.2.1 (4): either key constrains the sender.
            (None, Some(certificate)) if client.profile.is_some() && !client.dpop_bound_access_tokens => {
                Ok(Some(Confirmation::Certificate(certificate)))
            }
            (None, None) if client.profile.is_some() => {
                Err(no_proof("the profile of the client demands bound access tokens"))
            }
            (None, _) if client.dpop_bound_access_tokens => {
                Err(no_proof("the client is registered for DPoP-bound access tokens"))
            }
            (None, _) => Ok(None),
        }
    }
}

/// The sender of the refresh tokens of a grant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RefreshSender {
    /// The client, with or without a key.
    Client,
    /// The client, which authenticates, with any key: it may change its keys (RFC 9449 §5, RFC 8705 §4).
    ProvenClient,
    /// The holder of the key: the client is public (RFC 9449 §5, RFC 8705 §4).
    Holder(Confirmation),
}

impl RefreshSender {
    /// Returns the sender of the next refresh token of a client whose access token has this `cnf`.
    pub fn of(client: &Client, confirmation: Option<Confirmation>) -> Self {
        match confirmation {
            None => Self::Client,
            Some(_) if client.is_confidential() => Self::ProvenClient,
            Some(key) => Self::Holder(key),
        }
    }

    /// Checks that the sender of a refresh is that of the token. Returns `cnf` of the new tokens; `registered` is the one by the
    /// registration of the client. A grant never loses its constraint. Errors: `invalid_dpop_proof` or `invalid_request` if the sender
    /// proved no key; `invalid_grant` if it proved another one.
    pub fn check(self, keys: ProvenKeys, registered: Option<Confirmation>) -> Result<Option<Confirmation>, Error> {
        let key = match self {
            Self::Client => return Ok(registered),
            Self::ProvenClient => {
                let sent = registered.or(keys.any());
                return sent.map(Some).ok_or_else(|| no_proof(BOUND_GRANT));
            }
            Self::Holder(key) => key,
        };
        match (key, keys) {
            _ if keys.include(key) => Ok(Some(key)),
            (Confirmation::Dpop(_), ProvenKeys { dpop: None, .. }) => Err(no_proof(BOUND_GRANT)),
            (Confirmation::Certificate(_), ProvenKeys { certificate: None, .. }) => Err(no_certificate(BOUND_GRANT)),
            (Confirmation::Dpop(_), _) => Err(Error::invalid_grant("the refresh token is bound to another key")),
            (Confirmation::Certificate(_), _) => {
                Err(Error::invalid_grant("the refresh token is bound to another certificate"))
            }
        }
    }
}

const BOUND_GRANT: &str = "the refresh token is of a grant whose tokens are bound to a key";

/// Checks the exchange of a token: what it yields is bound to a key if the token is. The key may be another one, because the client
/// authenticates and may have received the token as a resource server. Returns `cnf` of the new token; `registered` is the one by the
/// registration of the client. Errors: `invalid_dpop_proof`.
pub fn check_exchange(
    is_bound: bool,
    keys: ProvenKeys,
    registered: Option<Confirmation>,
) -> Result<Option<Confirmation>, Error> {
    match registered.or(keys.any().filter(|_| is_bound)) {
        None if is_bound => Err(no_proof("the subject_token is bound to a key, and so must the new token be")),
        confirmation => Ok(confirmation),
    }
}

fn no_proof(why: &'static str) -> Error {
    Error::new(ErrorCode::InvalidDpopProof, format!("{why}: send a DPoP proof (RFC 9449)"))
}

fn no_certificate(why: &'static str) -> Error {
    Error::invalid_request(format!(
        "{why}: use the URL in mtls_endpoint_aliases of the metadata, and send a client certificate in the TLS handshake (RFC 8705)"
    ))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    const KEY: Thumbprint = Thumbprint::from_digest([1; 32]);
    const CERTIFICATE: Thumbprint = Thumbprint::from_digest([2; 32]);
    const OTHER: Thumbprint = Thumbprint::from_digest([3; 32]);
    const NONE: ProvenKeys = ProvenKeys { dpop: None, certificate: None };
    const DPOP: ProvenKeys = ProvenKeys { dpop: Some(KEY), ..NONE };
    const TLS: ProvenKeys = ProvenKeys { certificate: Some(CERTIFICATE), ..NONE };
    const BOTH: ProvenKeys = ProvenKeys { dpop: Some(KEY), certificate: Some(CERTIFICATE) };

    fn client(more: Value) -> Client {
        let mut settings = json!({ "client_id": "app" });
        settings.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        serde_json::from_value(settings).unwrap()
    }

    #[test]
    fn the_registration_decides_which_key_binds_tokens() {
        let (dpop, tls) = (Confirmation::Dpop(KEY), Confirmation::Certificate(CERTIFICATE));
        let plain = client(json!({}));
        for (keys, expected) in [(NONE, None), (TLS, None), (DPOP, Some(dpop)), (BOTH, Some(dpop))] {
            assert_eq!(keys.confirmation(&plain).unwrap(), expected);
        }
        let of_profile = client(json!({ "profile": "fapi2-security" }));
        assert_eq!(TLS.confirmation(&of_profile).unwrap(), Some(tls));
        assert_eq!(BOTH.confirmation(&of_profile).unwrap(), Some(dpop));
        assert_eq!(NONE.confirmation(&of_profile).unwrap_err().code, ErrorCode::InvalidDpopProof);
        let of_dpop = client(json!({ "dpop_bound_access_tokens": true }));
        assert_eq!(BOTH.confirmation(&of_dpop).unwrap(), Some(dpop));
        assert_eq!(TLS.confirmation(&of_dpop).unwrap_err().code, ErrorCode::InvalidDpopProof);
        let of_tls = client(json!({ "tls_client_certificate_bound_access_tokens": true }));
        assert_eq!(BOTH.confirmation(&of_tls).unwrap(), Some(tls));
        assert_eq!(DPOP.confirmation(&of_tls).unwrap_err().code, ErrorCode::InvalidRequest);
    }

    #[test]
    fn a_grant_keeps_its_constraint() {
        let (dpop, tls) = (Confirmation::Dpop(KEY), Confirmation::Certificate(CERTIFICATE));
        for (sender, keys, expected) in [
            (RefreshSender::Client, NONE, Ok(None)),
            (RefreshSender::ProvenClient, TLS, Ok(Some(tls))),
            (RefreshSender::ProvenClient, BOTH, Ok(Some(dpop))),
            (RefreshSender::ProvenClient, NONE, Err(ErrorCode::InvalidDpopProof)),
            (RefreshSender::Holder(tls), TLS, Ok(Some(tls))),
            (RefreshSender::Holder(tls), BOTH, Ok(Some(tls))),
            (RefreshSender::Holder(tls), DPOP, Err(ErrorCode::InvalidRequest)),
            (RefreshSender::Holder(tls), ProvenKeys { certificate: Some(OTHER), ..NONE }, Err(ErrorCode::InvalidGrant)),
            (RefreshSender::Holder(dpop), BOTH, Ok(Some(dpop))),
            (RefreshSender::Holder(dpop), TLS, Err(ErrorCode::InvalidDpopProof)),
            (RefreshSender::Holder(dpop), ProvenKeys { dpop: Some(OTHER), ..TLS }, Err(ErrorCode::InvalidGrant)),
        ] {
            assert_eq!(sender.check(keys, None).map_err(|error| error.code), expected, "{sender:?} {keys:?}");
        }
        assert_eq!(RefreshSender::ProvenClient.check(BOTH, Some(tls)).unwrap(), Some(tls));
    }

    #[test]
    fn an_exchanged_token_keeps_the_constraint() {
        let tls = Confirmation::Certificate(CERTIFICATE);
        assert_eq!(check_exchange(false, TLS, None).unwrap(), None);
        assert_eq!(check_exchange(true, TLS, None).unwrap(), Some(tls));
        assert_eq!(check_exchange(true, BOTH, Some(tls)).unwrap(), Some(tls));
        assert_eq!(check_exchange(true, NONE, None).unwrap_err().code, ErrorCode::InvalidDpopProof);
    }
}
