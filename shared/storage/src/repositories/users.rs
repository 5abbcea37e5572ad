//! Users: their profiles, and the verifiers of their passwords. Profile and credential are two records, so that only the
//! sign-in function needs to read the second.

use super::stored::decode;
use super::update::{Change, Current, Start, Target, update};
use crate::{Key, Kind, Owner, Partition, Records, Unavailable};
use protocol::Username;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::{Map, Value};
use types::Subject;

/// A user.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct User {
    /// `sub`: never changes and is never reused (OpenID Connect Core §2).
    pub subject: Subject,
    /// The sign-in name.
    pub username: String,
    /// Claims about the user (OpenID Connect Core §5.1).
    pub claims: Map<String, Value>,
}

impl User {
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
}

/// The display name in a credential. A rewrite keeps the other members.
#[derive(Serialize, Deserialize)]
struct DisplayName {
    name: Option<String>,
}

/// Returns the owner of all records of a user.
pub fn owner(subject: &Subject) -> Owner {
    Owner::new(format!("user#{}", subject.as_str()))
}

fn user_key(subject: &Subject) -> Key {
    Key::new(Kind::User, owner(subject).partition(), subject.as_str())
}

fn credential_key(username: &Username) -> Key {
    Key::new(Kind::Credential, Partition::of(&format!("credential#{username}")), username.as_str())
}

async fn read<T: DeserializeOwned>(records: &dyn Records, key: &Key) -> Result<Option<T>, Unavailable> {
    let Some(record) = records.get(key).await? else { return Ok(None) };
    Ok(Some(decode(key, &record.state)?))
}

async fn write<T>(records: &dyn Records, target: Target, value: &T) -> Result<(), Unavailable>
where
    T: Clone + Serialize + DeserializeOwned + Send + Sync,
{
    let replace = |_: Option<&Current<_>>| Ok::<_, Unavailable>(Change::Write(value.clone(), None, ()));
    update(records, target, Start::Absent, replace).await.map(|_| ())
}

/// Reads the profile of a user. Round trips: 1.
pub async fn find(records: &dyn Records, subject: &Subject) -> Result<Option<User>, Unavailable> {
    read(records, &user_key(subject)).await
}

/// Stores the profile of a user, new or changed. Round trips: 1 if it is new, else 2.
pub async fn save(records: &dyn Records, user: &User) -> Result<(), Unavailable> {
    write(records, Target::owned(user_key(&user.subject), owner(&user.subject)), user).await
}

/// Removes the profile of a user. Does not read it.
pub async fn remove(records: &dyn Records, subject: &Subject) -> Result<(), Unavailable> {
    records.delete(&user_key(subject)).await
}

/// Reads the credential of a sign-in name. Round trips: 1.
pub async fn find_credential(records: &dyn Records, username: &Username) -> Result<Option<Credential>, Unavailable> {
    read(records, &credential_key(username)).await
}

/// Stores the credential of a sign-in name, new or changed. Round trips: 1 if it is new, else 2.
pub async fn save_credential(
    records: &dyn Records,
    username: &Username,
    credential: &Credential,
) -> Result<(), Unavailable> {
    write(records, Target::unowned(credential_key(username)), credential).await
}

/// Replaces the display name in the credential of a sign-in name, if there is one. Round trips: 2.
///
/// The caller may write credentials and not read them: the first write is at a generation that no record reaches, and
/// meets the credential as it is.
pub async fn save_display_name(records: &dyn Records, username: &Username, name: &str) -> Result<(), Unavailable> {
    let renamed = || DisplayName { name: Some(name.to_owned()) };
    let rename = |current: Option<&Current<DisplayName>>| {
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
