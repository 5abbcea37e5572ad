//! Writes of typed values: [`update`] for compare-and-swap, [`create_new`] for random names.

use super::stored::{Stored, Unreadable, encode};
use crate::{Advance, Created, Key, Owner, Record, Records, Unavailable};
use serde::{Serialize, de::DeserializeOwned};
use types::Timestamp;

/// Attempts of one update. Each attempt but the last lost to another writer.
const MAX_ATTEMPTS: u32 = 8;

/// The record that an update writes to, and the owner that it gets if the update creates it.
pub(crate) struct Target {
    pub(crate) key: Key,
    pub(crate) owner: Option<Owner>,
}

impl Target {
    /// A record that is in no listing.
    pub(crate) fn unowned(key: Key) -> Self {
        Self { key, owner: None }
    }

    /// A record of this owner.
    pub(crate) fn owned(key: Key, owner: Owner) -> Self {
        Self { key, owner: Some(owner) }
    }
}

/// The first attempt of an update.
pub(crate) enum Start<T> {
    /// Read the record.
    Read,
    /// Assume that there is no record.
    Absent,
    /// Assume that the record is this one, which was read before.
    Known(Record),
    /// Assume that the record is at this generation and has this state.
    Snapshot(u64, T),
}

/// The state of a record as an update finds it.
pub(crate) struct Current<T> {
    /// The state.
    pub(crate) state: Stored<T>,
    /// The generation of the record.
    pub(crate) generation: u64,
    /// The expiry of the record; `None` for [`Start::Snapshot`].
    pub(crate) expires_at: Option<Timestamp>,
}

/// The decision of an update about the current state.
pub(crate) enum Change<T, R> {
    /// Write this state and expiry.
    Write(T, Option<Timestamp>, R),
    /// Leave the record as it is.
    Keep(R),
}

/// The outcome of an update: what its closure returned last, and the record after it, if there is one.
pub(crate) struct Updated<R> {
    pub(crate) result: R,
    pub(crate) record: Option<Record>,
}

/// Applies `change` to the state of a record and writes the result (compare-and-swap). If another writer was first,
/// applies `change` to what that writer left. `change` gets `None` if there is no record; what it writes is created.
///
/// Round trips: 1 for each attempt, 1 more for [`Start::Read`]. Errors: too many writers at once, an unreadable state,
/// and the errors of `change`.
pub(crate) async fn update<T, R, E>(
    records: &dyn Records,
    target: Target,
    start: Start<T>,
    mut change: impl FnMut(Option<&Current<T>>) -> Result<Change<T, R>, E> + Send,
) -> Result<Updated<R>, E>
where
    T: Serialize + DeserializeOwned + Send,
    R: Send,
    E: From<Unavailable> + Send,
{
    let (start, mut snapshot) = match start {
        Start::Read => (records.get(&target.key).await?.map(Found::Record), None),
        Start::Absent => (None, None),
        Start::Known(record) => (Some(Found::Record(record)), None),
        Start::Snapshot(generation, value) => (Some(Found::Generation(generation)), Some(value)),
    };
    let mut result = None;
    let mut decide = |found: Option<&Found>| {
        let current = match current(found, &mut snapshot) {
            Ok(current) => current,
            Err(unreadable) => {
                result = Some(Err(Unavailable::from(unreadable).into()));
                return None;
            }
        };
        match change(current.as_ref()) {
            Ok(Change::Write(value, expires_at, written)) => {
                result = Some(Ok(written));
                let state = current.map_or_else(|| encode(&value), |current| current.state.rewrite(&value));
                Some((state, expires_at))
            }
            Ok(Change::Keep(kept)) => {
                result = Some(Ok(kept));
                None
            }
            Err(error) => {
                result = Some(Err(error));
                None
            }
        }
    };
    let swapped = swap(records, &target, start, &mut decide).await?;
    match (swapped, result) {
        (Swapped::Done(record), Some(result)) => Ok(Updated { result: result?, record }),
        (Swapped::Busy, _) | (_, None) => {
            let reason = format!("too many requests write the record {} at once", target.key);
            Err(Unavailable { reason }.into())
        }
    }
}

/// Stores a record under a random name that must be free. If the name is taken, tries the names in `others`, in order.
/// Returns the key of the stored record.
///
/// 128 random bits do not repeat: without `others`, a taken name is a fault of the random source.
pub(crate) async fn create_new(records: &dyn Records, mut record: Record, others: &[Key]) -> Result<Key, Unavailable> {
    let mut others = others.iter();
    loop {
        if records.create(&record).await? == Created::Created {
            return Ok(record.key);
        }
        match others.next() {
            Some(other) => record.key = other.clone(),
            None => return Err(Unavailable { reason: format!("the random name {} is taken", record.key) }),
        }
    }
}

/// The record of an update before a write: what the write must meet.
enum Found {
    /// This record.
    Record(Record),
    /// A record at this generation.
    Generation(u64),
}

/// The outcome of [`swap`].
enum Swapped {
    /// The record was written, or left as it is: this is the record, if there is one.
    Done(Option<Record>),
    /// Each attempt lost to another writer.
    Busy,
}

/// Returns a new state and expiry for the record that was found, or `None` to leave it as it is.
type Decide<'a> = dyn FnMut(Option<&Found>) -> Option<(String, Option<Timestamp>)> + Send + 'a;

fn current<T: Serialize + DeserializeOwned>(
    found: Option<&Found>,
    snapshot: &mut Option<T>,
) -> Result<Option<Current<T>>, Unreadable> {
    Ok(match found {
        None => None,
        Some(Found::Record(record)) => Some(Current {
            state: Stored::read(&record.key, record.state.clone())?,
            generation: record.generation,
            expires_at: record.expires_at,
        }),
        Some(Found::Generation(generation)) => snapshot.take().map(|state| Current {
            state: Stored::new(state),
            generation: *generation,
            expires_at: None,
        }),
    })
}

/// The loop of every update. Not generic: each Worker has it once.
async fn swap(
    records: &dyn Records,
    target: &Target,
    mut found: Option<Found>,
    decide: &mut Decide<'_>,
) -> Result<Swapped, Unavailable> {
    for _ in 0..MAX_ATTEMPTS {
        let Some((state, expires_at)) = decide(found.as_ref()) else {
            return Ok(Swapped::Done(match found {
                Some(Found::Record(record)) => Some(record),
                Some(Found::Generation(_)) | None => None,
            }));
        };
        let generation = match &found {
            Some(Found::Record(record)) => Some(record.generation),
            Some(Found::Generation(generation)) => Some(*generation),
            None => None,
        };
        found = match generation {
            Some(generation) => match records.advance(&target.key, generation, &state, expires_at).await? {
                Advance::Advanced(record) => return Ok(Swapped::Done(Some(record))),
                Advance::Stale(newer) => Some(Found::Record(newer)),
                Advance::Missing => None,
            },
            None => {
                let record = Record {
                    key: target.key.clone(),
                    owner: target.owner.clone(),
                    body: String::new(),
                    state,
                    generation: 0,
                    expires_at,
                };
                match records.create(&record).await? {
                    Created::Created => return Ok(Swapped::Done(Some(record))),
                    Created::Exists(newer) => Some(Found::Record(newer)),
                }
            }
        };
    }
    Ok(Swapped::Busy)
}
