//! The deployment secret, and everything that is derived from it: MACs and encrypted values.

use base64::{
    Engine as _,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig, general_purpose::URL_SAFE_NO_PAD},
};
use chacha20poly1305::{
    KeyInit as _, XChaCha20Poly1305, XNonce,
    aead::{Aead as _, Payload},
};
use hkdf::Hkdf;
use hmac::{Hmac, Mac as _};
use jose::CryptoError;
use sha2::Sha256;
use std::sync::Arc;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

const KEY_ID_LENGTH: usize = 4;
const NONCE_LENGTH: usize = 24;

/// base64url, with or without padding.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::URL_SAFE,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// The deployment secret: 32 random bytes, wiped from memory on drop.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct Secret([u8; 32]);

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(redacted)")
    }
}

/// The error for a text that is no secret. It does not contain the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidSecret;

impl std::fmt::Display for InvalidSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("not 32 bytes in base64url or hexadecimal")
    }
}

impl std::error::Error for InvalidSecret {}

impl Secret {
    /// Wraps 32 bytes.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Parses 64 hexadecimal digits, or 32 bytes in base64url, padded or not. Surrounding white space is ignored.
    pub fn parse(text: &str) -> Result<Self, InvalidSecret> {
        let text = text.trim();
        let bytes = if text.len() == 64 { decode_hex(text) } else { LENIENT.decode(text).ok() };
        let bytes = Zeroizing::new(bytes.ok_or(InvalidSecret)?);
        bytes.as_slice().try_into().map(Self).map_err(|_| InvalidSecret)
    }

    /// Generates a secret.
    pub fn generate() -> Result<Self, CryptoError> {
        let mut bytes = [0; 32];
        getrandom::fill(&mut bytes).map_err(|_| CryptoError::Random)?;
        Ok(Self(bytes))
    }

    /// Returns the secret in base64url, as it is configured. Never log it.
    pub fn to_base64url(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.0)
    }
}

fn decode_hex(text: &str) -> Option<Vec<u8>> {
    let mut digits = text.chars().map(|digit| digit.to_digit(16).and_then(|digit| u8::try_from(digit).ok()));
    let mut bytes = Vec::with_capacity(32);
    while let Some(high) = digits.next() {
        bytes.push((high? << 4) | digits.next()??);
    }
    Some(bytes)
}

/// The purpose of a derived key. Keys of different purposes are independent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Purpose {
    /// Sealed tokens: codes, refresh tokens, sessions and others.
    Token,
    /// Opaque access tokens.
    AccessToken,
    /// Interactions: requests on their way through sign-in and consent.
    Interaction,
    /// Form tokens, against cross-site request forgery.
    Form,
    /// Client secrets and fingerprints of registrations. The fingerprints are stored, so a new key of their own would
    /// invalidate them.
    ClientSecret,
    /// The stored signing keys.
    SigningKeys,
    /// Bearer tokens of the administration endpoint.
    Admin,
    /// Names of counters of the rate limits.
    Counter,
    /// Pairwise subject identifiers.
    Pairwise,
    /// Ids of the records behind user codes.
    UserCode,
}

impl Purpose {
    /// Every purpose.
    pub const ALL: [Self; 10] = [
        Self::Token,
        Self::AccessToken,
        Self::Interaction,
        Self::Form,
        Self::ClientSecret,
        Self::SigningKeys,
        Self::Admin,
        Self::Counter,
        Self::Pairwise,
        Self::UserCode,
    ];

    /// Returns the label in the derivation. A changed label changes the key.
    const fn label(self) -> &'static str {
        match self {
            Self::Token => "token",
            Self::AccessToken => "access-token",
            Self::Interaction => "interaction",
            Self::Form => "form",
            Self::ClientSecret => "client-secret",
            Self::SigningKeys => "signing-keys",
            Self::Admin => "admin",
            Self::Counter => "counter",
            Self::Pairwise => "pairwise",
            Self::UserCode => "user-code",
        }
    }
}

/// The keys of one purpose.
struct Keys {
    mac: Hmac<Sha256>,
    seal: XChaCha20Poly1305,
}

/// All keys of one secret, derived once.
struct Derived {
    key_id: [u8; KEY_ID_LENGTH],
    token: Keys,
    access_token: Keys,
    interaction: Keys,
    form: Keys,
    client_secret: Keys,
    signing_keys: Keys,
    admin: Keys,
    counter: Keys,
    pairwise: Keys,
    user_code: Keys,
}

impl Derived {
    fn new(secret: &Secret) -> Self {
        let hkdf = Hkdf::<Sha256>::new(Some(b"latchkey/v1"), &secret.0);
        let keys = |purpose: Purpose| {
            let seal: Zeroizing<[u8; 32]> = expand(&hkdf, b"seal", purpose.label());
            // A key of the block length of SHA-256, for which HMAC cannot fail.
            let mac: Zeroizing<[u8; 64]> = expand(&hkdf, b"mac", purpose.label());
            Keys {
                mac: <Hmac<Sha256> as hmac::KeyInit>::new((&*mac).into()),
                seal: XChaCha20Poly1305::new((&*seal).into()),
            }
        };
        Self {
            key_id: *expand(&hkdf, b"key-id", ""),
            token: keys(Purpose::Token),
            access_token: keys(Purpose::AccessToken),
            interaction: keys(Purpose::Interaction),
            form: keys(Purpose::Form),
            client_secret: keys(Purpose::ClientSecret),
            signing_keys: keys(Purpose::SigningKeys),
            admin: keys(Purpose::Admin),
            counter: keys(Purpose::Counter),
            pairwise: keys(Purpose::Pairwise),
            user_code: keys(Purpose::UserCode),
        }
    }

