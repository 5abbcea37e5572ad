//! A client as it is stored, and its secrets.

use super::logo::LogoName;
use super::metadata_document::{self, DocumentCopy};
use super::registration::Registration;
use crate::Client;
use crate::ClientOrigin;
use crate::Problem;
use crate::limits::{CLIENT_SECRET_DIFFERENT, CLOCK_DIFFERENCE, MAX_CLIENT_SECRET, MAX_SECRETS};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::time::Duration;
use subtle::ConstantTimeEq;
use types::Timestamp;

/// A client as it is stored, with the verifiers of its secrets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredClient {
    /// Settings.
    pub client: Client,
    /// Verifiers of its secrets, the newest first. Several are valid at once, so that a secret is replaced without a gap.
    #[serde(default)]
    pub secrets: Vec<SecretVerifier>,
    /// Creation time. Tokens issued earlier belong to a deleted client with the same `client_id` and are rejected.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Timestamp>,
    /// The way in which the client came to be.
    #[serde(default)]
    pub origin: ClientOrigin,
    /// The copy of its metadata document.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub document: Option<DocumentCopy>,
    /// True if the operator reviewed the settings. A change by the client itself ends it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub reviewed: bool,
    /// The logo, which the operator uploaded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub logo: Option<LogoName>,
    /// Expiry of a client that registered itself and has received no token, or that identical registrations share.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unused_until: Option<Timestamp>,
}

impl StoredClient {
    /// Returns a client of the operator, which does not expire.
    pub fn new(client: Client, secrets: Vec<SecretVerifier>) -> Self {
        Self {
            client,
            secrets,
            since: None,
            origin: ClientOrigin::Operator,
            document: None,
            reviewed: false,
            logo: None,
            unused_until: None,
        }
    }

    /// True if the operator registered the client or reviewed its settings.
    pub fn is_reviewed(&self) -> bool {
        self.reviewed || self.origin.is_operator()
    }

    /// True if the client has not expired at `now`.
    pub fn is_there(&self, now: Timestamp) -> bool {
        self.unused_until.is_none_or(|expires_at| !expires_at.is_past(now))
    }

    /// True if identical registrations share the client, as long as the operator did not make it confidential.
    pub fn is_shared(&self) -> bool {
        self.origin == ClientOrigin::SharedRegistration && !self.client.is_confidential()
    }

    /// True if the client has a metadata document.
    pub fn is_document(&self) -> bool {
        self.origin == ClientOrigin::MetadataDocument
    }

    /// True if no registration keeps the client: it stays while it is used.
    pub fn lives_by_use(&self) -> bool {
        self.is_shared() || self.is_document()
    }

    /// Returns the digest of the settings that users rely on, if others than the operator can change them at any time; `None` if
    /// they cannot. Consent is given for one digest.
    pub fn identity_digest(&self) -> Option<String> {
        self.is_document().then(|| metadata_document::identity_digest(&self.client))
    }

    /// Returns the expiry that replaces the present one if less than half of `lifetime` is left; `None` if more is left, or if
    /// the client does not expire. So a client that is used all the time is written twice in a lifetime at most.
    pub fn extension(&self, lifetime: Duration, now: Timestamp) -> Option<Timestamp> {
        let is_short = |unused_until: Timestamp| unused_until.since(now) < lifetime.div_f64(2.0);
        self.unused_until.filter(|unused_until| is_short(*unused_until)).map(|_| now.after(lifetime))
    }

    /// True if a token of this issue time may belong to this client, not to an earlier one with the same `client_id`. The
    /// instance that created the client may be ahead of the one that issued the token.
    pub fn existed_at(&self, issued_at: Timestamp) -> bool {
        // Tokens have whole seconds.
        self.since.is_none_or(|since| since.before(CLOCK_DIFFERENCE).as_secs() <= issued_at.as_secs())
    }

    /// True if this registration created the client. The operator may since have created another of the same
    /// `client_id`.
    pub fn is_of(&self, registration: &Registration) -> bool {
        self.since == Some(registration.registered_at)
    }

    /// True if the secret is one of the client's. Takes the same time for every wrong secret.
    pub fn accepts(&self, secret: &str) -> bool {
        self.secrets.iter().fold(false, |found, verifier| found | verifier.accepts(secret))
    }
}

/// A change of a client's secrets: the value of `new_client_secret`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SecretRotation {
    /// The secrets stay; a client without one gets a new one.
    Keep,
    /// A new secret replaces all others.
    Replace,
    /// A new secret is added; the newest of the others stays valid.
    Add,
}

impl SecretRotation {
    /// Reads `new_client_secret`.
    pub fn parse(value: Option<&Value>) -> Result<Self, Problem> {
        match value.map(Value::as_str) {
            None => Ok(Self::Keep),
            Some(Some("replace")) => Ok(Self::Replace),
            Some(Some("add")) => Ok(Self::Add),
            Some(_) => Err(Problem::new("new_client_secret", "must be \"replace\" or \"add\"")),
        }
    }

    /// True if a client with these secrets gets a new one.
    pub fn needs_secret(self, before: &[SecretVerifier]) -> bool {
        self != Self::Keep || before.is_empty()
    }

    /// Returns the verifiers after the change, the newest first.
    pub fn apply(self, before: &[SecretVerifier], new: SecretVerifier) -> Vec<SecretVerifier> {
        match self {
            Self::Keep if !before.is_empty() => before.to_vec(),
            Self::Keep | Self::Replace => vec![new],
            Self::Add => std::iter::once(new).chain(before.iter().cloned()).take(MAX_SECRETS).collect(),
        }
    }
}

