//! Sign-in attempts of late, counted per account and per address.

use crate::stored::{TRIES, decode, encode, too_busy};
use crate::{Advance, Created, Key, Kind, Partition, Record, Records, Unavailable};
use protocol::Timestamp;
use protocol::throttle::{Attempts, Patience};

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
        match write(records, &key, current.as_ref(), &attempts.one_more(now, writer.to_owned())).await? {
            None => return Ok(Ok(())),
            Some(newer) => current = newer,
        }
    }
    Ok(Err(now.after(std::time::Duration::from_secs(1))))
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
        match write(records, &key, current.as_ref(), &attempts.one_less(writer.to_owned())).await? {
            None => return Ok(()),
            Some(newer) => current = newer,
        }
    }
    Err(too_busy(&key))
}

/// Writes over `current`; gives back what is there instead when somebody else wrote first.
async fn write(
    records: &dyn Records,
    key: &Key,
    current: Option<&Record>,
    next: &Attempts,
) -> Result<Option<Option<Record>>, Unavailable> {
    let (state, expires_at) = (encode(next), Some(next.forgotten_at()));
    match current {
        Some(record) => match records.advance(key, record.generation, &state, expires_at).await? {
            Advance::Advanced(_) => Ok(None),
            Advance::Stale(newer) => Ok(Some(Some(newer))),
            Advance::Missing => Ok(Some(None)),
        },
        None => {
            let record =
                Record { key: key.clone(), owner: None, body: String::new(), state, generation: 0, expires_at };
            match records.create(&record).await? {
                Created::Created => Ok(None),
                Created::Exists(newer) => Ok(Some(Some(newer))),
            }
        }
    }
}
