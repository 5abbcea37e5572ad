//! Public keys as JSON (RFC 7517), and their thumbprints (RFC 7638). Private and symmetric keys cannot be expressed.

use crate::{Algorithm, KeyManagementAlgorithm, certificate_thumbprint};
use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use types::Thumbprint;

/// Accepted lengths of RSA moduli, in bytes: 2048 to 8192 bits.
pub(crate) const RSA_MODULUS_LENGTHS: std::ops::RangeInclusive<usize> = 256..=1024;

/// A public key of a supported type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PublicKey {
    /// A point on P-256 (RFC 7518 §6.2) with big-endian coordinates.
    P256 {
        /// `x`: the first coordinate.
        x: [u8; 32],
        /// `y`: the second coordinate.
        y: [u8; 32],
    },
    /// An RSA key (RFC 7518 §6.3): big-endian, without leading zeros.
    Rsa {
        /// `n`: the modulus.
        n: Vec<u8>,
        /// `e`: the exponent.
        e: Vec<u8>,
    },
    /// An Ed25519 key (RFC 8037 §2).
    Ed25519 {
        /// `x`: the encoded point.
        x: [u8; 32],
    },
}

impl PublicKey {
    /// True if `alg` uses keys of this type.
    pub const fn serves(&self, alg: Algorithm) -> bool {
        matches!(
            (self, alg),
            (Self::P256 { .. }, Algorithm::ES256)
                | (Self::Rsa { .. }, Algorithm::RS256 | Algorithm::PS256)
                | (Self::Ed25519 { .. }, Algorithm::EdDSA)
        )
    }

    /// True if `alg` uses keys of this type.
    pub const fn receives(&self, alg: KeyManagementAlgorithm) -> bool {
        matches!(
            (self, alg),
            (Self::Rsa { .. }, KeyManagementAlgorithm::RsaOaep256)
                | (
                    Self::P256 { .. },
                    KeyManagementAlgorithm::EcdhEs
                        | KeyManagementAlgorithm::EcdhEsA128Kw
                        | KeyManagementAlgorithm::EcdhEsA256Kw
                )
        )
    }

    /// Reads a point of P-256 in uncompressed form (SEC 1 §2.3.3).
    pub fn from_point(point: &[u8]) -> Option<Self> {
        let [4, coordinates @ ..] = point else { return None };
        let (x, y) = coordinates.split_first_chunk::<32>()?;
        Some(Self::P256 { x: *x, y: y.try_into().ok()? })
    }

    /// Returns the SHA-256 thumbprint in base64url (RFC 7638 §3; RFC 8037 appendix A.3 for Ed25519).
    pub fn thumbprint(&self) -> String {
        encode(&self.thumbprint_digest())
    }

