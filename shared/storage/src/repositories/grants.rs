//! Grants: each redemption, rotation and revocation is one `advance` from the generation that the token names. The rules
//! are in `protocol`; this module applies them to the store.

use super::stored::{decode, encode, read_each};
use super::update::{Change, Current, Start, Target, create_new, update};
use crate::{Advance, Created, Key, Kind, Partition, Record, Records, Unavailable, sign_out, users};
use protocol::{
    ActiveGrant, AuthorizationDetails, CodeVerdict, Grant, GrantId, GrantSnapshot, GrantState, RefreshLifetimes,
    RefreshVerdict, RetryWindows, RevokedToken, SessionGroup, Sid,
};
use serde::Serialize;
use std::time::Duration;
use types::{ClientId, Scope, Subject, Timestamp};

/// Time from the expiry of the last token of a grant to the removal of its record.
const MARGIN: Duration = Duration::from_secs(3600);

/// A grant and its current state.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredGrant {
    /// The identifier of the grant.
    pub id: GrantId,
    /// The part that never changes.
    pub grant: Grant,
    /// The part that changes.
    pub state: GrantState,
}

impl StoredGrant {
    fn from_record(id: GrantId, record: &Record) -> Result<Self, Unavailable> {
        Ok(Self { id, grant: decode(&record.key, &record.body)?, state: decode(&record.key, &record.state)? })
    }

    /// Returns the grant if it is active.
    pub fn into_live(self) -> Option<LiveGrant> {
        let Self { id, grant, state } = self;
        Some(LiveGrant { id, grant, state: state.into_active()? })
    }
}

/// A live grant of a user, as a listing shows it. Times are in seconds since the epoch.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ListedGrant {
    /// The client.
    pub client_id: ClientId,
    /// The granted scope.
    pub scope: Scope,
    /// The granted resources; none for the deployment's own audience.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub resources: Vec<String>,
    /// The granted authorization details.
    #[serde(skip_serializing_if = "AuthorizationDetails::is_empty")]
    pub authorization_details: AuthorizationDetails,
    /// The granted claims that were requested by name, without those of the scope.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub claims: Vec<String>,
    /// Time of the redemption of its code.
    pub created_at: u64,
    /// Time of its last refresh.
    pub used_at: u64,
    /// Expiry of its refresh token, unless the client uses it before.
    pub expires_at: u64,
    /// True if it stays when the user signs out of the browser.
    pub outlives_session: bool,
}

/// Returns the live grants of a user; a grant that cannot be read is left out. Round trips: 1 for each 100 records of the user.
pub async fn of_user(
    records: &dyn Records,
    subject: &Subject,
    now: Timestamp,
) -> Result<Vec<ListedGrant>, Unavailable> {
    Ok(listed(sign_out::owned(records, &users::owner(subject), Kind::Grant).await?, now))
}

/// Returns the live grants of these records; a grant that cannot be read is left out.
pub(crate) fn listed(found: Vec<Record>, now: Timestamp) -> Vec<ListedGrant> {
    let (listed, _) = read_each(found, |record| {
        let (grant, state): (Grant, GrantState) =
            (decode(&record.key, &record.body)?, decode(&record.key, &record.state)?);
        let live = state.into_active().filter(|active| !active.refresh_expires_at.is_past(now));
        Ok(live.map(|active| ListedGrant {
            outlives_session: grant.is_for_offline_use() || grant.session_group.is_none(),
            client_id: grant.client_id,
            claims: grant.claims.beyond(&grant.scope).iter().map(|claim| claim.name.to_owned()).collect(),
            scope: grant.scope,
            resources: grant.resources,
            authorization_details: grant.authorization_details,
            created_at: active.started_at.as_secs(),
            used_at: active.rotated_at.as_secs(),
            expires_at: active.refresh_expires_at.as_secs(),
        }))
    });
    listed.into_iter().flatten().collect()
}

