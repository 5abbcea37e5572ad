//! Recognition of a repeated write.
//!
//! The answer to a write can be lost. The client library or the server then sends the same write again, and the second
//! write meets the result of the first. The functions of this module recognize that: the stored record is exactly what
//! this write leaves behind, so the answer is the one that was lost. Every back end passes its answers through them.
//!
//! Two callers that write exactly the same count as one caller. A caller that must win alone (redemption of a code, a
//! single-use marker) writes something of its own into `state` or `body`: a random write id.

use crate::{Advance, Created, Record};
use types::Timestamp;

/// Returns the answer to `create` of `wanted`: an equal record at generation 0 is the caller's own.
pub fn created(found: Created, wanted: &Record) -> Created {
    match found {
        Created::Exists(record) if record.generation == 0 && is_same(&record, wanted) => Created::Created,
        other => other,
    }
}

/// True if the records are equal but for their generation.
fn is_same(one: &Record, other: &Record) -> bool {
    (&one.key, &one.owner, &one.body, &one.state, one.expires_at)
        == (&other.key, &other.owner, &other.body, &other.state, other.expires_at)
}

/// Returns the answer to `advance` from generation `from`: a record at the next generation with this state and expiry
/// is the caller's own.
pub fn advanced(found: Advance, from: u64, state: &str, expires_at: Option<Timestamp>) -> Advance {
    match found {
        Advance::Stale(record)
            if from.checked_add(1) == Some(record.generation)
                && record.state == state
                && record.expires_at == expires_at =>
        {
            Advance::Advanced(record)
        }
        other => other,
    }
}
