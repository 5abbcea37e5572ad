//! The name of a record: what it is, which partition holds it, which one it is.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::fmt;

/// What a record is. Permissions are given by kind: each key starts with its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A registered client.
    Client,
    /// A person's profile.
    User,
    /// A sign-in name and the verifier of its password. Only `login` reads it.
    Credential,
    /// Somebody signed in, in one browser.
    Session,
    /// What a person allowed a client.
    Consent,
    /// One authorization: its code, its refresh tokens, its revocation.
    Grant,
    /// An authorization request that a client pushed.
    Pushed,
    /// A device that waits for a person's approval.
    Device,
    /// What is known of a client that registered itself besides the client.
    Registration,
    /// A single-use value that was used, or a token that was revoked.
    Marker,
    /// A client that is still to be told that a session has ended.
    Logout,
    /// A person who was signed out everywhere a moment ago.
    SignOut,
    /// How often something was tried of late.
    Throttle,
    /// The signing keys.
    Keys,
}

impl Kind {
    /// The word that a key of this kind starts with.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Client => "client",
            Self::User => "user",
            Self::Credential => "credential",
            Self::Session => "session",
            Self::Consent => "consent",
            Self::Grant => "grant",
            Self::Pushed => "pushed",
            Self::Device => "device",
            Self::Registration => "registration",
            Self::Marker => "marker",
            Self::Logout => "logout",
            Self::SignOut => "signout",
            Self::Throttle => "throttle",
            Self::Keys => "keys",
        }
    }
}

/// Which part of the store holds a record. Records of one owner share a partition.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Partition(u16);

impl Partition {
    /// The partition of whatever bears this name.
    pub fn of(name: &str) -> Self {
        let digest: [u8; 32] = Sha256::digest(name.as_bytes()).into();
        Self::from_bytes([digest[0], digest[1]])
    }

    /// From the two bytes that a token carries.
    pub const fn from_bytes(bytes: [u8; 2]) -> Self {
        Self(u16::from_be_bytes(bytes))
    }

    /// The two bytes that a token carries.
    pub const fn to_bytes(self) -> [u8; 2] {
        self.0.to_be_bytes()
    }

    /// Which of `shards` equal shards holds the partition.
    pub fn shard(self, shards: u16) -> u16 {
        self.0.checked_rem(shards).unwrap_or(0)
    }
}

/// `kind#pppp#id`: kind, partition in four hexadecimal digits, and the name within the kind.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Key(String);

impl Key {
    /// The key of the record `id` of this kind in this partition.
    pub fn new(kind: Kind, partition: Partition, id: &str) -> Self {
        Self(format!("{}#{:04x}#{id}", kind.as_str(), partition.0))
    }

    /// The whole key.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The partition that the key names.
    pub fn partition(&self) -> Partition {
        self.0.split('#').nth(1).and_then(|digits| u16::from_str_radix(digits, 16).ok()).map_or(Partition(0), Partition)
    }

    /// What kind of record it names.
    pub fn is(&self, kind: Kind) -> bool {
        self.0.split('#').next() == Some(kind.as_str())
    }

    /// The name within the kind.
    pub fn id(&self) -> &str {
        self.0.splitn(3, '#').nth(2).unwrap_or_default()
    }
}

impl From<String> for Key {
    /// A key as the store gave it back.
    fn from(stored: String) -> Self {
        Self(stored)
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Whose record it is; what `list` asks for. Its records share a partition.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Owner(String);

impl Owner {
    /// The owner of this name.
    pub fn new(name: impl Into<String>) -> Self {
        Self(name.into())
    }

    /// Its name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The partition of all that it owns.
    pub fn partition(&self) -> Partition {
        Partition::of(&self.0)
    }
}
