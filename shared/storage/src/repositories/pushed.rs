//! Pushed authorization requests (RFC 9126). Each yields one authorization code (§7.3).

use super::stored::{decode, encode};
use super::update::create_new;
use crate::{Advance, Key, Kind, Partition, Record, Records, Unavailable};
use protocol::limits::CLOCK_DIFFERENCE;
use protocol::{AuthorizationRequest, GrantId, PushedRequestId, ResponseTarget, SessionGroup, UncheckedTarget};
use serde::{Deserialize, Serialize};
use std::time::Duration;
use types::{Subject, Timestamp};

/// A request that a client pushed. It never changes. When it is read, its target must be checked again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PushedRequest<Target = ResponseTarget> {
    /// The request.
    pub request: AuthorizationRequest<Target>,
    /// `sub` of the ID token hint: the user who must sign in, if the request has a hint.
    pub expected_subject: Option<Subject>,
}

/// The answer to a pushed request: an authorization code.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// The identifier of the grant. No two answers have the same.
    pub grant: GrantId,
    /// The time at which the code was issued.
    pub issued_at: Timestamp,
    /// The sessions of the user to whom the code was issued.
    pub group: SessionGroup,
}

fn key(id: PushedRequestId) -> Key {
    Key::new(Kind::Pushed, Partition::from_bytes(id.partition()), &id.name())
}

/// Time from an answer to the removal of the record: every `request_uri` that names it has expired by then.
const KEPT_AFTER_ANSWER: Duration = Duration::from_secs(86_400);

/// Stores a request. Round trips: 1.
pub async fn create(
    records: &dyn Records,
    id: PushedRequestId,
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
    create_new(records, record, &[]).await.map(|_| ())
}

/// Reads a request that has no answer, or whose answer is younger than `grace`: the answer may have been lost, and the
/// browser asks again. Round trips: 1.
pub async fn find(
    records: &dyn Records,
    id: PushedRequestId,
    now: Timestamp,
    grace: Duration,
) -> Result<Option<PushedRequest<UncheckedTarget>>, Unavailable> {
    let Some(record) = records.get(&key(id)).await? else { return Ok(None) };
    if record.generation != 0 {
        let answer: Answer = decode(&record.key, &record.state)?;
        if answer.issued_at.after(grace).after(CLOCK_DIFFERENCE).is_past(now) {
            return Ok(None);
        }
    }
    Ok(Some(decode(&record.key, &record.body)?))
}

/// Reads a request on its way through sign-in, answered or not. Round trips: 1.
pub async fn read(
    records: &dyn Records,
    id: PushedRequestId,
) -> Result<Option<PushedRequest<UncheckedTarget>>, Unavailable> {
    let Some(record) = records.get(&key(id)).await? else { return Ok(None) };
    Ok(Some(decode(&record.key, &record.body)?))
}

/// Answers a request. Returns the answer that holds: the given one for exactly one caller, and the same one for all others.
/// `None` if the record is gone. Round trips: 1.
pub async fn answer(
    records: &dyn Records,
    id: PushedRequestId,
    answer: &Answer,
) -> Result<Option<Answer>, Unavailable> {
    let expires_at = answer.issued_at.after(KEPT_AFTER_ANSWER);
    match records.advance(&key(id), 0, &encode(answer), Some(expires_at)).await? {
        Advance::Advanced(_) => Ok(Some(answer.clone())),
        Advance::Stale(record) => Ok(Some(decode(&record.key, &record.state)?)),
        Advance::Missing => Ok(None),
    }
}
