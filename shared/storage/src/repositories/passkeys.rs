//! Passkeys: one record for each, in the partition of its user.

use super::stored::{decode, encode, read_each};
use super::update::{Change, Current, Start, Target, update};
use super::{markers, users};
use crate::{Created, Key, Kind, Partition, Record, Records, Unavailable, sign_out};
use futures::future::try_join_all;
use protocol::{CredentialId, Passkey, PasskeyUse, UserHandle};
use serde::{Deserialize, Serialize};
use types::Subject;

/// The most passkeys that are deleted at the same time.
const AT_ONCE: usize = 8;

/// The fixed part.
#[derive(Serialize, Deserialize)]
struct Body {
    subject: Subject,
    passkey: Passkey,
}

/// A passkey as it was read.
#[derive(Clone, Debug)]
pub struct StoredPasskey {
    /// `sub` of its user.
    pub subject: Subject,
    /// The fixed part.
    pub passkey: Passkey,
    /// The part that uses change.
    pub usage: PasskeyUse,
    record: Record,
}

impl StoredPasskey {
    fn read(record: Record) -> Result<Self, super::stored::Unreadable> {
        let Body { subject, passkey } = decode(&record.key, &record.body)?;
        Ok(Self { subject, passkey, usage: decode(&record.key, &record.state)?, record })
    }
}

/// The outcome of a registration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Registered {
    /// The passkey is stored.
    Stored,
    /// A passkey with this identifier is registered, for this user or for another one.
    Taken,
}

fn key(partition: Partition, id: &CredentialId) -> Key {
    Key::new(Kind::Passkey, partition, &id.name())
}

/// Returns the handle of a user who has none yet, from fresh randomness.
pub fn new_handle(subject: &Subject, random: [u8; 16]) -> UserHandle {
    UserHandle::new(users::owner(subject).partition().to_bytes(), random)
}

/// Stores a new passkey of a user. Its identifier is registered once, for all users (WebAuthn §7.1 step 26): an attacker could
/// otherwise register the passkey of another user as the own one. `write_id` is fresh randomness of the caller. Round trips: 2, one
/// after the other.
pub async fn register(
    records: &dyn Records,
    subject: &Subject,
    passkey: &Passkey,
    usage: &PasskeyUse,
    write_id: &str,
) -> Result<Registered, Unavailable> {
    let reserved_until = passkey.created_at.after(users::MARK_KEPT);
    let name = passkey.credential_id.name();
    if !markers::use_once(records, "passkey-id", &name, reserved_until, write_id).await? {
        return Ok(Registered::Taken);
    }
    let owner = users::owner(subject);
    let record = Record {
        key: key(owner.partition(), &passkey.credential_id),
        owner: Some(owner),
        body: encode(&Body { subject: subject.clone(), passkey: passkey.clone() }),
        state: encode(usage),
        generation: 0,
        expires_at: None,
    };
    Ok(match records.create(&record).await? {
        Created::Created => Registered::Stored,
        Created::Exists(_) => Registered::Taken,
    })
}

/// Reads a passkey by its identifier and the handle of its user. Round trips: 1.
pub async fn find(
    records: &dyn Records,
    handle: UserHandle,
    id: &CredentialId,
) -> Result<Option<StoredPasskey>, Unavailable> {
    let found = records.get(&key(Partition::from_bytes(handle.partition()), id)).await?;
    Ok(found.map(StoredPasskey::read).transpose()?)
}

/// Returns the passkeys of a user, the oldest first; one that cannot be read is left out. The listing may lag. Round trips: 1 for each
/// 100 records of the user.
pub async fn of_user(records: &dyn Records, subject: &Subject) -> Result<Vec<StoredPasskey>, Unavailable> {
    Ok(listed(sign_out::owned(records, &users::owner(subject), Kind::Passkey).await?))
}

/// Returns the passkeys of these records, the oldest first; one that cannot be read is left out.
pub(crate) fn listed(found: Vec<Record>) -> Vec<StoredPasskey> {
    let (mut passkeys, _) = read_each(found, StoredPasskey::read);
    passkeys.sort_by_key(|stored| stored.passkey.created_at);
    passkeys
}

/// Records the use of a passkey. Returns false if it was removed, or if another use was first and its counter is as high: one of both is
/// a copy. Round trips: 1; 0 if nothing changes.
pub async fn record_use(records: &dyn Records, before: StoredPasskey, after: &PasskeyUse) -> Result<bool, Unavailable> {
    let StoredPasskey { usage: seen, record, .. } = before;
    let change = |current: Option<&Current<PasskeyUse>>| {
        let Some(current) = current else { return Ok::<_, Unavailable>(Change::Keep(false)) };
        let found = &current.state.value;
        let is_copy = *found != seen && after.sign_count != 0 && found.sign_count >= after.sign_count;
        // The user may have renamed it meanwhile.
        let after = PasskeyUse { name: found.name.clone(), ..after.clone() };
        Ok(match is_copy {
            true => Change::Keep(false),
            false if *found == after => Change::Keep(true),
            false => Change::Write(after, None, true),
        })
    };
    let target = Target::unowned(record.key.clone());
    Ok(update(records, target, Start::Known(record), change).await?.result)
}

/// Renames a passkey. Returns false if it was removed. Round trips: 1.
pub async fn rename(records: &dyn Records, stored: StoredPasskey, name: &str) -> Result<bool, Unavailable> {
    let change = |current: Option<&Current<PasskeyUse>>| {
        Ok::<_, Unavailable>(match current {
            Some(current) => {
                let renamed = PasskeyUse { name: name.to_owned(), ..current.state.value.clone() };
                Change::Write(renamed, None, true)
            }
            None => Change::Keep(false),
        })
    };
    let target = Target::unowned(stored.record.key.clone());
    Ok(update(records, target, Start::Known(stored.record), change).await?.result)
}

/// Removes a passkey. Round trips: 1.
pub async fn remove(records: &dyn Records, stored: &StoredPasskey) -> Result<(), Unavailable> {
    records.delete(&stored.record.key).await
}

/// Removes all passkeys of a user, some at the same time. Does not read them. Round trips: 1 for each 100 records of the user, and 1 for
/// each passkey.
pub async fn forget(records: &dyn Records, subject: &Subject) -> Result<(), Unavailable> {
    let found = sign_out::owned(records, &users::owner(subject), Kind::Passkey).await?;
    for some in found.chunks(AT_ONCE) {
        try_join_all(some.iter().map(|record| records.delete(&record.key))).await?;
    }
    Ok(())
}

/// Returns the handle of the user of these passkeys; `None` if there is none.
pub fn handle(passkeys: &[StoredPasskey]) -> Option<UserHandle> {
    passkeys.first().map(|stored| stored.passkey.user_handle)
}
