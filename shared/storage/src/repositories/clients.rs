//! Registered clients.

use super::deployment_list::DeploymentList;
use super::stored::{Listing, decode};
use super::update::{Change, Current, Start, Target, update};
use crate::{Cursor, Key, Kind, Records, Unavailable};
use protocol::StoredClient;
use std::time::Duration;
use types::{ClientId, Timestamp};

const ALL: DeploymentList = DeploymentList::new(Kind::Client, "clients");

/// Returns the key of a client's record.
pub fn key(client_id: &ClientId) -> Key {
    ALL.key(client_id.as_str())
}

fn target(client_id: &ClientId) -> Target {
    Target::owned(key(client_id), ALL.owner(client_id.as_str()))
}

/// Reads a client. Round trips: 1.
pub async fn find(records: &dyn Records, client_id: &ClientId) -> Result<Option<StoredClient>, Unavailable> {
    let Some(record) = records.get(&key(client_id)).await? else { return Ok(None) };
    Ok(Some(decode(&record.key, &record.state)?))
}

/// True if there is a record for this client, readable or not. Round trips: 1.
pub async fn exists(records: &dyn Records, client_id: &ClientId) -> Result<bool, Unavailable> {
    Ok(records.get(&key(client_id)).await?.is_some())
}

/// Time from the expiry of an unused client to the removal of its record.
const MARGIN: Duration = Duration::from_secs(3600);

fn expiry(client: &StoredClient) -> Option<Timestamp> {
    client.unused_until.map(|unused_until| unused_until.after(MARGIN))
}

/// Stores a client, new or changed. Round trips: 1 if it is new, 2 if it replaces one.
pub async fn save(records: &dyn Records, client: &StoredClient) -> Result<(), Unavailable> {
    let replace = |_: Option<&Current<_>>| Ok::<_, Unavailable>(Change::Write(client.clone(), expiry(client), ()));
    update(records, target(&client.client.client_id), Start::Absent, replace).await.map(|_| ())
}

/// Applies `change` to the stored client and writes the result (compare-and-swap). If another writer was first, `change`
/// is applied to the client that this writer left. Returns the client as written and the second value of `change`.
pub async fn change<T: Send, E: From<Unavailable> + Send>(
    records: &dyn Records,
    client_id: &ClientId,
    change: impl Fn(Option<StoredClient>) -> Result<(StoredClient, T), E> + Send,
) -> Result<(StoredClient, T), E> {
    let updated = update(records, target(client_id), Start::Read, move |current: Option<&Current<StoredClient>>| {
        let (after, more) = change(current.map(|current| current.state.value.clone()))?;
        Ok::<_, E>(Change::Write(after.clone(), expiry(&after), (after, more)))
    });
    Ok(updated.await?.result)
}

/// Keeps a client that would expire unused, because it is used now.
pub async fn keep(records: &dyn Records, client_id: &ClientId) -> Result<(), Unavailable> {
    let keep = |current: Option<&Current<StoredClient>>| {
        Ok::<_, Unavailable>(match current.map(|current| &current.state.value) {
            Some(stored) if stored.unused_until.is_some() => {
                Change::Write(StoredClient { unused_until: None, ..stored.clone() }, None, ())
            }
            Some(_) | None => Change::Keep(()),
        })
    };
    update(records, target(client_id), Start::Read, keep).await.map(|_| ())
}

/// Stores a client that identical registrations share, unless it is there. Returns the stored client, which may be another
/// one of that name. Round trips: 1, or 2 if one of that name has expired.
pub async fn share(records: &dyn Records, client: &StoredClient, now: Timestamp) -> Result<StoredClient, Unavailable> {
    let target = target(&client.client.client_id);
    let shared = update(records, target, Start::Absent, |current: Option<&Current<StoredClient>>| {
        let known = current.map(|current| &current.state.value).filter(|known| known.is_there(now));
        Ok::<_, Unavailable>(match known {
            None => Change::Write(client.clone(), expiry(client), client.clone()),
            Some(known) => Change::Keep(known.clone()),
        })
    });
    Ok(shared.await?.result)
}

/// Stores the client of a metadata document. A client that the operator registered under this `client_id` stays, and so do a copy
/// that was read later and the operator's review of a document that did not change. Returns the stored client. Round trips: 1 for
/// a new client, else 2.
pub async fn put_document(
    records: &dyn Records,
    client: &StoredClient,
    now: Timestamp,
) -> Result<StoredClient, Unavailable> {
    let target = target(&client.client.client_id);
    let stored = update(records, target, Start::Absent, |current: Option<&Current<StoredClient>>| {
        let known = current.map(|current| &current.state.value).filter(|known| known.is_there(now));
        Ok::<_, Unavailable>(match known {
            Some(known) if !known.is_document() || is_older(client, known) => Change::Keep(known.clone()),
            Some(known) => {
                let (since, unused_until) = (known.since, known.unused_until.max(client.unused_until));
                let reviewed = known.reviewed && known.client == client.client;
                let client = StoredClient { since, unused_until, reviewed, ..client.clone() };
                Change::Write(client.clone(), expiry(&client), client)
            }
            None => Change::Write(client.clone(), expiry(client), client.clone()),
        })
    });
    Ok(stored.await?.result)
}

/// True if the copy of the document was read earlier than the stored one.
fn is_older(client: &StoredClient, stored: &StoredClient) -> bool {
    let read_at = |client: &StoredClient| client.document.as_ref().map(|copy| copy.read_at);
    read_at(client) < read_at(stored)
}

/// Extends the expiry of a client that identical registrations share, if less than half of `lifetime` is left. Returns the
/// client; `None` if it has expired or is gone. Round trips: 1, or 2 if it is extended.
pub async fn extend(
    records: &dyn Records,
    client_id: &ClientId,
    lifetime: Duration,
    now: Timestamp,
) -> Result<Option<StoredClient>, Unavailable> {
    let extended = update(records, target(client_id), Start::Read, |current: Option<&Current<StoredClient>>| {
        let known = current.map(|current| &current.state.value).filter(|known| known.is_there(now));
        let extension = known.filter(|known| known.lives_by_use()).and_then(|known| known.extension(lifetime, now));
        Ok::<_, Unavailable>(match (known, extension) {
            (Some(known), Some(unused_until)) => {
                let client = StoredClient { unused_until: Some(unused_until), ..known.clone() };
                Change::Write(client.clone(), expiry(&client), Some(client))
            }
            _ => Change::Keep(known.cloned()),
        })
    });
    Ok(extended.await?.result)
}

/// Removes a client. Does not read it.
pub async fn remove(records: &dyn Records, client_id: &ClientId) -> Result<(), Unavailable> {
    records.delete(&key(client_id)).await
}

/// Returns at most `limit` clients from `cursor` on, in no particular order.
pub async fn list(
    records: &dyn Records,
    cursor: Option<&Cursor>,
    limit: u32,
) -> Result<Listing<StoredClient>, Unavailable> {
    ALL.page(records, cursor, limit, |record| decode(&record.key, &record.state)).await
}
