//! Grants: each step is one `advance` from the generation that the token names. The rules are in `protocol`; this is
//! how they meet the store.

use crate::stored::{TRIES, decode, encode, too_busy};
use crate::{Advance, Created, Key, Kind, Partition, Record, Records, Unavailable, sign_out, users};
use protocol::{
    CodeVerdict, Grant, GrantId, GrantState, GrantStatus, RefreshLifetimes, RefreshVerdict, RevokedToken, Standing,
    Timestamp, judge_code, judge_refresh,
};
use std::time::Duration;

/// How long a record outlives the last token made from it.
const MARGIN: Duration = Duration::from_secs(3600);

/// A grant as it stands.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredGrant {
    /// Its name.
    pub id: GrantId,
    /// What was granted.
    pub grant: Grant,
    /// Where it is in its life.
    pub state: GrantState,
}

impl StoredGrant {
    fn from_record(id: GrantId, record: &Record) -> Result<Self, Unavailable> {
        Ok(Self { id, grant: decode(&record.key, &record.body)?, state: decode(&record.key, &record.state)? })
    }

    /// The standing of tokens made from it now.
    pub fn standing(&self) -> Standing {
        self.state.standing(self.id)
    }
}

/// What a step is made with.
#[derive(Clone, Debug)]
pub struct StepContext {
    /// When.
    pub now: Timestamp,
    /// How long refresh tokens live; `None` when the client gets none.
    pub refresh: Option<RefreshLifetimes>,
    /// How long access tokens live.
    pub access_token: Duration,
    /// How long a rotated refresh token still gets its successor.
    pub grace: Duration,
    /// How long the record is kept in any case: as long as the client may have to be told that the session ended.
    pub remembered: Duration,
    /// Fresh randomness that tells this writer from every other.
    pub writer: String,
}

impl StepContext {
    fn lifetimes(&self) -> RefreshLifetimes {
        self.refresh.unwrap_or(RefreshLifetimes { absolute: Duration::ZERO, idle: Duration::ZERO })
    }

    fn record_expiry(&self, state: &GrantState) -> Timestamp {
        let longest = self.access_token.max(self.remembered);
        state.refresh_expires_at.max(self.now.after(longest)).after(MARGIN)
    }
}

/// What came of redeeming a code.
#[derive(Clone, Debug, PartialEq)]
pub enum Redemption {
    /// The code is redeemed, by this caller alone.
    Redeemed(Box<StoredGrant>),
    /// It was redeemed before, or is gone.
    Refused(CodeVerdict),
}

/// What came of using a refresh token.
#[derive(Clone, Debug, PartialEq)]
pub enum Rotation {
    /// The token was rotated, now or a moment ago: this is what follows it.
    Rotated(Box<StoredGrant>),
    /// It was used before; the grant is revoked now.
    Replayed,
    /// The grant is over.
    Ended,
}

fn key(id: GrantId) -> Key {
    Key::new(Kind::Grant, Partition::from_bytes(id.partition()), &id.name())
}

/// A name for a new grant of a person, from fresh randomness.
pub fn new_id(subject: &str, random: [u8; 16]) -> GrantId {
    GrantId::new(users::owner(subject).partition().to_bytes(), random)
}

/// Stores a grant whose code is about to be issued. One round trip.
pub async fn create(
    records: &dyn Records,
    id: GrantId,
    grant: &Grant,
    state: &GrantState,
    expires_at: Timestamp,
) -> Result<(), Unavailable> {
    if create_once(records, id, grant, state, expires_at).await? {
        return Ok(());
    }
    Err(Unavailable { reason: "a random grant name was taken".to_owned() })
}

/// Stores a grant that an assertion stands for. Its name is the assertion's (see [`assertion_id`]), so the very same
/// call finds out whether the assertion was used before: then nothing is stored, and the answer is false. One round
/// trip.
pub async fn create_once(
    records: &dyn Records,
    id: GrantId,
    grant: &Grant,
    state: &GrantState,
    expires_at: Timestamp,
) -> Result<bool, Unavailable> {
    let record = Record {
        key: key(id),
        owner: Some(users::owner(&grant.subject)),
        body: encode(grant),
        state: encode(state),
        generation: 0,
        expires_at: Some(expires_at.after(MARGIN)),
    };
    Ok(records.create(&record).await? == Created::Created)
}

