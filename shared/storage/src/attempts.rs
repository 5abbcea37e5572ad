//! What is counted to slow somebody down: attempts of late, per account and per address; registrations.

use crate::stored::{Replaced, TRIES, decode, encode, replace, too_busy};
use crate::{Key, Kind, Partition, Records, Unavailable};
use protocol::Timestamp;
use protocol::throttle::{Attempts, Patience, Window};
use serde::{Serialize, de::DeserializeOwned};
use std::time::Duration;

fn key(name: &str) -> Key {
    Key::new(Kind::Throttle, Partition::of(name), name)
}

/// Counts one more of `name`, as `judge` says: the count that follows and when it is forgotten, or from when on there may be
/// one more. `None` when too many come at once. Two round trips.
async fn count<T: Default + Serialize + DeserializeOwned>(
    records: &dyn Records,
    name: &str,
    judge: impl Fn(T) -> Result<(T, Timestamp), Timestamp>,
) -> Result<Option<Result<(), Timestamp>>, Unavailable> {
    let key = key(name);
    let mut current = records.get(&key).await?;
    for _ in 0..TRIES {
        let before = match &current {
            Some(record) => decode(&key, &record.state)?,
            None => T::default(),
        };
        let (next, forgotten_at) = match judge(before) {
            Ok(counted) => counted,
            Err(later) => return Ok(Some(Err(later))),
        };
        match replace(records, &key, current.as_ref(), None, encode(&next), Some(forgotten_at)).await? {
            Replaced::Written => return Ok(Some(Ok(()))),
            Replaced::Lost(newer) => current = newer,
        }
    }
    Ok(None)
}

/// Counts an attempt before it is made; when it may not be made yet, says from when on it may. Two round trips.
pub async fn reserve(
    records: &dyn Records,
    name: &str,
    patience: Patience,
    now: Timestamp,
    writer: &str,
) -> Result<Result<(), Timestamp>, Unavailable> {
    let counted = count(records, name, |attempts: Attempts| {
        let next_allowed = attempts.next_allowed(patience);
        if !next_allowed.is_past(now) {
            return Err(next_allowed);
        }
        let next = attempts.one_more(now, writer.to_owned());
        let forgotten_at = next.forgotten_at();
        Ok((next, forgotten_at))
    });
    Ok(counted.await?.unwrap_or_else(|| Err(now.after(Duration::from_secs(1)))))
}

/// Takes an attempt back that turned out right. When nothing is left, the record goes.
pub async fn forgive(records: &dyn Records, name: &str, all: bool, writer: &str) -> Result<(), Unavailable> {
    let key = key(name);
    if all {
        return records.delete(&key).await;
    }
    let mut current = records.get(&key).await?;
    for _ in 0..TRIES {
        let Some(record) = &current else { return Ok(()) };
        let attempts: Attempts = decode(&key, &record.state)?;
        let next = attempts.one_less(writer.to_owned());
        match replace(records, &key, current.as_ref(), None, encode(&next), Some(next.forgotten_at())).await? {
            Replaced::Written => return Ok(()),
            Replaced::Lost(newer) => current = newer,
        }
    }
    Err(too_busy(&key))
}

/// Counts one more of `name`, if that is no more than `most` in each window; else says when the next window begins.
/// Two round trips.
pub async fn take(
    records: &dyn Records,
    name: &str,
    length: Duration,
    most: u32,
    now: Timestamp,
    writer: &str,
) -> Result<Result<(), Timestamp>, Unavailable> {
    let counted = count(records, name, |window: Window| {
        let next = window.one_more(length, most, now, writer.to_owned())?;
        let ends_at = next.ends_at(length);
        Ok((next, ends_at))
    });
    counted.await?.ok_or_else(|| too_busy(&key(name)))
}
