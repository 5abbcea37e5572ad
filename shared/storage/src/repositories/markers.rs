//! Markers: a single-use value was used, or a token without a grant was revoked.

use super::stored::encode;
use crate::{Created, Key, Kind, Partition, Record, Records, Unavailable};
use serde::Serialize;
use std::time::Duration;
use types::{Jti, Timestamp};

/// The body of a marker.
#[derive(Serialize)]
struct Marker<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    write_id: Option<&'a str>,
}

/// Time from the expiry of a value to the removal of its marker: longer than the clocks of an instance and of the store
/// differ. An instance whose clock is behind would otherwise accept a value whose marker is gone.
const MARGIN: Duration = Duration::from_secs(3600);

fn record(key: Key, marker: &Marker<'_>, expires_at: Timestamp) -> Record {
    Record {
        key,
        owner: None,
        body: encode(marker),
        state: String::new(),
        generation: 0,
        expires_at: Some(expires_at.after(MARGIN)),
    }
}

fn used(purpose: &str, name: &str) -> Key {
    let id = format!("{purpose}-{name}");
    Key::new(Kind::Marker, Partition::of(&id), &id)
}

fn revoked(jti: &Jti) -> Key {
    let id = format!("revoked-{}", jti.as_str());
    Key::new(Kind::Marker, Partition::of(&id), &id)
}

/// Marks a single-use value as used. Returns true to exactly one caller. `purpose` separates values of different kinds;
/// `expires_at` is the time from which the value is rejected for its age; `write_id` is fresh randomness of the caller.
/// Round trips: 1.
pub async fn use_once(
    records: &dyn Records,
    purpose: &str,
    name: &str,
    expires_at: Timestamp,
    write_id: &str,
) -> Result<bool, Unavailable> {
    let created =
        records.create(&record(used(purpose, name), &Marker { write_id: Some(write_id) }, expires_at)).await?;
    Ok(created == Created::Created)
}

/// True if a single-use value was used. Round trips: 1.
pub async fn is_used(records: &dyn Records, purpose: &str, name: &str) -> Result<bool, Unavailable> {
    Ok(records.get(&used(purpose, name)).await?.is_some())
}

/// Marks an access token without a grant as revoked, until it expires. Round trips: 1.
pub async fn revoke(records: &dyn Records, jti: &Jti, expires_at: Timestamp) -> Result<(), Unavailable> {
    match records.create(&record(revoked(jti), &Marker { write_id: None }, expires_at)).await? {
        Created::Created | Created::Exists(_) => Ok(()),
    }
}

/// True if an access token without a grant was revoked. Does not read the marker's body. Round trips: 1.
pub async fn is_revoked(records: &dyn Records, jti: &Jti) -> Result<bool, Unavailable> {
    Ok(records.get(&revoked(jti)).await?.is_some())
}
