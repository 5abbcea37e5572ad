//! Sessions: somebody signed in, in one browser.

use crate::stored::{decode, encode};
use crate::{Created, Key, Kind, Partition, Record, Records, Unavailable, users};
use protocol::{AuthenticationContext, GrantId, Timestamp};
use serde::{Deserialize, Serialize};

/// Somebody signed in, in one browser. Never changes: signing in anew makes another.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Session {
    /// Who.
    pub subject: String,
    /// What they are called on pages.
    pub name: String,
    /// How and when.
    pub authentication: AuthenticationContext,
    /// What its names in ID tokens are made of (`protocol::logout::sid_for`); says nothing of its name in the store.
    pub sid: String,
}

fn key(id: GrantId) -> Key {
    Key::new(Kind::Session, Partition::from_bytes(id.partition()), &id.name())
}

/// A name for a new session of a person, from fresh randomness.
pub fn new_id(subject: &str, random: [u8; 16]) -> GrantId {
    GrantId::new(users::owner(subject).partition().to_bytes(), random)
}

/// Stores a new session.
pub async fn create(
    records: &dyn Records,
    id: GrantId,
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
    match records.create(&record).await? {
        Created::Created => Ok(()),
        Created::Exists(_) => Err(Unavailable { reason: "a random session name was taken".to_owned() }),
    }
}

/// Reads a session.
pub async fn find(records: &dyn Records, id: GrantId) -> Result<Option<Session>, Unavailable> {
    match records.get(&key(id)).await? {
        Some(record) => decode(&record.key, &record.body).map(Some),
        None => Ok(None),
    }
}

/// Ends a session.
pub async fn remove(records: &dyn Records, id: GrantId) -> Result<(), Unavailable> {
    records.delete(&key(id)).await
}
