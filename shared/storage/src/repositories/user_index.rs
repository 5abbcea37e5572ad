//! The index of users by e-mail address and by external id: one record per address or id, which names its users.
//!
//! An entry may be stale: a change of a user was interrupted, or is in progress. So an entry counts only if the record of the user says
//! the same. Each way that a change can be interrupted leaves too many entries, never too few. The keys hold digests, so that logs and backups of
//! keys name no address.

use super::stored::{decode, encode};
use super::update::{Change, Current, Start, Target, update};
use crate::{Advance, Key, Kind, Partition, Record, Records, Unavailable};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use protocol::{EmailAddress, ExternalId};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::time::Duration;
use types::{Subject, Timestamp};

/// The most users of one address or external id that the index names.
pub(super) const MAX_USERS: usize = 100;

/// Time for which an entry without users stays.
const EMPTY_KEPT: Duration = Duration::from_secs(86_400);

/// The name of an entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct IndexKey(Key);

impl IndexKey {
    /// Returns the name of the entry of an e-mail address.
    pub(super) fn of_email(address: &EmailAddress) -> Self {
        Self::new("email", &address.lower_cased())
    }

    /// Returns the name of the entry of an external id.
    pub(super) fn of_external_id(id: &ExternalId) -> Self {
        Self::new("external-id", id.as_str())
    }

    fn new(kind: &str, value: &str) -> Self {
        let id = format!("{kind}#{}", URL_SAFE_NO_PAD.encode(Sha256::digest(value.as_bytes())));
        Self(Key::new(Kind::UserIndex, Partition::of(&id), &id))
    }
}

/// The users of one address or external id.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Users {
    users: Vec<Subject>,
}

/// An entry as it was read.
pub(super) struct Entry {
    /// The users, of whom some may be stale.
    pub(super) users: Vec<Subject>,
    record: Record,
}

impl Entry {
    /// Removes a user from the entry if the entry is still as it was read. Returns false if it is not. Round trips: 1.
    pub(super) async fn remove(
        self,
        records: &dyn Records,
        subject: &Subject,
        now: Timestamp,
    ) -> Result<bool, Unavailable> {
        let mut users = self.users;
        users.retain(|user| user != subject);
        let expires_at = users.is_empty().then(|| now.after(EMPTY_KEPT));
        let state = encode(&Users { users });
        let record = &self.record;
        let advanced = records.advance(&record.key, record.generation, &state, expires_at).await?;
        Ok(!matches!(advanced, Advance::Stale(_)))
    }
}

/// Reads an entry. Round trips: 1.
pub(super) async fn find(records: &dyn Records, key: &IndexKey) -> Result<Option<Entry>, Unavailable> {
    let Some(record) = records.get(&key.0).await? else { return Ok(None) };
    let Users { users } = decode(&record.key, &record.state)?;
    Ok(Some(Entry { users, record }))
}

/// Adds a user to an entry. Writes the entry also if it names the user already, so that a removal in progress fails and looks again. A full
/// entry stays as it is. Round trips: 2.
pub(super) async fn add(records: &dyn Records, key: &IndexKey, subject: &Subject) -> Result<(), Unavailable> {
    let add = |current: Option<&Current<Users>>| {
        let mut users = current.map(|current| current.state.value.users.clone()).unwrap_or_default();
        if !users.contains(subject) {
            if users.len() >= MAX_USERS {
                return Ok::<_, Unavailable>(Change::Keep(()));
            }
            users.push(subject.clone());
        }
        Ok(Change::Write(Users { users }, None, ()))
    };
    // Not `Start::Absent`: the store takes an equal record that was never changed for a repeated `create`, and writes nothing.
    update(records, Target::unowned(key.0.clone()), Start::Read, add).await.map(|_| ())
}
