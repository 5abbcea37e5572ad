//! Markers: something happened, once.

use crate::{Created, Key, Kind, Partition, Record, Records, Unavailable};
use protocol::Timestamp;

fn revoked(jti: &str) -> Key {
    let id = format!("revoked-{jti}");
    Key::new(Kind::Marker, Partition::of(&id), &id)
}

/// Marks a single-use value as used until `expires_at`, when it is refused for its age. Whether this caller is the
/// first: `writer`, fresh randomness, tells callers apart. One round trip.
pub async fn spend(
    records: &dyn Records,
    use_of: &str,
    name: &str,
    expires_at: Timestamp,
    writer: &str,
) -> Result<bool, Unavailable> {
    let id = format!("{use_of}-{name}");
    let record = Record {
        key: Key::new(Kind::Marker, Partition::of(&id), &id),
        owner: None,
        body: writer.to_owned(),
        state: String::new(),
        generation: 0,
        expires_at: Some(expires_at),
    };
    Ok(records.create(&record).await? == Created::Created)
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

/// Whether an access token that no grant stands behind was revoked. One round trip.
pub async fn is_revoked(records: &dyn Records, jti: &str) -> Result<bool, Unavailable> {
    Ok(records.get(&revoked(jti)).await?.is_some())
}
