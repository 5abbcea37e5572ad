//! The signing keys: one record, made by whoever is first.

use crate::{Advance, Created, Key, Kind, Partition, Record, Records, Unavailable};

fn key() -> Key {
    Key::new(Kind::Keys, Partition::of("keys"), "signing")
}

/// The stored key set, sealed, and the generation of its record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredKeys {
    /// As `jose` writes it.
    pub keys: String,
    /// The generation of the record.
    pub generation: u64,
}

impl From<Record> for StoredKeys {
    fn from(record: Record) -> Self {
        Self { keys: record.state, generation: record.generation }
    }
}

/// Reads the key set.
pub async fn find(records: &dyn Records) -> Result<Option<StoredKeys>, Unavailable> {
    Ok(records.get(&key()).await?.map(StoredKeys::from))
}

/// Stores the first key set; gives back the one that holds, which is another's when somebody was faster.
pub async fn create(records: &dyn Records, keys: String) -> Result<StoredKeys, Unavailable> {
    let record = Record { key: key(), owner: None, body: String::new(), state: keys, generation: 0, expires_at: None };
    match records.create(&record).await? {
        Created::Created => Ok(record.into()),
        Created::Exists(first) => Ok(first.into()),
    }
}

/// Replaces the key set of this generation; gives back the one that holds.
pub async fn replace(records: &dyn Records, from: u64, keys: &str) -> Result<Option<StoredKeys>, Unavailable> {
    match records.advance(&key(), from, keys, None).await? {
        Advance::Advanced(record) | Advance::Stale(record) => Ok(Some(record.into())),
        Advance::Missing => Ok(None),
    }
}