    /// Returns the SHA-256 thumbprint as it is digested.
    pub fn thumbprint_digest(&self) -> [u8; 32] {
        let canonical = match self {
            Self::P256 { x, y } => format!(r#"{{"crv":"P-256","kty":"EC","x":"{}","y":"{}"}}"#, encode(x), encode(y)),
            Self::Rsa { n, e } => format!(r#"{{"e":"{}","kty":"RSA","n":"{}"}}"#, encode(e), encode(n)),
            Self::Ed25519 { x } => format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{}"}}"#, encode(x)),
        };
        Sha256::digest(canonical).into()
    }
}

/// `alg`: the only algorithm for which a key may be used (RFC 7517 §4.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged, try_from = "String")]
pub enum KeyAlgorithm {
    /// A signature algorithm.
    Signature(Algorithm),
    /// An algorithm that encrypts content keys.
    Encryption(KeyManagementAlgorithm),
}

impl TryFrom<String> for KeyAlgorithm {
    type Error = &'static str;

    fn try_from(name: String) -> Result<Self, Self::Error> {
        let signature = name.parse().ok().map(Self::Signature);
        let encryption = || KeyManagementAlgorithm::ALL.iter().find(|alg| alg.as_str() == name);
        signature.or_else(|| encryption().copied().map(Self::Encryption)).ok_or("the algorithm is not supported")
    }
}

/// A public key and its parameters (RFC 7517 §4). Deserialization fails for a key with a private part, of an unsupported type, or
/// for an unsupported algorithm.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Members", into = "Members")]
pub struct Jwk {
    /// The key.
    pub key: PublicKey,
    /// `kid`: the identifier of the key.
    pub kid: Option<String>,
    /// `use`: the purpose of the key, `sig` or `enc`.
    pub usage: Option<String>,
    /// `alg`: the only algorithm for which the key may be used.
    pub alg: Option<KeyAlgorithm>,
}

impl Jwk {
    /// True if the key may verify signatures of `alg`: its type fits, and neither `use` nor `alg` forbids it.
    pub fn verifies(&self, alg: Algorithm) -> bool {
        self.key.serves(alg)
            && self.usage.as_deref().is_none_or(|usage| usage == "sig")
            && self.alg.is_none_or(|only| only == KeyAlgorithm::Signature(alg))
    }

    /// True if `alg` may encrypt content keys to the key: its type fits, and neither `use` nor `alg` forbids it.
    pub fn receives(&self, alg: KeyManagementAlgorithm) -> bool {
        self.key.receives(alg)
            && self.usage.as_deref().is_none_or(|usage| usage == "enc")
            && self.alg.is_none_or(|only| only == KeyAlgorithm::Encryption(alg))
    }
}

impl From<PublicKey> for Jwk {
    fn from(key: PublicKey) -> Self {
        Self { key, kid: None, usage: None, alg: None }
    }
}

/// A JWK Set (RFC 7517 §5).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct JwkSet {
    /// The keys.
    pub keys: Vec<Jwk>,
    /// The thumbprints of the certificates of all keys, those of unsupported types too: the first of each `x5c` (RFC 7517 §4.7).
    #[serde(skip)]
    pub certificates: Vec<Thumbprint>,
}

impl JwkSet {
    /// Parses a set. Unsupported keys are left out, as RFC 7517 §5 advises. Returns `None` if the text is no JWK Set.
    pub fn parse(json: &str) -> Option<Self> {
        Self::from_value(&types::json::value(json.as_bytes()).ok()?)
    }

    /// Reads a set from JSON that is parsed already.
    pub fn from_value(set: &serde_json::Value) -> Option<Self> {
        let keys = set.get("keys")?.as_array()?;
        let certificate = |key: &serde_json::Value| STANDARD.decode(key.get("x5c")?.get(0)?.as_str()?).ok();
        Some(Self {
            keys: keys.iter().filter_map(types::json::typed).collect(),
            certificates: keys.iter().filter_map(certificate).map(|der| certificate_thumbprint(&der)).collect(),
        })
    }

    /// Chooses the key to which `alg` encrypts. A key with `use` or `alg` comes before a key without both.
    pub fn recipient(&self, alg: KeyManagementAlgorithm) -> Option<&Jwk> {
        let candidates = || self.keys.iter().filter(|key| key.receives(alg));
        candidates().find(|key| key.usage.is_some() || key.alg.is_some()).or_else(|| candidates().next())
    }
}

/// The JSON members of a JWK.
#[derive(Serialize, Deserialize)]
struct Members {
    kty: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    crv: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    x: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    y: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    n: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    e: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    kid: Option<String>,
    #[serde(default, rename = "use", skip_serializing_if = "Option::is_none")]
    usage: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    alg: Option<KeyAlgorithm>,
    /// The private part of an EC, OKP or RSA key.
    #[serde(default, skip_serializing)]
    d: Option<serde::de::IgnoredAny>,
    /// A symmetric key.
    #[serde(default, skip_serializing)]
    k: Option<serde::de::IgnoredAny>,
}

impl TryFrom<Members> for Jwk {
    type Error = &'static str;

    fn try_from(members: Members) -> Result<Self, &'static str> {
        if members.d.is_some() || members.k.is_some() {
            return Err("the key is not a public one");
        }
        let key = match (members.kty.as_str(), members.crv.as_deref()) {
            ("EC", Some("P-256")) => PublicKey::P256 { x: fixed(members.x)?, y: fixed(members.y)? },
            ("OKP", Some("Ed25519")) => PublicKey::Ed25519 { x: fixed(members.x)? },
            ("RSA", None) => PublicKey::Rsa { n: integer(members.n)?, e: integer(members.e)? },
            _ => return Err("the key is of an unsupported type"),
        };
        let fits = match members.alg {
            None => true,
            Some(KeyAlgorithm::Signature(alg)) => key.serves(alg),
            Some(KeyAlgorithm::Encryption(alg)) => key.receives(alg),
        };
        if !fits {
            return Err("the key is not of the type that its algorithm needs");
        }
        Ok(Self { key, kid: members.kid, usage: members.usage, alg: members.alg })
    }
}

