//! Sign-out of a user, from one session or from all.
//!
//! A request that runs at the same time may have read its session before, and create a grant that no listing shows yet;
//! listings also lag, for minutes if the store is in trouble. Therefore a sign-out is a record, and the scheduled function
//! looks several times for sessions and grants that are left, and ends them too.

use super::deployment_list::DeploymentList;
use super::grant_checks::GrantCheck;
use super::grants::SessionClient;
use super::sessions::{Session, is_ended};
use super::stored::{Unreadable, decode, encode, read_each};
use super::update::{Change, Current, Start, Target, create_new, update};
use crate::{Bucket, Cursor, Key, Kind, Owner, Record, Records, Unavailable, consents, grants, sessions, users};
use futures::future::{join, join_all, try_join_all};
use protocol::{Grant, GrantState, SessionGroup};
use serde::{Deserialize, Serialize};
use std::time::Duration;
use types::{ClientId, Subject, Timestamp};

/// The numbers of what a sign-out ended.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ended {
    /// Sessions.
    pub sessions: usize,
    /// Grants, with those for offline use.
    pub grants: usize,
    /// The clients of these grants, each once.
    pub clients: Vec<ClientId>,
    /// True if the time was over before all had ended. The scheduled function ends the others within a minute.
    pub unfinished: bool,
}

/// A sign-out of a user.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignOut {
    /// `sub` of the user.
    pub subject: Subject,
    /// The sessions at one browser; `None` for all sessions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<SessionGroup>,
    /// The client whose consent was withdrawn; `None` for a sign-out. Its grants alone end then, and sessions stay.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_id: Option<ClientId>,
    /// The time of the sign-out. Later sign-ins stay.
    pub at: Timestamp,
    id: String,
}

/// The looks for leftovers so far: the state of the record.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Looks {
    /// Number of looks that are over.
    done: usize,
    /// Identifier of the write.
    write_id: String,
}

/// A sign-out for whose leftovers it is time to look.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DueSignOut {
    /// The sign-out.
    pub sign_out: SignOut,
    record: Record,
}

impl SignOut {
    const fn looks(&self) -> &'static [Duration] {
        if self.group.is_none() { LOOKS_EVERYWHERE } else { LOOKS_OF_SESSION }
    }

    /// Returns the number of looks whose time has come.
    fn looks_due(&self, now: Timestamp) -> usize {
        self.looks().iter().filter(|after| self.at.after(**after).is_past(now)).count()
    }

    /// Returns the time before which a sign-in or a grant is over, by the clock of any instance.
    fn reaches_to(&self) -> Timestamp {
        users::reach(self.at)
    }

    fn is_of(&self, group: Option<SessionGroup>) -> bool {
        self.group.is_none() || self.group == group
    }
}

/// Times from a sign-out from all sessions to each look for leftovers. No request is still running at the first one. The later
/// ones find what a listing that lagged did not show.
const LOOKS_EVERYWHERE: &[Duration] =
    &[Duration::from_secs(60), Duration::from_secs(600), Duration::from_secs(3600), Duration::from_secs(86_400)];

/// The same for a sign-out from one session, of which there are many: one look.
const LOOKS_OF_SESSION: &[Duration] = &[Duration::from_secs(60)];

/// Records that are ended at the same time.
const ENDED_AT_ONCE: usize = 32;

/// Time after which a request ends nothing more. The scheduled function ends the rest.
pub const TIME_LIMIT: Duration = Duration::from_secs(8);

/// Time from a sign-out to the removal of its record.
const KEPT: Duration = Duration::from_secs(2 * 86_400);

/// Records in one page of a listing.
const PAGE: u32 = 100;

/// Buckets of pending sign-outs that are read at the same time.
const BUCKETS_AT_ONCE: usize = 32;

/// The start of the names of the owners that the scheduled function lists.
pub(super) const OWNERS: &str = "signouts";

const PENDING: DeploymentList = DeploymentList::new(Kind::SignOut, OWNERS);

/// Returns the clients that hold tokens of any session of a user. Round trips: 1 for each 100 records of the user.
pub async fn clients(records: &dyn Records, subject: &Subject) -> Result<Vec<SessionClient>, Unavailable> {
    let found = owned(records, &users::owner(subject), Kind::Grant).await?;
    // `leftovers` reports a grant that cannot be read.
    let (grants, _) = read_each(found, |record| decode::<Grant>(&record.key, &record.body));
    Ok(grants::session_clients(grants.iter()))
}

