//! ID tokens (OpenID Connect Core §2).

use crate::Sid;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::Serialize;
use serde_json::{Map, Value};
use sha2::{Digest, Sha256, Sha512};
use types::{Algorithm, ClientId, Issuer, Nonce, Scope, Subject};

/// The claims of an ID token (OpenID Connect Core §2, §3.1.3.6).
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct IdTokenClaims<'a> {
    /// `iss`: the issuer.
    pub iss: &'a Issuer,
    /// `sub`: the user.
    pub sub: &'a Subject,
    /// `aud`: the client.
    pub aud: &'a ClientId,
    /// `exp`: expiry, in seconds since the epoch.
    pub exp: u64,
    /// `iat`: time of issue, in seconds since the epoch.
    pub iat: u64,
    /// `auth_time`: time of the user's sign-in, in seconds since the epoch.
    pub auth_time: u64,
    /// `nonce`: as the authorization request sent it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nonce: Option<&'a Nonce>,
    /// `acr`: authentication context class.
    pub acr: &'a str,
    /// `amr`: authentication method references (RFC 8176).
    pub amr: &'a [String],
    /// `at_hash`: binds the access token of the same response.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at_hash: Option<String>,
    /// `c_hash`: binds the code of the same response (OpenID Connect Core §3.3.2.11).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub c_hash: Option<String>,
    /// `sid`: the session (OpenID Connect Back-Channel Logout §2.1).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sid: Option<Sid>,
    /// `jti`: the snapshot of the grant as a claim, a dot, the `jti` of the access token of the same response. With it the
    /// token can be exchanged (RFC 8693).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub jti: Option<String>,
    /// `scope`: the scope of the access token of the same response, if it is narrower than that of the grant.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scope: Option<&'a Scope>,
    /// The claims about the user that the request names.
    #[serde(flatten)]
    pub profile: &'a Map<String, Value>,
}

/// Returns the left half of the hash of a token as base64url: the value of `at_hash` and `c_hash` (OpenID Connect Core
/// §3.1.3.6). The hash is that of the ID token's algorithm; for EdDSA it is SHA-512, as Ed25519 uses it.
pub fn left_half_hash(algorithm: Algorithm, token: &str) -> String {
    match algorithm {
        Algorithm::EdDSA => URL_SAFE_NO_PAD.encode(Sha512::digest(token.as_bytes()).split_at(32).0),
        Algorithm::ES256 | Algorithm::RS256 | Algorithm::PS256 => {
            URL_SAFE_NO_PAD.encode(Sha256::digest(token.as_bytes()).split_at(16).0)
        }
    }
}
