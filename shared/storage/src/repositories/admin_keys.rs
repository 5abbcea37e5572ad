//! Admin keys: the public halves of the keys of administrators. The body of a record is the key; its state says if it is
//! revoked. A revoked or expired key stays in the listing for a month after its expiry.

use super::deployment_list::DeploymentList;
use super::stored::{Listing, Unreadable, decode, encode};
use super::update::{Change, Current, Start, Target, update};
use crate::{Created, Cursor, Key, Kind, Record, Records, Unavailable};
use protocol::administration::{AdminKey, AdminKeyId};
use serde::{Deserialize, Serialize};
use std::time::Duration;
use types::Timestamp;

/// An admin key and its revocation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredAdminKey {
    /// The key.
    pub key: AdminKey,
    /// Time of the revocation; `None` if the key is not revoked.
    pub revoked_at: Option<Timestamp>,
}

/// The state of a record.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct State {
    revoked_at: Option<Timestamp>,
}

/// Time from the expiry of a key to the removal of its record.
const KEPT: Duration = Duration::from_secs(30 * 86_400);

const ALL: DeploymentList = DeploymentList::new(Kind::AdminKey, "admin-keys");

fn key(id: &AdminKeyId) -> Key {
    ALL.key(id.as_str())
}

fn read(record: &Record) -> Result<StoredAdminKey, Unreadable> {
    let State { revoked_at } = decode(&record.key, &record.state)?;
    Ok(StoredAdminKey { key: decode(&record.key, &record.body)?, revoked_at })
}

/// Reads a key. Round trips: 1.
pub async fn find(records: &dyn Records, id: &AdminKeyId) -> Result<Option<StoredAdminKey>, Unavailable> {
    let Some(record) = records.get(&key(id)).await? else { return Ok(None) };
    Ok(Some(read(&record)?))
}

/// Finds a key that is to be revoked: `None` if there is no record, `Some(None)` if this version cannot read it. Round trips: 1.
pub async fn find_for_revocation(
    records: &dyn Records,
    id: &AdminKeyId,
) -> Result<Option<Option<StoredAdminKey>>, Unavailable> {
    Ok(records.get(&key(id)).await?.map(|record| read(&record).ok()))
}

/// Removes a key. Does not read it.
pub async fn remove(records: &dyn Records, id: &AdminKeyId) -> Result<(), Unavailable> {
    records.delete(&key(id)).await
}

/// Stores a new key. Returns false, and stores nothing, if the key is there already, even a revoked one. Round trips: 1.
pub async fn create(records: &dyn Records, new: &AdminKey) -> Result<bool, Unavailable> {
    let id = new.public_key.id();
    let record = Record {
        key: key(&id),
        owner: Some(ALL.owner(id.as_str())),
        body: encode(new),
        state: encode(&State { revoked_at: None }),
        generation: 0,
        expires_at: Some(new.expires_at.after(KEPT)),
    };
    Ok(records.create(&record).await? == Created::Created)
}

/// Revokes a key. The first revocation decides its time. Round trips: 2.
pub async fn revoke(records: &dyn Records, id: &AdminKeyId, now: Timestamp) -> Result<(), Unavailable> {
    let revoke = |current: Option<&Current<State>>| {
        Ok::<_, Unavailable>(match current {
            Some(current) if current.state.value.revoked_at.is_none() => {
                Change::Write(State { revoked_at: Some(now) }, current.expires_at, ())
            }
            Some(_) | None => Change::Keep(()),
        })
    };
    update(records, Target::unowned(key(id)), Start::Read, revoke).await.map(|_| ())
}

/// Returns at most `limit` keys from `cursor` on, in no particular order.
pub async fn list(
    records: &dyn Records,
    cursor: Option<&Cursor>,
    limit: u32,
) -> Result<Listing<StoredAdminKey>, Unavailable> {
    ALL.page(records, cursor, limit, |record| read(&record)).await
}
