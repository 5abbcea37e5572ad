//! The sessions of one user at one browser, and `sid`, by which clients name them (OpenID Connect Back-Channel Logout §2.1).

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest, Sha256};
use std::fmt;
use types::ClientId;

/// The sessions that follow each other when one user signs in again at one browser, or the approval of one device. A
/// sign-out ends the grants of the whole group. 128 random bits, which never leave the server.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SessionGroup([u8; 16]);

impl SessionGroup {
    /// Makes a group from fresh randomness.
    pub const fn new(random: [u8; 16]) -> Self {
        Self(random)
    }

    /// Returns `sid`, the name of the group for a client: a hash of both. Two clients cannot tell from it that they serve the
    /// same user.
    pub fn sid(self, client_id: &ClientId) -> Sid {
        let hash = Sha256::new().chain_update(self.0).chain_update(client_id.as_str()).finalize();
        let (name, _) = hash.split_at(16);
        Sid(URL_SAFE_NO_PAD.encode(name))
    }
}

impl Serialize for SessionGroup {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&URL_SAFE_NO_PAD.encode(self.0))
    }
}

impl<'de> Deserialize<'de> for SessionGroup {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let bytes = URL_SAFE_NO_PAD.decode(&text).ok().and_then(|bytes| bytes.try_into().ok());
        bytes.map(Self).ok_or_else(|| serde::de::Error::custom("not the name of a group of sessions"))
    }
}

impl fmt::Debug for SessionGroup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SessionGroup(hidden)")
    }
}

/// `sid`: the session, as one client knows it (OpenID Connect Front-Channel Logout §3).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Sid(String);

impl Sid {
    /// Returns the value as it is on the wire.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_client_receives_another_sid() {
        let (group, other) = (SessionGroup::new([1; 16]), SessionGroup::new([2; 16]));
        let client = |id: &str| ClientId::parse(id).unwrap();
        let sid = group.sid(&client("client"));
        assert_eq!(sid, group.sid(&client("client")));
        assert_ne!(sid, group.sid(&client("other")));
        assert_ne!(sid, other.sid(&client("client")));
        assert_eq!(sid.as_str().len(), 22);
    }

    #[test]
    fn a_group_is_text_in_records_and_hidden_from_debug() {
        let group = SessionGroup::new([7; 16]);
        let json = serde_json::to_value(group).unwrap();
        assert_eq!(json, "BwcHBwcHBwcHBwcHBwcHBw");
        assert_eq!(serde_json::from_value::<SessionGroup>(json).unwrap(), group);
        assert!(serde_json::from_value::<SessionGroup>("short".into()).is_err());
        assert_eq!(format!("{group:?}"), "SessionGroup(hidden)");
    }
}
