//! Users: their profiles, and the verifiers of their passwords. Profile and credential are two records, so that only the
//! sign-in function needs to read the second.

use super::stored::{decode, encode};
use super::update::{Change, Current, Start, Target, update};
use super::user_index::{self, IndexKey};
use crate::{Advance, Key, Kind, Owner, Partition, Record, Records, Unavailable};
use futures::future::try_join_all;
use protocol::limits::{CLOCK_DIFFERENCE, MAX_REFRESH_LIFETIME};
use protocol::{EmailAddress, ExternalId, Username};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::{Map, Value};
use std::time::Duration;
use types::{Subject, Timestamp};

/// Time for which the mark of a removed user stays: no refresh token or session lives longer.
pub const MARK_KEPT: Duration = MAX_REFRESH_LIFETIME;

/// A user.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct User {
    /// `sub`: never changes and is never reused (OpenID Connect Core §2).
    pub subject: Subject,
    /// The sign-in name.
    pub username: String,
    /// Claims about the user (OpenID Connect Core §5.1).
    pub claims: Map<String, Value>,
    /// True if the user cannot sign in.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub disabled: bool,
    /// The hash of the code without which no client may ask the user (CIBA Core §7.1), as a PHC string.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_code: Option<String>,
    /// `externalId`: the identifier of the user in the directory that provisions it (RFC 7643 §3.1).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub external_id: Option<String>,
    /// The mark of the last revocation: sessions and grants of earlier sign-ins are over
    /// (`infra/decisions/revocation-mark.md`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revoked_before: Option<Timestamp>,
    /// The changes of the e-mail address that the user may undo, the earliest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub address_changes: Vec<AddressChange>,
    /// True for a user who was removed: the record holds the mark alone.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub removed: bool,
}

/// A change of the e-mail address. The user may undo it for some days.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AddressChange {
    /// Time of the change.
    pub at: Timestamp,
    /// The address before it, which was verified.
    pub old: EmailAddress,
}

impl User {
    /// The most changes of the e-mail address that a user may undo at the same time. Another change must wait.
    pub const MAX_ADDRESS_CHANGES: usize = 20;

    /// Returns a user who can sign in.
    pub fn new(subject: Subject, username: String, claims: Map<String, Value>) -> Self {
        Self {
            subject,
            username,
            claims,
            disabled: false,
            user_code: None,
            external_id: None,
            revoked_before: None,
            address_changes: Vec::new(),
            removed: false,
        }
    }

    /// Returns the claim `email`, if it is an address.
    pub fn email(&self) -> Option<EmailAddress> {
        EmailAddress::parse(self.claims.get("email")?.as_str()?)
    }

    fn external_id(&self) -> Option<ExternalId> {
        ExternalId::parse(self.external_id.as_deref()?)
    }

    /// Returns the names of the entries that lead to the user.
    fn index_keys(&self) -> Vec<IndexKey> {
        let email = self.email().map(|address| IndexKey::of_email(&address));
        email.into_iter().chain(self.external_id().map(|id| IndexKey::of_external_id(&id))).collect()
    }

    /// True if a session or a grant of a sign-in at this time may still be used.
    pub fn admits(&self, auth_time: Timestamp) -> bool {
        !self.disabled && self.revoked_before.is_none_or(|before| before <= auth_time)
    }

    /// Returns `auth_time` of a sign-in at `now`. It is never before the last revocation.
    pub fn auth_time(&self, now: Timestamp) -> Timestamp {
        self.revoked_before.map_or(now, |mark| mark.max(now))
    }

    /// Returns the claims about the user. `preferred_username` is the sign-in name unless the operator set another one.
    pub fn profile(&self) -> Map<String, Value> {
        let mut profile = self.claims.clone();
        profile.entry("preferred_username").or_insert_with(|| Value::String(self.username.clone()));
        profile
    }

    /// True if `name`, in lower case, is an identifier that the user may know: sign-in name, e-mail address, phone number, `sub`.
    pub fn is_named(&self, name: &str) -> bool {
        let claims = ["preferred_username", "email", "phone_number"];
        let claims = claims.into_iter().filter_map(|claim| self.claims.get(claim).and_then(Value::as_str));
        claims.chain([self.username.as_str(), self.subject.as_str()]).any(|known| known.to_lowercase() == name)
    }

