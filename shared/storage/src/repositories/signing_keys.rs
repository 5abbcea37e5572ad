//! The signing keys: one record, created by the first caller that needs it.

use super::stored::{Stored, decode, encode};
use crate::{Advance, Created, Key, Kind, Partition, Record, Records, Unavailable};
use serde::{Deserialize, Serialize};

fn key() -> Key {
    Key::new(Kind::Keys, Partition::of("keys"), "signing")
}

/// The stored key set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredKeys {
    /// The key set, sealed by `jose`.
    pub keys: String,
    record: Record,
}

impl StoredKeys {
    fn read(record: Record) -> Result<Self, Unavailable> {
        let State { keys } = decode(&record.key, &record.state)?;
        Ok(Self { keys, record })
    }
}

/// The state of the record.
#[derive(Serialize, Deserialize)]
struct State {
    keys: String,
}

/// Reads the key set. Round trips: 1.
pub async fn find(records: &dyn Records) -> Result<Option<StoredKeys>, Unavailable> {
    records.get(&key()).await?.map(StoredKeys::read).transpose()
}

/// Stores the first key set. Returns the stored one, which is another if another caller was first. Round trips: 1.
pub async fn create(records: &dyn Records, keys: String) -> Result<StoredKeys, Unavailable> {
    let state = encode(&State { keys });
    let record = Record { key: key(), owner: None, body: String::new(), state, generation: 0, expires_at: None };
    match records.create(&record).await? {
        Created::Created => StoredKeys::read(record),
        Created::Exists(first) => StoredKeys::read(first),
    }
}

/// Replaces the key set that was read. Returns the stored one, which is another if another caller was first; `None` if
/// there is none. Round trips: 1.
pub async fn replace(records: &dyn Records, from: &StoredKeys, keys: &str) -> Result<Option<StoredKeys>, Unavailable> {
    let state = Stored::read(&from.record.key, from.record.state.clone())?.rewrite(&State { keys: keys.to_owned() });
    match records.advance(&key(), from.record.generation, &state, None).await? {
        Advance::Advanced(record) | Advance::Stale(record) => StoredKeys::read(record).map(Some),
        Advance::Missing => Ok(None),
    }
}
