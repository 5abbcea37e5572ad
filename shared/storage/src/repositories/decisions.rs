//! Decisions of users about requests that come from another device (RFC 8628, OpenID Connect CIBA Core).
//!
//! The decision is a record under the name that the device code or `auth_req_id` carries; there is none before. `create` lets exactly
//! one decision win. A poll is one `advance` of the decision from generation 0, so exactly one of many polls gets the tokens.

use super::grants::{GrantUpdate, LiveGrant, StoredGrant};
use super::stored::{decode, encode};
use crate::{Advance, Created, Key, Kind, Partition, Record, Records, Unavailable, grants};
use protocol::{ActiveGrant, DecisionId, Grant, GrantId, PollVerdict, judge_poll};
use serde::{Deserialize, Serialize};
use std::time::Duration;
use types::Timestamp;

/// Time from the expiry of the request to the removal of the record.
const MARGIN: Duration = Duration::from_secs(3600);

/// The decision of a user.
#[derive(Clone, Debug, PartialEq)]
pub enum Decision {
    /// The device gets the tokens of this grant.
    Approved(Box<LiveGrant>),
    /// The device gets none.
    Denied,
}

/// The stored form of a decision.
#[derive(Serialize, Deserialize)]
struct Decided {
    approved: Option<Approved>,
}

#[derive(Serialize, Deserialize)]
struct Approved {
    id: GrantId,
    grant: Grant,
    state: ActiveGrant,
}

/// The first poll after the decision.
#[derive(Serialize, Deserialize)]
struct Polled {
    at: Timestamp,
    write_id: String,
}

/// The outcome of a poll.
#[derive(Clone, Debug, PartialEq)]
pub enum Poll {
    /// The user has not decided.
    Pending,
    /// The user denied the request.
    Denied,
    /// The device gets the tokens of this grant: this is the first poll, or a retry after a lost answer.
    Approved(Box<LiveGrant>),
    /// Another poll got the tokens within the last second.
    Race,
    /// Another poll got the tokens. The grant of a device is revoked now.
    Replayed,
    /// The grant has been revoked.
    Ended,
}

fn key(id: DecisionId) -> Key {
    Key::new(Kind::Device, Partition::from_bytes(id.partition()), &id.name())
}

/// Returns the name of a future decision, from fresh randomness; the partition follows from it.
pub const fn new_id(random: [u8; 16]) -> DecisionId {
    let [first, second, ..] = random;
    DecisionId::new([first, second], random)
}

/// Stores a decision about a request that expires at this time. Returns false, and stores nothing, if there is a decision already.
/// Round trips: 1.
pub async fn create(
    records: &dyn Records,
    id: DecisionId,
    decision: &Decision,
    expires_at: Timestamp,
) -> Result<bool, Unavailable> {
    let approved = match decision {
        Decision::Denied => None,
        Decision::Approved(grant) => {
            Some(Approved { id: grant.id, grant: grant.grant.clone(), state: grant.state.clone() })
        }
    };
    let record = Record {
        key: key(id),
        owner: None,
        body: encode(&Decided { approved }),
        state: String::new(),
        generation: 0,
        expires_at: Some(expires_at.after(MARGIN)),
    };
    Ok(records.create(&record).await? == Created::Created)
}

/// Reads a decision and leaves it as it is. Round trips: 1.
pub async fn peek(records: &dyn Records, id: DecisionId) -> Result<Option<Decision>, Unavailable> {
    records.get(&key(id)).await?.map(|record| read(&record)).transpose()
}

/// Handles a poll of a device (RFC 8628 §3.5), which gets its tokens again for a while if the response was lost. Round trips: 1; for the
/// poll that gets the tokens, 2; for a replay, which revokes the grant, 2 or 3.
pub async fn poll(
    records: &dyn Records,
    id: DecisionId,
    code_expires_at: Timestamp,
    with: &GrantUpdate,
) -> Result<Poll, Unavailable> {
    let Some((record, is_first)) = claim(records, id, code_expires_at, with).await? else { return Ok(Poll::Pending) };
    let Decision::Approved(approved) = read(&record)? else { return Ok(Poll::Denied) };
    let verdict = if is_first {
        PollVerdict::Retry
    } else {
        let first: Polled = decode(&record.key, &record.state)?;
        judge_poll(first.at, with.now)
    };
    match verdict {
        PollVerdict::Race => Ok(Poll::Race),
        // After a lost answer the grant must be unchanged: otherwise another device got the tokens.
        PollVerdict::Retry => match current(records, &approved).await? {
            Some(live) if live.state.refresh == approved.state.refresh => Ok(Poll::Approved(live)),
            Some(_) => replayed(records, &approved, with).await,
            None => Ok(Poll::Ended),
        },
        PollVerdict::Replay => replayed(records, &approved, with).await,
    }
}

/// Handles a poll of a client that authenticates (CIBA Core §11): the first one gets the tokens, and each later one none. Nothing is
/// revoked, because no other client can poll. Round trips: 1; for the poll that gets the tokens, 2.
pub async fn poll_once(
    records: &dyn Records,
    id: DecisionId,
    expires_at: Timestamp,
    with: &GrantUpdate,
) -> Result<Poll, Unavailable> {
    let Some((record, is_first)) = claim(records, id, expires_at, with).await? else { return Ok(Poll::Pending) };
    let Decision::Approved(approved) = read(&record)? else { return Ok(Poll::Denied) };
    match is_first {
        true => Ok(current(records, &approved).await?.map_or(Poll::Ended, Poll::Approved)),
        false => Ok(Poll::Replayed),
    }
}

/// Claims the decision for a poll. Returns the record, and true to exactly one caller; `None` if there is no decision.
async fn claim(
    records: &dyn Records,
    id: DecisionId,
    expires_at: Timestamp,
    with: &GrantUpdate,
) -> Result<Option<(Record, bool)>, Unavailable> {
    let polled = Polled { at: with.now, write_id: with.write_id.clone() };
    Ok(match records.advance(&key(id), 0, &encode(&polled), Some(expires_at.after(MARGIN))).await? {
        Advance::Missing => None,
        Advance::Advanced(record) => Some((record, true)),
        Advance::Stale(record) => Some((record, false)),
    })
}

/// Returns the grant as it is now. It may have been revoked since the decision, by a sign-out or with its user.
async fn current(records: &dyn Records, approved: &LiveGrant) -> Result<Option<Box<LiveGrant>>, Unavailable> {
    Ok(grants::find(records, approved.id).await?.and_then(StoredGrant::into_live).map(Box::new))
}

async fn replayed(records: &dyn Records, grant: &LiveGrant, with: &GrantUpdate) -> Result<Poll, Unavailable> {
    grants::revoke(records, &grant.snapshot(), with).await?;
    Ok(Poll::Replayed)
}

fn read(record: &Record) -> Result<Decision, Unavailable> {
    let Decided { approved: Some(approved) } = decode(&record.key, &record.body)? else { return Ok(Decision::Denied) };
    let Approved { id, grant, state } = approved;
    Ok(Decision::Approved(Box::new(LiveGrant { id, grant, state })))
}
