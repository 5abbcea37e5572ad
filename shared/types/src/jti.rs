//! `jti`: the identifier of a token (RFC 7519 §4.1.7).

use crate::identifier::identifier;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};
use std::fmt;

/// `jti`: the identifier of a token, unique for its issuer (RFC 7519 §4.1.7). 1 to 512 bytes. Hidden from Debug: a caller that
/// knows it can name the token.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub struct Jti(String);

impl Jti {
    /// The greatest length, in bytes.
    pub const MAX_LENGTH: usize = 512;
    const NAME: &'static str = "jti";
    const RULE: &'static str = "must be 1 to 512 bytes";

    fn is_valid(text: &str) -> bool {
        (1..=Self::MAX_LENGTH).contains(&text.len())
    }

    /// Returns the identifier of a new token, from fresh randomness: 22 characters of base64url.
    pub fn from_random(random: [u8; 16]) -> Self {
        Self(URL_SAFE_NO_PAD.encode(random))
    }

    /// Returns the identifier of a token that has none: a digest of its content, as 43 characters of base64url.
    pub fn from_digest(digest: [u8; 32]) -> Self {
        Self(URL_SAFE_NO_PAD.encode(digest))
    }
}

identifier!(Jti);

impl fmt::Debug for Jti {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Jti(hidden)")
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    #[test]
    fn a_jti_has_1_to_512_bytes() {
        let longest = "x".repeat(Jti::MAX_LENGTH);
        for text in ["a", "ä b", &longest] {
            assert_eq!(Jti::parse(text).unwrap().as_str(), text);
            assert_eq!(serde_json::to_value(Jti::parse(text)).unwrap(), text, "a plain string in JSON");
        }
        for text in ["", &format!("{longest}x")] {
            assert_eq!(Jti::parse(text), None);
            assert!(serde_json::from_value::<Jti>(text.into()).is_err());
        }
    }

    #[test]
    fn randomness_and_digests_are_identifiers() {
        assert_eq!(Jti::from_random([0; 16]).as_str(), "A".repeat(22));
        assert_eq!(Jti::from_digest([0; 32]).as_str(), "A".repeat(43));
        assert_eq!(format!("{:?}", Jti::from_random([0; 16])), "Jti(hidden)");
    }
}