/// Stores a sign-out, from one session or from all, so that [`leftovers`] finds what it misses. `write_id` is fresh
/// randomness. Round trips: 1.
pub async fn begin(
    records: &dyn Records,
    subject: &Subject,
    group: Option<SessionGroup>,
    now: Timestamp,
    write_id: &str,
) -> Result<(), Unavailable> {
    let id = write_id.to_owned();
    store(records, &SignOut { subject: subject.clone(), group, client_id: None, at: now, id }).await
}

async fn store(records: &dyn Records, sign_out: &SignOut) -> Result<(), Unavailable> {
    let record = Record {
        key: PENDING.key(&sign_out.id),
        owner: Some(PENDING.owner(&sign_out.id)),
        body: encode(sign_out),
        state: encode(&Looks { done: 0, write_id: sign_out.id.clone() }),
        generation: 0,
        expires_at: Some(sign_out.at.after(KEPT)),
    };
    create_new(records, record, &[]).await.map(|_| ())
}

/// Marks the user, ends all sessions, then all grants: an ended session yields no new grant. [`leftovers`] finds what this
/// misses, or leaves when `is_over` says that its time is over.
pub async fn everywhere(
    records: &dyn Records,
    subject: &Subject,
    now: Timestamp,
    write_id: &str,
    is_over: &(dyn Fn() -> bool + Sync),
) -> Result<Ended, Unavailable> {
    let (begun, marked) =
        join(begin(records, subject, None, now, write_id), users::mark_revoked(records, subject, now)).await;
    begun.and(marked)?;
    let owner = users::owner(subject);
    let sessions = owned(records, &owner, Kind::Session).await?.into_iter();
    let sessions: Vec<Key> = sessions.filter(|session| !is_ended(session)).map(|session| session.key).collect();
    let all_sessions = end_sessions(records, &sessions, now, is_over).await?;
    let found = owned(records, &owner, Kind::Grant).await?;
    let clients = live_clients(&found);
    let (grants, all_grants) = end_grants(records, found, now, write_id, is_over).await?;
    Ok(Ended { sessions: sessions.len(), grants, clients, unfinished: !(all_sessions && all_grants) })
}

/// Ends the grants of a user for one client. [`leftovers`] finds what this misses, or leaves when `is_over` says that its time is
/// over. Round trips: 1 and, at the same time, 1 for each 100 records of the user; then 1 for each grant.
pub async fn from_client(
    records: &dyn Records,
    subject: &Subject,
    client_id: &ClientId,
    now: Timestamp,
    write_id: &str,
    is_over: &(dyn Fn() -> bool + Sync),
) -> Result<Ended, Unavailable> {
    let (id, client) = (write_id.to_owned(), Some(client_id.clone()));
    let sign_out = SignOut { subject: subject.clone(), group: None, client_id: client, at: now, id };
    let owner = users::owner(subject);
    let (stored, found) = join(store(records, &sign_out), owned(records, &owner, Kind::Grant)).await;
    stored?;
    let found = found?.into_iter();
    let is_of_client =
        |record: &Record| decode::<Grant>(&record.key, &record.body).is_ok_and(|grant| grant.client_id == *client_id);
    let found: Vec<Record> = found.filter(is_of_client).collect();
    let clients = live_clients(&found);
    let (grants, all) = end_grants(records, found, now, write_id, is_over).await?;
    Ok(Ended { sessions: 0, grants, clients, unfinished: !all })
}

/// Returns the clients of the grants that have not ended, each once.
fn live_clients(found: &[Record]) -> Vec<ClientId> {
    let is_live =
        |record: &&Record| decode::<GrantState>(&record.key, &record.state).is_ok_and(|state| !state.is_revoked());
    let clients = found.iter().filter(is_live).filter_map(|record| decode::<Grant>(&record.key, &record.body).ok());
    let mut clients: Vec<ClientId> = clients.map(|grant| grant.client_id).collect();
    clients.sort_unstable();
    clients.dedup();
    clients
}

