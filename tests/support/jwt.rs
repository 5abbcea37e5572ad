//! JSON Web Tokens, read and verified as clients and APIs do it.

use crate::call::Call;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{DecodingKey, Validation, decode, decode_header};
use serde_json::Value;
use sha2::{Digest, Sha256};

/// The two readable parts of a token.
#[derive(Clone, Debug)]
pub struct Jwt {
    /// The protected header.
    pub header: Value,
    /// The claims.
    pub claims: Value,
}

impl Jwt {
    /// Returns a claim that is a number.
    #[track_caller]
    pub fn number(&self, name: &str) -> i64 {
        self.claims[name].as_i64().unwrap_or_else(|| panic!("{name} is not a whole number: {self:?}"))
    }

    /// Returns a claim that is a string.
    #[track_caller]
    pub fn text(&self, name: &str) -> &str {
        self.claims[name].as_str().unwrap_or_else(|| panic!("{name} is not text: {self:?}"))
    }

    /// True if `aud` is, or contains, an audience.
    pub fn is_for(&self, audience: &str) -> bool {
        match &self.claims["aud"] {
            Value::String(one) => one == audience,
            Value::Array(many) => many.iter().any(|one| one == audience),
            _ => false,
        }
    }
}

/// Reads a token without verifying its signature.
#[track_caller]
pub fn read(token: &str) -> Jwt {
    let parts: Vec<_> = token.split('.').collect();
    assert_eq!(parts.len(), 3, "not a signed JWT: {token}");
    let part = |part: &str| {
        let bytes = URL_SAFE_NO_PAD.decode(part).expect("base64url without padding");
        serde_json::from_slice(&bytes).expect("JSON")
    };
    Jwt { header: part(parts[0]), claims: part(parts[1]) }
}

/// Reads a token and verifies its signature with the key that it names in `/jwks`.
#[track_caller]
pub fn verify(token: &str) -> Jwt {
    let header = decode_header(token).unwrap_or_else(|error| panic!("{error}: {token}"));
    let kid = header.kid.expect("a token names its key");
    let keys: JwkSet = serde_json::from_value(Call::get("/jwks").send().expect(200).json()).expect("a JWK set");
    let key = keys.find(&kid).unwrap_or_else(|| panic!("{kid} is not in /jwks: {keys:?}"));
    let mut validation = Validation::new(header.alg);
    validation.required_spec_claims.clear();
    validation.validate_aud = false;
    validation.validate_exp = false;
    let key = DecodingKey::from_jwk(key).expect("a usable key");
    decode::<Value>(token, &key, &validation).unwrap_or_else(|error| panic!("{error}: {token}"));
    read(token)
}

/// Returns the `at_hash` of an access token, for algorithms with SHA-256 (OpenID Connect Core §3.1.3.6).
pub fn at_hash(access_token: &str) -> String {
    URL_SAFE_NO_PAD.encode(&Sha256::digest(access_token.as_bytes())[..16])
}

/// Returns the token with changed claims and the old signature.
pub fn tampered(token: &str, change: impl FnOnce(&mut Value)) -> String {
    let mut claims = read(token).claims;
    change(&mut claims);
    let parts: Vec<_> = token.split('.').collect();
    format!("{}.{}.{}", parts[0], URL_SAFE_NO_PAD.encode(claims.to_string()), parts[2])
}

/// Returns the same claims unsigned: `alg` is `none`.
pub fn unsigned(token: &str) -> String {
    let parts: Vec<_> = token.split('.').collect();
    format!("{}.{}.", URL_SAFE_NO_PAD.encode(r#"{"alg":"none"}"#), parts[1])
}
