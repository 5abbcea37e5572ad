//! Sessions: a user signed in, in one browser.

use super::stored::{decode, encode, read_each};
use super::tombstone;
use super::update::create_new;
use crate::{Key, Kind, Partition, Record, Records, Unavailable, users};
use protocol::{AuthenticationContext, SessionGroup, SessionId};
use serde::{Deserialize, Serialize};
use types::{Subject, Timestamp};

/// A session: a user signed in, in one browser. Never changes: another sign-in starts another session.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Session {
    /// `sub` of the user.
    pub subject: Subject,
    /// The user's name on pages.
    pub name: String,
    /// The sign-in name. `None` if a version before this one wrote the session.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
    /// Method and time of the sign-in.
    pub authentication: AuthenticationContext,
    /// The kind of browser and of system, in words of this server. `None` if it is unknown, or a version before this one wrote the session.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub browser: Option<String>,
    /// The sessions of this user at this browser, from which `sid` in ID tokens is derived. Independent of the key.
    pub group: SessionGroup,
}

/// A session of a user, as a listing shows it.
#[derive(Clone, Debug, PartialEq)]
pub struct ListedSession {
    /// The identifier of the session.
    pub id: SessionId,
    /// The session.
    pub session: Session,
    /// The end of the session.
    pub expires_at: Option<Timestamp>,
}

/// The state of a session that ended.
#[derive(Serialize, Deserialize)]
struct State {
    #[serde(default)]
    ended: bool,
}

fn key(id: SessionId) -> Key {
    Key::new(Kind::Session, Partition::from_bytes(id.partition()), &id.name())
}

/// Returns the identifier of a new session of a user, from fresh randomness.
pub fn new_id(subject: &Subject, random: [u8; 16]) -> SessionId {
    SessionId::new(users::owner(subject).partition().to_bytes(), random)
}

/// Stores a new session. Round trips: 1.
pub async fn create(
    records: &dyn Records,
    id: SessionId,
    session: &Session,
    expires_at: Timestamp,
) -> Result<(), Unavailable> {
    let record = Record {
        key: key(id),
        owner: Some(users::owner(&session.subject)),
        body: encode(session),
        state: String::new(),
        generation: 0,
        expires_at: Some(expires_at),
    };
    create_new(records, record, &[]).await.map(|_| ())
}

/// Reads a session. Round trips: 1.
pub async fn find(records: &dyn Records, id: SessionId) -> Result<Option<Session>, Unavailable> {
    let Some(record) = records.get(&key(id)).await?.filter(|record| !is_ended(record)) else { return Ok(None) };
    Ok(Some(decode(&record.key, &record.body)?))
}

/// Returns the sessions of these records that have not ended, the latest sign-in first; a session that cannot be read is left out.
pub(crate) fn listed(found: Vec<Record>, now: Timestamp) -> Vec<ListedSession> {
    let is_over =
        |record: &Record| is_ended(record) || record.expires_at.is_some_and(|expires_at| expires_at.is_past(now));
    let live = found.into_iter().filter(|record| !is_over(record)).collect();
    let (listed, _) = read_each(live, |record| {
        let session = decode(&record.key, &record.body)?;
        let id = SessionId::from_name(record.key.id());
        Ok(id.map(|id| ListedSession { id, session, expires_at: record.expires_at }))
    });
    let mut listed: Vec<ListedSession> = listed.into_iter().flatten().collect();
    listed.sort_by_key(|listed| std::cmp::Reverse(listed.session.authentication.auth_time));
    listed
}

/// Ends a session. Does not read it. Round trips: 1.
pub async fn end(records: &dyn Records, id: SessionId, now: Timestamp) -> Result<(), Unavailable> {
    end_record(records, &key(id), now).await
}

/// Ends the session of a record.
pub(crate) async fn end_record(records: &dyn Records, key: &Key, now: Timestamp) -> Result<(), Unavailable> {
    tombstone::bury(records, key, &encode(&State { ended: true }), now).await
}

/// True if the session of a record has ended. A live session has no state.
pub(crate) fn is_ended(record: &Record) -> bool {
    decode::<State>(&record.key, &record.state).is_ok_and(|state| state.ended)
}
