//! The counted calls.

use async_trait::async_trait;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use storage::{Advance, Bucket, Created, Cursor, Key, Owner, Page, Partition, Record, Records, Unavailable};
use types::Timestamp;

/// Number of partitions.
const PARTITIONS: usize = 65_536;

/// The lists of the whole deployment that requests write.
const LISTS: [&str; 3] = ["clients", "signouts", "users"];

/// A store that counts the calls of each partition and of each owner of a list, and keeps nothing.
#[derive(Debug)]
pub struct Load {
    partitions: Vec<AtomicU64>,
    owners: BTreeMap<&'static str, Vec<AtomicU64>>,
}

impl Default for Load {
    fn default() -> Self {
        let zeros = |count| (0..count).map(|_| AtomicU64::new(0)).collect();
        let buckets = Bucket::all().count();
        Self { partitions: zeros(PARTITIONS), owners: LISTS.into_iter().map(|list| (list, zeros(buckets))).collect() }
    }
}

/// The most loaded of several equal parts of the store.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Share {
    /// The number of parts.
    pub parts: usize,
    /// The calls of all parts.
    pub calls: u64,
    /// The calls of the part with the most, in multiples of the mean.
    pub most: f64,
}

impl Share {
    #[expect(clippy::cast_precision_loss, reason = "counts of calls are far below 2^53")]
    fn of(parts: &[u64]) -> Self {
        let calls = parts.iter().fold(0, |sum: u64, part| sum.saturating_add(*part));
        let most = parts.iter().max().copied().unwrap_or_default();
        let mean = calls as f64 / parts.len() as f64;
        Self { parts: parts.len(), calls, most: if calls == 0 { 0.0 } else { most as f64 / mean } }
    }
}

impl Load {
    /// Returns the share of the object with the most calls.
    pub fn objects(&self, shards: u16) -> Share {
        let mut objects = vec![0; usize::from(shards)];
        for (number, calls) in (0..=u16::MAX).zip(&self.partitions) {
            let shard = Partition::from_bytes(number.to_be_bytes()).shard(shards);
            if let Some(object) = objects.get_mut(usize::from(shard)) {
                *object = calls.load(Ordering::Relaxed).saturating_add(*object);
            }
        }
        Share::of(&objects)
    }

    /// Returns the share of the partition with the most calls, of those without a bucket of a list. Each `together` partitions
    /// count as one.
    pub fn partitions(&self, together: usize) -> Share {
        Self::share(self.split().1, together)
    }

    /// Returns the share of the partition with the most calls, of those with a bucket of each list.
    pub fn bucket_partitions(&self) -> Share {
        Self::share(self.split().0, 1)
    }

    /// Returns the partitions with buckets, and the others.
    fn split(&self) -> (&[AtomicU64], &[AtomicU64]) {
        self.partitions.split_at_checked(Bucket::all().count()).unwrap_or_default()
    }

    fn share(partitions: &[AtomicU64], together: usize) -> Share {
        let sum = |group: &[AtomicU64]| {
            group.iter().fold(0_u64, |sum, part| sum.saturating_add(part.load(Ordering::Relaxed)))
        };
        Share::of(&partitions.chunks(together.max(1)).map(sum).collect::<Vec<u64>>())
    }

    /// Returns the share of the owner with the most calls, of each list.
    pub fn owners(&self) -> impl Iterator<Item = (&'static str, Share)> {
        self.owners.iter().map(|(list, owners)| {
            let calls: Vec<u64> = owners.iter().map(|owner| owner.load(Ordering::Relaxed)).collect();
            (*list, Share::of(&calls))
        })
    }

    fn note(&self, key: &Key) {
        let number = u16::from_be_bytes(key.partition().to_bytes());
        if let Some(partition) = self.partitions.get(usize::from(number)) {
            partition.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn note_owner(&self, owner: Option<&Owner>) {
        let Some((list, bucket)) = owner.and_then(|owner| owner.as_str().split_once('/')) else { return };
        let bucket = u8::from_str_radix(bucket, 16).ok();
        let owners = self.owners.get(list).zip(bucket).and_then(|(owners, bucket)| owners.get(usize::from(bucket)));
        if let Some(calls) = owners {
            calls.fetch_add(1, Ordering::Relaxed);
        }
    }
}

#[async_trait]
impl Records for Load {
    async fn create(&self, record: &Record) -> Result<Created, Unavailable> {
        self.note(&record.key);
        self.note_owner(record.owner.as_ref());
        Ok(Created::Created)
    }

    async fn get(&self, key: &Key) -> Result<Option<Record>, Unavailable> {
        self.note(key);
        Ok(None)
    }

    async fn advance(&self, key: &Key, _: u64, _: &str, _: Option<Timestamp>) -> Result<Advance, Unavailable> {
        self.note(key);
        Ok(Advance::Missing)
    }

    async fn delete(&self, key: &Key) -> Result<(), Unavailable> {
        self.note(key);
        Ok(())
    }

    async fn list(&self, owner: &Owner, _: Option<&Cursor>, _: u32) -> Result<Page, Unavailable> {
        self.note_owner(Some(owner));
        Ok(Page::default())
    }

    async fn count(&self, key: &Key, _: i64, _: Timestamp) -> Result<i64, Unavailable> {
        self.note(key);
        Ok(1)
    }
}