impl From<Jwk> for Members {
    fn from(jwk: Jwk) -> Self {
        let mut members = Self {
            kty: String::new(),
            crv: None,
            x: None,
            y: None,
            n: None,
            e: None,
            kid: jwk.kid,
            usage: jwk.usage,
            alg: jwk.alg,
            d: None,
            k: None,
        };
        match &jwk.key {
            PublicKey::P256 { x, y } => {
                members.kty.push_str("EC");
                members.crv = Some("P-256".to_owned());
                members.x = Some(encode(x));
                members.y = Some(encode(y));
            }
            PublicKey::Ed25519 { x } => {
                members.kty.push_str("OKP");
                members.crv = Some("Ed25519".to_owned());
                members.x = Some(encode(x));
            }
            PublicKey::Rsa { n, e } => {
                members.kty.push_str("RSA");
                members.n = Some(encode(n));
                members.e = Some(encode(e));
            }
        }
        members
    }
}

fn encode(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

fn decode(text: Option<String>) -> Result<Vec<u8>, &'static str> {
    let text = text.ok_or("the key lacks a member")?;
    URL_SAFE_NO_PAD.decode(text).map_err(|_| "a member of the key is not base64url")
}

fn fixed(text: Option<String>) -> Result<[u8; 32], &'static str> {
    decode(text)?.try_into().map_err(|_| "a coordinate is not 32 bytes long")
}

