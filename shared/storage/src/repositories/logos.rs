//! Logos of clients. A record never changes: another picture has another name.

use super::stored::{decode, encode};
use crate::{Key, Kind, Partition, Record, Records, Unavailable};
use base64::{Engine, engine::general_purpose::STANDARD};
use protocol::{Logo, LogoName};
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize)]
struct Stored {
    /// The file in base64.
    image: String,
}

fn key(name: &LogoName) -> Key {
    Key::new(Kind::Logo, Partition::of(name.as_str()), name.as_str())
}

/// Stores a picture. Round trips: 1.
pub async fn put(records: &dyn Records, name: &LogoName, logo: &Logo) -> Result<(), Unavailable> {
    let record = Record {
        key: key(name),
        owner: None,
        body: encode(&Stored { image: STANDARD.encode(logo.bytes()) }),
        state: String::new(),
        generation: 0,
        expires_at: None,
    };
    // A record of this name holds the same picture.
    records.create(&record).await.map(|_| ())
}

/// Reads a picture. One that this version does not accept is none. Round trips: 1.
pub async fn find(records: &dyn Records, name: &LogoName) -> Result<Option<Logo>, Unavailable> {
    let Some(record) = records.get(&key(name)).await? else { return Ok(None) };
    let stored: Stored = decode(&record.key, &record.body)?;
    Ok(STANDARD.decode(stored.image).ok().and_then(|bytes| Logo::parse(bytes).ok()))
}

/// Removes a picture. Round trips: 1.
pub async fn remove(records: &dyn Records, name: &LogoName) -> Result<(), Unavailable> {
    records.delete(&key(name)).await
}