/// Ends sessions, some at the same time. Returns false if the time was over before the last one.
async fn end_sessions(
    records: &dyn Records,
    sessions: &[Key],
    now: Timestamp,
    is_over: &(dyn Fn() -> bool + Sync),
) -> Result<bool, Unavailable> {
    for some in sessions.chunks(ENDED_AT_ONCE) {
        if is_over() {
            return Ok(false);
        }
        try_join_all(some.iter().map(|session| sessions::end_record(records, session, now))).await?;
    }
    Ok(true)
}

/// Revokes grants, some at the same time. Returns the number of those that this call ended, and false if the time was over before
/// the last one.
pub(super) async fn end_grants(
    records: &dyn Records,
    found: Vec<Record>,
    now: Timestamp,
    write_id: &str,
    is_over: &(dyn Fn() -> bool + Sync),
) -> Result<(usize, bool), Unavailable> {
    let mut ended = 0_usize;
    for some in found.chunks(ENDED_AT_ONCE) {
        if is_over() {
            return Ok((ended, false));
        }
        let ends = some.iter().map(|grant| grants::end(records, grant.clone(), now, write_id));
        let count = try_join_all(ends).await?.into_iter().filter(|is_ended| *is_ended).count();
        ended = ended.saturating_add(count);
    }
    Ok((ended, true))
}

/// Work of the scheduled function.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DueWork {
    /// A sign-out for whose leftovers it is time to look.
    SignOut(Box<DueSignOut>),
    /// A user whose live grants are to be counted.
    GrantCheck(Box<GrantCheck>),
}

/// Returns the work that is due, and an error for each record that cannot be read and for each bucket that cannot be listed.
pub async fn due(records: &dyn Records, now: Timestamp) -> Vec<Result<DueWork, Unavailable>> {
    let owners: Vec<Owner> = Bucket::all().map(|bucket| PENDING.owner_of(bucket)).collect();
    let mut due = Vec::new();
    for some in owners.chunks(BUCKETS_AT_ONCE) {
        for found in join_all(some.iter().map(|owner| all_owned(records, owner))).await {
            match found {
                Ok(found) => due.extend(found.into_iter().filter_map(|record| read_work(record, now).transpose())),
                Err(unavailable) => due.push(Err(unavailable)),
            }
        }
    }
    due
}

/// Reads a record of the listing; `None` if it is not time for it, or of a kind that a later version has.
fn read_work(record: Record, now: Timestamp) -> Result<Option<DueWork>, Unavailable> {
    if record.key.is(Kind::GrantCheck) {
        return Ok(Some(DueWork::GrantCheck(Box::new(GrantCheck::read(record)?))));
    }
    if !record.key.is(Kind::SignOut) {
        return Ok(None);
    }
    Ok(read_due(record, now)?.map(|due| DueWork::SignOut(Box::new(due))))
}

/// Reads a sign-out; `None` if it is not time to look.
fn read_due(record: Record, now: Timestamp) -> Result<Option<DueSignOut>, Unavailable> {
    let sign_out: SignOut = decode(&record.key, &record.body)?;
    let looks: Looks = decode(&record.key, &record.state)?;
    Ok((sign_out.looks_due(now) > looks.done).then_some(DueSignOut { sign_out, record }))
}

/// The sessions and grants that a sign-out missed.
#[derive(Debug)]
pub struct Leftovers {
    sessions: Vec<Key>,
    grants: Vec<(Record, Grant)>,
    unreadable: Vec<Unreadable>,
}

impl Leftovers {
    /// Returns the clients that hold tokens of them.
    pub fn clients(&self) -> Vec<SessionClient> {
        grants::session_clients(self.grants.iter().map(|(_, grant)| grant))
    }

