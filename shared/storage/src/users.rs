//! People: their profiles, and what they sign in with. Profile and credential are two records, so that only the
//! sign-in page need be able to read the second.

use crate::stored::{put, state};
use crate::{Key, Kind, Owner, Partition, Records, Unavailable};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// A person.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct User {
    /// Their identifier in every token: never changes, never reused (OpenID Connect Core §2).
    pub subject: String,
    /// What they sign in as.
    pub username: String,
    /// Claims about them (OpenID Connect Core §5.1).
    pub claims: Map<String, Value>,
}

impl User {
    /// Their name for people: `name`, or else what they sign in as.
    pub fn display_name(&self) -> &str {
        self.claims.get("name").and_then(Value::as_str).unwrap_or(&self.username)
    }
}

/// What a person signs in with.
#[derive(Clone, Serialize, Deserialize)]
pub struct Credential {
    /// Who it is.
    pub subject: String,
    /// The hash of the password, as a PHC string.
    pub password: String,
}

/// The owner of all that is a person's.
pub fn owner(subject: &str) -> Owner {
    Owner::new(format!("user#{subject}"))
}

/// A sign-in name as it is compared: without spaces around it, in lower case.
pub fn normalize(username: &str) -> String {
    username.trim().to_lowercase()
}

fn user_key(subject: &str) -> Key {
    Key::new(Kind::User, owner(subject).partition(), subject)
}

fn credential_key(username: &str) -> Key {
    let name = normalize(username);
    Key::new(Kind::Credential, Partition::of(&format!("credential#{name}")), &name)
}

/// Reads a person's profile.
pub async fn find(records: &dyn Records, subject: &str) -> Result<Option<User>, Unavailable> {
    state(records, &user_key(subject)).await
}

/// Stores a person's profile, new or changed.
pub async fn save(records: &dyn Records, user: &User) -> Result<(), Unavailable> {
    put(records, &user_key(&user.subject), Some(owner(&user.subject)), user, None).await
}

/// Removes a person's profile.
pub async fn remove(records: &dyn Records, subject: &str) -> Result<(), Unavailable> {
    records.delete(&user_key(subject)).await
}

/// Reads what the bearer of a sign-in name signs in with.
pub async fn find_credential(records: &dyn Records, username: &str) -> Result<Option<Credential>, Unavailable> {
    state(records, &credential_key(username)).await
}

/// Stores what the bearer of a sign-in name signs in with.
pub async fn save_credential(
    records: &dyn Records,
    username: &str,
    credential: &Credential,
) -> Result<(), Unavailable> {
    put(records, &credential_key(username), None, credential, None).await
}

/// Removes a sign-in name.
pub async fn remove_credential(records: &dyn Records, username: &str) -> Result<(), Unavailable> {
    records.delete(&credential_key(username)).await
}
