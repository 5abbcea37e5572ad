//! The configuration: one record with all sections, so that an instance reads them with one call and a change of several is
//! one write.

use super::stored::{Stored, encode};
use crate::{Advance, Created, Key, Kind, Partition, Record, Records, Unavailable};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use types::Timestamp;

fn key() -> Key {
    Key::new(Kind::Configuration, Partition::of("configuration"), "sections")
}

/// The state of the record.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct State {
    /// Sections by name. This version may not know all of them.
    sections: Map<String, Value>,
    applied_at: Timestamp,
}

/// The stored configuration.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredConfiguration {
    /// Version: 1 for the first one.
    pub version: u64,
    /// Sections by name.
    pub sections: Map<String, Value>,
    /// Time of the change.
    pub applied_at: Timestamp,
    stored: Stored<State>,
}

impl StoredConfiguration {
    fn read(record: Record) -> Result<Self, Unavailable> {
        let stored = Stored::<State>::read(&record.key, record.state)?;
        let State { sections, applied_at } = stored.value.clone();
        Ok(Self { version: version(record.generation), sections, applied_at, stored })
    }
}

fn version(generation: u64) -> u64 {
    generation.saturating_add(1)
}

/// The result of [`replace`].
#[derive(Clone, Debug, PartialEq)]
pub enum Replaced {
    /// The sections are stored, as this version.
    Applied(u64),
    /// The stored version is another one than the one to replace.
    Conflict(u64),
}

/// Reads the configuration. Round trips: 1.
pub async fn find(records: &dyn Records) -> Result<Option<StoredConfiguration>, Unavailable> {
    records.get(&key()).await?.map(StoredConfiguration::read).transpose()
}

/// Stores all sections in place of those that were read; `None` if there were none. Round trips: 1.
pub async fn replace(
    records: &dyn Records,
    from: Option<&StoredConfiguration>,
    sections: Map<String, Value>,
    now: Timestamp,
) -> Result<Replaced, Unavailable> {
    let state = State { sections, applied_at: now };
    let Some(from) = from else {
        let state = encode(&state);
        let record = Record { key: key(), owner: None, body: String::new(), state, generation: 0, expires_at: None };
        return Ok(match records.create(&record).await? {
            Created::Created => Replaced::Applied(version(0)),
            Created::Exists(first) => Replaced::Conflict(version(first.generation)),
        });
    };
    let state = from.stored.rewrite(&state);
    Ok(match records.advance(&key(), from.version.saturating_sub(1), &state, None).await? {
        Advance::Advanced(record) => Replaced::Applied(version(record.generation)),
        Advance::Stale(record) => Replaced::Conflict(version(record.generation)),
        Advance::Missing => Replaced::Conflict(0),
    })
}
