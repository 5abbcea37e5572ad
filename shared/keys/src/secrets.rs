//! MACs and encrypted values, under the keys that are derived from the deployment secret.

use crate::Secret;
use crate::derived::{DerivedKeys, KEY_ID_LENGTH};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use chacha20poly1305::{
    XNonce,
    aead::{Aead as _, Payload},
};
use jose::{CryptoError, DecryptionKey, PublicKey};
use manifest::Purpose;
use std::sync::Arc;

const NONCE_LENGTH: usize = 24;

/// The keys of the current secret and of the previous one, and the epoch of the deployment. Values of both secrets are
/// accepted; new values use the current one. Clones share the keys.
#[derive(Clone)]
pub struct Secrets {
    current: Arc<DerivedKeys>,
    previous: Option<Arc<DerivedKeys>>,
    epoch: u16,
}

impl std::fmt::Debug for Secrets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secrets(redacted)")
    }
}

impl Secrets {
    /// Derives every key of both secrets. The epoch is 0.
    pub fn new(current: Secret, previous: Option<Secret>) -> Self {
        Self::of(current.derive(), previous.map(|previous| previous.derive()))
    }

    /// Returns the keys of both secrets. The epoch is 0.
    pub fn of(current: DerivedKeys, previous: Option<DerivedKeys>) -> Self {
        Self { current: Arc::new(current), previous: previous.map(Arc::new), epoch: 0 }
    }

    /// Returns the same keys without those of other purposes.
    #[must_use]
    pub fn only(&self, purposes: &[Purpose]) -> Self {
        let only = |keys: &Arc<DerivedKeys>| Arc::new(keys.only(purposes));
        Self { current: only(&self.current), previous: self.previous.as_ref().map(only), epoch: self.epoch }
    }

    /// True if the key of the purpose is there, of the current secret and of the previous one.
    pub fn has(&self, purpose: Purpose) -> bool {
        self.current.has(purpose) && self.previous.as_ref().is_none_or(|previous| previous.has(purpose))
    }

    /// Returns the same keys for a deployment of this epoch.
    #[must_use]
    pub fn with_epoch(self, epoch: u16) -> Self {
        Self { epoch, ..self }
    }

    pub(crate) fn current(&self) -> &DerivedKeys {
        &self.current
    }

    pub(crate) fn previous(&self) -> Option<&DerivedKeys> {
        self.previous.as_deref()
    }

    /// Returns the id of the current secret, which reveals nothing about it.
    pub fn key_id(&self) -> [u8; KEY_ID_LENGTH] {
        self.current.key_id()
    }

    /// Returns the HMAC-SHA-256 of the parts, each preceded by its length, under the current secret.
    pub fn mac(&self, purpose: Purpose, parts: &[&[u8]]) -> [u8; 32] {
        self.current.mac(purpose, parts)
    }

    /// Returns the same under the previous secret; `None` if there is none.
    pub fn mac_previous(&self, purpose: Purpose, parts: &[&[u8]]) -> Option<[u8; 32]> {
        Some(self.previous.as_ref()?.mac(purpose, parts))
    }

    /// Returns the same under the secret that `key_id` names; `None` if neither the current nor the previous one has
    /// that id.
    pub fn mac_with(&self, key_id: [u8; KEY_ID_LENGTH], purpose: Purpose, parts: &[&[u8]]) -> Option<[u8; 32]> {
        Some(self.named(key_id)?.mac(purpose, parts))
    }

    /// Encrypts bytes under the current secret (XChaCha20-Poly1305, random nonce). Returns base64url of key id,
    /// nonce, ciphertext and tag.
    pub fn seal(&self, purpose: Purpose, plaintext: &[u8]) -> Result<String, CryptoError> {
        let mut nonce = [0; NONCE_LENGTH];
        getrandom::fill(&mut nonce).map_err(|_| CryptoError::Random)?;
        let payload = Payload { msg: plaintext, aad: purpose.label().as_bytes() };
        let key = self.current.sealing(purpose).ok_or(CryptoError::Key)?;
        let ciphertext = key.encrypt(&XNonce::from(nonce), payload).map_err(|_| CryptoError::Seal)?;
        Ok(URL_SAFE_NO_PAD.encode([self.current.key_id().as_slice(), &nonce, &ciphertext].concat()))
    }

