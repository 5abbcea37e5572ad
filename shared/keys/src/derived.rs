//! The keys that are derived from a deployment secret, all of them or those of one function.

use crate::Secret;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use chacha20poly1305::{KeyInit as _, XChaCha20Poly1305};
use hkdf::Hkdf;
use hmac::{Hmac, Mac as _};
use jose::{DecryptionKey, PublicKey};
use manifest::Purpose;
use serde::Deserialize;
use serde_json::{Map, Value};
use sha2::Sha256;
use std::sync::Arc;
use zeroize::Zeroizing;

pub(crate) const KEY_ID_LENGTH: usize = 4;

/// The member of the exported keys that holds the key id.
const KEY_ID: &str = "id";

/// The member of the exported keys that holds the credential of the function.
const CREDENTIAL: &str = "credential";

/// The keys of one purpose.
struct Keys {
    mac: Hmac<Sha256>,
    seal: XChaCha20Poly1305,
}

impl Keys {
    /// Derives both keys from the key of the purpose. HKDF-Expand (RFC 5869 §2.3) takes it as its pseudorandom key.
    fn new(purpose_key: &[u8; 32]) -> Option<Self> {
        let hkdf = Hkdf::<Sha256>::from_prk(purpose_key).ok()?;
        let seal: Zeroizing<[u8; 32]> = expand(&hkdf, &[b"seal"]);
        // A key of the block length of SHA-256, for which HMAC cannot fail.
        let mac: Zeroizing<[u8; 64]> = expand(&hkdf, &[b"mac"]);
        Some(Self {
            mac: <Hmac<Sha256> as hmac::KeyInit>::new((&*mac).into()),
            seal: XChaCha20Poly1305::new((&*seal).into()),
        })
    }
}

/// The keys that are derived from a deployment secret: of every purpose, or of those that a function needs.
pub struct DerivedKeys {
    key_id: [u8; KEY_ID_LENGTH],
    keys: [Option<Arc<Keys>>; Purpose::COUNT],
    request_object: RequestObjectKey,
}

/// The key to which clients encrypt request objects.
#[derive(Clone, Default)]
struct RequestObjectKey {
    public: Option<PublicKey>,
    private: Option<Arc<DecryptionKey>>,
}

impl RequestObjectKey {
    /// Returns the halves of this key that these purposes include.
    fn only(&self, purposes: &[Purpose]) -> Self {
        Self {
            public: self.public.clone().filter(|_| purposes.contains(&Purpose::RequestObjectPublic)),
            private: self.private.clone().filter(|_| purposes.contains(&Purpose::RequestObject)),
        }
    }

    fn has(&self, purpose: Purpose) -> bool {
        match purpose {
            Purpose::RequestObjectPublic => self.public.is_some(),
            _ => self.private.is_some(),
        }
    }
}

impl std::fmt::Debug for DerivedKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("DerivedKeys(redacted)")
    }
}

/// The error for a text that is no export of derived keys. It does not contain the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidKeys;

impl std::fmt::Display for InvalidKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("not the keys of a function, as `latchkey secret derive` prints them")
    }
}

impl std::error::Error for InvalidKeys {}

impl DerivedKeys {
    /// Derives the keys of every purpose.
    pub(crate) fn of(secret: &[u8; 32]) -> Self {
        let hkdf = extract(secret);
        let keys = Purpose::ALL.map(|purpose| Keys::new(&purpose_key(&hkdf, purpose)).map(Arc::new));
        let scalar = request_object_scalar(&purpose_key(&hkdf, Purpose::RequestObject));
        let request_object = match p256_point(&scalar) {
            Some(public) => {
                let private = Some(Arc::new(DecryptionKey::new(public.clone(), scalar)));
                RequestObjectKey { public: Some(public), private }
            }
            None => RequestObjectKey::default(),
        };
        Self { key_id: key_id(&hkdf), keys, request_object }
    }