/// Decodes an integer, and removes leading zeros. Some peers write them against RFC 7518 §2, which would change the thumbprint.
fn integer(text: Option<String>) -> Result<Vec<u8>, &'static str> {
    let bytes: Vec<u8> = decode(text)?.into_iter().skip_while(|byte| *byte == 0).collect();
    if bytes.is_empty() { Err("an integer of the key is zero") } else { Ok(bytes) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    const RFC_7638_N: &str = "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw";

    fn parse(json: serde_json::Value) -> Result<Jwk, serde_json::Error> {
        serde_json::from_slice(json.to_string().as_bytes())
    }

    #[test]
    fn thumbprint_of_rfc_7638_3_1() {
        let jwk = json!({ "kty": "RSA", "n": RFC_7638_N, "e": "AQAB", "alg": "RS256", "kid": "2011-04-29" });
        let jwk = parse(jwk).unwrap();
        assert_eq!(jwk.key.thumbprint(), "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
        assert_eq!(
            (jwk.kid.as_deref(), jwk.alg),
            (Some("2011-04-29"), Some(KeyAlgorithm::Signature(Algorithm::RS256)))
        );

        let padded = [&[0], URL_SAFE_NO_PAD.decode(RFC_7638_N).unwrap().as_slice()].concat();
        let padded = parse(json!({ "kty": "RSA", "n": encode(&padded), "e": "AQAB" })).unwrap();
        assert_eq!(padded.key, jwk.key);
    }

    #[test]
    fn thumbprint_of_rfc_8037_a_3() {
        let jwk = json!({ "kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo" });
        assert_eq!(parse(jwk).unwrap().key.thumbprint(), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
    }

    #[test]
    fn a_thumbprint_of_p256_has_its_members_in_order() {
        // RFC 9449 §4.3 and §6.1: the key of the example proof and its thumbprint.
        let jwk = json!({
            "kty": "EC",
            "crv": "P-256",
            "x": "l8tFrhx-34tV3hRICRDY9zCkDlpBhF42UQUfWVAWBFs",
            "y": "9VE4jf_Ok_o64zbTTlcuNJajHmt6v9TDVrU0CdvGRDA",
        });
        assert_eq!(parse(jwk).unwrap().key.thumbprint(), "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I");
    }

    #[test]
    fn what_is_not_a_usable_public_key_does_not_parse() {
        let x = encode(&[1; 32]);
        for jwk in [
            json!({}),
            json!({ "kty": "oct", "k": x }),
            json!({ "kty": "EC", "crv": "P-256", "x": x }),
            json!({ "kty": "EC", "crv": "P-256", "x": x, "y": encode(&[1; 31]) }),
            json!({ "kty": "EC", "crv": "P-384", "x": x, "y": x }),
            json!({ "kty": "EC", "crv": "P-256", "x": x, "y": x, "d": x }),
            json!({ "kty": "EC", "crv": "P-256", "x": x, "y": x, "d": null, "k": x }),
            json!({ "kty": "EC", "crv": "P-256", "x": x, "y": x, "alg": "RS256" }),
            json!({ "kty": "EC", "crv": "P-256", "x": x, "y": x, "alg": "RSA-OAEP-256" }),
            json!({ "kty": "EC", "crv": "P-256", "x": x, "y": x, "alg": "ECDH-ES+A192KW" }),
            json!({ "kty": "OKP", "crv": "X25519", "x": x }),
            json!({ "kty": "RSA", "n": "AAAA", "e": "AQAB" }),
            json!({ "kty": "RSA", "n": "+///", "e": "AQAB" }),
            json!({ "kty": "RSA", "e": "AQAB" }),
        ] {
            assert!(parse(jwk.clone()).is_err(), "{jwk}");
        }
    }

    #[test]
    fn a_set_keeps_the_keys_that_can_be_used() {
        let x = encode(&[1; 32]);
        let set = json!({ "keys": [
            { "kty": "OKP", "crv": "X25519", "x": x },
            { "kty": "OKP", "crv": "Ed25519", "x": x, "kid": "a", "use": "sig", "alg": "EdDSA", "x5t": "ignored" },
            7,
        ] });
        let set = JwkSet::parse(&set.to_string()).unwrap();
        assert_eq!(set.keys.len(), 1);
        let written = serde_json::to_value(&set).unwrap();
        let expected = json!({ "kty": "OKP", "crv": "Ed25519", "x": x, "kid": "a", "use": "sig", "alg": "EdDSA" });
        assert_eq!(written, json!({ "keys": [expected] }));
        for not_a_set in ["", "[]", "{}", r#"{"keys":{}}"#] {
            assert_eq!(JwkSet::parse(not_a_set), None);
        }
    }

    /// RFC 7517 §4.7: the certificate of the key is the first one, in base64.
    #[test]
    fn a_set_has_the_certificates_of_all_keys() {
        let set = json!({ "keys": [
            { "kty": "EC", "crv": "P-521", "x5c": ["AAEC", "AAAA"] },
            { "kty": "RSA", "x5c": [] },
            { "kty": "RSA", "x5c": "AAEC" },
            { "kty": "RSA", "x5c": ["_-8"] },
        ] });
        assert_eq!(JwkSet::from_value(&set).unwrap().certificates, [certificate_thumbprint(&[0, 1, 2])]);
    }

    #[test]
    fn a_key_is_used_for_what_it_says_alone() {
        let x = encode(&[1; 32]);
        let key = |more: serde_json::Value| {
            let mut jwk = json!({ "kty": "EC", "crv": "P-256", "x": x, "y": x });
            jwk.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            parse(jwk).unwrap()
        };
        let es = KeyManagementAlgorithm::EcdhEs;
        for (more, verifies, receives) in [
            (json!({}), true, true),
            (json!({ "use": "sig" }), true, false),
            (json!({ "use": "enc" }), false, true),
            (json!({ "use": "other" }), false, false),
            (json!({ "alg": "ES256" }), true, false),
            (json!({ "alg": "ECDH-ES" }), false, true),
            (json!({ "alg": "ECDH-ES+A256KW" }), false, false),
        ] {
            let key = key(more.clone());
            assert_eq!((key.verifies(Algorithm::ES256), key.receives(es)), (verifies, receives), "{more}");
            assert!(!key.verifies(Algorithm::RS256) && !key.receives(KeyManagementAlgorithm::RsaOaep256));
        }

        let set = JwkSet {
            keys: vec![key(json!({ "kid": "a" })), key(json!({ "kid": "b", "use": "enc" }))],
            ..JwkSet::default()
        };
        assert_eq!(set.recipient(es).and_then(|key| key.kid.as_deref()), Some("b"));
        assert_eq!(set.recipient(KeyManagementAlgorithm::RsaOaep256), None);
    }

    proptest! {
        #[test]
        fn any_text_is_read_without_panic(text in any::<String>(), x in any::<String>(), n in any::<Vec<u8>>()) {
            let _ = JwkSet::parse(&text);
            let _ = parse(json!({ "kty": "EC", "crv": "P-256", "x": x, "y": text }));
            let _ = parse(json!({ "kty": "RSA", "n": encode(&n), "e": x })).map(|jwk| jwk.key.thumbprint());
        }
    }
}
