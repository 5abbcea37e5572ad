//! Removal that a delayed write cannot undo.
//!
//! A client library repeats a write whose answer it did not get. A repeated `create` that arrives after the `delete` of its
//! record would find the key free, and revive the record. Therefore sessions and consents are not deleted: their record stays as
//! a tombstone until the last repetition must have arrived.

use crate::{Advance, Key, Records, Unavailable};
use std::time::Duration;
use types::Timestamp;

/// Time for which a tombstone stays. Repetitions arrive within the time limit of a function, at most a minute; the rest is for
/// clocks that differ.
const STAYS: Duration = Duration::from_secs(900);

/// Attempts to write a tombstone. Each attempt but the last lost to another writer.
const MAX_ATTEMPTS: u32 = 8;

/// Replaces the state of a record by that of a tombstone. Does not read the record: it may have any content. Does nothing if
/// there is none. Round trips: 1 for a record that was never changed, 2 for another.
pub(crate) async fn bury(records: &dyn Records, key: &Key, state: &str, now: Timestamp) -> Result<(), Unavailable> {
    let mut generation = 0;
    for _ in 0..MAX_ATTEMPTS {
        match records.advance(key, generation, state, Some(now.after(STAYS))).await? {
            Advance::Advanced(_) | Advance::Missing => return Ok(()),
            Advance::Stale(found) if found.state == state => return Ok(()),
            Advance::Stale(found) => generation = found.generation,
        }
    }
    Err(Unavailable { reason: format!("too many requests write the record {key} at once") })
}
