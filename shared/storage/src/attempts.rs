//! What is counted to slow somebody down: attempts of late, per account and per address; registrations.

use crate::stored::{Replaced, TRIES, decode, encode, replace, too_busy};
use crate::{Key, Kind, Partition, Records, Unavailable};
use protocol::Timestamp;
use protocol::throttle::{Attempts, Patience, Window};
use std::time::Duration;

fn key(name: &str) -> Key {
    Key::new(Kind::Throttle, Partition::of(name), name)
}

/// Counts an attempt before it is made; when it may not be made yet, says from when on it may. Two round trips.
pub async fn reserve(
    records: &dyn Records,
    name: &str,
    patience: Patience,
    now: Timestamp,
    writer: &str,
) -> Result<Result<(), Timestamp>, Unavailable> {
    let key = key(name);
    let mut current = records.get(&key).await?;
    for _ in 0..TRIES {
        let attempts = match &current {
            Some(record) => decode(&key, &record.state)?,
            None => Attempts::default(),
        };
        let next_allowed = attempts.next_allowed(patience);
        if !next_allowed.is_past(now) {
            return Ok(Err(next_allowed));
        }
        let next = attempts.one_more(now, writer.to_owned());
        match replace(records, &key, current.as_ref(), None, encode(&next), Some(next.forgotten_at())).await? {
            Replaced::Written => return Ok(Ok(())),
            Replaced::Lost(newer) => current = newer,
        }
    }
    Ok(Err(now.after(Duration::from_secs(1))))
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
    let key = key(name);
    let mut current = records.get(&key).await?;
    for _ in 0..TRIES {
        let window = match &current {
            Some(record) => decode(&key, &record.state)?,
            None => Window::default(),
        };
        let next = match window.one_more(length, most, now, writer.to_owned()) {
            Ok(next) => next,
            Err(next_at) => return Ok(Err(next_at)),
        };
        let ends_at = next.ends_at(length);
        match replace(records, &key, current.as_ref(), None, encode(&next), Some(ends_at)).await? {
            Replaced::Written => return Ok(Ok(())),
            Replaced::Lost(newer) => current = newer,
        }
    }
    Err(too_busy(&key))
}
