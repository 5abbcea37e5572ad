//! Consents: the scope that a user granted to a client, remembered for the next request.

use super::stored::{decode, encode, read_each};
use super::tombstone;
use super::update::{Change, Current, Start, Target, update};
use crate::{Key, Kind, Record, Records, Unavailable, sign_out, users};
use protocol::ConsentParts;
use serde::{Deserialize, Serialize};
use types::{ClientId, Scope, Subject, Timestamp};

#[derive(PartialEq, Eq, Serialize, Deserialize)]
struct Consent {
    scope: String,
    /// Digest of the client's settings that the user relied on, if others than the operator can change them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    identity: Option<String>,
}

impl Consent {
    /// Returns the scope, for a client with this digest; empty if the client changed since. A scope that cannot be parsed is
    /// empty, too: the user is asked again.
    fn scope_for(&self, identity: Option<&str>) -> Scope {
        let is_same = self.identity.as_deref() == identity;
        Scope::recall(&self.scope).filter(|_| is_same).unwrap_or_default()
    }
}

fn key(subject: &Subject, client_id: &ClientId) -> Key {
    Key::new(Kind::Consent, users::owner(subject).partition(), &format!("{}#{client_id}", subject.as_str()))
}

/// Reads the scope that a user granted to a client; empty if there is no consent, or if the digest of the client's settings is
/// another one. Round trips: 1.
pub async fn find(
    records: &dyn Records,
    subject: &Subject,
    client_id: &ClientId,
    identity: Option<&str>,
) -> Result<Scope, Unavailable> {
    let Some(record) = records.get(&key(subject, client_id)).await? else { return Ok(Scope::default()) };
    let consent: Consent = decode(&record.key, &record.state)?;
    Ok(consent.scope_for(identity))
}

/// A consent of a user, as a listing shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ListedConsent {
    /// The client.
    pub client_id: ClientId,
    /// The scope that the user granted.
    pub scope: Scope,
    /// The claims that the user released one by one.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub claims: Vec<String>,
    /// The claims that the user refused.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub refused_claims: Vec<String>,
}

/// Returns the consents of a user; a consent that cannot be read is left out. Round trips: 1 for each 100 records of the user.
pub async fn of_user(records: &dyn Records, subject: &Subject) -> Result<Vec<ListedConsent>, Unavailable> {
    Ok(listed(sign_out::owned(records, &users::owner(subject), Kind::Consent).await?, subject))
}

/// Returns the consents of these records of a user; a consent that cannot be read is left out.
pub(crate) fn listed(found: Vec<Record>, subject: &Subject) -> Vec<ListedConsent> {
    let (listed, _) = read_each(found, |record| {
        let consent: Consent = decode(&record.key, &record.state)?;
        let name = record.key.id().strip_prefix(&format!("{}#", subject.as_str())).and_then(ClientId::parse);
        let scope = Scope::recall(&consent.scope).unwrap_or_default();
        Ok(name.filter(|_| !scope.is_empty()).map(|client_id| {
            let ConsentParts { scope, claims, refused_claims } = ConsentParts::of(&scope);
            ListedConsent { client_id, scope, claims, refused_claims }
        }))
    });
    listed.into_iter().flatten().collect()
}

/// Removes the consent of a user to a client. Does not read it. Round trips: 1 for a consent that was never extended, else 2.
pub async fn remove(
    records: &dyn Records,
    subject: &Subject,
    client_id: &ClientId,
    now: Timestamp,
) -> Result<(), Unavailable> {
    remove_record(records, &key(subject, client_id), now).await
}

/// Removes the consent of a record: an empty scope is no consent.
pub(crate) async fn remove_record(records: &dyn Records, key: &Key, now: Timestamp) -> Result<(), Unavailable> {
    tombstone::bury(records, key, &encode(&Consent { scope: String::new(), identity: None }), now).await
}

/// Adds to the scope that a user granted to a client: `add` returns the new scope for the earlier one, which is empty if
/// there is none for this digest of the client's settings. Round trips: 1 if it is the first, else 2.
pub async fn add(
    records: &dyn Records,
    subject: &Subject,
    client_id: &ClientId,
    identity: Option<&str>,
    add: impl Fn(&Scope) -> Scope + Send + Sync,
) -> Result<(), Unavailable> {
    let target = Target::owned(key(subject, client_id), users::owner(subject));
    let change = |current: Option<&Current<Consent>>| {
        let earlier = current.map(|current| current.state.value.scope_for(identity)).unwrap_or_default();
        let after = Consent { scope: add(&earlier).to_string(), identity: identity.map(str::to_owned) };
        Ok::<_, Unavailable>(match current {
            Some(current) if current.state.value == after => Change::Keep(()),
            _ => Change::Write(after, None, ()),
        })
    };
    update(records, target, Start::Absent, change).await.map(|_| ())
}
