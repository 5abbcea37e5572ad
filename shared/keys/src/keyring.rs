//! The key set of a running instance. Each key is prepared once, when it is first used.

use crate::{KeySet, PublishedKey};
use jose::{Algorithm, Crypto, CryptoError, Jwt, PublicKey, SigningKey, VerificationKey};
use serde_json::Value;
use std::sync::{Arc, OnceLock};
use types::Timestamp;

/// A key set with its keys prepared on demand.
pub struct Keyring {
    set: KeySet,
    crypto: &'static dyn Crypto,
    keys: Vec<Prepared>,
}

/// A key, prepared on demand.
struct Prepared {
    key: PublishedKey,
    signing: OnceLock<Arc<SigningKey>>,
    verification: OnceLock<Arc<VerificationKey>>,
}

impl std::fmt::Debug for Keyring {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Keyring").field("set", &self.set).finish_non_exhaustive()
    }
}

impl Keyring {
    /// Wraps a key set; prepares no key yet.
    pub fn new(crypto: &'static dyn Crypto, set: KeySet) -> Self {
        let prepared = set.published().keys.iter().map(|key| Prepared {
            key: key.clone(),
            signing: OnceLock::new(),
            verification: OnceLock::new(),
        });
        Self { keys: prepared.collect(), crypto, set }
    }

    /// Returns the key set.
    pub const fn key_set(&self) -> &KeySet {
        &self.set
    }

    /// Returns the JWK Set to publish, with the keys of these algorithms and the key for encryption.
    pub fn jwks_json(&self, offered: &[Algorithm], encryption: Option<&PublicKey>, now: Timestamp) -> String {
        self.set.published().jwks_json(offered, encryption, now)
    }

    /// Returns the key that signs for `alg` at `now`. Errors: `CryptoError::Key` if the set has none.
    pub async fn signing_key(&self, alg: Algorithm, now: Timestamp) -> Result<Arc<SigningKey>, CryptoError> {
        let key = self.set.published().signing(alg, now).ok_or(CryptoError::Key)?;
        let found = self.keys.iter().find(|found| found.key.kid == key.kid);
        let found = found.ok_or(CryptoError::Key)?;
        if let Some(prepared) = found.signing.get() {
            return Ok(prepared.clone());
        }
        let pkcs8 = self.set.pkcs8(&key.kid).ok_or(CryptoError::Key)?;
        let prepared = Arc::new(SigningKey::new(&found.key.kid, alg, self.crypto.signer(alg, pkcs8).await?));
        Ok(found.signing.get_or_init(|| prepared).clone())
    }

    /// Verifies a JWT and returns its claims, if a valid key of this set signed it under the key's algorithm; see
    /// [`jose::verify`]. A fault of the platform counts as a failed verification.
    pub async fn verify(&self, jwt: &Jwt<'_>, now: Timestamp) -> Option<Value> {
        let kid = jwt.header().kid.as_deref()?;
        let found = self.keys.iter().find(|found| found.key.kid == kid)?;
        if found.key.alg != jwt.header().alg || !found.key.is_alive(now) {
            return None;
        }
        if found.verification.get().is_none() {
            let verifier = self.crypto.verifier(found.key.alg, &found.key.public.key).await.ok()?;
            let _ = found.verification.set(Arc::new(VerificationKey::new(kid, found.key.alg, verifier)));
        }
        found.verification.get()?.verify(jwt).await
    }
}
