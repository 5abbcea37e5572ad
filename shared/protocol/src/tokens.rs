//! What access tokens and ID tokens say.

use crate::{Mac, Standing};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256, Sha512};
use std::time::Duration;
use types::{Algorithm, Audience, Scope, Timestamp};

/// How long an access token or an ID token can live, whatever the deployment and its client say: a key that no longer
/// signs is published as long.
pub const MAX_TOKEN_LIFETIME: Duration = Duration::from_secs(86_400);

/// The claims of a JWT access token (RFC 9068 §2.2).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AccessTokenClaims {
    /// The issuer.
    pub iss: String,
    /// The person; without one, the client itself.
    pub sub: String,
    /// Who shall accept it.
    pub aud: Audience,
    /// The client that it was issued to.
    pub client_id: String,
    /// When it was issued, in seconds since the epoch.
    pub iat: u64,
    /// When it expires, in seconds since the epoch.
    pub exp: u64,
    /// Its name.
    pub jti: String,
    /// What it allows.
    #[serde(skip_serializing_if = "Scope::is_empty", default)]
    pub scope: Scope,
    /// When the person signed in, in seconds since the epoch.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub auth_time: Option<u64>,
    /// How well.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub acr: Option<String>,
    /// By what.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub amr: Vec<String>,
    /// Who acts for the person, and for whom in turn (RFC 8693 §4.1).
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub act: Option<Value>,
    /// Who may act for the person (RFC 8693 §4.4).
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub may_act: Option<Value>,
    /// The tokens that it was exchanged from, by `jti`, the last one last: it dies with each. For this server alone.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub via: Vec<String>,
    /// The grant behind it and how it stood ([`Standing`]); for this server alone.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub grant: Option<String>,
}

impl AccessTokenClaims {
    /// The grant behind it.
    pub fn standing(&self, mac: &dyn Mac) -> Option<Standing> {
        Standing::from_claim(mac, self.grant.as_deref()?)
    }

    /// Whether it is this issuer's and in its time (RFC 9068 §4).
    pub fn is_current(&self, issuer: &str, now: Timestamp) -> bool {
        self.iss == issuer && !Timestamp::from_secs(self.exp).is_past(now)
    }
}

/// The claims of an ID token (OpenID Connect Core §2, §3.1.3.6).
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct IdTokenClaims<'a> {
    /// The issuer.
    pub iss: &'a str,
    /// The person.
    pub sub: &'a str,
    /// The client.
    pub aud: &'a str,
    /// When it expires, in seconds since the epoch.
    pub exp: u64,
    /// When it was issued, in seconds since the epoch.
    pub iat: u64,
    /// When the person signed in, in seconds since the epoch.
    pub auth_time: u64,
    /// As the request sent it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nonce: Option<&'a str>,
    /// How well the person signed in.
    pub acr: &'a str,
    /// By what.
    pub amr: &'a [String],
    /// Binds the access token that comes with it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at_hash: Option<String>,
    /// Binds the code that comes with it (OpenID Connect Core §3.3.2.11).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub c_hash: Option<String>,
    /// The session (OpenID Connect Back-Channel Logout §2.1).
    pub sid: &'a str,
    /// Its name: the grant behind it and how it stood ([`Standing`]), so that it can be exchanged (RFC 8693); a dot;
    /// randomness.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub jti: Option<String>,
    /// Claims about the person that were asked for by name.
    #[serde(flatten)]
    pub profile: &'a Map<String, Value>,
}

/// The left half of the hash of a token, with the hash of the ID token's algorithm (OpenID Connect Core §3.1.3.6;
/// for EdDSA SHA-512, as Ed25519 uses it).
pub fn half_hash(algorithm: Algorithm, token: &str) -> String {
    match algorithm {
        Algorithm::EdDSA => URL_SAFE_NO_PAD.encode(Sha512::digest(token.as_bytes()).split_at(32).0),
        Algorithm::ES256 | Algorithm::RS256 | Algorithm::PS256 => {
            URL_SAFE_NO_PAD.encode(Sha256::digest(token.as_bytes()).split_at(16).0)
        }
    }
}
