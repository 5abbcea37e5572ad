//! Passkeys: discoverable credentials that verify the user (Web Authentication Level 3, here WebAuthn).
//!
//! These rules parse and check both ceremonies. The caller consumes the challenge before, and verifies the signature after them,
//! with the cryptography of its platform.

mod assertion;
mod attestation;
mod authenticator_data;
mod client_data;
mod cose;
mod options;
mod provider;
mod signature;

use crate::token::{Ceremony, UserHandle};
pub use assertion::{PasskeyAssertion, SignedByPasskey};
pub use attestation::PasskeyRegistration;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
pub use options::{PasskeyUser, creation_options, request_options};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};
use std::fmt;
use types::{Algorithm, Issuer, Timestamp};

/// `acr` of a sign-in with a passkey.
pub(super) const ACR: &str = "urn:latchkey:acr:passkey";

/// `amr` of a sign-in with a passkey (RFC 8176 §2): proof of possession of a key, the presence of the user, and more than one
/// factor, because the authenticator verified the user.
pub(super) const AMR: &[&str] = &["pop", "user", "mfa"];

/// The most passkeys of a user.
pub const MAX_PASSKEYS: usize = 20;

/// The longest answer of a browser, in bytes.
const MAX_ANSWER: usize = 16 * 1024;

/// The algorithms that are offered, in the order of preference: authenticators take the first that they know (WebAuthn §5.4).
const ALGORITHMS: [Algorithm; 3] = [Algorithm::ES256, Algorithm::EdDSA, Algorithm::RS256];

/// The relying party: this server, as authenticators know it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RelyingParty {
    /// RP ID: a domain. Passkeys are bound to it (WebAuthn §4).
    id: String,
    /// The origin of the pages.
    origin: String,
}

impl RelyingParty {
    /// Returns the relying party of an issuer, with its host as the RP ID, or a registrable parent domain of it. `None` if the host is
    /// an IP address, for which browsers offer no passkeys.
    pub fn new(issuer: &Issuer, domain: Option<&str>) -> Option<Self> {
        let origin = issuer.as_str().to_owned();
        let url = url::Url::parse(&origin).ok()?;
        let host = url.domain()?;
        let id = domain.unwrap_or(host).to_owned();
        let is_parent = host.strip_suffix(&id).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'));
        let is_domain = id == host || (id.contains('.') && !id.starts_with('.') && !id.ends_with('.'));
        (is_parent && is_domain).then_some(Self { id, origin })
    }

    /// Returns the RP ID.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Returns `rpIdHash`.
    fn hash(&self) -> [u8; 32] {
        Sha256::digest(&self.id).into()
    }
}

/// The reason why an answer of a browser is rejected. Logs have it; users do not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PasskeyProblem {
    /// The answer has not the form that WebAuthn defines, or is too long.
    Malformed,
    /// The client data are those of the other ceremony.
    Type,
    /// The challenge was not issued for this browser and purpose, is expired, or was used before.
    Challenge,
    /// The origin is another one, or the page was in a frame of another site.
    Origin,
    /// The authenticator answered another relying party.
    RelyingParty,
    /// The authenticator did not test for the presence of the user, or did not verify the user.
    User,
    /// The flags about backups contradict each other, or those of the registration.
    Backup,
    /// The key is of a type that was not offered.
    Key,
    /// The passkey is unknown, belongs to another user, or the signature is wrong.
    Credential,
    /// The counter did not rise: the passkey may have been copied.
    Counter,
}

impl fmt::Display for PasskeyProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Malformed => "the answer of the authenticator is malformed or too long",
            Self::Type => "the answer belongs to the other ceremony",
            Self::Challenge => "the challenge was not issued here, is expired, or was used before",
            Self::Origin => "the answer is for another origin, or from a frame",
            Self::RelyingParty => "the answer is for another relying party",
            Self::User => "the authenticator did not verify the user",
            Self::Backup => "the flags about backups contradict each other",
            Self::Key => "the type of the key was not offered",
            Self::Credential => "the passkey is unknown, or its signature is wrong",
            Self::Counter => "the counter of the passkey did not rise",
        })
    }
}

/// The identifier of a passkey, which its authenticator chose: 1 to 1023 bytes (WebAuthn §4, Credential ID).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CredentialId(Vec<u8>);

impl CredentialId {
    fn new(bytes: &[u8]) -> Result<Self, PasskeyProblem> {
        match (1..=1023).contains(&bytes.len()) {
            true => Ok(Self(bytes.to_vec())),
            false => Err(PasskeyProblem::Malformed),
        }
    }

    /// Returns the identifier in base64url, as browsers write it.
    pub fn encoded(&self) -> String {
        URL_SAFE_NO_PAD.encode(&self.0)
    }

    /// Returns the name of the passkey's record: a hash, in base64url.
    pub fn name(&self) -> String {
        URL_SAFE_NO_PAD.encode(Sha256::digest(&self.0))
    }
}

impl Serialize for CredentialId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.encoded())
    }
}

impl<'de> Deserialize<'de> for CredentialId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let bytes = URL_SAFE_NO_PAD.decode(String::deserialize(deserializer)?).ok();
        let id = bytes.and_then(|bytes| Self::new(&bytes).ok());
        id.ok_or_else(|| serde::de::Error::custom("not the identifier of a passkey"))
    }
}

/// The public key of a passkey: a JWK with `alg`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PasskeyKey(Map<String, Value>);

impl PasskeyKey {
    /// Returns the algorithm of the signatures.
    pub fn algorithm(&self) -> Option<Algorithm> {
        self.0.get("alg")?.as_str()?.parse().ok()
    }

    /// Returns the key as a JWK.
    pub fn jwk(&self) -> Value {
        Value::Object(self.0.clone())
    }
}

/// A way in which a browser reaches an authenticator (WebAuthn §5.8.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Transport {
    /// Bluetooth Low Energy.
    Ble,
    /// Another device, such as a phone.
    Hybrid,
    /// The device itself.
    Internal,
    /// Near-field communication.
    Nfc,
    /// A smart card.
    SmartCard,
    /// USB.
    Usb,
}

/// The fixed part of a passkey of a user.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Passkey {
    /// The identifier.
    pub credential_id: CredentialId,
    /// The user, as authenticators know it.
    pub user_handle: UserHandle,
    /// The public key.
    pub key: PasskeyKey,
    /// RP ID of the registration.
    pub rp_id: String,
    /// True if the passkey may be copied to other devices.
    pub backup_eligible: bool,
    /// The ways to reach the authenticator.
    #[serde(default)]
    pub transports: Vec<Transport>,
    /// AAGUID: the model of the authenticator, in hexadecimal digits; all zero if the authenticator does not say.
    pub aaguid: String,
    /// Time of the registration.
    pub created_at: Timestamp,
}

/// The part of a passkey that uses change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PasskeyUse {
    /// The name that the user gave.
    pub name: String,
    /// `signCount` of the last answer.
    pub sign_count: u32,
    /// True if the passkey was copied to a backup.
    pub backed_up: bool,
    /// The day of the last sign-in: seconds since the epoch at its start. `None` if there was none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_used_on: Option<Timestamp>,
}
