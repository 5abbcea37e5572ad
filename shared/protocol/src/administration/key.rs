//! Admin keys: named Ed25519 keys. The server holds public halves alone.

use super::{AdminScope, AdminScopes};
use crate::Problem;
use crate::shape::{self, Member, Shape};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};
use std::fmt;
use std::ops::RangeInclusive;
use std::time::Duration;
use types::Timestamp;

const DAY: u64 = 86_400;

/// The lifetime of an admin key, in seconds: a minute to five years.
pub const ADMIN_KEY_LIFETIME: RangeInclusive<u64> = 60..=5 * 366 * DAY;

/// The lifetime of an admin key that names none: a year.
const DEFAULT_LIFETIME: Duration = Duration::from_secs(365 * DAY);

/// The longest name of an admin key, in bytes.
const MAX_NAME: usize = 64;

/// `kid`: the identifier of an admin key, which is the thumbprint of its public half (RFC 7638 §3). Not a secret.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AdminKeyId(String);

impl AdminKeyId {
    /// Parses an identifier: 43 characters of base64url.
    pub fn parse(text: &str) -> Option<Self> {
        let is_thumbprint = text.len() == 43 && URL_SAFE_NO_PAD.decode(text).is_ok();
        is_thumbprint.then(|| Self(text.to_owned()))
    }

    /// Returns the identifier as it is on the wire.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for AdminKeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The error for a text that is no public half of an admin key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidAdminKey;

impl InvalidAdminKey {
    /// The rule that the text breaks.
    const RULE: &'static str = "must be an Ed25519 public key: 32 bytes in base64url";
}

impl fmt::Display for InvalidAdminKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(Self::RULE)
    }
}

/// The encodings of the points of small order, without the sign of the first coordinate. An attacker can make signatures that
/// such a key verifies: a verification without cofactor accepts them for some messages (RFC 8032 §5.1.7).
const SMALL_ORDER: [[u8; 32]; 7] = [
    low(0x00, 0x00, 0x00),
    low(0x01, 0x00, 0x00),
    [
        0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4, 0x89, 0xf2, 0xef, 0x98, 0xf0, 0xd5, 0xdf,
        0xac, 0x05, 0xd3, 0xc6, 0x33, 0x39, 0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53, 0xfc, 0x05,
    ],
    [
        0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b, 0x76, 0x0d, 0x10, 0x67, 0x0f, 0x2a, 0x20,
        0x53, 0xfa, 0x2c, 0x39, 0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac, 0x03, 0x7a,
    ],
    low(0xec, 0xff, 0x7f),
    low(0xed, 0xff, 0x7f),
    low(0xee, 0xff, 0x7f),
];

/// Returns 32 bytes: the first, 30 equal ones, and the last.
const fn low(first: u8, middle: u8, last: u8) -> [u8; 32] {
    let mut bytes = [middle; 32];
    bytes[0] = first;
    bytes[31] = last;
    bytes
}

/// The public half of an admin key: an encoded point of Ed25519 (RFC 8037 §2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct AdminPublicKey([u8; 32]);

impl AdminPublicKey {
    /// Parses 32 bytes in base64url without padding. Rejects points of small order.
    pub fn parse(text: &str) -> Result<Self, InvalidAdminKey> {
        let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| InvalidAdminKey)?;
        Self::from_bytes(bytes.try_into().map_err(|_| InvalidAdminKey)?)
    }

    /// Wraps an encoded point. Rejects points of small order.
    pub fn from_bytes(bytes: [u8; 32]) -> Result<Self, InvalidAdminKey> {
        let mut unsigned = bytes;
        unsigned[31] &= 0x7f;
        if SMALL_ORDER.contains(&unsigned) { Err(InvalidAdminKey) } else { Ok(Self(bytes)) }
    }

    /// Returns the encoded point.
    pub const fn to_bytes(self) -> [u8; 32] {
        self.0
    }

    /// Returns the identifier: the thumbprint (RFC 7638 §3, RFC 8037 appendix A.3).
    pub fn id(self) -> AdminKeyId {
        let canonical = format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{self}"}}"#);
        AdminKeyId(URL_SAFE_NO_PAD.encode(Sha256::digest(canonical)))
    }
}

impl fmt::Display for AdminPublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&URL_SAFE_NO_PAD.encode(self.0))
    }
}

impl TryFrom<String> for AdminPublicKey {
    type Error = InvalidAdminKey;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text)
    }
}

impl From<AdminPublicKey> for String {
    fn from(key: AdminPublicKey) -> Self {
        key.to_string()
    }
}

/// An admin key as it is stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AdminKey {
    /// The public half.
    pub public_key: AdminPublicKey,
    /// Name for the operator.
    pub name: String,
    /// Scopes.
    pub scopes: AdminScopes,
    /// Creation time.
    pub created_at: Timestamp,
    /// Expiry.
    pub expires_at: Timestamp,
    /// The key that created it.
    pub created_by: AdminKeyId,
}