/// An active grant: tokens are issued from it.
#[derive(Clone, Debug, PartialEq)]
pub struct LiveGrant {
    /// The identifier of the grant.
    pub id: GrantId,
    /// The part that never changes.
    pub grant: Grant,
    /// The part that changes.
    pub state: ActiveGrant,
}

impl LiveGrant {
    /// Returns the snapshot of the current state, which tokens carry.
    pub const fn snapshot(&self) -> GrantSnapshot {
        self.state.snapshot(self.id)
    }
}

/// The time, lifetimes and write id of one change of a grant.
#[derive(Clone, Debug)]
pub struct GrantUpdate {
    /// The current time.
    pub now: Timestamp,
    /// The lifetimes of refresh tokens; `None` if the client gets none.
    pub refresh: Option<RefreshLifetimes>,
    /// The lifetime of access tokens.
    pub access_token: Duration,
    /// The times after a rotation in which the old refresh token is still accepted.
    pub retry: RetryWindows,
    /// True if each use of a refresh token yields another one. False for a client whose refresh tokens stay.
    pub rotates: bool,
    /// True if a replayed refresh token ends the grant. False for a client whose processes share one store of tokens: the
    /// token is rejected, and the grant lives.
    pub replay_revokes: bool,
    /// The least time for which the record is kept: until then the client may have to be notified of the end of the
    /// session.
    pub remembered: Duration,
    /// Fresh randomness that tells this write from every other.
    pub write_id: String,
}

impl GrantUpdate {
    fn lifetimes(&self) -> RefreshLifetimes {
        self.refresh.unwrap_or(RefreshLifetimes { absolute: Duration::ZERO, idle: Duration::ZERO })
    }

    fn record_expiry(&self, refresh_expires_at: Timestamp) -> Timestamp {
        let longest = self.access_token.max(self.remembered);
        refresh_expires_at.max(self.now.after(longest)).after(MARGIN)
    }
}

/// The outcome of the redemption of a code.
#[derive(Clone, Debug, PartialEq)]
pub enum Redemption {
    /// This caller redeemed the code.
    Redeemed(Box<LiveGrant>),
    /// The code was redeemed before, or the grant has ended.
    Refused(CodeVerdict),
}

/// The outcome of the use of a refresh token.
#[derive(Clone, Debug, PartialEq)]
pub enum Rotation {
    /// The token was rotated, by this request or by an earlier one within the grace time, or it stays. This is the grant after that.
    Rotated(Box<LiveGrant>),
    /// The token was used before. The grant is revoked now if the client's replays revoke.
    Replayed,
    /// The grant has ended.
    Ended,
}

fn key(id: GrantId) -> Key {
    Key::new(Kind::Grant, Partition::from_bytes(id.partition()), &id.name())
}

/// Returns the identifier of a new grant of a user, from fresh randomness.
pub fn new_id(subject: &Subject, random: [u8; 16]) -> GrantId {
    GrantId::new(users::owner(subject).partition().to_bytes(), random)
}

fn new_record(id: GrantId, grant: &Grant, state: &GrantState, expires_at: Timestamp) -> Record {
    Record {
        key: key(id),
        owner: Some(users::owner(&grant.subject)),
        body: encode(grant),
        state: encode(state),
        generation: 0,
        expires_at: Some(expires_at.after(MARGIN)),
    }
}

/// Stores a grant whose code is about to be issued. Round trips: 1.
pub async fn create(
    records: &dyn Records,
    id: GrantId,
    grant: &Grant,
    state: &GrantState,
    expires_at: Timestamp,
) -> Result<(), Unavailable> {
    create_new(records, new_record(id, grant, state, expires_at), &[]).await.map(|_| ())
}

/// The outcome of [`create_for_code`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CreatedForCode {
    /// The grant is stored.
    Created,
    /// The grant is there already. Its code is unredeemed and expires at this time.
    Unredeemed(Timestamp),
    /// The grant is there already, and its code is redeemed or revoked.
    Redeemed,
}

