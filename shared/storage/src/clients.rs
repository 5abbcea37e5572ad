//! Clients.

use crate::stored::{Replaced, TRIES, decode, encode, put, replace, state, too_busy};
use crate::{Advance, Cursor, Key, Kind, Owner, Records, Unavailable};
use protocol::{StoredClient, Timestamp};
use std::time::Duration;

fn owner() -> Owner {
    Owner::new("clients")
}

/// The key of a client's record.
pub fn key(client_id: &str) -> Key {
    Key::new(Kind::Client, owner().partition(), client_id)
}

/// Reads a client.
pub async fn find(records: &dyn Records, client_id: &str) -> Result<Option<StoredClient>, Unavailable> {
    state(records, &key(client_id)).await
}

/// How long the record of a client outlives the moment from which on it is forgotten.
const MARGIN: Duration = Duration::from_secs(3600);

fn expiry(client: &StoredClient) -> Option<Timestamp> {
    client.unused_until.map(|forgotten_at| forgotten_at.after(MARGIN))
}

/// Stores a client, new or changed.
pub async fn save(records: &dyn Records, client: &StoredClient) -> Result<(), Unavailable> {
    put(records, &key(&client.client.client_id), Some(owner()), client, expiry(client)).await
}

/// Stores what `change` makes of the client that is there, and of nothing else: when somebody else changes it meanwhile,
/// what they made of it is changed. Gives back what else `change` says.
pub async fn change<T, E: From<Unavailable>>(
    records: &dyn Records,
    client_id: &str,
    change: impl Fn(Option<StoredClient>) -> Result<(StoredClient, T), E>,
) -> Result<(StoredClient, T), E> {
    let key = key(client_id);
    let mut current = records.get(&key).await?;
    for _ in 0..TRIES {
        let before = current.as_ref().map(|record| decode(&key, &record.state)).transpose()?;
        let (after, more) = change(before)?;
        match replace(records, &key, current.as_ref(), Some(owner()), encode(&after), expiry(&after)).await? {
            Replaced::Written => return Ok((after, more)),
            Replaced::Lost(newer) => current = newer,
        }
    }
    Err(too_busy(&key).into())
}

/// Lets a client live on that would be forgotten, because it is used.
pub async fn keep(records: &dyn Records, client_id: &str) -> Result<(), Unavailable> {
    let key = key(client_id);
    let Some(mut record) = records.get(&key).await? else { return Ok(()) };
    for _ in 0..TRIES {
        let stored: StoredClient = decode(&key, &record.state)?;
        if stored.unused_until.is_none() {
            return Ok(());
        }
        let kept = encode(&StoredClient { unused_until: None, ..stored });
        match records.advance(&key, record.generation, &kept, None).await? {
            Advance::Advanced(_) | Advance::Missing => return Ok(()),
            Advance::Stale(newer) => record = newer,
        }
    }
    Err(too_busy(&key))
}

/// Removes a client.
pub async fn remove(records: &dyn Records, client_id: &str) -> Result<(), Unavailable> {
    records.delete(&key(client_id)).await
}

/// At most `limit` clients, in order of their names, and where to go on.
pub async fn list(
    records: &dyn Records,
    cursor: Option<&Cursor>,
    limit: u32,
) -> Result<(Vec<StoredClient>, Option<Cursor>), Unavailable> {
    let page = records.list(&owner(), cursor, limit).await?;
    let clients = page.records.iter().map(|record| decode(&record.key, &record.state)).collect::<Result<_, _>>()?;
    Ok((clients, page.next))
}