/// The name of the grant that an assertion of this digest stands for, about this person.
pub fn assertion_id(subject: &str, digest: [u8; 32]) -> GrantId {
    let mut name = [0; 16];
    name.iter_mut().zip(digest).for_each(|(to, from)| *to = from);
    new_id(subject, name)
}

/// Reads a grant. One round trip.
pub async fn find(records: &dyn Records, id: GrantId) -> Result<Option<StoredGrant>, Unavailable> {
    match records.get(&key(id)).await? {
        Some(record) => StoredGrant::from_record(id, &record).map(Some),
        None => Ok(None),
    }
}

/// Redeems the code that stands for this grant. One round trip; two when it is a replay, which revokes the grant.
pub async fn redeem(records: &dyn Records, code: &Standing, step: &StepContext) -> Result<Redemption, Unavailable> {
    let key = key(code.grant);
    let next = GrantState::vouched_by(code).redeemed(step.now, &step.lifetimes(), step.writer.clone());
    match records.advance(&key, u64::from(code.generation), &encode(&next), Some(step.record_expiry(&next))).await? {
        Advance::Advanced(record) => Ok(Redemption::Redeemed(Box::new(StoredGrant::from_record(code.grant, &record)?))),
        Advance::Missing => Ok(Redemption::Refused(CodeVerdict::Ended)),
        Advance::Stale(record) => {
            let verdict = judge_code(&decode(&key, &record.state)?, step.now);
            if verdict == CodeVerdict::Replay {
                end(records, &key, record, step.now, &step.writer).await?;
            }
            Ok(Redemption::Refused(verdict))
        }
    }
}

/// Rotates the refresh token of this standing. One round trip; two when it is a replay, or when the record moved on
/// for another reason.
pub async fn rotate(records: &dyn Records, token: &Standing, step: &StepContext) -> Result<Rotation, Unavailable> {
    let key = key(token.grant);
    let mut from = u64::from(token.generation);
    let mut state = GrantState::vouched_by(token);
    if token.carries {
        let Some(record) = records.get(&key).await? else { return Ok(Rotation::Ended) };
        match judge(records, &key, token, record, step).await? {
            Judged::Live(generation, current) => (from, state) = (generation, current),
            Judged::Done(rotation) => return Ok(rotation),
        }
    }
    for _ in 0..TRIES {
        let next =
            state.refreshed(u32::try_from(from).unwrap_or(u32::MAX), step.now, &step.lifetimes(), step.writer.clone());
        match records.advance(&key, from, &encode(&next), Some(step.record_expiry(&next))).await? {
            Advance::Advanced(record) => {
                return Ok(Rotation::Rotated(Box::new(StoredGrant::from_record(token.grant, &record)?)));
            }
            Advance::Missing => return Ok(Rotation::Ended),
            Advance::Stale(record) => match judge(records, &key, token, record, step).await? {
                Judged::Live(generation, current) => (from, state) = (generation, current),
                Judged::Done(rotation) => return Ok(rotation),
            },
        }
    }
    Err(too_busy(&key))
}

enum Judged {
    Live(u64, GrantState),
    Done(Rotation),
}

async fn judge(
    records: &dyn Records,
    key: &Key,
    token: &Standing,
    record: Record,
    step: &StepContext,
) -> Result<Judged, Unavailable> {
    let state: GrantState = decode(key, &record.state)?;
    match judge_refresh(&state, token.generation, step.now, step.grace) {
        RefreshVerdict::Live => Ok(Judged::Live(record.generation, state)),
        RefreshVerdict::Retry => {
            Ok(Judged::Done(Rotation::Rotated(Box::new(StoredGrant::from_record(token.grant, &record)?))))
        }
        RefreshVerdict::Ended => Ok(Judged::Done(Rotation::Ended)),
        RefreshVerdict::Replay => {
            end(records, key, record, step.now, &step.writer).await?;
            Ok(Judged::Done(Rotation::Replayed))
        }
    }
}