/// Stores a grant whose code is about to be issued, if its identifier is free: the identifier is derived from the request,
/// which may be repeated. Round trips: 1.
pub async fn create_for_code(
    records: &dyn Records,
    id: GrantId,
    grant: &Grant,
    state: &GrantState,
    expires_at: Timestamp,
) -> Result<CreatedForCode, Unavailable> {
    let Created::Exists(record) = records.create(&new_record(id, grant, state, expires_at)).await? else {
        return Ok(CreatedForCode::Created);
    };
    let code_expires_at = record.expires_at.map(|expires_at| expires_at.before(MARGIN));
    Ok(match (decode::<GrantState>(&record.key, &record.state)?, code_expires_at) {
        (GrantState::Issued(_), Some(expires_at)) => CreatedForCode::Unredeemed(expires_at),
        _ => CreatedForCode::Redeemed,
    })
}

/// Stores the grant of an assertion (RFC 7521). Its identifier is derived from the assertion (see [`assertion_id`]).
/// Returns false, and stores nothing, if the assertion was used before. Round trips: 1.
pub async fn create_once(
    records: &dyn Records,
    id: GrantId,
    grant: &Grant,
    state: &GrantState,
    expires_at: Timestamp,
) -> Result<bool, Unavailable> {
    Ok(records.create(&new_record(id, grant, state, expires_at)).await? == Created::Created)
}

/// Returns the identifier of the grant of an assertion with this digest about this user.
pub fn assertion_id(subject: &Subject, digest: [u8; 32]) -> GrantId {
    let mut name = [0; 16];
    name.iter_mut().zip(digest).for_each(|(to, from)| *to = from);
    new_id(subject, name)
}

/// Reads a grant. Round trips: 1.
pub async fn find(records: &dyn Records, id: GrantId) -> Result<Option<StoredGrant>, Unavailable> {
    records.get(&key(id)).await?.map(|record| StoredGrant::from_record(id, &record)).transpose()
}

/// Redeems the code of a grant. Round trips: 1; for a replay, which revokes the grant, 2.
pub async fn redeem(records: &dyn Records, grant: GrantId, with: &GrantUpdate) -> Result<Redemption, Unavailable> {
    // A grant whose code is not redeemed is at generation 0 and holds nothing that the code does not say.
    let issued = Start::Snapshot(0, GrantState::issued(String::new()));
    let redeemed = update(records, Target::unowned(key(grant)), issued, |current: Option<&Current<GrantState>>| {
        let Some(current) = current else { return Ok::<_, Unavailable>(Change::Keep(Some(CodeVerdict::Ended))) };
        let state = &current.state.value;
        let Some(next) = state.redeem(with.now, &with.lifetimes(), with.write_id.clone()) else {
            return Ok(Change::Keep(Some(state.judge_code(with.now))));
        };
        let expires_at = Some(with.record_expiry(next.refresh_expires_at));
        Ok(Change::Write(current.must_be_read(next), expires_at, None))
    });
    let redeemed = redeemed.await?;
    Ok(match (redeemed.result, redeemed.record) {
        (None, Some(record)) => Redemption::Redeemed(live(grant, &record)?),
        (Some(CodeVerdict::Replay), Some(record)) => {
            end(records, record, with.now, &with.write_id).await?;
            Redemption::Refused(CodeVerdict::Replay)
        }
        (Some(verdict), _) => Redemption::Refused(verdict),
        (None, None) => Redemption::Refused(CodeVerdict::Ended),
    })
}

/// Returns the active grant of a record that this caller wrote.
fn live(id: GrantId, record: &Record) -> Result<Box<LiveGrant>, Unavailable> {
    let inactive = || Unavailable { reason: format!("the record {} was active when it was written", record.key) };
    StoredGrant::from_record(id, record)?.into_live().map(Box::new).ok_or_else(inactive)
}

/// Returns the first attempt of an update with a token: from its snapshot, unless the record holds more than that.
fn start(token: &GrantSnapshot) -> Start<GrantState> {
    if token.must_read_first {
        Start::Read
    } else {
        Start::Snapshot(u64::from(token.generation), GrantState::Active(ActiveGrant::from_snapshot(token)))
    }
}

