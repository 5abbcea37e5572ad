//! Pushed authorization requests (RFC 9126): each is good for one answer.

use crate::stored::{decode, encode};
use crate::{Advance, Created, Key, Kind, Partition, Record, Records, Unavailable};
use protocol::{AuthorizationRequest, GrantId, ResponseTarget, Timestamp, UncheckedTarget};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// A request that a client pushed. It never changes. When it is read, its target must be checked again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PushedRequest<Target = ResponseTarget> {
    /// The request.
    pub request: AuthorizationRequest<Target>,
    /// `sub` of the ID token hint: this user must sign in.
    pub expected_subject: Option<String>,
}

/// What a request was answered with: the code of a grant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// The name of the grant; no other answer has the same.
    pub grant: String,
    /// When the code was issued.
    pub issued_at: Timestamp,
    /// The session that it was issued in.
    pub sid: String,
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

/// Reads a request that was not answered yet, or was less than `grace` ago: the answer may be lost, and whoever had it
/// asks again. One round trip.
pub async fn find(
    records: &dyn Records,
    id: GrantId,
    now: Timestamp,
    grace: Duration,
) -> Result<Option<PushedRequest<UncheckedTarget>>, Unavailable> {
    let Some(record) = records.get(&key(id)).await? else { return Ok(None) };
    let is_over = record.generation != 0 && {
        let answer: Answer = decode(&record.key, &record.state)?;
        answer.issued_at.after(grace).is_past(now)
    };
    if is_over { Ok(None) } else { decode(&record.key, &record.body).map(Some) }
}

/// Answers a request: the answer that counts, which is this one for exactly one caller. `None` when the record is gone.
/// One round trip.
pub async fn answer(records: &dyn Records, id: GrantId, answer: &Answer) -> Result<Option<Answer>, Unavailable> {
    // The record may go soon, but not before every copy of the reference has expired.
    let expires_at = answer.issued_at.after(Duration::from_secs(86_400));
    match records.advance(&key(id), 0, &encode(answer), Some(expires_at)).await? {
        Advance::Advanced(_) => Ok(Some(answer.clone())),
        Advance::Stale(record) => decode(&record.key, &record.state).map(Some),
        Advance::Missing => Ok(None),
    }
}
