//! The directory of sign-in names: each name and the subject of its user, without any credential.

use super::deployment_list::DeploymentList;
use super::stored::{Listing, decode, encode};
use crate::{Created, Cursor, Key, Kind, Record, Records, Unavailable};
use protocol::Username;
use serde::{Deserialize, Serialize};
use types::Subject;

/// A sign-in name and the subject of its user. Never changes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// The sign-in name, normalized.
    pub username: String,
    /// `sub` of the user.
    #[serde(rename = "sub")]
    pub subject: Subject,
}

const ALL: DeploymentList = DeploymentList::new(Kind::User, "users");

fn id(username: &Username) -> String {
    format!("name#{username}")
}

fn key(username: &Username) -> Key {
    ALL.key(&id(username))
}

/// Finds the entry of a sign-in name. Round trips: 1.
pub async fn find(records: &dyn Records, username: &Username) -> Result<Option<Entry>, Unavailable> {
    let Some(record) = records.get(&key(username)).await? else { return Ok(None) };
    Ok(Some(decode(&record.key, &record.body)?))
}

/// Enters a sign-in name for a subject if the name is free. Returns the entry of the name, which is the same for all
/// callers. Round trips: 1.
pub async fn enter(records: &dyn Records, username: &Username, subject: &Subject) -> Result<Entry, Unavailable> {
    let entry = Entry { username: username.as_str().to_owned(), subject: subject.clone() };
    let record = Record {
        key: key(username),
        owner: Some(ALL.owner(&id(username))),
        body: encode(&entry),
        state: String::new(),
        generation: 0,
        expires_at: None,
    };
    match records.create(&record).await? {
        Created::Created => Ok(entry),
        Created::Exists(record) => Ok(decode(&record.key, &record.body)?),
    }
}

/// Finds the subject of a sign-in name whose user is to be deleted: `None` if there is no entry, `Some(None)` if the entry
/// names no subject that can be read. Round trips: 1.
pub async fn find_for_deletion(
    records: &dyn Records,
    username: &Username,
) -> Result<Option<Option<Subject>>, Unavailable> {
    let Some(record) = records.get(&key(username)).await? else { return Ok(None) };
    Ok(Some(decode::<Entry>(&record.key, &record.body).ok().map(|entry| entry.subject)))
}

/// Removes a sign-in name. Does not read it.
pub async fn remove(records: &dyn Records, username: &Username) -> Result<(), Unavailable> {
    records.delete(&key(username)).await
}

/// Returns at most `limit` entries from `cursor` on, in no particular order.
pub async fn list(records: &dyn Records, cursor: Option<&Cursor>, limit: u32) -> Result<Listing<Entry>, Unavailable> {
    ALL.page(records, cursor, limit, |record| decode(&record.key, &record.body)).await
}
