//! `nonce`: binds an ID token to a session of the client (OpenID Connect Core §3.1.2.1).

use serde::{Deserialize, Serialize};
use std::fmt;

/// `nonce`: binds an ID token to a session of the client (OpenID Connect Core §3.1.2.1). Any text of the client, repeated
/// unchanged; its length has no limit but that of the request. Hidden from Debug: a forged ID token would need it (§15.5.2).
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Nonce(String);

impl Nonce {
    /// Returns the nonce of a request.
    pub const fn new(text: String) -> Self {
        Self(text)
    }

    /// Returns the nonce as it is on the wire.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Nonce {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Nonce(hidden)")
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    #[test]
    fn a_nonce_is_repeated_and_hidden_from_debug() {
        let nonce = Nonce::new("n-0S6_WzA2Mj".to_owned());
        assert_eq!((serde_json::to_value(&nonce).unwrap(), nonce.as_str()), ("n-0S6_WzA2Mj".into(), "n-0S6_WzA2Mj"));
        assert_eq!(format!("{nonce:?}"), "Nonce(hidden)");
    }
}
