//! The signature algorithms that this server uses.

use serde::{Deserialize, Serialize};
use std::str::FromStr;

/// A signature algorithm by its JOSE name (RFC 7518 §3.1, RFC 8037 §3.1). `none` and the HMAC algorithms cannot be
/// expressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Algorithm {
    /// ECDSA on P-256 with SHA-256.
    ES256,
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    RS256,
    /// RSASSA-PSS with SHA-256 and a salt of 32 bytes.
    PS256,
    /// Ed25519. RFC 9864 names it `Ed25519`; both names are accepted.
    #[serde(alias = "Ed25519")]
    EdDSA,
}

impl Algorithm {
    /// The name of EdDSA with Ed25519 in RFC 9864 §2.2.
    pub const ED25519: &str = "Ed25519";

    /// The algorithms of DPoP proofs, the recommended one first (RFC 9449 §5.1). RS256 is none of them (FAPI 2.0 Security Profile
    /// §5.4.1).
    pub const DPOP: [Self; 3] = [Self::ES256, Self::PS256, Self::EdDSA];

    /// Every algorithm.
    pub const ALL: [Self; 4] = [Self::ES256, Self::RS256, Self::PS256, Self::EdDSA];

    /// The JOSE name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ES256 => "ES256",
            Self::RS256 => "RS256",
            Self::PS256 => "PS256",
            Self::EdDSA => "EdDSA",
        }
    }
}

impl std::fmt::Display for Algorithm {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The error for the name of an algorithm that this server does not use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnknownAlgorithm;

impl std::fmt::Display for UnknownAlgorithm {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("not a supported signature algorithm")
    }
}

impl std::error::Error for UnknownAlgorithm {}

impl FromStr for Algorithm {
    type Err = UnknownAlgorithm;

    fn from_str(name: &str) -> Result<Self, UnknownAlgorithm> {
        if name == Self::ED25519 {
            return Ok(Self::EdDSA);
        }
        Self::ALL.into_iter().find(|algorithm| algorithm.as_str() == name).ok_or(UnknownAlgorithm)
    }
}

/// `alg` of a JWE: the key management algorithm (RFC 7518 §4.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum KeyManagementAlgorithm {
    /// §4.3.
    #[serde(rename = "RSA-OAEP-256")]
    RsaOaep256,
    /// §4.6, the agreed key itself.
    #[serde(rename = "ECDH-ES")]
    EcdhEs,
    /// §4.6.
    #[serde(rename = "ECDH-ES+A128KW")]
    EcdhEsA128Kw,
    /// §4.6.
    #[serde(rename = "ECDH-ES+A256KW")]
    EcdhEsA256Kw,
}

impl KeyManagementAlgorithm {
    /// Every one of them.
    pub const ALL: &[Self] = &[Self::RsaOaep256, Self::EcdhEs, Self::EcdhEsA128Kw, Self::EcdhEsA256Kw];

    /// The algorithms by which others encrypt to this server: a key on P-256. RSA is none of them, because each decryption of RSA
    /// could be an oracle.
    pub const RECEIVED: &[Self] = &[Self::EcdhEs, Self::EcdhEsA128Kw, Self::EcdhEsA256Kw];

    /// The JOSE name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::RsaOaep256 => "RSA-OAEP-256",
            Self::EcdhEs => "ECDH-ES",
            Self::EcdhEsA128Kw => "ECDH-ES+A128KW",
            Self::EcdhEsA256Kw => "ECDH-ES+A256KW",
        }
    }
}

/// `enc` of a JWE: the content encryption algorithm (RFC 7518 §5.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ContentEncryption {
    /// §5.2.3.
    #[serde(rename = "A128CBC-HS256")]
    A128CbcHs256,
    /// §5.2.5.
    #[serde(rename = "A256CBC-HS512")]
    A256CbcHs512,
    /// §5.3.
    #[serde(rename = "A128GCM")]
    A128Gcm,
    /// §5.3.
    #[serde(rename = "A256GCM")]
    A256Gcm,
}

impl ContentEncryption {
    /// Every one of them.
    pub const ALL: &[Self] = &[Self::A128CbcHs256, Self::A256CbcHs512, Self::A128Gcm, Self::A256Gcm];

    /// The JOSE name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::A128CbcHs256 => "A128CBC-HS256",
            Self::A256CbcHs512 => "A256CBC-HS512",
            Self::A128Gcm => "A128GCM",
            Self::A256Gcm => "A256GCM",
        }
    }
}

/// `alg` of a request object (OpenID Connect Core §6.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum RequestObjectAlgorithm {
    /// Unsigned: for clients that are registered so.
    #[serde(rename = "none")]
    None,
    /// As [`Algorithm::ES256`].
    ES256,
    /// As [`Algorithm::RS256`].
    RS256,
    /// As [`Algorithm::PS256`].
    PS256,
    /// As [`Algorithm::EdDSA`].
    #[serde(alias = "Ed25519")]
    EdDSA,
}

impl RequestObjectAlgorithm {
    /// Every one of them.
    pub const ALL: &[Self] = &[Self::None, Self::ES256, Self::RS256, Self::PS256, Self::EdDSA];

    /// The JOSE name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::ES256 => "ES256",
            Self::RS256 => "RS256",
            Self::PS256 => "PS256",
            Self::EdDSA => "EdDSA",
        }
    }

    /// The signature algorithm, if there is one.
    pub const fn signature(self) -> Option<Algorithm> {
        match self {
            Self::None => None,
            Self::ES256 => Some(Algorithm::ES256),
            Self::RS256 => Some(Algorithm::RS256),
            Self::PS256 => Some(Algorithm::PS256),
            Self::EdDSA => Some(Algorithm::EdDSA),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_agree_in_both_directions() {
        for algorithm in Algorithm::ALL {
            assert_eq!(algorithm.as_str().parse(), Ok(algorithm));
            assert_eq!(serde_json::to_value(algorithm).unwrap(), algorithm.as_str());
        }
        for name in ["none", "None", "HS256", "es256", "ES384", ""] {
            assert_eq!(name.parse::<Algorithm>(), Err(UnknownAlgorithm), "{name}");
        }
    }
}