    /// Ends them, and notes the look in the record of the sign-out; after the last look removes the record.
    ///
    /// # Errors
    /// The store fails, or a session or grant cannot be read. All others have ended then, and the record of the sign-out
    /// stays as it is, so that the next run reports it again.
    pub async fn end(
        self,
        due: DueSignOut,
        records: &dyn Records,
        now: Timestamp,
        write_id: &str,
    ) -> Result<(), Unavailable> {
        let no_limit = || false;
        end_sessions(records, &self.sessions, now, &no_limit).await?;
        let found = self.grants.into_iter().map(|(record, _)| record).collect();
        end_grants(records, found, now, write_id, &no_limit).await?;
        if let Some(unreadable) = self.unreadable.into_iter().next() {
            return Err(unreadable.into());
        }
        let DueSignOut { sign_out, record } = due;
        let done = sign_out.looks_due(now);
        if done >= sign_out.looks().len() {
            return records.delete(&record.key).await;
        }
        let (target, expires_at) = (Target::unowned(record.key.clone()), record.expires_at);
        let noted = update(records, target, Start::Known(record), |current: Option<&Current<Looks>>| {
            Ok::<_, Unavailable>(match current {
                Some(current) if current.state.value.done < done => {
                    Change::Write(Looks { done, write_id: write_id.to_owned() }, expires_at, ())
                }
                Some(_) | None => Change::Keep(()),
            })
        });
        noted.await.map(|_| ())
    }
}

/// Returns the live sessions and grants of sign-ins before a sign-out. After a sign-out from one session, grants for
/// offline use are not among them: they outlast the session (OpenID Connect Core §11).
pub async fn leftovers(records: &dyn Records, sign_out: &SignOut) -> Result<Leftovers, Unavailable> {
    let owner = users::owner(&sign_out.subject);
    let mut sessions = owned(records, &owner, Kind::Session).await?;
    sessions.retain(|session| !is_ended(session));
    let (sessions, mut unreadable) = read_each(sessions, |record| {
        let session: Session = decode(&record.key, &record.body)?;
        Ok((record.key, session))
    });
    let grants = owned(records, &owner, Kind::Grant).await?;
    let (grants, unreadable_grants) = read_each(grants, |record| {
        let grant: Grant = decode(&record.key, &record.body)?;
        let state: GrantState = decode(&record.key, &record.state)?;
        Ok((record, grant, state))
    });
    unreadable.extend(unreadable_grants);
    let is_left = |session: &Session| {
        sign_out.client_id.is_none()
            && session.authentication.auth_time < sign_out.reaches_to()
            && sign_out.is_of(Some(session.group))
    };
    let sessions = sessions.into_iter().filter(|(_, session)| is_left(session)).map(|(key, _)| key);
    let ends = |grant: &Grant, state: &GrantState| match &sign_out.client_id {
        // The user may have allowed the client again, in the same session. A code from before is redeemed later at times.
        Some(client_id) => {
            let started_at = || state.active().map(|active| active.started_at);
            let created_at = grant.created_at.or_else(started_at);
            grant.client_id == *client_id && created_at.is_none_or(|created_at| created_at < sign_out.reaches_to())
        }
        None => {
            grant.authentication.auth_time < sign_out.reaches_to()
                && sign_out.is_of(grant.session_group)
                && (sign_out.group.is_none() || !grant.is_for_offline_use())
        }
    };
    let grants = grants.into_iter().filter(|(_, grant, state)| ends(grant, state) && !state.is_revoked());
    let grants = grants.map(|(record, grant, _)| (record, grant));
    Ok(Leftovers { sessions: sessions.collect(), grants: grants.collect(), unreadable })
}

/// Removes all consents of a user, some at the same time.
pub async fn forget_consents(records: &dyn Records, subject: &Subject, now: Timestamp) -> Result<(), Unavailable> {
    let consents = owned(records, &users::owner(subject), Kind::Consent).await?;
    for some in consents.chunks(ENDED_AT_ONCE) {
        try_join_all(some.iter().map(|consent| consents::remove_record(records, &consent.key, now))).await?;
    }
    Ok(())
}

/// Returns all records of a kind and an owner. Round trips: 1 for each 100 records of the owner.
pub(crate) async fn owned(records: &dyn Records, owner: &Owner, kind: Kind) -> Result<Vec<Record>, Unavailable> {
    let mut found = all_owned(records, owner).await?;
    found.retain(|record| record.key.is(kind));
    Ok(found)
}

pub(super) async fn all_owned(records: &dyn Records, owner: &Owner) -> Result<Vec<Record>, Unavailable> {
    let mut found = Vec::new();
    let mut cursor: Option<Cursor> = None;
    loop {
        let page = records.list(owner, cursor.as_ref(), PAGE).await?;
        found.extend(page.records);
        match page.next {
            Some(next) => cursor = Some(next),
            None => return Ok(found),
        }
    }
}
