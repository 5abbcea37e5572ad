//! The stored signing keys: the public part in the clear, the private part encrypted.

use crate::{Purpose, Secrets};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jose::{Algorithm, Crypto, CryptoError, Jwk, JwkSet, KeyAlgorithm, PublicKey};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;
use types::Timestamp;
use zeroize::{Zeroize, Zeroizing};

/// The public part of one signing key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PublishedKey {
    /// `kid`: the thumbprint of the key (RFC 7638).
    pub kid: String,
    /// The algorithm of the key.
    pub alg: Algorithm,
    /// The key itself.
    pub public: Jwk,
    /// Time of its creation and publication.
    pub created_at: Timestamp,
    /// Time from which it signs in place of the previous key.
    pub signs_from: Timestamp,
    /// Time from which no token that it signed is valid; `None` if it has no successor yet.
    pub verifies_until: Option<Timestamp>,
}

impl PublishedKey {
    /// True if tokens that it signed may be valid.
    pub fn is_alive(&self, now: Timestamp) -> bool {
        self.verifies_until.is_none_or(|until| !until.is_past(now))
    }
}

/// The public part of a key set: enough to publish and to verify.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PublishedKeys {
    /// The keys, oldest first.
    pub keys: Vec<PublishedKey>,
}

impl PublishedKeys {
    /// Returns the JWK Set to publish (RFC 7517 §5): each current or future key of these algorithms, with `kid`, `use` and `alg`. Then
    /// the key for encryption, if there is one. It has no `alg`, because several algorithms use it.
    pub fn jwks_json(&self, offered: &[Algorithm], encryption: Option<&PublicKey>, now: Timestamp) -> String {
        let keys = self.living(now).filter(|key| offered.contains(&key.alg)).map(|key| Jwk {
            key: key.public.key.clone(),
            kid: Some(key.kid.clone()),
            usage: Some("sig".to_owned()),
            alg: Some(KeyAlgorithm::Signature(key.alg)),
        });
        let encryption = encryption.map(|key| Jwk {
            kid: Some(key.thumbprint()),
            usage: Some("enc".to_owned()),
            ..Jwk::from(key.clone())
        });
        // Serialization of strings and numbers cannot fail.
        serde_json::to_string(&JwkSet { keys: keys.chain(encryption).collect(), ..JwkSet::default() })
            .unwrap_or_else(|_| r#"{"keys":[]}"#.to_owned())
    }

    /// Returns the key that signs for `alg` at `now`: the one that started last. If none has started, for instance
    /// because the clock is late, returns the one that starts first.
    pub fn signing(&self, alg: Algorithm, now: Timestamp) -> Option<&PublishedKey> {
        let candidates = || self.living(now).filter(|key| key.alg == alg);
        let due = candidates().filter(|key| key.signs_from.is_past(now)).max_by_key(|key| key.signs_from);
        due.or_else(|| candidates().min_by_key(|key| key.signs_from))
    }

    fn to_json(&self) -> Result<Vec<u8>, CryptoError> {
        serde_json::to_vec(self).map_err(|_| CryptoError::Encoding)
    }

    fn digest(&self) -> Result<String, CryptoError> {
        Ok(URL_SAFE_NO_PAD.encode(Sha256::digest(self.to_json()?)))
    }

    /// Returns the proof of these keys: key id and MAC.
    fn proof(&self, secrets: &Secrets) -> Result<String, CryptoError> {
        let tag = secrets.mac(Purpose::PublishedKeys, &[&self.to_json()?]);
        Ok(URL_SAFE_NO_PAD.encode([secrets.key_id().as_slice(), &tag].concat()))
    }

    /// True if a holder of the current or the previous secret made the proof for these keys.
    fn is_proven(&self, proof: &str, secrets: &Secrets) -> Option<bool> {
        let bytes = URL_SAFE_NO_PAD.decode(proof).ok()?;
        let (key_id, tag) = bytes.split_first_chunk()?;
        let expected = secrets.mac_with(*key_id, Purpose::PublishedKeys, &[&self.to_json().ok()?])?;
        Some(jose::constant_time_eq(&expected, tag))
    }

    fn living(&self, now: Timestamp) -> impl Iterator<Item = &PublishedKey> {
        self.keys.iter().filter(move |key| key.is_alive(now))
    }
}

/// The signing keys with their private part.
#[derive(Clone)]
pub struct KeySet {
    published: PublishedKeys,
    /// PKCS#8 by `kid`: one for each published key, or none if only the public part was read. Wiped from memory on drop.
    private: BTreeMap<String, Zeroizing<Vec<u8>>>,
    /// True if it was read from a form that was encrypted under a previous secret.
    outdated_seal: bool,
}

impl std::fmt::Debug for KeySet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("KeySet").field("published", &self.published).finish_non_exhaustive()
    }
}

/// The stored form.
#[derive(Serialize, Deserialize)]
struct Stored {
    /// [`PublishedKeys`], in the clear.
    keys: Vec<PublishedKey>,
    /// Proof that this deployment wrote them: key id and MAC, in base64url.
    proof: String,
    /// [`Sealed`] as JSON, encrypted.
    sealed: String,
}

