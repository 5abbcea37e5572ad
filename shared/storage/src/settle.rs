//! A write whose answer was lost is sent again, by a client library or by us, and then meets its own result. What it
//! meets says so: the record is exactly what this very write leaves behind. Every back end passes its answers through
//! here, so that a retry is told what the lost answer said.
//!
//! Two writers that write the very same thing are therefore one writer. Whoever must tell them apart (a race for a
//! code, a single-use marker) writes something of its own into `state` or `body`: a nonce, a time.

use crate::{Advance, Created, Record};
use protocol::Timestamp;

/// What `create` of `wanted` is told: a taken key is no obstacle if the record there is the very same.
pub fn created(found: Created, wanted: &Record) -> Created {
    match found {
        Created::Exists(record) if record.generation == 0 && same(&record, wanted) => Created::Created,
        other => other,
    }
}

/// Whether they are the same but for the generation.
fn same(one: &Record, other: &Record) -> bool {
    (&one.key, &one.owner, &one.body, &one.state, one.expires_at)
        == (&other.key, &other.owner, &other.body, &other.state, other.expires_at)
}

/// What `advance` from the generation `from` to this state is told: a record one generation on, with the very same
/// state and expiry, is its own doing.
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
