//! Signing a person out, of one session or everywhere.
//!
//! A request that was on its way when it happened had read its session already, and makes a grant that no list holds yet;
//! and a list may lag behind. So it is written down who was signed out of what and when, and a minute later whatever is
//! left of it is ended too.

use crate::grants::Party;
use crate::sessions::Session;
use crate::stored::{decode, encode};
use crate::{Created, Cursor, Key, Kind, Owner, Record, Records, Unavailable, grants, users};
use protocol::{Grant, GrantState, GrantStatus, Timestamp};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// What was ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ended {
    /// Sessions of browsers.
    pub sessions: usize,
    /// Grants, those for offline use too; all tokens made from them are dead.
    pub grants: usize,
}

/// Who was signed out, and when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignOut {
    /// Who.
    pub subject: String,
    /// Of what: the session's `sid`; everywhere when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sid: Option<String>,
    /// When. What began later stays.
    pub at: Timestamp,
    /// Its name.
    id: String,
}

impl SignOut {
    fn is_of(&self, sid: &str) -> bool {
        self.sid.as_deref().is_none_or(|signed_out_of| signed_out_of == sid)
    }
}

/// From then on no request is still on its way, and no list lags.
const SETTLED: Duration = Duration::from_secs(60);

fn all_sign_outs() -> Owner {
    Owner::new("signouts")
}

fn key(id: &str) -> Key {
    Key::new(Kind::SignOut, all_sign_outs().partition(), id)
}

/// The clients that hold tokens of any session of a person.
pub async fn parties(records: &dyn Records, subject: &str) -> Result<Vec<Party>, Unavailable> {
    let found = owned(records, &users::owner(subject), Kind::Grant).await?;
    let grants: Vec<Grant> = found.iter().map(|record| decode(&record.key, &record.body)).collect::<Result<_, _>>()?;
    Ok(grants::parties(grants.iter()))
}

/// Writes down that a person is being signed out, of one session or of all, so that [`overlooked`] finds what is missed.
/// `writer` is a random name.
pub async fn begin(
    records: &dyn Records,
    subject: &str,
    sid: Option<&str>,
    now: Timestamp,
    writer: &str,
) -> Result<(), Unavailable> {
    let sign_out = SignOut { subject: subject.to_owned(), sid: sid.map(str::to_owned), at: now, id: writer.to_owned() };
    let record = Record {
        key: key(&sign_out.id),
        owner: Some(all_sign_outs()),
        body: encode(&sign_out),
        state: String::new(),
        generation: 0,
        expires_at: Some(now.after(Duration::from_secs(2 * 86_400))),
    };
    match records.create(&record).await? {
        Created::Created => Ok(()),
        Created::Exists(_) => Err(Unavailable { reason: "the random name of a sign-out was taken".to_owned() }),
    }
}

/// Ends all sessions of a person, then all grants: a session that is gone makes no more of them. What it misses is found
/// by [`overlooked`].
pub async fn everywhere(
    records: &dyn Records,
    subject: &str,
    now: Timestamp,
    writer: &str,
) -> Result<Ended, Unavailable> {
    begin(records, subject, None, now, writer).await?;
    let owner = users::owner(subject);
    let mut ended = Ended::default();
    for session in owned(records, &owner, Kind::Session).await? {
        records.delete(&session.key).await?;
        ended.sessions = ended.sessions.saturating_add(1);
    }
    for grant in owned(records, &owner, Kind::Grant).await? {
        if grants::end(records, &grant.key.clone(), grant, now, writer).await? {
            ended.grants = ended.grants.saturating_add(1);
        }
    }
    Ok(ended)
}

/// Those who were signed out so long ago that what was overlooked can be found; an error in place of each that cannot be
/// read.
pub async fn settled(records: &dyn Records, now: Timestamp) -> Result<Vec<Result<SignOut, Unavailable>>, Unavailable> {
    let found = owned(records, &all_sign_outs(), Kind::SignOut).await?;
    let sign_outs = found.iter().map(|record| decode::<SignOut>(&record.key, &record.body));
    let is_settled = |sign_out: &SignOut| sign_out.at.after(SETTLED).is_past(now);
    Ok(sign_outs.filter(|sign_out| sign_out.as_ref().map_or(true, is_settled)).collect())
}

/// What a sign-out missed.
#[derive(Debug)]
pub struct Overlooked {
    sessions: Vec<Key>,
    grants: Vec<(Record, Grant)>,
}

impl Overlooked {
    /// The clients that hold tokens of it.
    pub fn parties(&self) -> Vec<Party> {
        grants::parties(self.grants.iter().map(|(_, grant)| grant))
    }

    /// Ends it; after that the sign-out is over.
    pub async fn end(
        self,
        sign_out: &SignOut,
        records: &dyn Records,
        now: Timestamp,
        writer: &str,
    ) -> Result<(), Unavailable> {
        for session in self.sessions {
            records.delete(&session).await?;
        }
        for (record, _) in self.grants {
            grants::end(records, &record.key.clone(), record, now, writer).await?;
        }
        records.delete(&key(&sign_out.id)).await
    }
}

/// The sessions and grants of sign-ins before a sign-out that are still alive; of one session without those for offline
/// use, which outlast it (OpenID Connect Core §11).
pub async fn overlooked(records: &dyn Records, sign_out: &SignOut) -> Result<Overlooked, Unavailable> {
    let owner = users::owner(&sign_out.subject);
    let mut overlooked = Overlooked { sessions: Vec::new(), grants: Vec::new() };
    for record in owned(records, &owner, Kind::Session).await? {
        let session: Session = decode(&record.key, &record.body)?;
        if session.authentication.auth_time < sign_out.at && sign_out.is_of(&session.sid) {
            overlooked.sessions.push(record.key);
        }
    }
    for record in owned(records, &owner, Kind::Grant).await? {
        let grant: Grant = decode(&record.key, &record.body)?;
        let state: GrantState = decode(&record.key, &record.state)?;
        let is_ended = sign_out.is_of(&grant.sid) && (sign_out.sid.is_none() || !grant.is_for_offline_use());
        if grant.authentication.auth_time < sign_out.at && is_ended && state.status != GrantStatus::Revoked {
            overlooked.grants.push((record, grant));
        }
    }
    Ok(overlooked)
}

/// Forgets what a person allowed clients.
pub async fn forget_consents(records: &dyn Records, subject: &str) -> Result<(), Unavailable> {
    for consent in owned(records, &users::owner(subject), Kind::Consent).await? {
        records.delete(&consent.key).await?;
    }
    Ok(())
}

/// All of a kind that is somebody's. One round trip for each hundred of whatever is theirs.
pub(crate) async fn owned(records: &dyn Records, owner: &Owner, kind: Kind) -> Result<Vec<Record>, Unavailable> {
    let mut found = Vec::new();
    let mut cursor: Option<Cursor> = None;
    loop {
        let page = records.list(owner, cursor.as_ref(), 100).await?;
        found.extend(page.records.into_iter().filter(|record| record.key.is(kind)));
        match page.next {
            Some(next) => cursor = Some(next),
            None => return Ok(found),
        }
    }
}
