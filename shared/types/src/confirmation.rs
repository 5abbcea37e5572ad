//! `cnf`: the key that the sender of a token must possess (RFC 7800 §3.1).

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use std::fmt;

/// A SHA-256 digest that identifies a public key or a certificate: 43 characters of base64url on the wire.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Thumbprint([u8; 32]);

impl Thumbprint {
    /// Returns the thumbprint with this digest.
    pub const fn from_digest(digest: [u8; 32]) -> Self {
        Self(digest)
    }

    /// Parses the form on the wire.
    pub fn parse(text: &str) -> Option<Self> {
        URL_SAFE_NO_PAD.decode(text).ok()?.try_into().ok().map(Self)
    }

    /// Returns the digest.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Display for Thumbprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&URL_SAFE_NO_PAD.encode(self.0))
    }
}

impl fmt::Debug for Thumbprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Thumbprint({self})")
    }
}

impl Serialize for Thumbprint {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Thumbprint {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| D::Error::custom("not the base64url of a SHA-256 digest"))
    }
}

/// The key that the sender of a token must possess.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "Members", into = "Members")]
pub enum Confirmation {
    /// `jkt`: the key of the sender's DPoP proofs (RFC 9449 §6.1).
    Dpop(Thumbprint),
    /// `x5t#S256`: the certificate of the sender's TLS connection (RFC 8705 §3.1).
    Certificate(Thumbprint),
}

impl Confirmation {
    /// Returns the `token_type` of an access token with this confirmation (RFC 9449 §5, RFC 8705 §3).
    pub const fn token_type(self) -> &'static str {
        match self {
            Self::Dpop(_) => "DPoP",
            Self::Certificate(_) => "Bearer",
        }
    }
}

/// The members of `cnf`.
#[derive(Clone, Serialize, Deserialize)]
struct Members {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    jkt: Option<Thumbprint>,
    #[serde(default, rename = "x5t#S256", skip_serializing_if = "Option::is_none")]
    certificate: Option<Thumbprint>,
}

impl From<Confirmation> for Members {
    fn from(confirmation: Confirmation) -> Self {
        match confirmation {
            Confirmation::Dpop(thumbprint) => Self { jkt: Some(thumbprint), certificate: None },
            Confirmation::Certificate(thumbprint) => Self { jkt: None, certificate: Some(thumbprint) },
        }
    }
}

impl TryFrom<Members> for Confirmation {
    type Error = &'static str;

    /// A token that names no key, or two keys, is of no use here.
    fn try_from(members: Members) -> Result<Self, &'static str> {
        match (members.jkt, members.certificate) {
            (Some(thumbprint), None) => Ok(Self::Dpop(thumbprint)),
            (None, Some(thumbprint)) => Ok(Self::Certificate(thumbprint)),
            _ => Err("cnf must have one of jkt and x5t#S256"),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;
    use serde_json::json;

    /// The thumbprint of RFC 9449 §6.1.
    const JKT: &str = "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I";

    #[test]
    fn a_confirmation_names_one_key() {
        let thumbprint = Thumbprint::parse(JKT).unwrap();
        for (confirmation, written) in [
            (Confirmation::Dpop(thumbprint), json!({ "jkt": JKT })),
            (Confirmation::Certificate(thumbprint), json!({ "x5t#S256": JKT })),
        ] {
            assert_eq!(serde_json::to_value(confirmation).unwrap(), written);
            assert_eq!(serde_json::from_value::<Confirmation>(written).unwrap(), confirmation);
        }
        for unusable in [
            json!({}),
            json!({ "jwk": {} }),
            json!({ "jkt": JKT, "x5t#S256": JKT }),
            json!({ "jkt": "short" }),
            json!({ "jkt": 7 }),
            json!(JKT),
        ] {
            assert!(serde_json::from_value::<Confirmation>(unusable.clone()).is_err(), "{unusable}");
        }
    }

    #[test]
    fn a_thumbprint_has_43_characters() {
        for text in ["", "A", &format!("{JKT}="), &format!("{JKT}A"), &JKT.replace('-', "+")] {
            assert_eq!(Thumbprint::parse(text), None, "{text}");
        }
    }
}