    /// Decrypts a value of [`Self::seal`] for the same purpose, under the current or the previous secret.
    pub fn open(&self, purpose: Purpose, sealed: &str) -> Option<Vec<u8>> {
        let bytes = URL_SAFE_NO_PAD.decode(sealed).ok()?;
        let (key_id, rest) = bytes.split_first_chunk::<KEY_ID_LENGTH>()?;
        let (nonce, ciphertext) = rest.split_first_chunk::<NONCE_LENGTH>()?;
        let payload = Payload { msg: ciphertext, aad: purpose.label().as_bytes() };
        self.named(*key_id)?.sealing(purpose)?.decrypt(&XNonce::from(*nonce), payload).ok()
    }

    /// Returns the public key to which clients encrypt request objects; `None` for a function that does not publish it.
    pub fn encryption_key(&self) -> Option<&PublicKey> {
        self.current.encryption_key()
    }

    /// Returns the private keys that decrypt request objects: that of the current secret, then that of the previous one, whose
    /// public half clients may have cached. None for a function that decrypts nothing.
    pub fn decryption_keys(&self) -> Vec<&DecryptionKey> {
        let both = [Some(&*self.current), self.previous.as_deref()];
        both.into_iter().flatten().filter_map(DerivedKeys::decryption_key).collect()
    }

    /// True if a value names the current secret. Proves nothing about the value.
    pub fn is_current(&self, sealed: &str) -> bool {
        URL_SAFE_NO_PAD.decode(sealed).is_ok_and(|bytes| bytes.starts_with(&self.current.key_id()))
    }

    fn named(&self, key_id: [u8; KEY_ID_LENGTH]) -> Option<&DerivedKeys> {
        if key_id == self.current.key_id() {
            return Some(&self.current);
        }
        self.previous.as_deref().filter(|previous| previous.key_id() == key_id)
    }
}

impl protocol::Mac for Secrets {
    fn epoch(&self) -> u16 {
        self.epoch
    }

    fn key_id(&self) -> [u8; KEY_ID_LENGTH] {
        self.key_id()
    }

    fn tag(&self, parts: &[&[u8]]) -> [u8; 32] {
        self.mac(Purpose::Token, parts)
    }

