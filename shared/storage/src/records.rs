//! Records: the five verbs that every store offers, and all that the server asks of one.

use crate::{Key, Owner};
use async_trait::async_trait;
use protocol::Timestamp;
use serde::{Deserialize, Serialize};

/// One item of the store. `body` never changes; `state` is what `advance` replaces.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// Its name.
    pub key: Key,
    /// Whose it is, when it is to be listed.
    pub owner: Option<Owner>,
    /// What never changes: JSON, written by a repository.
    pub body: String,
    /// What changes: JSON, written by a repository.
    pub state: String,
    /// 0 when created, one more with each `advance`.
    pub generation: u64,
    /// From when on the store may remove it, at its leisure. The store never hides a record because of it.
    pub expires_at: Option<Timestamp>,
}

/// What `create` found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Created {
    /// The key was free; the record is stored, at generation 0.
    Created,
    /// The key is taken, by this record.
    Exists(Record),
}

/// What `advance` found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Advance {
    /// The record was at the generation named; it is now this one.
    Advanced(Record),
    /// The record is at another generation: this one. Nothing was changed.
    Stale(Record),
    /// There is no such record.
    Missing,
}

/// One page of a listing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Page {
    /// The records, in order of their keys.
    pub records: Vec<Record>,
    /// Where the next page starts; `None` after the last.
    pub next: Option<Cursor>,
}

/// Where a page of a listing starts: after this key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Cursor(pub String);

/// The store could not answer: throttled, out of reach, or broken. Never a reason for a client to drop its tokens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unavailable {
    /// What went wrong, for the operator's log alone.
    pub reason: String,
}

impl std::fmt::Display for Unavailable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "the store is unavailable: {}", self.reason)
    }
}

impl std::error::Error for Unavailable {}

/// A store. Each verb is one round trip, atomic, and strongly consistent; `list` alone may lag behind writes.
#[async_trait]
pub trait Records: Send + Sync {
    /// Stores a record at generation 0, unless its key is taken. A record equal to the one that is there counts as
    /// stored by this caller, whose first answer was lost: what must happen once puts fresh randomness into it.
    async fn create(&self, record: &Record) -> Result<Created, Unavailable>;

    /// Reads a record, as the last write left it.
    async fn get(&self, key: &Key) -> Result<Option<Record>, Unavailable>;

    /// Replaces state and expiry of the record, and counts its generation up by one, if it is at `from`. Of many
    /// callers that name the same generation exactly one is told `Advanced`.
    async fn advance(
        &self,
        key: &Key,
        from: u64,
        state: &str,
        expires_at: Option<Timestamp>,
    ) -> Result<Advance, Unavailable>;

    /// Removes a record; does nothing when there is none.
    async fn delete(&self, key: &Key) -> Result<(), Unavailable>;

    /// At most `limit` records of an owner, in order of their keys, after `cursor`.
    async fn list(&self, owner: &Owner, cursor: Option<&Cursor>, limit: u32) -> Result<Page, Unavailable>;
}
