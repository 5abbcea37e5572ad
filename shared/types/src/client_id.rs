//! `client_id`: the identifier of a client (RFC 6749 §2.2).

use crate::identifier::identifier;
use serde::{Deserialize, Serialize};
use std::fmt;

/// `client_id`: the identifier of a client (RFC 6749 §2.2). 1 to 512 printable ASCII characters (Appendix A.1). Not a
/// secret.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub struct ClientId(String);

impl ClientId {
    /// The greatest length, in bytes.
    pub const MAX_LENGTH: usize = 512;
    const NAME: &'static str = "client_id";
    const RULE: &'static str = "must be 1 to 512 printable ASCII characters";

    fn is_valid(text: &str) -> bool {
        (1..=Self::MAX_LENGTH).contains(&text.len()) && text.bytes().all(|byte| matches!(byte, 0x20..=0x7E))
    }
}

identifier!(ClientId);

impl fmt::Display for ClientId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    #[test]
    fn a_client_id_has_printable_ascii_characters() {
        let longest = "x".repeat(ClientId::MAX_LENGTH);
        for text in ["s6BhdRkqt3", "a b", "https://client.example/metadata", "~", &longest] {
            assert_eq!(ClientId::parse(text).unwrap().as_str(), text);
            assert_eq!(serde_json::to_value(ClientId::parse(text)).unwrap(), text, "a plain string in JSON");
        }
        for text in ["", "ä", "a\n", "a\u{7f}", &format!("{longest}x")] {
            assert_eq!(ClientId::parse(text), None, "{text:?}");
            assert!(serde_json::from_value::<ClientId>(text.into()).is_err(), "{text:?}");
        }
    }

    #[test]
    fn debug_and_display_show_it() {
        let id = ClientId::parse("spa").unwrap();
        assert_eq!((format!("{id:?}"), id.to_string()), (r#"ClientId("spa")"#.to_owned(), "spa".to_owned()));
    }
}