    /// Returns the address of the user, if it is verified.
    pub fn verified_email(&self) -> Option<EmailAddress> {
        let is_verified = self.claims.get("email_verified").and_then(Value::as_bool) == Some(true);
        self.claims.get("email").and_then(Value::as_str).filter(|_| is_verified).and_then(EmailAddress::parse)
    }

    /// Returns the user with this address, which is verified. The change can be undone for the time `undoable`, if the address before it was
    /// verified. `None` if there are too many changes that can be undone.
    pub fn with_email(&self, address: &EmailAddress, now: Timestamp, undoable: Duration) -> Option<Self> {
        let mut changes = self.address_changes.clone();
        changes.retain(|change| !change.at.after(undoable).is_past(now));
        changes.extend(self.verified_email().filter(|old| old != address).map(|old| AddressChange { at: now, old }));
        (changes.len() <= Self::MAX_ADDRESS_CHANGES).then(|| self.with_address(address, changes))
    }

    /// Returns the user with the address from before the change at this time. Later changes cannot be undone any more: an attacker may have
    /// the mailboxes of their addresses. `None` if there is no such change.
    pub fn with_email_before(&self, at: Timestamp) -> Option<Self> {
        let position = self.address_changes.iter().position(|change| change.at == at)?;
        let (earlier, undone) = self.address_changes.split_at_checked(position)?;
        Some(self.with_address(&undone.first()?.old, earlier.to_vec()))
    }

    fn with_address(&self, address: &EmailAddress, address_changes: Vec<AddressChange>) -> Self {
        let mut user = Self { address_changes, ..self.clone() };
        user.claims.insert("email".to_owned(), Value::String(address.as_str().to_owned()));
        user.claims.insert("email_verified".to_owned(), Value::Bool(true));
        user
    }

    /// Returns the claim `name`, or else the sign-in name.
    pub fn display_name(&self) -> &str {
        self.claims.get("name").and_then(Value::as_str).unwrap_or(&self.username)
    }
}

/// The credential of a user.
#[derive(Clone, Serialize, Deserialize)]
pub struct Credential {
    /// `sub` of the user.
    pub subject: Subject,
    /// The hash of the password, as a PHC string.
    pub password: String,
    /// The display name of the user, so that sign-in need not read the profile. `None` if a version before this one wrote
    /// the credential.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// True if the user cannot sign in.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub disabled: bool,
    /// The mark of the last revocation, as in the user's record. A sign-in with this credential comes after it, whatever
    /// the clock of the instance says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revoked_before: Option<Timestamp>,
    /// True if the user has a passkey: the sign-in with the password does not offer one.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub has_passkey: bool,
    /// True if the password is not enough: a second factor must follow.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub has_second_factor: bool,
}

impl Credential {
    /// Returns the credential of a user who can sign in.
    pub fn new(subject: Subject, password: String, name: Option<String>) -> Self {
        Self {
            subject,
            password,
            name,
            disabled: false,
            revoked_before: None,
            has_passkey: false,
            has_second_factor: false,
        }
    }

    /// Returns `auth_time` of a sign-in at `now`. It is never before the last revocation.
    pub fn auth_time(&self, now: Timestamp) -> Timestamp {
        self.revoked_before.map_or(now, |mark| mark.max(now))
    }
}

/// The note in a credential that its user has a passkey. A rewrite keeps all other members.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
struct PasskeyNote {
    #[serde(default)]
    has_passkey: bool,
}

/// The note in a credential that a second factor must follow. A rewrite keeps all other members.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
struct SecondFactorNote {
    #[serde(default)]
    has_second_factor: bool,
}

/// The mark in a credential. A rewrite keeps all other members.
#[derive(Serialize, Deserialize)]
struct CredentialMark {
    #[serde(default)]
    revoked_before: Option<Timestamp>,
}

/// The password in a credential. A rewrite keeps all other members.
#[derive(Clone, Serialize, Deserialize)]
struct CredentialPassword {
    subject: Subject,
    password: String,
}

/// The members of a credential beside the password. A rewrite keeps the password.
#[derive(Serialize, Deserialize)]
struct CredentialProfile {
    name: Option<String>,
    #[serde(default)]
    disabled: bool,
}

