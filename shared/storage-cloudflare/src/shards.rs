//! Which object holds a record.

use std::fmt;
use storage::Partition;

/// How many objects share the records. Fixed at the first deployment: another number would look for records in objects
/// that never saw them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shards(u16);

impl Default for Shards {
    fn default() -> Self {
        Self(16)
    }
}

impl Shards {
    /// From a setting: 1 to 4096.
    pub fn parse(setting: &str) -> Result<Self, InvalidShards> {
        match setting.trim().parse() {
            Ok(count) if (1..=4096).contains(&count) => Ok(Self(count)),
            _ => Err(InvalidShards),
        }
    }

    /// The name of the object that holds a partition.
    pub fn name(self, partition: Partition) -> String {
        format!("shard-{}", partition.shard(self.0))
    }
}

/// The number of shards is not one from 1 to 4096.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidShards;

impl fmt::Display for InvalidShards {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the number of shards is a whole number from 1 to 4096")
    }
}

impl std::error::Error for InvalidShards {}

/// Near where objects are created, as Cloudflare names regions: `wnam`, `enam`, `sam`, `weur`, `eeur`, `apac`, `oc`,
/// `afr`, `me`. It counts when an object is first used; objects do not move.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LocationHint(String);

impl LocationHint {
    /// The regions that may be hinted at.
    pub const REGIONS: &[&str] = &["wnam", "enam", "sam", "weur", "eeur", "apac", "oc", "afr", "me"];

    /// From a setting; `None` for a region that does not exist.
    pub fn parse(setting: &str) -> Option<Self> {
        Self::REGIONS.contains(&setting).then(|| Self(setting.to_owned()))
    }

    /// The region's name.
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
        assert_eq!(Shards::default().name(Partition::from_bytes([255, 255])), "shard-15");
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
