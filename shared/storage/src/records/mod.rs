//! Records: the items of a store, and the five verbs that every store offers.

pub mod contract;
pub mod faults;
pub mod idempotent_write;
mod key;
pub mod memory;
pub mod sql;
mod verb;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use types::Timestamp;

pub use key::{Key, Kind, Owner, Partition};
pub use verb::Verb;

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

/// A store. Each verb is atomic and costs one round trip. All but `list` are strongly consistent.
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
}
