//! Consents: the scope that a user granted to a client, remembered for the next request.

use super::stored::decode;
use super::update::{Change, Current, Start, Target, update};
use crate::{Key, Kind, Records, Unavailable, users};
use serde::{Deserialize, Serialize};
use types::{ClientId, Scope, Subject};

#[derive(Serialize, Deserialize)]
struct Consent {
    scope: String,
}

fn key(subject: &Subject, client_id: &ClientId) -> Key {
    Key::new(Kind::Consent, users::owner(subject).partition(), &format!("{}#{client_id}", subject.as_str()))
}

/// Reads the scope that a user granted to a client; empty if there is no consent. Round trips: 1.
pub async fn find(records: &dyn Records, subject: &Subject, client_id: &ClientId) -> Result<Scope, Unavailable> {
    let Some(record) = records.get(&key(subject, client_id)).await? else { return Ok(Scope::default()) };
    let consent: Consent = decode(&record.key, &record.state)?;
    // A scope that cannot be parsed: the user is asked again.
    Ok(Scope::recall(&consent.scope).unwrap_or_default())
}

/// Adds to the scope that a user granted to a client: `add` returns the new scope for the earlier one, which is empty if
/// there is none. Round trips: 1 if it is the first, else 2.
pub async fn add(
    records: &dyn Records,
    subject: &Subject,
    client_id: &ClientId,
    add: impl Fn(&Scope) -> Scope + Send + Sync,
) -> Result<(), Unavailable> {
    let target = Target::owned(key(subject, client_id), users::owner(subject));
    let change = |current: Option<&Current<Consent>>| {
        let earlier = current.and_then(|current| Scope::recall(&current.state.value.scope)).unwrap_or_default();
        let scope = add(&earlier).to_string();
        Ok::<_, Unavailable>(match current {
            Some(current) if current.state.value.scope == scope => Change::Keep(()),
            _ => Change::Write(Consent { scope }, None, ()),
        })
    };
    update(records, target, Start::Absent, change).await.map(|_| ())
}
