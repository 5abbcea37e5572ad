//! The directory of sign-in names: which exist, and whose they are. Says nothing of what they sign in with.

use crate::stored::{decode, encode};
use crate::users::normalize;
use crate::{Created, Cursor, Key, Kind, Owner, Record, Records, Unavailable};
use serde::{Deserialize, Serialize};

/// A sign-in name, and whose it is. Never changes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// The sign-in name, normalized.
    pub username: String,
    /// The subject of the person.
    #[serde(rename = "sub")]
    pub subject: String,
}

fn owner() -> Owner {
    Owner::new("users")
}

fn key(username: &str) -> Key {
    Key::new(Kind::User, owner().partition(), &format!("name#{}", normalize(username)))
}

/// Finds whose a sign-in name is.
pub async fn find(records: &dyn Records, username: &str) -> Result<Option<Entry>, Unavailable> {
    match records.get(&key(username)).await? {
        Some(record) => decode(&record.key, &record.body).map(Some),
        None => Ok(None),
    }
}

/// Enters a sign-in name for a subject, unless it is there: of several who try at once, all are told the one entry.
pub async fn enter(records: &dyn Records, username: &str, subject: &str) -> Result<Entry, Unavailable> {
    let entry = Entry { username: normalize(username), subject: subject.to_owned() };
    let record = Record {
        key: key(username),
        owner: Some(owner()),
        body: encode(&entry),
        state: String::new(),
        generation: 0,
        expires_at: None,
    };
    match records.create(&record).await? {
        Created::Created => Ok(entry),
        Created::Exists(record) => decode(&record.key, &record.body),
    }
}

/// Takes a sign-in name out.
pub async fn remove(records: &dyn Records, username: &str) -> Result<(), Unavailable> {
    records.delete(&key(username)).await
}

/// At most `limit` names, in their order, and where to go on.
pub async fn list(
    records: &dyn Records,
    cursor: Option<&Cursor>,
    limit: u32,
) -> Result<(Vec<Entry>, Option<Cursor>), Unavailable> {
    let page = records.list(&owner(), cursor, limit).await?;
    let entries = page.records.iter().map(|record| decode(&record.key, &record.body)).collect::<Result<_, _>>()?;
    Ok((entries, page.next))
}