/// Returns the problem of a client secret that an operator chooses, if it has one. The secret must be as strong as 128 random
/// bits: enough characters of its alphabet, and not a few of them repeated (RFC 6749 §10.10). Whether they are random, only the
/// operator knows.
pub fn chosen_secret_problem(secret: &str) -> Option<Problem> {
    let is_visible = secret.len() <= MAX_CLIENT_SECRET && secret.bytes().all(|byte| byte.is_ascii_graphic());
    let length = u32::try_from(secret.len()).unwrap_or(u32::MAX);
    // As many secrets of this length and alphabet as 128 bits have values: more than the number can hold.
    let is_strong = alphabet(secret).checked_pow(length).is_none();
    let mut different = secret.as_bytes().to_vec();
    different.sort_unstable();
    different.dedup();
    if is_visible && is_strong && different.len() >= CLIENT_SECRET_DIFFERENT {
        return None;
    }
    let rule = format!(
        "must be at most {MAX_CLIENT_SECRET} visible ASCII characters that are as strong as 128 random bits, such as 32 random hexadecimal digits or 22 random letters and digits; leave it out to have one made"
    );
    Some(Problem::new("client_secret", rule))
}

/// Returns the size of the alphabet of a secret: of the kinds of characters that it has.
fn alphabet(secret: &str) -> u128 {
    if secret.bytes().all(|byte| byte.is_ascii_hexdigit()) && secret.bytes().any(|byte| byte.is_ascii_alphabetic()) {
        return 16;
    }
    let has = |is_of_kind: fn(&u8) -> bool| secret.as_bytes().iter().any(is_of_kind);
    let kinds = [
        (has(u8::is_ascii_digit), 10),
        (has(u8::is_ascii_lowercase), 26),
        (has(u8::is_ascii_uppercase), 26),
        (has(u8::is_ascii_punctuation), 32),
    ];
    kinds.into_iter().filter(|(is_there, _)| *is_there).map(|(_, size)| size).sum()
}

/// The verifier of a client secret: a salted SHA-256. Generated secrets have 256 random bits, so a reader of the store
/// cannot guess them. Passwords, which users choose, are never stored this way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SecretVerifier {
    salt: String,
    hash: String,
}

impl SecretVerifier {
    /// Returns the verifier of a secret. The salt must be random.
    pub fn new(secret: &str, salt: [u8; 16]) -> Self {
        let salt = URL_SAFE_NO_PAD.encode(salt);
        let hash = Self::hash(&salt, secret);
        Self { salt, hash }
    }

    /// True if this is the secret. Takes the same time for every secret.
    pub fn accepts(&self, secret: &str) -> bool {
        Self::hash(&self.salt, secret).as_bytes().ct_eq(self.hash.as_bytes()).into()
    }

    fn hash(salt: &str, secret: &str) -> String {
        URL_SAFE_NO_PAD.encode(Sha256::new().chain_update(salt).chain_update(b"\0").chain_update(secret).finalize())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;
    use serde_json::json;

    fn verifier(secret: &str) -> SecretVerifier {
        SecretVerifier::new(secret, [7; 16])
    }

    #[test]
    fn a_rotation_keeps_replaces_or_adds() {
        let before = [verifier("second"), verifier("first")];
        let apply = |rotation: SecretRotation, before: &[SecretVerifier]| rotation.apply(before, verifier("third"));
        assert_eq!(apply(SecretRotation::Keep, &before), before);
        assert_eq!(apply(SecretRotation::Keep, &[]), [verifier("third")]);
        assert_eq!(apply(SecretRotation::Replace, &before), [verifier("third")]);
        assert_eq!(apply(SecretRotation::Add, &before), [verifier("third"), verifier("second")]);
        assert!(!SecretRotation::Keep.needs_secret(&before) && SecretRotation::Keep.needs_secret(&[]));
        assert!(SecretRotation::Add.needs_secret(&before));
    }

    #[test]
    fn a_rotation_has_two_names() {
        assert_eq!(SecretRotation::parse(None), Ok(SecretRotation::Keep));
        assert_eq!(SecretRotation::parse(Some(&json!("add"))), Ok(SecretRotation::Add));
        for other in [json!("Add"), json!(""), json!(true), json!(null)] {
            assert_eq!(SecretRotation::parse(Some(&other)).unwrap_err().field(), "new_client_secret");
        }
    }

    /// RFC 6749 §10.10: a secret that an attacker cannot guess.
    #[test]
    fn a_chosen_secret_is_as_strong_as_128_random_bits() {
        for secret in [
            "0123456789abcdef0123456789abcdef",
            "83749261037465928374650192837465019283746",
            "Zb4kQ8mW2xT7rL9vN3cH6p",
            "s+%20&=:;/?#@~\"'\\{}aB",
            &"aB3xY7qR".repeat(32),
        ] {
            assert_eq!(chosen_secret_problem(secret), None, "{secret}");
        }
        for secret in [
            "",
            "demo-service-secret",
            "0123456789abcdef0123456789abcde",
            "1234567890123456789012345678901234567",
            "Zb4kQ8mW2xT7rL9vN3cH6",
            "with a space in it, and as long as can be",
            &"ab".repeat(40),
            &"aB3xY7qR".repeat(33),
        ] {
            assert!(chosen_secret_problem(secret).is_some(), "{secret}");
        }
    }
}
