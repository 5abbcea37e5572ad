//! Clients that are still to be told that a session has ended. Each is one record, claimed before each attempt and gone
//! after the one that succeeds, so that an instance that dies loses none.

use crate::stored::{decode, encode};
use crate::{Advance, Created, Cursor, Key, Kind, Owner, Record, Records, Unavailable};
use protocol::Timestamp;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Who is to be told what.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Logout {
    /// Names it, in every logout token that is sent for it: a client can tell a second one from another logout.
    pub jti: String,
    /// Whom to tell.
    pub client_id: String,
    /// Whose session it was.
    pub subject: String,
    /// Which session.
    pub sid: String,
    /// When it ended.
    pub ended_at: Timestamp,
}

/// How far it got.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Attempts {
    count: u32,
    next_at: Timestamp,
    writer: String,
}

/// One that is to be tried, claimed by whoever holds it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claimed {
    /// Who is to be told what.
    pub logout: Logout,
    /// How many attempts there are, this one included.
    pub attempts: u32,
}

fn owner() -> Owner {
    Owner::new("logouts")
}

fn key(jti: &str) -> Key {
    Key::new(Kind::Logout, owner().partition(), jti)
}

/// Stores one that is about to be tried for the first time; unless it is removed, the second attempt is due at
/// `next_at`. One round trip.
pub async fn create(
    records: &dyn Records,
    logout: &Logout,
    next_at: Timestamp,
    writer: &str,
) -> Result<(), Unavailable> {
    let record = Record {
        key: key(&logout.jti),
        owner: Some(owner()),
        body: encode(logout),
        state: encode(&Attempts { count: 1, next_at, writer: writer.to_owned() }),
        generation: 0,
        expires_at: Some(logout.ended_at.after(Duration::from_secs(2 * 86_400))),
    };
    match records.create(&record).await? {
        Created::Created => Ok(()),
        Created::Exists(_) => Err(Unavailable { reason: "the random name of a logout was taken".to_owned() }),
    }
}

/// Removes one: the client was told, or it is given up.
pub async fn remove(records: &dyn Records, jti: &str) -> Result<(), Unavailable> {
    records.delete(&key(jti)).await
}

/// At most `limit` of all, whether due or not, and where to go on.
pub async fn list(
    records: &dyn Records,
    cursor: Option<&Cursor>,
    limit: u32,
) -> Result<(Vec<Record>, Option<Cursor>), Unavailable> {
    let page = records.list(&owner(), cursor, limit).await?;
    Ok((page.records, page.next))
}

/// Claims one of [`list`] if it is due. `next` says when the attempt after so many is due; when it says that there is
/// none, this is the last. `None` when it is not due, or somebody else claimed it. One round trip, none when not due.
pub async fn claim(
    records: &dyn Records,
    record: &Record,
    now: Timestamp,
    writer: &str,
    next: impl Fn(&Logout, u32) -> Option<Timestamp>,
) -> Result<Option<Claimed>, Unavailable> {
    let attempts: Attempts = decode(&record.key, &record.state)?;
    if !attempts.next_at.is_past(now) {
        return Ok(None);
    }
    let logout: Logout = decode(&record.key, &record.body)?;
    let count = attempts.count.saturating_add(1);
    // After the last one it is due once more, to be removed.
    let next_at = next(&logout, count).unwrap_or(now.after(Duration::from_secs(600)));
    let state = encode(&Attempts { count, next_at, writer: writer.to_owned() });
    match records.advance(&record.key, record.generation, &state, record.expires_at).await? {
        Advance::Advanced(_) => Ok(Some(Claimed { logout, attempts: count })),
        Advance::Stale(_) | Advance::Missing => Ok(None),
    }
}