impl Current<GrantState> {
    /// Marks the next state if the record has members that this version does not know. The tokens of that state then
    /// oblige the next update to read the record, so that it keeps these members.
    fn must_be_read(&self, mut next: ActiveGrant) -> GrantState {
        next.must_read_first |= self.state.has_unknown_members();
        GrantState::Active(next)
    }
}

/// Rotates a refresh token. That of a client without rotation stays the current one, and nothing is written. Round trips: 1; for a
/// replay, which revokes the grant, for a client that lost an answer, or if the record changed since the token was issued, 2.
pub async fn rotate(records: &dyn Records, token: &GrantSnapshot, with: &GrantUpdate) -> Result<Rotation, Unavailable> {
    let target = Target::unowned(key(token.grant));
    let start = if with.rotates { start(token) } else { Start::Read };
    let rotated = update(records, target, start, |current: Option<&Current<GrantState>>| {
        let Some(current) = current else { return Ok::<_, Unavailable>(Change::Keep(RefreshVerdict::Ended)) };
        let state = &current.state.value;
        let verdict = state.judge_refresh(token.generation, with.now, with.retry);
        let (RefreshVerdict::Live | RefreshVerdict::LostAnswer, Some(active), true) =
            (verdict, state.active(), with.rotates)
        else {
            return Ok(Change::Keep(verdict));
        };
        let from = u32::try_from(current.generation).unwrap_or(u32::MAX);
        let next = active.rotate(token.generation, from, with.now, &with.lifetimes(), with.write_id.clone());
        let expires_at = Some(with.record_expiry(next.refresh_expires_at));
        Ok(Change::Write(current.must_be_read(next), expires_at, RefreshVerdict::Live))
    });
    let rotated = rotated.await?;
    Ok(match (rotated.result, rotated.record) {
        (RefreshVerdict::Live | RefreshVerdict::LostAnswer | RefreshVerdict::Retry, Some(record)) => {
            Rotation::Rotated(live(token.grant, &record)?)
        }
        (RefreshVerdict::Replay, Some(record)) => {
            if with.replay_revokes {
                end(records, record, with.now, &with.write_id).await?;
            }
            Rotation::Replayed
        }
        (RefreshVerdict::Ended, _) | (_, None) => Rotation::Ended,
    })
}

/// Revokes the grant of a token. The state is replaced without reading it: a revoked grant needs none of it. Round
/// trips: 1; if the record changed since the token was issued, 2.
pub async fn revoke(records: &dyn Records, token: &GrantSnapshot, with: &GrantUpdate) -> Result<(), Unavailable> {
    let revoked = GrantState::revoked(with.now, with.write_id.clone());
    let expires_at = Some(with.record_expiry(token.refresh_expires_at));
    match records.advance(&key(token.grant), u64::from(token.generation), &encode(&revoked), expires_at).await? {
        Advance::Advanced(_) | Advance::Missing => Ok(()),
        Advance::Stale(record) => end(records, record, with.now, &with.write_id).await.map(|_| ()),
    }
}

/// Revokes one access token (RFC 7009 §2.1). Round trips: 1; if the record changed since the token was issued, 2.
pub async fn revoke_access_token(
    records: &dyn Records,
    snapshot: &GrantSnapshot,
    token: &RevokedToken,
    with: &GrantUpdate,
) -> Result<(), Unavailable> {
    let target = Target::unowned(key(snapshot.grant));
    let revoked = update(records, target, start(snapshot), |current: Option<&Current<GrantState>>| {
        let active = current.and_then(|current| Some((current, current.state.value.active()?)));
        let Some((current, active)) = active else { return Ok::<_, Unavailable>(Change::Keep(())) };
        let next = active.revoke_access_token(token.clone(), with.now, with.write_id.clone());
        let expires_at = with.record_expiry(next.refresh_expires_at).max(token.expires_at.after(MARGIN));
        Ok(Change::Write(current.must_be_read(next), Some(expires_at), ()))
    });
    revoked.await.map(|_| ())
}

