//! Records: the items of a store, and the six verbs that every store offers.

mod clock;
pub mod contract;
pub mod faults;
pub mod idempotent_write;
mod key;
pub mod memory;
pub mod sql;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use types::Timestamp;

pub use clock::{ClockReading, StoreClock};
pub use key::{Bucket, Key, Owner, Partition};
pub use manifest::{RecordKind as Kind, Verb};

/// An item of the store. `body` never changes; `advance` replaces `state`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// The name of the record.
    pub key: Key,
    /// The owner for `list`; a record without an owner is in no listing.
    pub owner: Option<Owner>,
    /// The part that never changes: JSON, written by a repository.
    pub body: String,
    /// The part that `advance` replaces: JSON, written by a repository.
    pub state: String,
    /// 0 after `create`; each `advance` adds one.
    pub generation: u64,
    /// The time from which the store may remove the record. Until it does, every verb still finds the record: callers
    /// check expiry themselves.
    pub expires_at: Option<Timestamp>,
}

/// The outcome of `create`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Created {
    /// The key was free. The record is stored at generation 0.
    Created,
    /// The key is taken by this record. Nothing was stored.
    Exists(Record),
}

/// The outcome of `advance`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Advance {
    /// The record was at the given generation. This is the record after the write.
    Advanced(Record),
    /// The record is at another generation; this is the record. Nothing was written.
    Stale(Record),
    /// No record has this key.
    Missing,
}

/// One page of a listing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Page {
    /// The records, in the order of their keys.
    pub records: Vec<Record>,
    /// The start of the next page; `None` on the last page.
    pub next: Option<Cursor>,
}

/// The start of a page: the key of the last record of the page before.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Cursor(pub String);

/// A failure of the store: throttled, out of reach, or broken. Clients must keep their tokens and retry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unavailable {
    /// The cause. For the log of the operator; never part of a response.
    pub reason: String,
}

impl std::fmt::Display for Unavailable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "the store is unavailable: {}", self.reason)
    }
}

impl std::error::Error for Unavailable {}

/// A store. Each verb is atomic and costs one round trip; on DynamoDB `list` costs two. All but `list` are
/// strongly consistent.
#[async_trait]
pub trait Records: Send + Sync {
    /// Stores a record at generation 0 if its key is free.
    ///
    /// If the stored record equals `record`, the answer is `Created`: the caller repeats a write whose first answer was
    /// lost. A caller that must tell its own write from that of another puts fresh randomness into the record.
    async fn create(&self, record: &Record) -> Result<Created, Unavailable>;

    /// Reads a record as the last write left it.
    async fn get(&self, key: &Key) -> Result<Option<Record>, Unavailable>;

    /// Replaces state and expiry of a record and adds one to its generation, if the record is at generation `from`. Of
    /// many callers that name the same generation exactly one gets `Advanced`.
    async fn advance(
        &self,
        key: &Key,
        from: u64,
        state: &str,
        expires_at: Option<Timestamp>,
    ) -> Result<Advance, Unavailable>;

    /// Removes a record. Does nothing if there is none.
    async fn delete(&self, key: &Key) -> Result<(), Unavailable>;

    /// Returns at most `limit` records of an owner, in the order of their keys, from `cursor` on. May lag behind writes.
    async fn list(&self, owner: &Owner, cursor: Option<&Cursor>, limit: u32) -> Result<Page, Unavailable>;

    /// Adds `by` to a counter and returns the new total. Calls never contend: each of many callers gets a total of its
    /// own. A counter that does not exist starts at 0.
    ///
    /// - A counter is not a record: no other verb finds it. Its key is never that of a record.
    /// - The first call sets the expiry, from which on the store may remove the counter. Callers make the time window a
    ///   part of the key, so no total outlives its window.
    /// - The total is negative if callers subtracted more than they added, for example because the counter was removed
    ///   in between. Totals are exact from -2^53 to 2^53.
    /// - A call whose answer was lost may be repeated and then counts twice: use counters for limits, not for sums.
    async fn count(&self, key: &Key, by: i64, expires_at: Timestamp) -> Result<i64, Unavailable>;

    /// Returns the clocks as of the last answer of the store. `None` if no answer said the time, as those of a store in this
    /// process, which has no other clock.
    fn clock(&self) -> Option<ClockReading> {
        None
    }
}
