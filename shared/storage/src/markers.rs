//! Markers: something happened, once.

use crate::{Created, Key, Kind, Partition, Record, Records, Unavailable};
use protocol::Timestamp;

fn revoked(jti: &str) -> Key {
    let id = format!("revoked-{jti}");
    Key::new(Kind::Marker, Partition::of(&id), &id)
}

/// Marks an access token that no grant stands behind as revoked, for as long as it would live.
pub async fn revoke(records: &dyn Records, jti: &str, expires_at: Timestamp) -> Result<(), Unavailable> {
    let record = Record {
        key: revoked(jti),
        owner: None,
        body: String::new(),
        state: String::new(),
        generation: 0,
        expires_at: Some(expires_at),
    };
    match records.create(&record).await? {
        Created::Created | Created::Exists(_) => Ok(()),
    }
}