/// A credential as it was read: a write can replace it if it did not change.
#[derive(Clone)]
pub struct StoredCredential {
    /// The credential.
    pub credential: Credential,
    record: Record,
}

/// Returns the owner of all records of a user.
pub fn owner(subject: &Subject) -> Owner {
    Owner::new(format!("user#{}", subject.as_str()))
}

fn user_key(subject: &Subject) -> Key {
    Key::new(Kind::User, owner(subject).partition(), subject.as_str())
}

fn credential_key(username: &Username) -> Key {
    credential_key_of(username.as_str())
}

fn credential_key_of(username: &str) -> Key {
    Key::new(Kind::Credential, Partition::of(&format!("credential#{username}")), username)
}

async fn read<T: DeserializeOwned>(records: &dyn Records, key: &Key) -> Result<Option<T>, Unavailable> {
    let Some(record) = records.get(key).await? else { return Ok(None) };
    Ok(Some(decode(key, &record.state)?))
}

/// Reads the profile of a user; `None` also for a user who was removed. Round trips: 1.
pub async fn find(records: &dyn Records, subject: &Subject) -> Result<Option<User>, Unavailable> {
    let user: Option<User> = read(records, &user_key(subject)).await?;
    Ok(user.filter(|user| !user.removed))
}

/// Returns the users with this e-mail address, at most 100. An address need not be verified, and several users may have it. Round trips:
/// 1, then 1 for each user, at the same time.
pub async fn find_by_email(records: &dyn Records, address: &EmailAddress) -> Result<Vec<User>, Unavailable> {
    let mut users = indexed(records, &IndexKey::of_email(address)).await?;
    users.retain(|user| user.email().as_ref() == Some(address));
    Ok(users)
}

/// Returns the users with this external id. Round trips: as for [`find_by_email`].
pub async fn find_by_external_id(records: &dyn Records, id: &ExternalId) -> Result<Vec<User>, Unavailable> {
    let mut users = indexed(records, &IndexKey::of_external_id(id)).await?;
    users.retain(|user| user.external_id().as_ref() == Some(id));
    Ok(users)
}

/// Reads the users that an entry of the index names. The caller drops those whose record says something else.
async fn indexed(records: &dyn Records, key: &IndexKey) -> Result<Vec<User>, Unavailable> {
    let Some(entry) = user_index::find(records, key).await? else { return Ok(Vec::new()) };
    let found = try_join_all(entry.users.iter().map(|subject| find(records, subject))).await?;
    Ok(found.into_iter().flatten().collect())
}

/// Stores the profile of a user, new or changed, and keeps the index of e-mail addresses and external ids. A mark that is there stays, and
/// is returned. An interrupted call can be repeated.
///
/// Round trips: 1 if it is new, else 2; 2 before it where an entry leads to the user; 5 after it if the address or the external id changed.
pub async fn save(records: &dyn Records, user: &User, now: Timestamp) -> Result<Option<Timestamp>, Unavailable> {
    let keys = user.index_keys();
    let enter = || try_join_all(keys.iter().map(|key| user_index::add(records, key, &user.subject)));
    enter().await?;
    let target = Target::owned(user_key(&user.subject), owner(&user.subject));
    let replace = |current: Option<&Current<User>>| {
        let before = current.map(|current| &current.state.value);
        let revoked_before = user.revoked_before.max(before.and_then(|before| before.revoked_before));
        let keys = before.map(User::index_keys);
        // The caller knows nothing of changes by the user. Another address ends them.
        let same_address = before.filter(|before| before.email() == user.email());
        let address_changes = same_address.map(|before| before.address_changes.clone()).unwrap_or_default();
        let user = User { revoked_before, address_changes, ..user.clone() };
        Ok::<_, Unavailable>(Change::Write(user, None, (revoked_before, keys)))
    };
    let (revoked_before, before) = update(records, target, Start::Absent, replace).await?.result;
    let Some(before) = before.filter(|before| *before != keys) else { return Ok(revoked_before) };
    // A change back, at the same time, may have removed the new entries before the record of the user said so.
    enter().await?;
    for key in before.iter().filter(|key| !keys.contains(key)) {
        leave(records, key, &user.subject, now, Leave::IfChanged).await?;
    }
    Ok(revoked_before)
}

