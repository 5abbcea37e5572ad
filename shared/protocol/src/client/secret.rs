//! A client as it is stored, and what its secrets are checked against.

use crate::Client;
use crate::registration::Registration;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use types::Timestamp;

/// A client as it is stored: with what its secrets are checked against.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredClient {
    /// The client.
    pub client: Client,
    /// Its secrets' verifiers; any of them is good, so that a secret can be replaced without a gap.
    #[serde(default)]
    pub secrets: Vec<SecretVerifier>,
    /// When it was made. What was granted to another client of the same name before is none of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Timestamp>,
    /// When it is forgotten, unless it gets a token before: clients that registered themselves and were never used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unused_until: Option<Timestamp>,
}

impl StoredClient {
    /// A client with its secrets.
    pub fn new(client: Client, secrets: Vec<SecretVerifier>) -> Self {
        Self { client, secrets, since: None, unused_until: None }
    }

    /// Whether it is there at all at `now`.
    pub fn is_there(&self, now: Timestamp) -> bool {
        self.unused_until.is_none_or(|forgotten_at| !forgotten_at.is_past(now))
    }

    /// Whether what was issued at this moment can have been issued to it.
    pub fn existed_at(&self, issued_at: Timestamp) -> bool {
        // Tokens tell whole seconds.
        self.since.is_none_or(|since| since.as_secs() <= issued_at.as_secs())
    }

    /// Whether it was made by this registration: the operator may since have made another client of the same name.
    pub fn is_of(&self, registration: &Registration) -> bool {
        self.since == Some(registration.registered_at)
    }

    /// Whether a secret is one of the client's, in constant time.
    pub fn accepts(&self, secret: &str) -> bool {
        self.secrets.iter().fold(false, |found, verifier| found | verifier.accepts(secret))
    }
}

/// What a client's secret is checked against: a salted SHA-256. Client secrets are random, 256 bits, made here, so a
/// reader of the store cannot find them by trying; passwords, which people choose, are never stored this way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SecretVerifier {
    salt: String,
    hash: String,
}

impl SecretVerifier {
    /// Of a secret, with a fresh salt.
    pub fn new(secret: &str, salt: [u8; 16]) -> Self {
        let salt = URL_SAFE_NO_PAD.encode(salt);
        let hash = Self::hash(&salt, secret);
        Self { salt, hash }
    }

    /// Whether this is the secret, in constant time.
    pub fn accepts(&self, secret: &str) -> bool {
        Self::hash(&self.salt, secret).as_bytes().ct_eq(self.hash.as_bytes()).into()
    }

    fn hash(salt: &str, secret: &str) -> String {
        URL_SAFE_NO_PAD.encode(Sha256::new().chain_update(salt).chain_update(b"\0").chain_update(secret).finalize())
    }
}
