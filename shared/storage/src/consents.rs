//! What people allowed clients.

use crate::stored::{put, state};
use crate::{Key, Kind, Records, Unavailable, users};
use protocol::Scope;
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize)]
struct Consent {
    scope: String,
}

fn key(subject: &str, client_id: &str) -> Key {
    Key::new(Kind::Consent, users::owner(subject).partition(), &format!("{subject}#{client_id}"))
}

/// What a person allowed a client so far; nothing, when there is no record, or none that can be read: then they are asked
/// again.
pub async fn find(records: &dyn Records, subject: &str, client_id: &str) -> Result<Scope, Unavailable> {
    let consent = state::<Consent>(records, &key(subject, client_id)).await?;
    Ok(consent.and_then(|consent| Scope::recall(&consent.scope)).unwrap_or_default())
}

/// Remembers that a person allowed a client this much.
pub async fn save(records: &dyn Records, subject: &str, client_id: &str, scope: &Scope) -> Result<(), Unavailable> {
    put(records, &key(subject, client_id), Some(users::owner(subject)), &Consent { scope: scope.to_string() }, None)
        .await
}