/// Changes the e-mail address of a user as `change` says, and keeps the index. `change` returns `None` to leave the user as it is. Returns
/// the user before and after the change; `None` if nothing was changed. An interrupted call can be repeated.
///
/// Round trips: 1; 9 for another address.
pub async fn change_address(
    records: &dyn Records,
    subject: &Subject,
    now: Timestamp,
    change: impl Fn(&User) -> Option<User> + Send + Sync,
) -> Result<Option<(User, User)>, Unavailable> {
    let Some(read) = find(records, subject).await? else { return Ok(None) };
    let Some(wanted) = change(&read) else { return Ok(None) };
    // The entries come first: a search reads past one that leads to no user.
    let keys = wanted.index_keys();
    let enter = || try_join_all(keys.iter().map(|key| user_index::add(records, key, subject)));
    enter().await?;
    let replace = |current: Option<&Current<User>>| {
        let before = current.map(|current| &current.state.value).filter(|user| !user.removed);
        // A change of the address at the same time leads to other entries: the caller may try again.
        let after = before.and_then(&change).filter(|after| after.index_keys() == keys);
        Ok::<_, Unavailable>(match (before, after) {
            (Some(before), Some(after)) => {
                let result = Some((before.clone(), after.clone()));
                Change::Write(after, None, result)
            }
            _ => Change::Keep(None),
        })
    };
    let target = Target::owned(user_key(subject), owner(subject));
    let changed = update(records, target, Start::Read, replace).await?.result;
    let before = changed.as_ref().map_or(&read, |(before, _)| before).index_keys();
    let (stale, kept) = if changed.is_some() { (&before, &keys) } else { (&keys, &before) };
    if changed.is_some() && before != keys {
        enter().await?;
    }
    for key in stale.iter().filter(|key| !kept.contains(key)) {
        leave(records, key, subject, now, Leave::IfChanged).await?;
    }
    Ok(changed)
}

/// The condition for the removal of a user from an entry of the index.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Leave {
    /// The record of the user does not lead to the entry.
    IfChanged,
    /// None: the user is removed next.
    Always,
}

/// Removes a user from an entry of the index. Round trips: 3, or 2 for [`Leave::Always`].
async fn leave(
    records: &dyn Records,
    key: &IndexKey,
    subject: &Subject,
    now: Timestamp,
    leave: Leave,
) -> Result<(), Unavailable> {
    const MAX_ATTEMPTS: u32 = 8;
    for _ in 0..MAX_ATTEMPTS {
        let Some(entry) = user_index::find(records, key).await? else { return Ok(()) };
        let is_current = match leave {
            Leave::IfChanged => find(records, subject).await?.is_some_and(|user| user.index_keys().contains(key)),
            Leave::Always => false,
        };
        if is_current || !entry.users.contains(subject) || entry.remove(records, subject, now).await? {
            return Ok(());
        }
    }
    // The entry is stale: a search reads past it.
    Ok(())
}

/// Returns the time from which on a sign-in is after a revocation at `at`, by the clock of any instance.
pub fn reach(at: Timestamp) -> Timestamp {
    at.after(CLOCK_DIFFERENCE).after(Duration::from_millis(1))
}

/// Marks that sessions and grants of sign-ins before `at` are over, by the clock of any instance. The credential gets the same
/// mark, so that a sign-in after the revocation is none of them. A user without a profile gets none. Round trips: 4.
pub async fn mark_revoked(records: &dyn Records, subject: &Subject, at: Timestamp) -> Result<(), Unavailable> {
    let at = reach(at);
    let mark = |current: Option<&Current<User>>| {
        let Some(current) = current else { return Ok::<_, Unavailable>(Change::Keep(None)) };
        let user = current.state.value.clone();
        let username = (!user.removed).then(|| user.username.clone());
        Ok(if user.revoked_before < Some(at) {
            Change::Write(User { revoked_before: Some(at), ..user }, current.expires_at, username)
        } else {
            Change::Keep(username)
        })
    };
    let target = Target::owned(user_key(subject), owner(subject));
    match update(records, target, Start::Read, mark).await?.result {
        Some(username) => mark_credential(records, &username, at).await,
        None => Ok(()),
    }
}