/// Revokes the grant that a token stands for. One round trip, when nothing was made from the grant since.
pub async fn revoke(records: &dyn Records, token: &Standing, step: &StepContext) -> Result<(), Unavailable> {
    let key = key(token.grant);
    let ended = GrantState::vouched_by(token).ended(step.now, step.writer.clone());
    let expires_at = Some(step.record_expiry(&ended));
    match records.advance(&key, u64::from(token.generation), &encode(&ended), expires_at).await? {
        Advance::Advanced(_) | Advance::Missing => Ok(()),
        Advance::Stale(record) => end(records, &key, record, step.now, &step.writer).await.map(|_| ()),
    }
}

/// Revokes one access token. One round trip, when nothing was made from the grant since.
pub async fn revoke_access_token(
    records: &dyn Records,
    standing: &Standing,
    token: &RevokedToken,
    step: &StepContext,
) -> Result<(), Unavailable> {
    let key = key(standing.grant);
    let mut from = u64::from(standing.generation);
    let mut state = GrantState::vouched_by(standing);
    if standing.carries {
        let Some(record) = records.get(&key).await? else { return Ok(()) };
        (from, state) = (record.generation, decode(&key, &record.state)?);
    }
    for _ in 0..TRIES {
        if state.status == GrantStatus::Revoked {
            return Ok(());
        }
        let next = state.without(token.clone(), step.now, step.writer.clone());
        let expires_at = step.record_expiry(&next).max(token.expires_at.after(MARGIN));
        match records.advance(&key, from, &encode(&next), Some(expires_at)).await? {
            Advance::Advanced(_) | Advance::Missing => return Ok(()),
            Advance::Stale(record) => (from, state) = (record.generation, decode(&key, &record.state)?),
        }
    }
    Err(too_busy(&key))
}

/// A client that holds tokens of a session.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Party {
    /// Which client.
    pub client_id: String,
    /// The session, as its grants name it.
    pub sid: String,
}

/// The grants of one session.
#[derive(Clone, Debug, Default)]
pub struct SessionGrants {
    records: Vec<(Record, Grant)>,
}

impl SessionGrants {
    /// Finds them. One round trip for each hundred of what is the person's.
    pub async fn find(records: &dyn Records, subject: &str, sid: &str) -> Result<Self, Unavailable> {
        let mut found = Vec::new();
        for record in sign_out::owned(records, &users::owner(subject), Kind::Grant).await? {
            let grant: Grant = decode(&record.key, &record.body)?;
            if grant.sid == sid {
                found.push((record, grant));
            }
        }
        Ok(Self { records: found })
    }

    /// The clients that hold tokens of it, each once.
    pub fn parties(&self) -> Vec<Party> {
        parties(self.records.iter().map(|(_, grant)| grant))
    }

    /// Revokes them, but for what was granted for offline use (OpenID Connect Core §11).
    pub async fn revoke(self, records: &dyn Records, now: Timestamp, writer: &str) -> Result<(), Unavailable> {
        for (record, grant) in self.records {
            if !grant.is_for_offline_use() {
                let key = record.key.clone();
                end(records, &key, record, now, writer).await?;
            }
        }
        Ok(())
    }
}

/// The clients of these grants, each once for each session. A grant that came of no session tells nobody.
pub(crate) fn parties<'a>(grants: impl Iterator<Item = &'a Grant>) -> Vec<Party> {
    let mut parties: Vec<Party> = grants
        .filter(|grant| !grant.sid.is_empty())
        .map(|grant| Party { client_id: grant.client_id.clone(), sid: grant.sid.clone() })
        .collect();
    parties.sort_unstable();
    parties.dedup();
    parties
}

/// Ends a grant, from wherever it is. Says whether it was not over before.
pub(crate) async fn end(
    records: &dyn Records,
    key: &Key,
    mut record: Record,
    now: Timestamp,
    writer: &str,
) -> Result<bool, Unavailable> {
    for _ in 0..TRIES {
        let state: GrantState = decode(key, &record.state)?;
        if state.status == GrantStatus::Revoked {
            return Ok(false);
        }
        match records
            .advance(key, record.generation, &encode(&state.ended(now, writer.to_owned())), record.expires_at)
            .await?
        {
            Advance::Advanced(_) => return Ok(true),
            Advance::Missing => return Ok(false),
            Advance::Stale(newer) => record = newer,
        }
    }
    Err(too_busy(key))
}