/// An administrator: the key that signed a request, and what it may do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Administrator {
    /// The key.
    pub key: AdminKeyId,
    /// The scopes of the key.
    pub scopes: AdminScopes,
    /// Expiry of the key; `None` for a key in the settings of the deployment.
    pub expires_at: Option<Timestamp>,
}

impl Administrator {
    /// Returns the administrator with a key in the settings of the deployment: it may do everything, and does not expire.
    pub fn of_deployment(key: AdminKeyId) -> Self {
        Self { key, scopes: AdminScopes::new([AdminScope::All]), expires_at: None }
    }

    /// Returns the problem of revoking `key`: a key cannot revoke another one that has scopes that it lacks.
    pub fn revocation_problem(&self, key: &AdminKey) -> Option<Problem> {
        let lacking = self.scopes.lack(&key.scopes);
        (!lacking.is_empty()).then(|| {
            let rule = format!("has scopes that the key that revokes it lacks: {}", names(&lacking));
            Problem::new("kid", rule)
        })
    }
}

/// A key to be created, as an administrator sends it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct NewAdminKey {
    name: String,
    public_key: AdminPublicKey,
    scopes: AdminScopes,
    lifetime: Option<u64>,
}

impl NewAdminKey {
    const MEMBERS: &[Member] = &[
        Member::required("name", Shape::Text),
        Member::required("public_key", Shape::Decoded(is_public_key, InvalidAdminKey::RULE)),
        Member::required("scopes", Shape::ListOf(AdminScope::names)),
        Member::optional("lifetime", Shape::Seconds),
    ];

    /// Reads `name`, `public_key`, `scopes` and `lifetime` (seconds). Errors: every problem.
    pub fn parse(body: Map<String, Value>) -> Result<Self, Vec<Problem>> {
        let (new, mut problems) = shape::decode::<Self>(Self::MEMBERS, body);
        let Some(new) = new else { return Err(problems) };
        let is_name = (1..=MAX_NAME).contains(&new.name.len()) && !new.name.chars().any(char::is_control);
        if !is_name || new.name.trim() != new.name {
            let rule =
                format!("must be 1 to {MAX_NAME} bytes without control characters and without white space around it");
            problems.push(Problem::new("name", rule));
        }
        if new.scopes.is_empty() {
            problems.push(Problem::new("scopes", "must name a scope"));
        }
        if new.lifetime.is_some_and(|lifetime| !ADMIN_KEY_LIFETIME.contains(&lifetime)) {
            let (least, most) = (ADMIN_KEY_LIFETIME.start(), ADMIN_KEY_LIFETIME.end());
            problems.push(Problem::new("lifetime", format!("must be {least} to {most} seconds")));
        }
        if problems.is_empty() { Ok(new) } else { Err(problems) }
    }

    /// Returns the key that `creator` creates at `now`. A key cannot grant scopes that it lacks, and no key outlives the one
    /// that created it. Errors: every problem.
    pub fn created_by(self, creator: &Administrator, now: Timestamp) -> Result<AdminKey, Vec<Problem>> {
        let mut problems = Vec::new();
        let lacking = creator.scopes.lack(&self.scopes);
        if !lacking.is_empty() {
            let rule = format!("cannot have scopes that the key that creates it lacks: {}", names(&lacking));
            problems.push(Problem::new("scopes", rule));
        }
        let latest = creator.expires_at.unwrap_or(Timestamp::from_millis(u64::MAX));
        let expires_at = match self.lifetime.map(Duration::from_secs) {
            None => now.after(DEFAULT_LIFETIME).min(latest),
            Some(lifetime) if now.after(lifetime) > latest => {
                let rule = format!("must end with the key that creates it, in {} seconds", latest.since(now).as_secs());
                problems.push(Problem::new("lifetime", rule));
                latest
            }
            Some(lifetime) => now.after(lifetime),
        };
        if !problems.is_empty() {
            return Err(problems);
        }
        let Self { name, public_key, scopes, .. } = self;
        Ok(AdminKey { public_key, name, scopes, created_at: now, expires_at, created_by: creator.key.clone() })
    }
}

fn is_public_key(value: &Value) -> bool {
    value.as_str().is_some_and(|text| AdminPublicKey::parse(text).is_ok())
}