    fn tag_with(&self, key_id: [u8; KEY_ID_LENGTH], parts: &[&[u8]]) -> Option<[u8; 32]> {
        self.mac_with(key_id, Purpose::Token, parts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Computed by another implementation of HKDF and HMAC from the secret of 32 sevens.
    const KEY_ID: [u8; 4] = [209, 29, 84, 52];
    const TAG: &str = "-iE9hLsAuJwXP5ijxYNjQs-I24rX1j8ZmHnzc9h6HKU";
    /// `sealed before`, for interactions; likewise, XChaCha20-Poly1305 too.
    const SEALED: &str = "0R1UNAABAgMEBQYHCAkKCwwNDg8QERITFBUWF15FuZ9_lP6WFiDt00hax_Pspov26aIIUlbUs5Xl";

    fn secret(byte: u8) -> Secret {
        Secret::from_bytes([byte; 32])
    }

    fn secrets(current: u8) -> Secrets {
        Secrets::new(secret(current), None)
    }

    #[test]
    fn derivation_never_changes() {
        // Values that exist in deployments depend on these labels.
        let secrets = secrets(7);
        assert_eq!(secrets.key_id(), KEY_ID);
        assert_eq!(URL_SAFE_NO_PAD.encode(secrets.mac(Purpose::Token, &[b"a", b"bc"])), TAG);
        assert_eq!(secrets.open(Purpose::Interaction, SEALED).unwrap(), b"sealed before");
    }

    #[test]
    fn keys_of_purposes_and_secrets_differ() {
        let tags = [secrets(1), secrets(2)].map(|secrets| Purpose::ALL.map(|purpose| secrets.mac(purpose, &[b"x"])));
        let mut tags: Vec<_> = tags.iter().flatten().collect();
        tags.sort_unstable();
        tags.dedup();
        assert_eq!(tags.len(), 2 * Purpose::ALL.len());
        assert_ne!(secrets(1).key_id(), secrets(2).key_id());
    }

    #[test]
    fn parts_cannot_be_shifted() {
        let secrets = secrets(1);
        let mac = |parts: &[&[u8]]| secrets.mac(Purpose::Token, parts);
        let tags = [mac(&[b"ab", b"c"]), mac(&[b"a", b"bc"]), mac(&[b"abc"]), mac(&[b"abc", b""]), mac(&[b"", b"abc"])];
        for (index, tag) in tags.iter().enumerate() {
            assert!(!tags[..index].contains(tag));
        }
        assert_eq!(mac(&[b"ab", b"c"]), tags[0]);
    }

    #[test]
    fn the_previous_secret_is_accepted_and_makes_nothing() {
        let before = secrets(1);
        let after = Secrets::new(secret(2), Some(secret(1)));
        let later = Secrets::new(secret(3), Some(secret(2)));
        let sealed = before.seal(Purpose::Interaction, b"value").unwrap();
        let tag = before.mac(Purpose::Token, &[b"x"]);

        assert_eq!(after.key_id(), secrets(2).key_id());
        assert_eq!(after.open(Purpose::Interaction, &sealed).unwrap(), b"value");
        assert!(!after.is_current(&sealed) && before.is_current(&sealed));
        assert_eq!(after.mac_with(before.key_id(), Purpose::Token, &[b"x"]), Some(tag));
        assert_eq!(after.mac_with(after.key_id(), Purpose::Token, &[b"x"]), Some(after.mac(Purpose::Token, &[b"x"])));
        assert_ne!(after.mac(Purpose::Token, &[b"x"]), tag);

        assert_eq!(later.open(Purpose::Interaction, &sealed), None);
        assert_eq!(later.mac_with(before.key_id(), Purpose::Token, &[b"x"]), None);
        assert_eq!(before.open(Purpose::Interaction, &after.seal(Purpose::Interaction, b"value").unwrap()), None);
    }

    #[test]
    fn a_sealed_value_opens_for_its_purpose_alone_and_unaltered() {
        let secrets = secrets(1);
        let sealed = secrets.seal(Purpose::Interaction, b"value").unwrap();
        assert_ne!(sealed, secrets.seal(Purpose::Interaction, b"value").unwrap());
        for purpose in Purpose::ALL {
            assert_eq!(secrets.open(purpose, &sealed).is_some(), purpose == Purpose::Interaction);
        }
        let bytes = URL_SAFE_NO_PAD.decode(&sealed).unwrap();
        for index in 0..bytes.len() {
            let mut altered = bytes.clone();
            altered[index] ^= 1;
            assert_eq!(secrets.open(Purpose::Interaction, &URL_SAFE_NO_PAD.encode(altered)), None, "byte {index}");
            assert_eq!(secrets.open(Purpose::Interaction, &URL_SAFE_NO_PAD.encode(&bytes[..index])), None);
        }
        assert_eq!(secrets.open(Purpose::Interaction, &format!("{sealed}=")), None);
        let empty = secrets.seal(Purpose::Form, b"").unwrap();
        assert_eq!(secrets.open(Purpose::Form, &empty).unwrap(), b"");
    }

    proptest! {
        #[test]
        fn what_is_sealed_opens(plaintext in any::<Vec<u8>>()) {
            let secrets = secrets(1);
            let sealed = secrets.seal(Purpose::Interaction, &plaintext).unwrap();
            prop_assert_eq!(secrets.open(Purpose::Interaction, &sealed), Some(plaintext));
        }

        #[test]
        fn anything_else_does_not(text in any::<String>(), bytes in any::<Vec<u8>>()) {
            let secrets = secrets(1);
            prop_assert_eq!(secrets.open(Purpose::Interaction, &text), None);
            let genuine_name = [secrets.key_id().as_slice(), &bytes].concat();
            prop_assert_eq!(secrets.open(Purpose::Interaction, &URL_SAFE_NO_PAD.encode(genuine_name)), None);
            let _ = Secret::parse(&text);
            let _ = DerivedKeys::parse(&text);
        }
    }
}