/// Writes the mark into the credential of a sign-in name, if there is one. Round trips: 2.
async fn mark_credential(records: &dyn Records, username: &str, at: Timestamp) -> Result<(), Unavailable> {
    let marked = || CredentialMark { revoked_before: Some(at) };
    let mark = |current: Option<&Current<CredentialMark>>| {
        Ok::<_, Unavailable>(match current {
            Some(current) if current.generation == u64::MAX || current.state.value.revoked_before < Some(at) => {
                Change::Write(marked(), None, ())
            }
            Some(_) | None => Change::Keep(()),
        })
    };
    // The caller may write credentials and not read them, as in `save_profile`.
    let target = Target::unowned(credential_key_of(username));
    update(records, target, Start::Snapshot(u64::MAX, marked()), mark).await.map(|_| ())
}

/// Removes the profile of a user. The mark stays until `expires_at`, when nothing from before `at` can be valid. A profile that
/// cannot be read is deleted. The entries of the index go first, so that an interrupted removal can be repeated. Round trips: 2, and
/// 2 for each entry.
pub async fn remove(
    records: &dyn Records,
    subject: &Subject,
    at: Timestamp,
    expires_at: Timestamp,
) -> Result<(), Unavailable> {
    const MAX_ATTEMPTS: u32 = 8;
    let key = user_key(subject);
    let Some(mut record) = records.get(&key).await? else { return Ok(()) };
    if let Ok(user) = decode::<User>(&key, &record.state) {
        for entry in user.index_keys() {
            leave(records, &entry, subject, at, Leave::Always).await?;
        }
    }
    // Not `update`, which keeps members that this version does not know: nothing about the user may stay.
    for _ in 0..MAX_ATTEMPTS {
        let Ok(before) = decode::<User>(&key, &record.state) else { return records.delete(&key).await };
        let user = User::new(subject.clone(), String::new(), Map::new());
        let mark = Some(reach(at));
        let buried = User { revoked_before: before.revoked_before.max(mark), removed: true, ..user };
        match records.advance(&key, record.generation, &encode(&buried), Some(expires_at)).await? {
            Advance::Advanced(_) | Advance::Missing => return Ok(()),
            Advance::Stale(newer) => record = newer,
        }
    }
    Err(Unavailable { reason: format!("too many requests write the record {key} at once") })
}

/// Reads the credential of a sign-in name. Round trips: 1.
pub async fn find_credential(records: &dyn Records, username: &Username) -> Result<Option<Credential>, Unavailable> {
    read(records, &credential_key(username)).await
}

/// Does the same as [`find_credential`], for a caller that may replace the password.
pub async fn find_stored_credential(
    records: &dyn Records,
    username: &Username,
) -> Result<Option<StoredCredential>, Unavailable> {
    let Some(record) = records.get(&credential_key(username)).await? else { return Ok(None) };
    Ok(Some(StoredCredential { credential: decode(&record.key, &record.state)?, record }))
}

/// Replaces the hash of the password in a credential, unless the password was changed since it was read. Round trips: 1.
pub async fn rehash(records: &dyn Records, stored: StoredCredential, hash: String) -> Result<(), Unavailable> {
    let StoredCredential { credential: before, record } = stored;
    let target = Target::unowned(record.key.clone());
    let replace = |current: Option<&Current<Credential>>| {
        let is_same = |current: &&Current<Credential>| current.state.value.password == before.password;
        Ok::<_, Unavailable>(match current.filter(is_same) {
            Some(current) => {
                let credential = Credential { password: hash.clone(), ..current.state.value.clone() };
                Change::Write(credential, current.expires_at, ())
            }
            None => Change::Keep(()),
        })
    };
    update(records, target, Start::Known(record), replace).await.map(|_| ())
}

/// Stores the credential of a sign-in name, new or changed. The notes about other sign-in methods of the same user stay. Round trips: 1
/// if it is new, else 2.
pub async fn save_credential(
    records: &dyn Records,
    username: &Username,
    credential: &Credential,
) -> Result<(), Unavailable> {
    let save = |current: Option<&Current<Credential>>| {
        let same = current.map(|current| &current.state.value).filter(|found| found.subject == credential.subject);
        let has_passkey = same.is_some_and(|found| found.has_passkey);
        let has_second_factor = same.is_some_and(|found| found.has_second_factor);
        let saved = Credential { has_passkey, has_second_factor, ..credential.clone() };
        Ok::<_, Unavailable>(Change::Write(saved, None, ()))
    };
    let target = Target::unowned(credential_key(username));
    update(records, target, Start::Absent, save).await.map(|_| ())
}

