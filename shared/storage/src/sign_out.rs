//! Signing a person out everywhere.

use crate::grants::Party;
use crate::stored::decode;
use crate::{Cursor, Kind, Owner, Record, Records, Unavailable, grants, users};
use protocol::{Grant, Timestamp};

/// What was ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ended {
    /// Sessions of browsers.
    pub sessions: usize,
    /// Grants, those for offline use too; all tokens made from them are dead.
    pub grants: usize,
}

/// The clients that hold tokens of any session of a person.
pub async fn parties(records: &dyn Records, subject: &str) -> Result<Vec<Party>, Unavailable> {
    let found = owned(records, &users::owner(subject), Kind::Grant).await?;
    let grants: Vec<Grant> = found.iter().map(|record| decode(&record.key, &record.body)).collect::<Result<_, _>>()?;
    Ok(grants::parties(grants.iter()))
}

/// Ends all sessions of a person, then all grants: a session that is gone makes no more of them.
pub async fn everywhere(
    records: &dyn Records,
    subject: &str,
    now: Timestamp,
    writer: &str,
) -> Result<Ended, Unavailable> {
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

/// Forgets what a person allowed clients.
pub async fn forget_consents(records: &dyn Records, subject: &str) -> Result<(), Unavailable> {
    for consent in owned(records, &users::owner(subject), Kind::Consent).await? {
        records.delete(&consent.key).await?;
    }
    Ok(())
}

async fn owned(records: &dyn Records, owner: &Owner, kind: Kind) -> Result<Vec<Record>, Unavailable> {
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