/// The encrypted part.
#[derive(Serialize, Deserialize)]
struct Sealed {
    /// PKCS#8 in base64url by `kid`.
    private: BTreeMap<String, String>,
    /// Digest of the public part.
    published: String,
}

impl Drop for Sealed {
    fn drop(&mut self) {
        self.private.values_mut().for_each(Zeroize::zeroize);
    }
}

impl KeySet {
    /// Generates a first key set: one key for each algorithm (RFC 8725 §3.1), which sign from `now` on.
    pub async fn generate(crypto: &dyn Crypto, now: Timestamp) -> Result<Self, CryptoError> {
        let mut set =
            Self { published: PublishedKeys { keys: Vec::new() }, private: BTreeMap::new(), outdated_seal: false };
        for alg in Algorithm::ALL {
            set.add(crypto, alg, now, now).await?;
        }
        Ok(set)
    }

    /// Returns the public part.
    pub const fn published(&self) -> &PublishedKeys {
        &self.published
    }

    /// Returns the private key (PKCS#8, DER) with this `kid`.
    pub fn pkcs8(&self, kid: &str) -> Option<&[u8]> {
        self.private.get(kid).map(|pkcs8| pkcs8.as_slice())
    }

    /// True if it must be stored again because the secret has changed since.
    pub const fn has_outdated_seal(&self) -> bool {
        self.outdated_seal
    }

    /// Returns the form to store: JSON with `keys` in the clear, and `sealed`.
    pub fn to_stored(&self, secrets: &Secrets) -> Result<String, CryptoError> {
        // Filled one by one: `collect` would add a sort to every Worker.
        let mut private = BTreeMap::new();
        private.extend(self.private.iter().map(|(kid, key)| (kid.clone(), URL_SAFE_NO_PAD.encode(key.as_slice()))));
        let sealed = Sealed { private, published: self.published.digest()? };
        let sealed = Zeroizing::new(serde_json::to_vec(&sealed).map_err(|_| CryptoError::Encoding)?);
        let sealed = secrets.seal(Purpose::SigningKeys, &sealed)?;
        let proof = self.published.proof(secrets)?;
        serde_json::to_string(&Stored { keys: self.published.keys.clone(), proof, sealed })
            .map_err(|_| CryptoError::Encoding)
    }

    /// Reads the stored form. Errors: `CryptoError::Stored` if the public part is not the one that was encrypted with
    /// the private part. Without the secret, an attacker can neither add a key nor change the time from which one
    /// signs.
    pub fn from_stored(stored: &str, secrets: &Secrets) -> Result<Self, CryptoError> {
        let stored: Stored = types::json::decode(stored.as_bytes()).map_err(|_| CryptoError::Stored)?;
        let sealed = Zeroizing::new(secrets.open(Purpose::SigningKeys, &stored.sealed).ok_or(CryptoError::Stored)?);
        let sealed: Sealed = types::json::decode(&sealed).map_err(|_| CryptoError::Stored)?;
        let published = PublishedKeys { keys: stored.keys };
        if sealed.published != published.digest()? {
            return Err(CryptoError::Stored);
        }
        let mut private = BTreeMap::new();
        for (kid, pkcs8) in &sealed.private {
            let pkcs8 = URL_SAFE_NO_PAD.decode(pkcs8).map_err(|_| CryptoError::Stored)?;
            private.insert(kid.clone(), Zeroizing::new(pkcs8));
        }
        Ok(Self { published, private, outdated_seal: !secrets.is_current(&stored.sealed) })
    }

    /// Reads the public part of the stored form, for a function that has no key for the private part: the set signs nothing.
    /// Errors: `CryptoError::Stored` if no holder of the secret wrote it.
    pub fn published_from_stored(stored: &str, secrets: &Secrets) -> Result<Self, CryptoError> {
        let stored: Stored = types::json::decode(stored.as_bytes()).map_err(|_| CryptoError::Stored)?;
        let published = PublishedKeys { keys: stored.keys };
        if published.is_proven(&stored.proof, secrets) != Some(true) {
            return Err(CryptoError::Stored);
        }
        Ok(Self { published, private: BTreeMap::new(), outdated_seal: false })
    }

    pub(crate) async fn add(
        &mut self,
        crypto: &dyn Crypto,
        alg: Algorithm,
        created_at: Timestamp,
        signs_from: Timestamp,
    ) -> Result<(), CryptoError> {
        let generated = crypto.generate(alg).await?;
        let kid = generated.public.thumbprint();
        self.private.insert(kid.clone(), generated.pkcs8);
        let public = Jwk::from(generated.public);
        self.published.keys.push(PublishedKey { kid, alg, public, created_at, signs_from, verifies_until: None });
        Ok(())
    }

    pub(crate) fn retire(&mut self, kid: &str, verifies_until: Timestamp) {
        for key in self.published.keys.iter_mut().filter(|key| key.kid == kid) {
            key.verifies_until = Some(verifies_until);
        }
    }

    pub(crate) fn remove(&mut self, kid: &str) {
        self.published.keys.retain(|key| key.kid != kid);
        self.private.remove(kid);
    }

    pub(crate) fn mark_sealed_anew(&mut self) {
        self.outdated_seal = false;
    }
}
