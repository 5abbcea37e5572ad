//! Pushed authorization requests (RFC 9126): each is good for one answer.

use crate::stored::{decode, encode};
use crate::{Advance, Created, Key, Kind, Partition, Record, Records, Unavailable};
use protocol::{AuthorizationRequest, GrantId, Timestamp};
use serde::{Deserialize, Serialize};

/// A request that a client pushed and that passed every check. Never changes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PushedRequest {
    /// The request.
    pub request: AuthorizationRequest,
    /// Who must sign in, when an ID token hint says so: a subject.
    pub expected_subject: Option<String>,
}

/// Who used it up.
#[derive(Serialize, Deserialize)]
struct Used {
    writer: String,
}

fn key(id: GrantId) -> Key {
    Key::new(Kind::Pushed, Partition::from_bytes(id.partition()), &id.name())
}

/// Stores a request. One round trip.
pub async fn create(
    records: &dyn Records,
    id: GrantId,
    request: &PushedRequest,
    expires_at: Timestamp,
) -> Result<(), Unavailable> {
    let record = Record {
        key: key(id),
        owner: None,
        body: encode(request),
        state: String::new(),
        generation: 0,
        expires_at: Some(expires_at),
    };
    match records.create(&record).await? {
        Created::Created => Ok(()),
        Created::Exists(_) => Err(Unavailable { reason: "a random name of a pushed request was taken".to_owned() }),
    }
}

/// Reads a request that was not used yet. One round trip.
pub async fn find(records: &dyn Records, id: GrantId) -> Result<Option<PushedRequest>, Unavailable> {
    match records.get(&key(id)).await?.filter(|record| record.generation == 0) {
        Some(record) => decode(&record.key, &record.body).map(Some),
        None => Ok(None),
    }
}

/// Uses a request up: true for exactly one caller. `writer` is fresh randomness that tells it from every other. One
/// round trip.
pub async fn use_up(records: &dyn Records, id: GrantId, writer: String, now: Timestamp) -> Result<bool, Unavailable> {
    let used = encode(&Used { writer });
    // The record may go soon, but not before every copy of the reference has expired.
    let expires_at = now.after(std::time::Duration::from_secs(86_400));
    match records.advance(&key(id), 0, &used, Some(expires_at)).await? {
        Advance::Advanced(_) => Ok(true),
        Advance::Stale(_) | Advance::Missing => Ok(false),
    }
}