fn names(scopes: &[AdminScope]) -> String {
    scopes.iter().map(|scope| scope.as_str()).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const NOW: Timestamp = Timestamp::from_secs(1_800_000_000);
    /// RFC 8037 appendix A.2 and A.3.
    const PUBLIC: &str = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";
    const THUMBPRINT: &str = "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k";

    fn parse(body: Value) -> Result<NewAdminKey, Vec<String>> {
        let Value::Object(body) = body else { panic!("an object") };
        NewAdminKey::parse(body).map_err(|problems| problems.iter().map(ToString::to_string).collect())
    }

    fn administrator(scopes: &[AdminScope], expires_at: Option<Timestamp>) -> Administrator {
        let key = AdminPublicKey::parse(PUBLIC).unwrap().id();
        Administrator { key, scopes: AdminScopes::new(scopes.iter().copied()), expires_at }
    }

    #[test]
    fn the_identifier_is_the_thumbprint() {
        let key = AdminPublicKey::parse(PUBLIC).unwrap();
        assert_eq!((key.id().as_str(), key.to_string().as_str()), (THUMBPRINT, PUBLIC));
        assert_eq!(AdminKeyId::parse(THUMBPRINT), Some(key.id()));
        for text in ["", "x", &"A".repeat(42), &format!("{PUBLIC}A"), &"+".repeat(43), &"#".repeat(43)] {
            assert_eq!(AdminKeyId::parse(text), None, "{text}");
            assert_eq!(AdminPublicKey::parse(text), Err(InvalidAdminKey), "{text}");
        }
    }

    #[test]
    fn a_point_of_small_order_is_no_key() {
        for point in SMALL_ORDER {
            assert_eq!(AdminPublicKey::from_bytes(point), Err(InvalidAdminKey));
            let mut negative = point;
            negative[31] |= 0x80;
            assert_eq!(AdminPublicKey::from_bytes(negative), Err(InvalidAdminKey));
        }
        assert!(AdminPublicKey::parse(&"A".repeat(43)).is_err());
    }

    #[test]
    fn a_new_key_is_checked_as_a_whole() {
        let good = json!({ "name": "CI", "public_key": PUBLIC, "scopes": ["clients:write", "users:read"] });
        assert!(parse(good.clone()).is_ok());
        for (member, value, problem) in [
            ("name", json!(""), "name: must be 1 to 64"),
            ("name", json!(" CI"), "name: must be"),
            ("name", json!("a\nb"), "name: must be"),
            ("name", json!("x".repeat(65)), "name: must be"),
            ("name", json!(null), "name: is missing"),
            ("public_key", json!("AAAA"), "public_key: must be an Ed25519 public key"),
            ("public_key", json!("A".repeat(43)), "public_key: must be"),
            ("scopes", json!([]), "scopes: must name a scope"),
            ("scopes", json!("all"), "scopes: must be a list"),
            ("scopes", json!(["users:read", "root"]), "scopes: must be a list, each item one of clients:read"),
            ("lifetime", json!(59), "lifetime: must be 60 to 158112000 seconds"),
            ("lifetime", json!(158_112_001), "lifetime: must be"),
            ("lifetime", json!("1"), "lifetime: must be a whole number"),
            ("private_key", json!("x"), "private_key: there is no such"),
        ] {
            let mut body = good.clone();
            body[member] = value;
            let problems = parse(body).unwrap_err();
            assert!(problems.iter().any(|text| text.starts_with(problem)), "{problems:?}");
        }
    }

    #[test]
    fn a_key_grants_no_scope_that_it_lacks() {
        let wanted = |scopes: Value| parse(json!({ "name": "n", "public_key": PUBLIC, "scopes": scopes })).unwrap();
        let limited = administrator(&[AdminScope::AdminKeysWrite, AdminScope::UsersWrite], None);
        let created = wanted(json!(["users:read", "admin-keys:read"])).created_by(&limited, NOW).unwrap();
        assert_eq!((created.created_at, &created.created_by), (NOW, &limited.key));
        for scopes in [json!(["all"]), json!(["clients:read"]), json!(["users:read", "keys:write"])] {
            let problems = wanted(scopes.clone()).created_by(&limited, NOW).unwrap_err();
            assert_eq!(problems[0].field(), "scopes", "{scopes}");
        }
        assert!(wanted(json!(["all"])).created_by(&administrator(&[AdminScope::All], None), NOW).is_ok());
    }

    #[test]
    fn a_key_does_not_outlive_its_creator() {
        let end = NOW.after(Duration::from_secs(1000));
        let creator = administrator(&[AdminScope::All], Some(end));
        let wanted = |lifetime: Value| {
            parse(json!({ "name": "n", "public_key": PUBLIC, "scopes": ["all"], "lifetime": lifetime })).unwrap()
        };
        assert_eq!(wanted(json!(null)).created_by(&creator, NOW).unwrap().expires_at, end);
        assert_eq!(wanted(json!(1000)).created_by(&creator, NOW).unwrap().expires_at, end);
        assert_eq!(wanted(json!(1001)).created_by(&creator, NOW).unwrap_err()[0].field(), "lifetime");
        let operator = administrator(&[AdminScope::All], None);
        assert_eq!(wanted(json!(null)).created_by(&operator, NOW).unwrap().expires_at, NOW.after(DEFAULT_LIFETIME));
    }

    #[test]
    fn a_key_revokes_no_key_that_may_do_more() {
        let operator = administrator(&[AdminScope::All], None);
        let strong = json!({ "name": "n", "public_key": PUBLIC, "scopes": ["users:write"] });
        let strong = parse(strong).unwrap().created_by(&operator, NOW).unwrap();
        let limited = administrator(&[AdminScope::AdminKeysWrite, AdminScope::UsersRead], None);
        assert!(limited.revocation_problem(&strong).is_some());
        assert!(operator.revocation_problem(&strong).is_none());
        assert!(administrator(&[AdminScope::UsersWrite], None).revocation_problem(&strong).is_none());
    }
}