/// Replaces the hash of the password in the credential of a user. Returns false if the user has none under this sign-in name. Round trips:
/// 2. The caller may write credentials and not read them, as in [`save_profile`].
pub async fn change_password(
    records: &dyn Records,
    username: &str,
    subject: &Subject,
    hash: &str,
) -> Result<bool, Unavailable> {
    let changed = || CredentialPassword { subject: subject.clone(), password: hash.to_owned() };
    let change = |current: Option<&Current<CredentialPassword>>| {
        let is_of_user = |current: &Current<CredentialPassword>| {
            current.generation == u64::MAX || current.state.value.subject == *subject
        };
        Ok::<_, Unavailable>(match current.is_some_and(is_of_user) {
            true => Change::Write(changed(), None, true),
            false => Change::Keep(false),
        })
    };
    let target = Target::unowned(credential_key_of(username));
    Ok(update(records, target, Start::Snapshot(u64::MAX, changed()), change).await?.result)
}

/// Notes in the credential of a user whether the user has a passkey. Returns false if the user has no password. Round trips: 2.
pub async fn note_passkey(records: &dyn Records, username: &str, has_passkey: bool) -> Result<bool, Unavailable> {
    note(records, username, PasskeyNote { has_passkey }).await
}

/// Notes in the credential of a user whether a second factor must follow the password. Returns false if the user has no password. Round
/// trips: 2.
pub async fn note_second_factor(
    records: &dyn Records,
    username: &str,
    has_second_factor: bool,
) -> Result<bool, Unavailable> {
    note(records, username, SecondFactorNote { has_second_factor }).await
}

/// Writes a note into a credential. The caller may write credentials and not read them, as in [`save_profile`].
async fn note<T>(records: &dyn Records, username: &str, wanted: T) -> Result<bool, Unavailable>
where
    T: Clone + PartialEq + Serialize + DeserializeOwned + Send + Sync,
{
    let change = |current: Option<&Current<T>>| {
        Ok::<_, Unavailable>(match current {
            Some(current) if current.generation == u64::MAX || current.state.value != wanted => {
                Change::Write(wanted.clone(), None, true)
            }
            Some(_) => Change::Keep(true),
            None => Change::Keep(false),
        })
    };
    let target = Target::unowned(credential_key_of(username));
    Ok(update(records, target, Start::Snapshot(u64::MAX, wanted.clone()), change).await?.result)
}

/// Stores the credential of a sign-in name that has none. Another one stays. Round trips: 1.
pub async fn create_credential(
    records: &dyn Records,
    username: &Username,
    credential: &Credential,
) -> Result<(), Unavailable> {
    let create = |current: Option<&Current<Credential>>| {
        Ok::<_, Unavailable>(match current {
            None => Change::Write(credential.clone(), None, ()),
            Some(_) => Change::Keep(()),
        })
    };
    let target = Target::unowned(credential_key(username));
    update(records, target, Start::Absent, create).await.map(|_| ())
}

/// Replaces display name and status in the credential of a sign-in name, if there is one. Round trips: 2.
///
/// The caller may write credentials and not read them: the first write is at a generation that no record reaches, and
/// meets the credential as it is.
pub async fn save_profile(records: &dyn Records, username: &Username, user: &User) -> Result<(), Unavailable> {
    let renamed = || CredentialProfile { name: Some(user.display_name().to_owned()), disabled: user.disabled };
    let rename = |current: Option<&Current<CredentialProfile>>| {
        Ok::<_, Unavailable>(match current {
            None => Change::Keep(()),
            Some(_) => Change::Write(renamed(), None, ()),
        })
    };
    let target = Target::unowned(credential_key(username));
    update(records, target, Start::Snapshot(u64::MAX, renamed()), rename).await.map(|_| ())
}

/// Removes the credential of a sign-in name. Does not read it.
pub async fn remove_credential(records: &dyn Records, username: &Username) -> Result<(), Unavailable> {
    records.delete(&credential_key(username)).await
}
