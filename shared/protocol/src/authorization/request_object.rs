//! Request objects: an authorization request as a JWT (RFC 9101, OpenID Connect Core §6).

use crate::jwt::{self, NotNow};
use crate::{Client, Parameters};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};
use types::{
    Algorithm, ContentEncryption, Error, ErrorCode, Issuer, KeyManagementAlgorithm, RequestObjectAlgorithm, Timestamp,
};

/// Prefix of the `request_uri` of a pushed authorization request (RFC 9126 §2.2).
pub const PUSHED_REQUEST_PREFIX: &str = "urn:ietf:params:oauth:request_uri:";

/// The claims of a request object whose signature is verified, or that the client may send unsigned.
#[derive(Clone, Debug, PartialEq)]
pub struct RequestObject {
    claims: Map<String, Value>,
}

impl RequestObject {
    /// The longest `request_uri` in bytes (RFC 9101 §5.2).
    pub const MAX_REQUEST_URI: usize = 512;

    /// Accepted values of `typ` (RFC 9101 §10.8). OpenID Connect Core defines none, so `JWT` and a missing `typ` are
    /// accepted; any other value says that the JWT is something else.
    pub const TYPES: &[&str] = &["oauth-authz-req+jwt", "JWT"];

    /// Returns the request object with these claims.
    pub fn new(claims: Map<String, Value>) -> Self {
        Self { claims }
    }

    /// Checks that the client may sign request objects with `algorithm`; `None` means an unsigned request object. Only a
    /// client that registered `none` may send unsigned ones (OpenID Connect Core §6.1).
    pub fn check_algorithm(client: &Client, algorithm: Option<Algorithm>) -> Result<(), Error> {
        let registered = client.request_object_signing_alg;
        if algorithm.is_none() {
            return match registered {
                Some(RequestObjectAlgorithm::None) if !client.require_signed_request_object => Ok(()),
                None if client.jwks.is_none() && client.jwks_uri.is_none() => Err(Error::new(
                    ErrorCode::RequestNotSupported,
                    "this client is not registered for request objects: \
                     it has neither keys nor request_object_signing_alg",
                )),
                _ => Err(Self::invalid("the request object is not signed, and this client's must be")),
            };
        }
        match registered {
            Some(registered) if registered.signature() != algorithm => {
                Err(Self::invalid("the request object is not signed with the client's request_object_signing_alg"))
            }
            _ if algorithm.is_some_and(|algorithm| !client.may_sign_by(algorithm)) => {
                Err(Self::invalid("the profile of the client does not allow the alg of the request object"))
            }
            _ => Ok(()),
        }
    }

    /// Checks that the client may encrypt a request object by these algorithms; `None` means one that is not encrypted. A client that
    /// registered `request_object_encryption_alg` sends no other ones (OpenID Connect Registration §2).
    pub fn check_encryption(
        client: &Client,
        sent: Option<(KeyManagementAlgorithm, ContentEncryption)>,
    ) -> Result<(), Error> {
        let Some(alg) = client.request_object_encryption_alg else { return Ok(()) };
        let enc = client.request_object_encryption_enc.unwrap_or(ContentEncryption::A128CbcHs256);
        match sent {
            Some(sent) if sent == (alg, enc) => Ok(()),
            Some(_) => Err(Self::invalid(
                "alg and enc of the encrypted request object are not the client's request_object_encryption_alg and \
                 request_object_encryption_enc",
            )),
            None => Err(Self::invalid(
                "the request object is not encrypted, and this client registered request_object_encryption_alg",
            )),
        }
    }

    /// Returns the parameters of the request. They replace those that were sent with the request object (RFC 9101 §6.3).
    /// Errors: `invalid_request_object` if the object is expired, or names another client or audience.
    pub fn into_parameters(self, client: &Client, issuer: &Issuer, now: Timestamp) -> Result<Parameters, Error> {
        let mut claims = self.claims;
        let client_id = &client.client_id;
        if claims.contains_key("request") || claims.contains_key("request_uri") {
            return Err(Self::invalid(
                "a request object must hold neither request nor request_uri (RFC 9101 section 4)",
            ));
        }
        let text = |name: &str| claims.get(name).and_then(Value::as_str);
        if text("client_id") != Some(client_id.as_str()) {
            return Err(Self::invalid("client_id of the request object is not the client's (RFC 9101 section 5)"));
        }
        if claims.contains_key("iss") && text("iss") != Some(client_id.as_str()) {
            return Err(Self::invalid("iss of the request object is not the client"));
        }
        if text("sub") == Some(client_id.as_str()) {
            return Err(Self::invalid(
                "sub of the request object is the client: it could pass for a client assertion \
                 (RFC 9101 section 10.8)",
            ));
        }
        if !jwt::is_for(&claims, issuer) {
            return Err(Self::invalid("aud of the request object is not this issuer"));
        }
        jwt::check_time(&claims, now).map_err(|problem| match problem {
            NotNow::Unreadable => Self::invalid("exp and nbf of a request object are seconds since the epoch"),
            NotNow::Expired => Self::invalid("the request object has expired"),
            NotNow::TooEarly => Self::invalid("the request object is not valid yet (nbf)"),
        })?;
        if let Some(profile) = client.profile {
            profile.check_request_object(&claims, now)?;
        }
        for name in ["iss", "aud", "sub", "exp", "nbf", "iat", "jti"] {
            claims.remove(name);
        }
        Parameters::from_members(&claims)
    }

    /// True if the client registered the URI in `request_uris` (OpenID Connect Registration §2). Fragments may differ: a
    /// fragment is the hash of the content.
    pub fn is_registered(client: &Client, request_uri: &str) -> bool {
        client.request_uris.iter().any(|known| without_fragment(known) == without_fragment(request_uri))
    }

    /// Returns the hash of an object as the fragment of its URL writes it: base64url of SHA-256 (OpenID Connect Core §6.2).
    pub fn hash(content: &[u8]) -> String {
        URL_SAFE_NO_PAD.encode(Sha256::digest(content))
    }

    /// Returns the error `invalid_request_object`.
    pub fn invalid(description: &'static str) -> Error {
        Error::new(ErrorCode::InvalidRequestObject, description)
    }
}

fn without_fragment(uri: &str) -> &str {
    uri.split('#').next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_registered_encryption_is_the_only_one() {
        use ContentEncryption::{A128CbcHs256, A256Gcm};
        use KeyManagementAlgorithm::{EcdhEs, EcdhEsA128Kw};
        let client = |members: Value| Client::parse(members.as_object().unwrap().clone()).0.unwrap();
        let plain = client(json!({ "client_id": "x" }));
        let default = client(json!({ "client_id": "x", "request_object_encryption_alg": "ECDH-ES" }));
        let both = json!({
            "client_id": "x", "request_object_encryption_alg": "ECDH-ES", "request_object_encryption_enc": "A256GCM",
        });
        let both = client(both);
        for (sent, allowed) in [
            (None, [true, false, false]),
            (Some((EcdhEs, A128CbcHs256)), [true, true, false]),
            (Some((EcdhEs, A256Gcm)), [true, false, true]),
            (Some((EcdhEsA128Kw, A128CbcHs256)), [true, false, false]),
        ] {
            let checked = [&plain, &default, &both].map(|client| RequestObject::check_encryption(client, sent));
            assert_eq!(checked.each_ref().map(Result::is_ok), allowed, "{sent:?}");
            let mut errors = checked.iter().filter_map(|checked| checked.as_ref().err());
            assert!(errors.all(|error| error.code == ErrorCode::InvalidRequestObject));
        }
    }
}