    const fn keys(&self, purpose: Purpose) -> &Keys {
        match purpose {
            Purpose::Token => &self.token,
            Purpose::AccessToken => &self.access_token,
            Purpose::Interaction => &self.interaction,
            Purpose::Form => &self.form,
            Purpose::ClientSecret => &self.client_secret,
            Purpose::SigningKeys => &self.signing_keys,
            Purpose::Admin => &self.admin,
            Purpose::Counter => &self.counter,
            Purpose::Pairwise => &self.pairwise,
            Purpose::UserCode => &self.user_code,
        }
    }

    fn mac(&self, purpose: Purpose, parts: &[&[u8]]) -> [u8; 32] {
        let mut mac = self.keys(purpose).mac.clone();
        for part in parts {
            mac.update(&(part.len() as u64).to_be_bytes());
            mac.update(part);
        }
        mac.finalize().into_bytes().into()
    }
}

fn expand<const N: usize>(hkdf: &Hkdf<Sha256>, kind: &[u8], label: &str) -> Zeroizing<[u8; N]> {
    let mut key = Zeroizing::new([0; N]);
    // HKDF fails only above 255 × 32 bytes; N is at most 64.
    let expanded = hkdf.expand_multi_info(&[kind, b"/", label.as_bytes()], &mut *key);
    debug_assert!(expanded.is_ok());
    key
}

/// The current secret and the previous one, and the epoch of the deployment. Values of both secrets are accepted; new values
/// use the current one. Clones share the keys.
#[derive(Clone)]
pub struct Secrets {
    current: Arc<Derived>,
    previous: Option<Arc<Derived>>,
    epoch: u16,
}

impl std::fmt::Debug for Secrets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secrets(redacted)")
    }
}

impl Secrets {
    /// Derives every key with HKDF-SHA-256 (RFC 5869). The epoch is 0.
    pub fn new(current: Secret, previous: Option<Secret>) -> Self {
        let derive = |secret: &Secret| Arc::new(Derived::new(secret));
        Self { current: derive(&current), previous: previous.as_ref().map(derive), epoch: 0 }
    }

    /// Returns the same keys for a deployment of this epoch.
    #[must_use]
    pub fn with_epoch(self, epoch: u16) -> Self {
        Self { epoch, ..self }
    }

    /// Returns the id of the current secret, which reveals nothing about it.
    pub fn key_id(&self) -> [u8; KEY_ID_LENGTH] {
        self.current.key_id
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
        let key = &self.current.keys(purpose).seal;
        let ciphertext = key.encrypt(&XNonce::from(nonce), payload).map_err(|_| CryptoError::Seal)?;
        Ok(URL_SAFE_NO_PAD.encode([self.current.key_id.as_slice(), &nonce, &ciphertext].concat()))
    }

    /// Decrypts a value of [`Self::seal`] for the same purpose, under the current or the previous secret.
    pub fn open(&self, purpose: Purpose, sealed: &str) -> Option<Vec<u8>> {
        let bytes = URL_SAFE_NO_PAD.decode(sealed).ok()?;
        let (key_id, rest) = bytes.split_first_chunk::<KEY_ID_LENGTH>()?;
        let (nonce, ciphertext) = rest.split_first_chunk::<NONCE_LENGTH>()?;
        let payload = Payload { msg: ciphertext, aad: purpose.label().as_bytes() };
        self.named(*key_id)?.keys(purpose).seal.decrypt(&XNonce::from(*nonce), payload).ok()
    }

    /// True if a value names the current secret. Proves nothing about the value.
    pub fn is_current(&self, sealed: &str) -> bool {
        URL_SAFE_NO_PAD.decode(sealed).is_ok_and(|bytes| bytes.starts_with(&self.current.key_id))
    }

    fn named(&self, key_id: [u8; KEY_ID_LENGTH]) -> Option<&Derived> {
        if key_id == self.current.key_id {
            return Some(&self.current);
        }
        self.previous.as_deref().filter(|previous| previous.key_id == key_id)
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
    const KEY_ID: [u8; 4] = [112, 236, 29, 57];
    const TAG: &str = "BX6noocdmeO6NnEihRLR1R-pT4SABDTVKC27j5ABhsk";
    /// `sealed before`, for interactions; likewise, XChaCha20-Poly1305 too.
    const SEALED: &str = "cOwdOaStcUgDFctkRfphmvRlpVgLeA9utN4CoGMnW4U6B7lHvEqmTHMGYALsRZNu7xaovtHJ_FSu";

    fn secret(byte: u8) -> Secret {
        Secret::from_bytes([byte; 32])
    }

    fn secrets(current: u8) -> Secrets {
        Secrets::new(secret(current), None)
    }

    #[test]
    fn a_secret_is_read_in_either_form_and_never_shown() {
        let bytes: [u8; 32] = std::array::from_fn(|index| index as u8 * 8);
        let secret = Secret::from_bytes(bytes);
        let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        let base64 = secret.to_base64url();
        for text in [&hex, &hex.to_uppercase(), &base64, &format!("{base64}="), &format!(" {base64}\n")] {
            assert_eq!(Secret::parse(text).unwrap().0, bytes, "{text}");
        }
        let not_hex = "g".repeat(64);
        let not_ascii = "é".repeat(32);
        let short = hex.replacen('0', "", 1);
        for text in ["", "secret", &short, &short.repeat(2), &not_hex, &not_ascii, &format!("{base64}A"), "AAAA"] {
            assert_eq!(Secret::parse(text).unwrap_err(), InvalidSecret, "{text}");
        }
        assert_eq!(format!("{secret:?} {:?}", secrets(1)), "Secret(redacted) Secrets(redacted)");
        assert_ne!(Secret::generate().unwrap().0, Secret::generate().unwrap().0);
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
        }
    }
}
