//! `sub`: the identifier of a user (OpenID Connect Core §2).

use crate::ClientId;
use crate::identifier::identifier;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};
use std::fmt;

/// `sub`: the identifier of a user, or of a client that acts for itself. 1 to 255 printable ASCII characters (OpenID
/// Connect Core §2). Personal data: hidden from Debug.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub struct Subject(String);

impl Subject {
    /// The greatest length, in bytes.
    pub const MAX_LENGTH: usize = 255;
    const NAME: &'static str = "sub";
    const RULE: &'static str = "must be 1 to 255 printable ASCII characters";

    fn is_valid(text: &str) -> bool {
        (1..=Self::MAX_LENGTH).contains(&text.len()) && text.bytes().all(|byte| matches!(byte, 0x20..=0x7E))
    }

    /// Returns the pairwise subject that a MAC over sector and user determines (OpenID Connect Core §8.1).
    pub fn pairwise(mac: [u8; 32]) -> Self {
        Self(URL_SAFE_NO_PAD.encode(mac))
    }
}

identifier!(Subject);

impl From<&ClientId> for Subject {
    /// Returns the subject of a client that acts for itself (RFC 9068 §2.2).
    fn from(client_id: &ClientId) -> Self {
        Self(client_id.as_str().to_owned())
    }
}

impl fmt::Debug for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Subject(hidden)")
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    #[test]
    fn a_subject_has_printable_ascii_characters() {
        let longest = "x".repeat(Subject::MAX_LENGTH);
        for text in ["248289761001", "machine:a b", &longest] {
            assert_eq!(Subject::parse(text).unwrap().as_str(), text);
            assert_eq!(serde_json::to_value(Subject::parse(text)).unwrap(), text, "a plain string in JSON");
        }
        for text in ["", "ä", "a\n", &format!("{longest}x")] {
            assert_eq!(Subject::parse(text), None, "{text:?}");
            assert!(serde_json::from_value::<Subject>(text.into()).is_err(), "{text:?}");
        }
    }

    #[test]
    fn every_client_and_every_mac_yields_a_valid_subject() {
        let client = ClientId::parse(&"~".repeat(Subject::MAX_LENGTH)).unwrap();
        for subject in [Subject::from(&client), Subject::pairwise([255; 32])] {
            assert_eq!(Subject::parse(subject.as_str()), Some(subject));
        }
    }

    #[test]
    fn debug_hides_it() {
        assert_eq!(format!("{:?}", Subject::parse("ada")), "Some(Subject(hidden))");
    }
}
