//! `iss`: the issuer identifier of an authorization server (RFC 8414 §2).

use serde::{Deserialize, Serialize};
use std::fmt;

/// `iss`: the issuer identifier of an authorization server, a URL (RFC 8414 §2). Compared character by character (RFC 9207
/// §2.4). The configuration checks the URL of this server; a token may name any issuer.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Issuer(String);

impl Issuer {
    /// Returns the issuer of this text.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// Returns the issuer identifier as it is on the wire.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the URL of an endpoint of a server whose endpoints follow its issuer identifier. `path` starts with a slash.
    pub fn endpoint(&self, path: &str) -> String {
        format!("{}{path}", self.0)
    }
}

impl fmt::Display for Issuer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    #[test]
    fn an_issuer_is_text_on_the_wire() {
        let issuer = Issuer::new("https://id.example");
        assert_eq!(serde_json::to_value(&issuer).unwrap(), "https://id.example");
        assert_ne!(issuer, Issuer::new("https://id.example/"), "compared character by character");
        assert_eq!(issuer.endpoint("/token"), "https://id.example/token");
    }
}
