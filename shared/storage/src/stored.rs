//! Between records and what repositories keep in them.

use crate::{Advance, Created, Key, Owner, Record, Records, Unavailable};
use protocol::Timestamp;
use serde::{Serialize, de::DeserializeOwned};

/// How often a write that lost to another is tried again before the store counts as too busy.
pub(crate) const TRIES: u32 = 8;

/// As JSON. What repositories store has only string keys, so nothing can fail.
pub(crate) fn encode<T: Serialize>(value: &T) -> String {
    serde_json::to_string(value).unwrap_or_default()
}

/// From JSON. Only a store that somebody else wrote to holds anything else.
pub(crate) fn decode<T: DeserializeOwned>(key: &Key, json: &str) -> Result<T, Unavailable> {
    serde_json::from_slice(json.as_bytes())
        .map_err(|error| Unavailable { reason: format!("the record {key} cannot be read: {error}") })
}

/// Too many writers at once.
pub(crate) fn too_busy(key: &Key) -> Unavailable {
    Unavailable { reason: format!("the record {key} is being written by too many at once") }
}

/// Stores `state` under `key`, whether or not there was something.
pub(crate) async fn put<T: Serialize + Sync>(
    records: &dyn Records,
    key: &Key,
    owner: Option<Owner>,
    state: &T,
    expires_at: Option<Timestamp>,
) -> Result<(), Unavailable> {
    let state = encode(state);
    let record =
        Record { key: key.clone(), owner, body: String::new(), state: state.clone(), generation: 0, expires_at };
    let mut current = match records.create(&record).await? {
        Created::Created => return Ok(()),
        Created::Exists(current) => current,
    };
    for _ in 0..TRIES {
        match records.advance(key, current.generation, &state, expires_at).await? {
            Advance::Advanced(_) => return Ok(()),
            Advance::Stale(newer) => current = newer,
            Advance::Missing => match records.create(&record).await? {
                Created::Created => return Ok(()),
                Created::Exists(newer) => current = newer,
            },
        }
    }
    Err(too_busy(key))
}

/// What became of a write over what was read.
pub(crate) enum Replaced {
    /// It is written.
    Written,
    /// Somebody else wrote first: this is there instead.
    Lost(Option<Record>),
}

/// Writes over `current`, unless somebody else wrote first.
pub(crate) async fn replace(
    records: &dyn Records,
    key: &Key,
    current: Option<&Record>,
    owner: Option<Owner>,
    state: String,
    expires_at: Option<Timestamp>,
) -> Result<Replaced, Unavailable> {
    match current {
        Some(record) => match records.advance(key, record.generation, &state, expires_at).await? {
            Advance::Advanced(_) => Ok(Replaced::Written),
            Advance::Stale(newer) => Ok(Replaced::Lost(Some(newer))),
            Advance::Missing => Ok(Replaced::Lost(None)),
        },
        None => {
            let record = Record { key: key.clone(), owner, body: String::new(), state, generation: 0, expires_at };
            match records.create(&record).await? {
                Created::Created => Ok(Replaced::Written),
                Created::Exists(newer) => Ok(Replaced::Lost(Some(newer))),
            }
        }
    }
}

/// Reads the state under `key`.
pub(crate) async fn state<T: DeserializeOwned>(records: &dyn Records, key: &Key) -> Result<Option<T>, Unavailable> {
    match records.get(key).await? {
        Some(record) => decode(key, &record.state).map(Some),
        None => Ok(None),
    }
}