    /// Parses exported keys: a JSON object with `id` and one member for each purpose, in base64url. The member of a public key is its
    /// point.
    pub fn parse(text: &str) -> Result<Self, InvalidKeys> {
        let members: Map<String, Value> = types::json::decode(text.trim().as_bytes()).map_err(|_| InvalidKeys)?;
        let mut id = None;
        let mut keys = [const { None }; Purpose::COUNT];
        let (mut point, mut scalar) = (None, None);
        for (name, value) in &members {
            let bytes = value.as_str().and_then(|text| URL_SAFE_NO_PAD.decode(text).ok()).ok_or(InvalidKeys)?;
            let bytes = Zeroizing::new(bytes);
            if name == KEY_ID {
                id = Some(bytes.as_slice().try_into().map_err(|_| InvalidKeys)?);
                continue;
            }
            // A later version may derive keys of further purposes. `credential` reads the credential.
            let Some(purpose) = Purpose::from_label(name) else { continue };
            if purpose == Purpose::RequestObjectPublic {
                point = Some(PublicKey::from_point(&[&[4], bytes.as_slice()].concat()).ok_or(InvalidKeys)?);
                continue;
            }
            if purpose == Purpose::RequestObject {
                scalar = bytes.as_slice().try_into().ok().map(request_object_scalar);
            }
            let key = bytes.as_slice().try_into().ok().and_then(Keys::new).ok_or(InvalidKeys)?;
            if let Some(place) = keys.get_mut(purpose as usize) {
                *place = Some(Arc::new(key));
            }
        }
        let private = point.clone().zip(scalar).map(|(point, scalar)| Arc::new(DecryptionKey::new(point, scalar)));
        Ok(Self { key_id: id.ok_or(InvalidKeys)?, keys, request_object: RequestObjectKey { public: point, private } })
    }

    /// Returns these keys with the pairwise key of another secret.
    #[must_use]
    pub fn with_pairwise(mut self, secret: &Secret) -> Self {
        if let Some(place) = self.keys.get_mut(Purpose::Pairwise as usize) {
            *place = secret.derive().get(Purpose::Pairwise).cloned();
        }
        self
    }

    /// Returns these keys without those of other purposes.
    pub(crate) fn only(&self, purposes: &[Purpose]) -> Self {
        let keys = Purpose::ALL.map(|purpose| self.get(purpose).filter(|_| purposes.contains(&purpose)).cloned());
        Self { key_id: self.key_id, keys, request_object: self.request_object.only(purposes) }
    }

    /// Returns the id of the secret, which reveals nothing about it.
    pub(crate) const fn key_id(&self) -> [u8; KEY_ID_LENGTH] {
        self.key_id
    }

    /// True if the key of the purpose is there.
    pub(crate) fn has(&self, purpose: Purpose) -> bool {
        match purpose {
            Purpose::RequestObject | Purpose::RequestObjectPublic => self.request_object.has(purpose),
            _ => self.get(purpose).is_some(),
        }
    }

    /// Returns the public key to which clients encrypt request objects.
    pub(crate) fn encryption_key(&self) -> Option<&PublicKey> {
        self.request_object.public.as_ref()
    }

    /// Returns the private key that decrypts request objects.
    pub(crate) fn decryption_key(&self) -> Option<&DecryptionKey> {
        self.request_object.private.as_deref()
    }

    /// Returns the key for encryption; `None` if the purpose is missing.
    pub(crate) fn sealing(&self, purpose: Purpose) -> Option<&XChaCha20Poly1305> {
        self.get(purpose).map(|keys| &keys.seal)
    }

    /// Returns the HMAC-SHA-256 of the parts, each preceded by its length. A function without the key gets random bytes: it
    /// accepts nothing, and what it makes is accepted nowhere.
    pub(crate) fn mac(&self, purpose: Purpose, parts: &[&[u8]]) -> [u8; 32] {
        let keys = self.get(purpose);
        debug_assert!(keys.is_some(), "the manifest gives this function no key for {purpose}");
        let Some(keys) = keys else {
            let mut random = [0; 32];
            let filled = getrandom::fill(&mut random);
            debug_assert!(filled.is_ok());
            return random;
        };
        let mut mac = keys.mac.clone();
        for part in parts {
            mac.update(&(part.len() as u64).to_be_bytes());
            mac.update(part);
        }
        mac.finalize().into_bytes().into()
    }

    /// Returns the credential with which a function calls the objects that hold the records; `None` without the key.
    pub(crate) fn credential(&self, function: &str) -> Option<Zeroizing<String>> {
        let mac = self.credential_mac(function)?;
        Some(Zeroizing::new(URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes())))
    }

    /// True if a text is the credential of a function. The time of the comparison does not depend on the text.
    pub(crate) fn accepts_credential(&self, function: &str, credential: &str) -> bool {
        let Some(mac) = self.credential_mac(function) else { return false };
        URL_SAFE_NO_PAD.decode(credential).is_ok_and(|tag| mac.verify_slice(&tag).is_ok())
    }

    fn credential_mac(&self, function: &str) -> Option<Hmac<Sha256>> {
        let mut mac = self.get(Purpose::Records)?.mac.clone();
        mac.update(function.as_bytes());
        Some(mac)
    }

    fn get(&self, purpose: Purpose) -> Option<&Arc<Keys>> {
        self.keys.get(purpose as usize)?.as_ref()
    }
}

