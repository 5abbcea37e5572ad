//! The shards: the object of each partition.

use serde::{Deserialize, Serialize};
use std::fmt;
use storage::Partition;

/// The number of objects that share the records, 1 to 4096. With another number, records would be searched in the wrong
/// objects: the deployment stores its number, and an object refuses each call that names another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Shards(u16);

impl Default for Shards {
    fn default() -> Self {
        Self(256)
    }
}

impl Shards {
    /// Reads the number from a setting: 1 to 4096.
    pub fn parse(setting: &str) -> Result<Self, InvalidShards> {
        match setting.trim().parse() {
            Ok(count) if (1..=4096).contains(&count) => Ok(Self(count)),
            _ => Err(InvalidShards),
        }
    }

    /// Returns the number.
    pub const fn count(self) -> u16 {
        self.0
    }

    /// Returns the name of the object that holds a partition.
    pub fn name(self, partition: Partition) -> String {
        Self::name_of(partition.shard(self.0))
    }

    /// Returns the name of the object with this number.
    pub fn name_of(shard: u16) -> String {
        format!("shard-{shard}")
    }
}

/// The error for a number of shards outside 1 to 4096.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidShards;

impl fmt::Display for InvalidShards {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the number of shards is a whole number from 1 to 4096")
    }
}

impl std::error::Error for InvalidShards {}

/// A location hint of Cloudflare for new objects: `wnam`, `enam`, `sam`, `weur`, `eeur`, `apac`, `oc`, `afr`, `me`. Used
/// at the first use of an object; objects do not move later.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LocationHint(String);

impl LocationHint {
    /// The regions of location hints.
    pub const REGIONS: &[&str] = &["wnam", "enam", "sam", "weur", "eeur", "apac", "oc", "afr", "me"];

    /// Reads the region from a setting. Returns `None` if it does not exist.
    pub fn parse(setting: &str) -> Option<Self> {
        Self::REGIONS.contains(&setting).then(|| Self(setting.to_owned()))
    }

    /// Returns the name of the region.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_partition_has_one_of_the_shards() {
        let shards = Shards::parse("3").unwrap();
        assert_eq!(shards.name(Partition::from_bytes([0, 5])), "shard-2");
        assert_eq!(Shards::default().name(Partition::from_bytes([255, 255])), "shard-255");
    }

    #[test]
    fn settings_that_make_no_sense_are_refused() {
        for setting in ["0", "4097", "-1", "", "many", "1.5"] {
            assert_eq!(Shards::parse(setting), Err(InvalidShards), "{setting}");
        }
        assert_eq!(LocationHint::parse("mars"), None);
        assert_eq!(LocationHint::parse("weur").unwrap().as_str(), "weur");
    }
}
