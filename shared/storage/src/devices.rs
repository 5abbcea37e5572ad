//! Device authorizations (RFC 8628). While one is pending, it is one record under a name that only the code which the
//! person types leads to. What the person decides is a second record, under the name that the device's own code
//! carries, and takes the place of the first. So a poll is one `advance` of the second, which does not exist before
//! the decision: of many polls exactly one finds it fresh, and `create` lets exactly one decision win.

use crate::grants::{StepContext, StoredGrant};
use crate::stored::{decode, encode};
use crate::{Advance, Created, Key, Kind, Partition, Record, Records, Unavailable, grants};
use protocol::{DeviceRequest, Grant, GrantId, GrantState, GrantStatus, PollVerdict, Timestamp, judge_poll};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// How long a record outlives the codes.
const MARGIN: Duration = Duration::from_secs(3600);

/// A device that waits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pending {
    /// What it asks for.
    pub request: DeviceRequest,
    /// The name of the record of the decision, which the device code carries.
    pub decision: String,
    /// When both codes expire.
    pub expires_at: Timestamp,
}

/// What a person decided.
#[derive(Clone, Debug, PartialEq)]
pub enum Decision {
    /// The device gets the tokens of this grant.
    Approved(Box<StoredGrant>),
    /// It gets none.
    Denied,
}

/// A decision as it is stored.
#[derive(Serialize, Deserialize)]
struct Decided {
    approved: Option<Approved>,
}

#[derive(Serialize, Deserialize)]
struct Approved {
    id: String,
    grant: Grant,
    state: GrantState,
}

/// What polls leave behind.
#[derive(Serialize, Deserialize)]
struct Polled {
    at: Timestamp,
    /// Tells one poll from every other.
    by: String,
}

/// What a poll finds.
#[derive(Clone, Debug, PartialEq)]
pub enum Poll {
    /// Nobody has decided.
    Pending,
    /// The person refused.
    Denied,
    /// These are the device's tokens: it is the first to ask for them, or asks again because the answer was lost.
    Approved(Box<StoredGrant>),
    /// Another poll got the tokens a moment ago.
    Race,
    /// Another poll got the tokens; the grant is revoked now.
    Replayed,
    /// The grant was revoked.
    Ended,
}

fn waiting(name: &str) -> Key {
    Key::new(Kind::Device, Partition::of(name), name)
}

fn decided(id: GrantId) -> Key {
    Key::new(Kind::Device, Partition::from_bytes(id.partition()), &id.name())
}

/// A name for a decision to come, from fresh randomness, in a partition that follows from it.
pub fn new_id(random: [u8; 16]) -> GrantId {
    let [first, second, ..] = random;
    GrantId::new([first, second], random)
}

/// Stores a device that begins to wait, under the name of its user code. Whether the name was free. One round trip.
pub async fn begin(records: &dyn Records, name: &str, pending: &Pending) -> Result<bool, Unavailable> {
    let record = Record {
        key: waiting(name),
        owner: None,
        body: encode(pending),
        state: String::new(),
        generation: 0,
        expires_at: Some(pending.expires_at.after(MARGIN)),
    };
    Ok(matches!(records.create(&record).await?, Created::Created))
}

/// The device that waits under this name, when its codes have not expired. One round trip.
pub async fn find(records: &dyn Records, name: &str, now: Timestamp) -> Result<Option<Pending>, Unavailable> {
    let Some(record) = records.get(&waiting(name)).await? else { return Ok(None) };
    let pending: Pending = decode(&record.key, &record.body)?;
    Ok(Some(pending).filter(|pending| !pending.expires_at.is_past(now)))
}

/// Stores what a person decided about the device that waits under this name, which stops waiting. `false` when it was
/// decided before, and nothing changes. Two round trips; the second only tidies up, and may fail.
pub async fn decide(
    records: &dyn Records,
    name: &str,
    pending: &Pending,
    decision: &Decision,
) -> Result<bool, Unavailable> {
    let Some(id) = GrantId::from_name(&pending.decision) else {
        return Err(Unavailable { reason: format!("the device {name} has no name for its decision") });
    };
    let approved = match decision {
        Decision::Denied => None,
        Decision::Approved(live) => {
            Some(Approved { id: live.id.name(), grant: live.grant.clone(), state: live.state.clone() })
        }
    };
    let record = Record {
        key: decided(id),
        owner: None,
        body: encode(&Decided { approved }),
        state: String::new(),
        generation: 0,
        expires_at: Some(pending.expires_at.after(MARGIN)),
    };
    let is_first = matches!(records.create(&record).await?, Created::Created);
    // What is decided stands, however long the record stays that waited.
    let _ = records.delete(&waiting(name)).await;
    Ok(is_first)
}

/// Reads what was decided, without taking it. One round trip.
pub async fn peek(records: &dyn Records, id: GrantId) -> Result<Option<Decision>, Unavailable> {
    match records.get(&decided(id)).await? {
        Some(record) => decision(&record).map(Some),
        None => Ok(None),
    }
}

/// One poll of a device. One round trip; one more when the tokens were handed out before and the answer was lost; one
/// or two more when it is a replay, which revokes the grant.
pub async fn poll(
    records: &dyn Records,
    id: GrantId,
    code_expires_at: Timestamp,
    step: &StepContext,
) -> Result<Poll, Unavailable> {
    let key = decided(id);
    let polled = Polled { at: step.now, by: step.writer.clone() };
    let (record, is_first) =
        match records.advance(&key, 0, &encode(&polled), Some(code_expires_at.after(MARGIN))).await? {
            Advance::Missing => return Ok(Poll::Pending),
            Advance::Advanced(record) => (record, true),
            Advance::Stale(record) => (record, false),
        };
    let Decision::Approved(live) = decision(&record)? else { return Ok(Poll::Denied) };
    if is_first {
        return Ok(Poll::Approved(live));
    }
    let first: Polled = decode(&key, &record.state)?;
    match judge_poll(first.at, step.now) {
        PollVerdict::Race => Ok(Poll::Race),
        // The answer was lost, unless the grant has gone on since: then whoever got it is not who asks now.
        PollVerdict::Retry => match grants::find(records, live.id).await? {
            Some(current) if current.state.status == GrantStatus::Revoked => Ok(Poll::Ended),
            Some(current) if current.state.refresh == live.state.refresh => Ok(Poll::Approved(Box::new(current))),
            Some(_) => replayed(records, &live, step).await,
            None => Ok(Poll::Ended),
        },
        PollVerdict::Replay => replayed(records, &live, step).await,
    }
}

async fn replayed(records: &dyn Records, live: &StoredGrant, step: &StepContext) -> Result<Poll, Unavailable> {
    grants::revoke(records, &live.standing(), step).await?;
    Ok(Poll::Replayed)
}

fn decision(record: &Record) -> Result<Decision, Unavailable> {
    let Decided { approved: Some(approved) } = decode(&record.key, &record.body)? else { return Ok(Decision::Denied) };
    match GrantId::from_name(&approved.id) {
        Some(id) => Ok(Decision::Approved(Box::new(StoredGrant { id, grant: approved.grant, state: approved.state }))),
        None => Err(Unavailable { reason: format!("the record {} names no grant", record.key) }),
    }
}
