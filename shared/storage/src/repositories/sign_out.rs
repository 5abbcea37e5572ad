//! Sign-out of a user, from one session or from all.
//!
//! A request that runs at the same time may have read its session before, and create a grant that no listing shows yet;
//! listings also lag. Therefore a sign-out is a record, and a minute later the sessions and grants that are left are
//! ended too.

use super::deployment_list::DeploymentList;
use super::grants::SessionClient;
use super::sessions::Session;
use super::stored::{Unreadable, decode, encode, read_each};
use super::update::create_new;
use crate::{Bucket, Cursor, Key, Kind, Owner, Record, Records, Unavailable, grants, users};
use futures::future::join_all;
use protocol::{Grant, GrantState};
use serde::{Deserialize, Serialize};
use std::time::Duration;
use types::{Subject, Timestamp};

/// The numbers of what a sign-out ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ended {
    /// Sessions.
    pub sessions: usize,
    /// Grants, with those for offline use.
    pub grants: usize,
}

/// A sign-out of a user.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignOut {
    /// `sub` of the user.
    pub subject: Subject,
    /// The session; `None` for all sessions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sid: Option<String>,
    /// The time of the sign-out. Later sign-ins stay.
    pub at: Timestamp,
    id: String,
}

impl SignOut {
    fn is_of(&self, sid: &str) -> bool {
        self.sid.as_deref().is_none_or(|signed_out_of| signed_out_of == sid)
    }
}

/// Time from a sign-out to the search for leftovers: no request is still running then, and listings have caught up.
const LEFTOVERS_AFTER: Duration = Duration::from_secs(60);

/// Time from a sign-out to the removal of its record.
const KEPT: Duration = Duration::from_secs(2 * 86_400);

/// Records in one page of a listing.
const PAGE: u32 = 100;

/// Buckets of pending sign-outs that are read at the same time.
const BUCKETS_AT_ONCE: usize = 32;

const PENDING: DeploymentList = DeploymentList::new(Kind::SignOut, "signouts");

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
    sid: Option<&str>,
    now: Timestamp,
    write_id: &str,
) -> Result<(), Unavailable> {
    let sign_out = SignOut { subject: subject.clone(), sid: sid.map(str::to_owned), at: now, id: write_id.to_owned() };
    let record = Record {
        key: PENDING.key(&sign_out.id),
        owner: Some(PENDING.owner(&sign_out.id)),
        body: encode(&sign_out),
        state: String::new(),
        generation: 0,
        expires_at: Some(now.after(KEPT)),
    };
    create_new(records, record, &[]).await.map(|_| ())
}

/// Ends all sessions of a user, then all grants: an ended session yields no new grant. [`leftovers`] finds what this
/// misses.
pub async fn everywhere(
    records: &dyn Records,
    subject: &Subject,
    now: Timestamp,
    write_id: &str,
) -> Result<Ended, Unavailable> {
    begin(records, subject, None, now, write_id).await?;
    let owner = users::owner(subject);
    let mut ended = Ended::default();
    for session in owned(records, &owner, Kind::Session).await? {
        records.delete(&session.key).await?;
        ended.sessions = ended.sessions.saturating_add(1);
    }
    for grant in owned(records, &owner, Kind::Grant).await? {
        if grants::end(records, grant, now, write_id).await? {
            ended.grants = ended.grants.saturating_add(1);
        }
    }
    Ok(ended)
}

/// Returns the sign-outs that are old enough to search for leftovers, and an error for each record that cannot be read and
/// for each bucket that cannot be listed.
pub async fn due(records: &dyn Records, now: Timestamp) -> Vec<Result<SignOut, Unavailable>> {
    let owners: Vec<Owner> = Bucket::all().map(|bucket| PENDING.owner_of(bucket)).collect();
    let is_due = |sign_out: &SignOut| sign_out.at.after(LEFTOVERS_AFTER).is_past(now);
    let mut due = Vec::new();
    for some in owners.chunks(BUCKETS_AT_ONCE) {
        for found in join_all(some.iter().map(|owner| owned(records, owner, Kind::SignOut))).await {
            let found = match found {
                Ok(found) => found,
                Err(unavailable) => {
                    due.push(Err(unavailable));
                    continue;
                }
            };
            let sign_outs = found.iter().map(|record| Ok(decode::<SignOut>(&record.key, &record.body)?));
            due.extend(sign_outs.filter(|sign_out: &Result<_, Unavailable>| sign_out.as_ref().map_or(true, is_due)));
        }
    }
    due
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

    /// Ends them and removes the record of the sign-out.
    ///
    /// # Errors
    /// The store fails, or a session or grant cannot be read. All others have ended then, and the record of the sign-out
    /// stays, so that the next search reports it again.
    pub async fn end(
        self,
        sign_out: &SignOut,
        records: &dyn Records,
        now: Timestamp,
        write_id: &str,
    ) -> Result<(), Unavailable> {
        for session in self.sessions {
            records.delete(&session).await?;
        }
        for (record, _) in self.grants {
            grants::end(records, record, now, write_id).await?;
        }
        match self.unreadable.into_iter().next() {
            Some(unreadable) => Err(unreadable.into()),
            None => records.delete(&PENDING.key(&sign_out.id)).await,
        }
    }
}

/// Returns the live sessions and grants of sign-ins before a sign-out. After a sign-out from one session, grants for
/// offline use are not among them: they outlast the session (OpenID Connect Core §11).
pub async fn leftovers(records: &dyn Records, sign_out: &SignOut) -> Result<Leftovers, Unavailable> {
    let owner = users::owner(&sign_out.subject);
    let sessions = owned(records, &owner, Kind::Session).await?;
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
    let is_left = |session: &Session| session.authentication.auth_time < sign_out.at && sign_out.is_of(&session.sid);
    let sessions = sessions.into_iter().filter(|(_, session)| is_left(session)).map(|(key, _)| key);
    let ends = |grant: &Grant| {
        grant.authentication.auth_time < sign_out.at
            && sign_out.is_of(&grant.sid)
            && (sign_out.sid.is_none() || !grant.is_for_offline_use())
    };
    let grants = grants.into_iter().filter(|(_, grant, state)| ends(grant) && !state.is_revoked());
    let grants = grants.map(|(record, grant, _)| (record, grant));
    Ok(Leftovers { sessions: sessions.collect(), grants: grants.collect(), unreadable })
}

/// Removes all consents of a user.
pub async fn forget_consents(records: &dyn Records, subject: &Subject) -> Result<(), Unavailable> {
    for consent in owned(records, &users::owner(subject), Kind::Consent).await? {
        records.delete(&consent.key).await?;
    }
    Ok(())
}

/// Returns all records of a kind and an owner. Round trips: 1 for each 100 records of the owner.
pub(crate) async fn owned(records: &dyn Records, owner: &Owner, kind: Kind) -> Result<Vec<Record>, Unavailable> {
    let mut found = Vec::new();
    let mut cursor: Option<Cursor> = None;
    loop {
        let page = records.list(owner, cursor.as_ref(), PAGE).await?;
        found.extend(page.records.into_iter().filter(|record| record.key.is(kind)));
        match page.next {
            Some(next) => cursor = Some(next),
            None => return Ok(found),
        }
    }
}
