//! Clients.

use crate::stored::{decode, put, state};
use crate::{Cursor, Key, Kind, Owner, Records, Unavailable};
use protocol::StoredClient;

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

/// Stores a client, new or changed.
pub async fn save(records: &dyn Records, client: &StoredClient) -> Result<(), Unavailable> {
    put(records, &key(&client.client.client_id), Some(owner()), client, None).await
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