/// Returns the credential in exported keys; `None` if there is none.
pub(crate) fn credential_of(exported: &str) -> Option<String> {
    #[derive(Deserialize)]
    struct Exported {
        credential: Option<String>,
    }
    types::json::decode::<Exported>(exported.as_bytes()).ok()?.credential
}

/// Returns the export of the keys of these purposes, with the credential of a function if it has one.
pub(crate) fn export(
    secret: &[u8; 32],
    purposes: &[Purpose],
    pairwise: Option<&[u8; 32]>,
    credential: Option<&str>,
) -> Zeroizing<String> {
    let hkdf = extract(secret);
    let mut text = Zeroizing::new(format!(r#"{{"{KEY_ID}":"{}""#, URL_SAFE_NO_PAD.encode(key_id(&hkdf))));
    for purpose in purposes {
        if *purpose == Purpose::RequestObjectPublic {
            let scalar = request_object_scalar(&purpose_key(&hkdf, Purpose::RequestObject));
            if let Some(PublicKey::P256 { x, y }) = p256_point(&scalar) {
                text.push_str(&format!(r#","{purpose}":"{}""#, URL_SAFE_NO_PAD.encode([x, y].concat())));
            }
            continue;
        }
        let key = match pairwise.filter(|_| *purpose == Purpose::Pairwise) {
            Some(pairwise) => purpose_key(&extract(pairwise), *purpose),
            None => purpose_key(&hkdf, *purpose),
        };
        text.push_str(&Zeroizing::new(format!(r#","{purpose}":"{}""#, URL_SAFE_NO_PAD.encode(*key))));
    }
    if let Some(credential) = credential {
        text.push_str(&Zeroizing::new(format!(r#","{CREDENTIAL}":"{credential}""#)));
    }
    text.push('}');
    text
}

fn extract(secret: &[u8; 32]) -> Hkdf<Sha256> {
    Hkdf::<Sha256>::new(Some(b"latchkey/v1"), secret)
}

fn key_id(hkdf: &Hkdf<Sha256>) -> [u8; KEY_ID_LENGTH] {
    *expand(hkdf, &[b"key-id"])
}

/// Returns the seed of the admin key that is derived from the secret.
#[cfg(not(target_arch = "wasm32"))]
pub(crate) fn admin_key_seed(secret: &[u8; 32]) -> Zeroizing<[u8; 32]> {
    expand(&extract(secret), &[b"seed/admin-key"])
}

fn purpose_key(hkdf: &Hkdf<Sha256>, purpose: Purpose) -> Zeroizing<[u8; 32]> {
    expand(hkdf, &[b"purpose/", purpose.label().as_bytes()])
}

/// Returns the private scalar of the key for request objects. Its first bit is zero, so that it is below the order of P-256.
fn request_object_scalar(purpose_key: &[u8; 32]) -> Zeroizing<[u8; 32]> {
    let mut scalar = Hkdf::<Sha256>::from_prk(purpose_key).map(|hkdf| expand(&hkdf, &[b"p256"])).unwrap_or_default();
    if let Some(first) = scalar.first_mut() {
        *first &= 0x7f;
    }
    scalar
}

/// Returns the public point of a private scalar.
#[cfg(not(target_arch = "wasm32"))]
fn p256_point(scalar: &[u8; 32]) -> Option<PublicKey> {
    jose::p256_public_key(scalar).ok()
}

/// Returns nothing: WebCrypto computes no public key, so a Worker gets the point with its keys.
#[cfg(target_arch = "wasm32")]
const fn p256_point(_: &[u8; 32]) -> Option<PublicKey> {
    None
}

fn expand<const N: usize>(hkdf: &Hkdf<Sha256>, info: &[&[u8]]) -> Zeroizing<[u8; N]> {
    let mut key = Zeroizing::new([0; N]);
    // HKDF fails only above 255 × 32 bytes; N is at most 64.
    let expanded = hkdf.expand_multi_info(info, &mut *key);
    debug_assert!(expanded.is_ok());
    key
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Secrets;

    fn exported(purposes: &[Purpose]) -> DerivedKeys {
        DerivedKeys::parse(&Secret::from_bytes([7; 32]).export(purposes, None)).unwrap()
    }

    #[test]
    fn exported_keys_are_those_of_the_secret() {
        let all = Secrets::new(Secret::from_bytes([7; 32]), None);
        let some = Secrets::of(exported(&[Purpose::Token, Purpose::Interaction]), None);
        assert_eq!(some.key_id(), all.key_id());
        assert_eq!(some.mac(Purpose::Token, &[b"x"]), all.mac(Purpose::Token, &[b"x"]));
        let sealed = some.seal(Purpose::Interaction, b"value").unwrap();
        assert_eq!(all.open(Purpose::Interaction, &sealed).unwrap(), b"value");
        assert!(some.has(Purpose::Token) && !some.has(Purpose::Form));
        assert!(Purpose::ALL.into_iter().all(|purpose| all.has(purpose)));
    }

    #[test]
    fn a_missing_key_neither_opens_nor_seals() {
        let all = Secrets::new(Secret::from_bytes([7; 32]), None);
        let sealed = all.seal(Purpose::SigningKeys, b"private").unwrap();
        for some in [Secrets::of(exported(&[Purpose::Token]), None), all.only(&[Purpose::Token])] {
            assert_eq!(some.open(Purpose::SigningKeys, &sealed), None);
            assert!(some.seal(Purpose::SigningKeys, b"x").is_err());
            assert_eq!(some.mac(Purpose::Token, &[b"x"]), all.mac(Purpose::Token, &[b"x"]));
        }
    }

    #[test]
    #[cfg(not(debug_assertions))]
    fn a_missing_key_makes_no_tag_twice() {
        let none = exported(&[]);
        assert_ne!(none.mac(Purpose::Token, &[b"x"]), none.mac(Purpose::Token, &[b"x"]));
    }

    /// Pairwise subjects must not change with the deployment secret.
    #[test]
    fn pairwise_subjects_may_have_a_secret_of_their_own() {
        let (secret, pairwise) = (Secret::from_bytes([7; 32]), Secret::from_bytes([8; 32]));
        let both = Secrets::of(DerivedKeys::parse(&secret.export(&Purpose::ALL, Some(&pairwise))).unwrap(), None);
        let (own, other) = (Secrets::new(secret, None), Secrets::new(pairwise, None));
        assert_eq!(both.mac(Purpose::Pairwise, &[b"x"]), other.mac(Purpose::Pairwise, &[b"x"]));
        assert_eq!(both.mac(Purpose::Token, &[b"x"]), own.mac(Purpose::Token, &[b"x"]));
    }

    /// Computed by another implementation of HKDF and of P-256 from the secret of 32 sevens.
    const POINT: &str = "6zOWjVO42W0HkFwcFbFRZB2blrLdcq3L2BkVyv75Z9Vru-zudKqUzTsOlYavd-ATbsxalVBTq6vDazsLAPL_1A";

    #[test]
    fn the_key_for_request_objects_is_derived_and_never_changes() {
        let all = Secrets::new(Secret::from_bytes([7; 32]), None);
        let Some(PublicKey::P256 { x, y }) = all.encryption_key() else { panic!("no key on P-256") };
        assert_eq!(URL_SAFE_NO_PAD.encode([*x, *y].concat()), POINT);
        let par = exported(&[Purpose::RequestObject, Purpose::RequestObjectPublic]);
        assert_eq!(par.decryption_key().unwrap().public(), all.encryption_key().unwrap());
        assert_eq!(par.decryption_key().unwrap().scalar(), all.decryption_keys()[0].scalar());

        let metadata = exported(&[Purpose::RequestObjectPublic]);
        assert!(metadata.has(Purpose::RequestObjectPublic) && !metadata.has(Purpose::RequestObject));
        assert_eq!(metadata.encryption_key(), all.encryption_key());
        let text = Secret::from_bytes([7; 32]).export(&[Purpose::RequestObjectPublic], None);
        assert!(text.contains(POINT) && !text.contains(r#""request-object":"#), "{}", *text);
        let only = all.only(&[Purpose::RequestObjectPublic]);
        assert!(only.decryption_keys().is_empty() && only.encryption_key().is_some());
        assert!(all.only(&[Purpose::Token]).encryption_key().is_none());

        let after = Secrets::new(Secret::from_bytes([8; 32]), Some(Secret::from_bytes([7; 32])));
        assert_ne!(after.encryption_key(), all.encryption_key());
        assert_eq!(after.decryption_keys()[1].public(), all.encryption_key().unwrap(), "for clients with a cached set");
    }

    #[test]
    fn other_text_is_rejected() {
        for text in [
            "",
            "{}",
            "[]",
            r#"{"id":"AAAAAA","token":"short"}"#,
            r#"{"id":"AAAA"}"#,
            r#"{"id":7}"#,
            r#"{"id":"AAAAAA","request-object-public":"AAAA"}"#,
        ] {
            assert_eq!(DerivedKeys::parse(text).unwrap_err(), InvalidKeys, "{text}");
        }
        let later = DerivedKeys::parse(r#"{"id":"AAAAAA","purpose-of-a-later-version":"AAAA"}"#).unwrap();
        assert_eq!(format!("{later:?}"), "DerivedKeys(redacted)");
    }
}
