//! The name of a record: its kind, its partition and its identifier within the kind.

use manifest::RecordKind as Kind;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::fmt;

/// The part of the store that holds a record, one of 65,536. Records of one owner share a partition.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Partition(u16);

impl Partition {
    /// Returns the partition of a name.
    pub fn of(name: &str) -> Self {
        let digest: [u8; 32] = Sha256::digest(name.as_bytes()).into();
        Self::from_bytes([digest[0], digest[1]])
    }

    /// Returns the partition of the two bytes that a token carries.
    pub const fn from_bytes(bytes: [u8; 2]) -> Self {
        Self(u16::from_be_bytes(bytes))
    }

    /// Returns the two bytes that a token carries.
    pub const fn to_bytes(self) -> [u8; 2] {
        self.0.to_be_bytes()
    }

    /// Returns the shard that holds the partition: 0 to `shards` - 1.
    pub fn shard(self, shards: u16) -> u16 {
        self.0.checked_rem(shards).unwrap_or(0)
    }
}

/// The key of a record, `kind#pppp#id`: kind, partition in four hexadecimal digits, and identifier within the kind.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Key(String);

impl Key {
    /// Returns the key of the record `id` of this kind in this partition.
    pub fn new(kind: Kind, partition: Partition, id: &str) -> Self {
        Self(format!("{}#{:04x}#{id}", kind.as_str(), partition.0))
    }

    /// Returns the whole key.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the partition that the key names.
    pub fn partition(&self) -> Partition {
        self.0.split('#').nth(1).and_then(|digits| u16::from_str_radix(digits, 16).ok()).map_or(Partition(0), Partition)
    }

    /// True if the key names a record of this kind.
    pub fn is(&self, kind: Kind) -> bool {
        self.0.split('#').next() == Some(kind.as_str())
    }

    /// Returns the identifier within the kind.
    pub fn id(&self) -> &str {
        self.0.splitn(3, '#').nth(2).unwrap_or_default()
    }
}

impl From<String> for Key {
    /// Returns the key that a store has returned.
    fn from(stored: String) -> Self {
        Self(stored)
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The owner of records, for `list`. Records of one owner share a partition.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Owner(String);

impl Owner {
    /// Returns the owner of this name.
    pub fn new(name: impl Into<String>) -> Self {
        Self(name.into())
    }

    /// Returns the name of the owner.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the partition of all records of the owner.
    pub fn partition(&self) -> Partition {
        Partition::of(&self.0)
    }
}