/// A client that holds tokens of a session.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct SessionClient {
    /// The client.
    pub client_id: ClientId,
    /// The sessions, as the grants name them.
    pub group: SessionGroup,
}

/// The grants of one session.
#[derive(Clone, Debug, Default)]
pub struct SessionGrants {
    records: Vec<(Record, Grant)>,
}

impl SessionGrants {
    /// Finds them. Round trips: 1 for each 100 records of the user.
    pub async fn find(records: &dyn Records, subject: &Subject, group: SessionGroup) -> Result<Self, Unavailable> {
        Self::matching(records, subject, |grant| grant.session_group == Some(group)).await
    }

    /// Finds those of one client, by its `sid` of the session. Round trips: 1 for each 100 records of the user.
    pub async fn of_client(
        records: &dyn Records,
        subject: &Subject,
        client_id: &ClientId,
        sid: &Sid,
    ) -> Result<Self, Unavailable> {
        let is_of_session = |grant: &Grant| grant.session_group.is_some_and(|group| group.sid(client_id) == *sid);
        Self::matching(records, subject, |grant| grant.client_id == *client_id && is_of_session(grant)).await
    }

    async fn matching(
        records: &dyn Records,
        subject: &Subject,
        is_meant: impl Fn(&Grant) -> bool + Send + Sync,
    ) -> Result<Self, Unavailable> {
        let mut found = Vec::new();
        for record in sign_out::owned(records, &users::owner(subject), Kind::Grant).await? {
            match decode::<Grant>(&record.key, &record.body) {
                Ok(grant) if is_meant(&grant) => found.push((record, grant)),
                // `sign_out::leftovers` reports a grant that cannot be read.
                Ok(_) | Err(_) => {}
            }
        }
        Ok(Self { records: found })
    }

    /// Returns the clients that hold tokens of the session, each once.
    pub fn clients(&self) -> Vec<SessionClient> {
        session_clients(self.records.iter().map(|(_, grant)| grant))
    }

    /// Revokes the grants, except those for offline use (OpenID Connect Core §11).
    pub async fn revoke(self, records: &dyn Records, now: Timestamp, write_id: &str) -> Result<(), Unavailable> {
        let ends = self.records.into_iter().filter(|(_, grant)| !grant.is_for_offline_use());
        let found = ends.map(|(record, _)| record).collect();
        sign_out::end_grants(records, found, now, write_id, &|| false).await.map(|_| ())
    }
}

/// Returns the clients of these grants, each once for each session. A grant without a session adds none.
pub(crate) fn session_clients<'a>(grants: impl Iterator<Item = &'a Grant>) -> Vec<SessionClient> {
    let mut clients: Vec<SessionClient> = grants
        .filter_map(|grant| Some(SessionClient { client_id: grant.client_id.clone(), group: grant.session_group? }))
        .collect();
    clients.sort_unstable();
    clients.dedup();
    clients
}

/// Revokes a grant whose record was read. Returns true if this call ended it. A grant whose state cannot be read is
/// removed, which ends it as well. Round trips: 1 without a conflict.
pub(crate) async fn end(
    records: &dyn Records,
    record: Record,
    now: Timestamp,
    write_id: &str,
) -> Result<bool, Unavailable> {
    if decode::<GrantState>(&record.key, &record.state).is_err() {
        return records.delete(&record.key).await.map(|()| true);
    }
    let target = Target::unowned(record.key.clone());
    let ended = update(records, target, Start::Known(record), |current: Option<&Current<GrantState>>| {
        Ok::<_, Unavailable>(match current {
            Some(current) if !current.state.value.is_revoked() => {
                Change::Write(current.state.value.revoke(now, write_id.to_owned()), current.expires_at, true)
            }
            Some(_) | None => Change::Keep(false),
        })
    });
    Ok(ended.await?.result)
}
