//! The name of a record: its kind, its partition and its identifier within the kind.

use manifest::RecordKind as Kind;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::fmt;

/// The part of the store that holds a record, one of 65,536. Records of one owner share a partition.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
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

/// One of the 256 parts of a list of the whole deployment, such as that of all users. Each part is an owner of its own in
/// a partition of its own, so no partition and no owner takes part in every request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Bucket(u8);

impl Bucket {
    /// Returns every bucket, in order.
    pub fn all() -> impl DoubleEndedIterator<Item = Self> + Clone + Send {
        (0..=u8::MAX).map(Self)
    }

    /// Returns the bucket of a name.
    pub fn of(name: &str) -> Self {
        let [first, ..]: [u8; 32] = Sha256::digest(name.as_bytes()).into();
        Self(first)
    }

    /// Returns the bucket with this number.
    pub const fn from_number(number: u8) -> Self {
        Self(number)
    }

    /// Returns the number of the bucket.
    pub const fn number(self) -> u8 {
        self.0
    }

    /// Returns the partition of the bucket. With up to 256 shards each shard has as many buckets as any other, or one more.
    pub const fn partition(self) -> Partition {
        Partition::from_bytes([0, self.0])
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
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Owner(String);

impl Owner {
    /// Returns the owner of this name.
    pub fn new(name: impl Into<String>) -> Self {
        Self(name.into())
    }

    /// Returns the owner `list/bb` of one bucket of a list of the whole deployment.
    pub fn of_bucket(list: &str, bucket: Bucket) -> Self {
        Self(format!("{list}/{:02x}", bucket.0))
    }

    /// Returns the name of the owner.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the partition of all records of the owner.
    pub fn partition(&self) -> Partition {
        self.bucket().map_or_else(|| Partition::of(&self.0), Bucket::partition)
    }

    /// Returns the bucket that the owner is. The name of every other owner has a `#`, a longer end or none.
    fn bucket(&self) -> Option<Bucket> {
        let (list, digits) = self.0.split_once('/')?;
        let is_bucket =
            !list.contains('#') && digits.len() == 2 && digits.bytes().all(|digit| digit.is_ascii_hexdigit());
        u8::from_str_radix(digits, 16).ok().filter(|_| is_bucket).map(Bucket)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn the_buckets_of_a_list_are_owners_in_256_partitions() {
        let owners: Vec<Owner> = Bucket::all().map(|bucket| Owner::of_bucket("users", bucket)).collect();
        let names: BTreeSet<&str> = owners.iter().map(Owner::as_str).collect();
        assert_eq!((names.len(), owners[183].as_str()), (256, "users/b7"));
        for shards in [1, 2, 100, 255, 256] {
            let mut held = vec![0_u32; usize::from(shards)];
            owners.iter().for_each(|owner| held[usize::from(owner.partition().shard(shards))] += 1);
            let (least, most) = (held.iter().min().unwrap(), held.iter().max().unwrap());
            assert!(most - least <= 1, "{shards} shards: {least} to {most}");
        }
    }

    #[test]
    fn a_user_whose_subject_looks_like_a_bucket_has_an_ordinary_partition() {
        for name in ["user#users/b7", "user#/b7", "users/b70", "users/+7", "users"] {
            assert_eq!(Owner::new(name).partition(), Partition::of(name), "{name}");
        }
    }
}
