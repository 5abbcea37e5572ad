//! Device authorizations (RFC 8628).
//!
//! A pending authorization is a record under a name that is derived from the user code. The decision of the user is a
//! second record, under the name that the device code carries; it replaces the first. A poll is one `advance` of the
//! decision from generation 0, so exactly one of many polls gets the tokens. `create` lets exactly one decision win.

use super::grants::{GrantUpdate, LiveGrant, StoredGrant};
use super::stored::{decode, encode};
use super::update::create_new;
use crate::{Advance, Created, Key, Kind, Partition, Record, Records, Unavailable, grants};
use protocol::{ActiveGrant, DeviceDecisionId, DeviceRequest, Grant, GrantId, PollVerdict, judge_poll};
use serde::{Deserialize, Serialize};
use std::time::Duration;
use types::Timestamp;

/// Time from the expiry of the codes to the removal of the records.
const MARGIN: Duration = Duration::from_secs(3600);

/// A device authorization without a decision.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Pending {
    /// The request of the device.
    pub request: DeviceRequest,
    /// The record of the decision, which the device code names.
    pub decision: DeviceDecisionId,
    /// The expiry of both codes.
    pub expires_at: Timestamp,
}

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
    /// Another poll got the tokens. The grant is revoked now.
    Replayed,
    /// The grant has been revoked.
    Ended,
}

fn pending_key(name: &str) -> Key {
    Key::new(Kind::Device, Partition::of(name), name)
}

fn decision_key(id: DeviceDecisionId) -> Key {
    Key::new(Kind::Device, Partition::from_bytes(id.partition()), &id.name())
}

/// Returns the name of a future decision, from fresh randomness; the partition follows from it.
pub const fn new_id(random: [u8; 16]) -> DeviceDecisionId {
    let [first, second, ..] = random;
    DeviceDecisionId::new([first, second], random)
}

/// Stores a pending device authorization under the first free one of `names`, each of which is derived from a user code.
/// Returns the position of that name. Round trips: 1, and 1 for each name that is taken. Errors: every name is taken.
pub async fn begin(records: &dyn Records, names: &[String], pending: &Pending) -> Result<usize, Unavailable> {
    let keys: Vec<Key> = names.iter().map(|name| pending_key(name)).collect();
    let Some((first, others)) = keys.split_first() else {
        return Err(Unavailable { reason: "a device authorization has no name".to_owned() });
    };
    let record = Record {
        key: first.clone(),
        owner: None,
        body: encode(pending),
        state: String::new(),
        generation: 0,
        expires_at: Some(pending.expires_at.after(MARGIN)),
    };
    let key = create_new(records, record, others).await?;
    Ok(keys.iter().position(|candidate| *candidate == key).unwrap_or_default())
}

/// Reads a pending device authorization. Returns `None` if its codes have expired. Round trips: 1.
pub async fn find(records: &dyn Records, name: &str, now: Timestamp) -> Result<Option<Pending>, Unavailable> {
    let Some(record) = records.get(&pending_key(name)).await? else { return Ok(None) };
    let pending: Pending = decode(&record.key, &record.body)?;
    Ok(Some(pending).filter(|pending| !pending.expires_at.is_past(now)))
}

/// Stores the decision of a user and removes the pending device authorization. Returns false, and stores nothing, if
/// there is a decision already. Round trips: 2; the second only tidies up, and its failure is ignored.
pub async fn decide(
    records: &dyn Records,
    name: &str,
    pending: &Pending,
    decision: &Decision,
) -> Result<bool, Unavailable> {
    let approved = match decision {
        Decision::Denied => None,
        Decision::Approved(grant) => {
            Some(Approved { id: grant.id, grant: grant.grant.clone(), state: grant.state.clone() })
        }
    };
    let record = Record {
        key: decision_key(pending.decision),
        owner: None,
        body: encode(&Decided { approved }),
        state: String::new(),
        generation: 0,
        expires_at: Some(pending.expires_at.after(MARGIN)),
    };
    let is_first = records.create(&record).await? == Created::Created;
    // The decision stands, however long the pending record stays.
    let _ = records.delete(&pending_key(name)).await;
    Ok(is_first)
}

/// Reads a decision and leaves it as it is. Round trips: 1.
pub async fn peek(records: &dyn Records, id: DeviceDecisionId) -> Result<Option<Decision>, Unavailable> {
    records.get(&decision_key(id)).await?.map(|record| decision(&record)).transpose()
}

/// Handles a poll of a device. Round trips: 1; for the poll that gets the tokens, 2; for a replay, which revokes the grant, 2
/// or 3.
pub async fn poll(
    records: &dyn Records,
    id: DeviceDecisionId,
    code_expires_at: Timestamp,
    with: &GrantUpdate,
) -> Result<Poll, Unavailable> {
    let key = decision_key(id);
    let polled = Polled { at: with.now, write_id: with.write_id.clone() };
    let (record, is_first) =
        match records.advance(&key, 0, &encode(&polled), Some(code_expires_at.after(MARGIN))).await? {
            Advance::Missing => return Ok(Poll::Pending),
            Advance::Advanced(record) => (record, true),
            Advance::Stale(record) => (record, false),
        };
    let Decision::Approved(approved) = decision(&record)? else { return Ok(Poll::Denied) };
    let verdict = if is_first {
        PollVerdict::Retry
    } else {
        let first: Polled = decode(&key, &record.state)?;
        judge_poll(first.at, with.now)
    };
    match verdict {
        PollVerdict::Race => Ok(Poll::Race),
        // The grant may have been revoked since the decision, by a sign-out or with its user. After a lost answer it must be
        // unchanged, too: otherwise another device got the tokens.
        PollVerdict::Retry => match grants::find(records, approved.id).await?.and_then(StoredGrant::into_live) {
            Some(current) if current.state.refresh == approved.state.refresh => Ok(Poll::Approved(Box::new(current))),
            Some(_) => replayed(records, &approved, with).await,
            None => Ok(Poll::Ended),
        },
        PollVerdict::Replay => replayed(records, &approved, with).await,
    }
}

async fn replayed(records: &dyn Records, grant: &LiveGrant, with: &GrantUpdate) -> Result<Poll, Unavailable> {
    grants::revoke(records, &grant.snapshot(), with).await?;
    Ok(Poll::Replayed)
}

fn decision(record: &Record) -> Result<Decision, Unavailable> {
    let Decided { approved: Some(approved) } = decode(&record.key, &record.body)? else { return Ok(Decision::Denied) };
    let Approved { id, grant, state } = approved;
    Ok(Decision::Approved(Box::new(LiveGrant { id, grant, state })))
}
