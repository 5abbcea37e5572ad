//! The private half of an admin key, for the programs of an administrator. No function has one.

use crate::Secret;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jose::{Algorithm, CryptoError, PublicKey, Signer, SigningKey, ed25519_from_seed, sign_jwt};
use protocol::administration::{ADMIN_TOKEN_TYPE, AdminPublicKey, AdminRequest};
use std::sync::Arc;
use types::{Issuer, Timestamp};
use zeroize::Zeroizing;

/// PKCS#8 of an Ed25519 key without its seed, which follows (RFC 8410 §7).
const PKCS8_PREFIX: [u8; 16] =
    [0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20];

/// The private half of an admin key: an Ed25519 seed, wiped from memory on drop.
pub struct AdminPrivateKey {
    seed: Zeroizing<[u8; 32]>,
    public: AdminPublicKey,
}

impl std::fmt::Debug for AdminPrivateKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AdminPrivateKey").field("public", &self.public).finish_non_exhaustive()
    }
}

impl AdminPrivateKey {
    /// Returns the key of a seed (RFC 8032 §5.1.5).
    pub fn from_seed(seed: [u8; 32]) -> Result<Self, CryptoError> {
        let seed = Zeroizing::new(seed);
        let PublicKey::Ed25519 { x } = ed25519_from_seed(&seed)?.public else { return Err(CryptoError::Key) };
        Ok(Self { seed, public: AdminPublicKey::from_bytes(x).map_err(|_| CryptoError::Key)? })
    }

    /// Generates a key.
    pub fn generate() -> Result<Self, CryptoError> {
        let mut seed = [0; 32];
        getrandom::fill(&mut seed).map_err(|_| CryptoError::Random)?;
        Self::from_seed(seed)
    }

    /// Returns the key derived from a deployment secret: that of the local server and of tests, which have no other.
    pub fn derived(secret: &Secret) -> Result<Self, CryptoError> {
        Self::from_seed(*secret.admin_key_seed())
    }

    /// Reads PKCS#8 of version 1 (RFC 8410 §7), as [`Self::to_pkcs8`] and OpenSSL write it.
    pub fn from_pkcs8(der: &[u8]) -> Result<Self, CryptoError> {
        let seed = der.strip_prefix(&PKCS8_PREFIX).and_then(|seed| seed.try_into().ok());
        Self::from_seed(seed.ok_or(CryptoError::Key)?)
    }

    /// Returns the key as PKCS#8 of version 1 (RFC 8410 §7). Never log it.
    pub fn to_pkcs8(&self) -> Zeroizing<Vec<u8>> {
        Zeroizing::new([PKCS8_PREFIX.as_slice(), self.seed.as_slice()].concat())
    }

    /// Returns the public half.
    pub const fn public(&self) -> AdminPublicKey {
        self.public
    }

    /// Signs a token for one request to the deployment `issuer`.
    pub async fn token(
        &self,
        request: &AdminRequest<'_>,
        issuer: &Issuer,
        now: Timestamp,
    ) -> Result<String, CryptoError> {
        let signer: Arc<dyn Signer> = jose::platform().signer(Algorithm::EdDSA, &self.to_pkcs8()).await?;
        let key = SigningKey::new(self.public.id().as_str(), Algorithm::EdDSA, signer);
        let mut random = [0; 16];
        getrandom::fill(&mut random).map_err(|_| CryptoError::Random)?;
        let jti = URL_SAFE_NO_PAD.encode(random);
        sign_jwt(&key, ADMIN_TOKEN_TYPE, &request.claims(issuer, jti, now)).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 8032 §7.1, test 1.
    #[test]
    fn the_public_half_is_that_of_the_seed() {
        let seed = [
            0x9d, 0x61, 0xb1, 0x9d, 0xef, 0xfd, 0x5a, 0x60, 0xba, 0x84, 0x4a, 0xf4, 0x92, 0xec, 0x2c, 0xc4, 0x44, 0x49,
            0xc5, 0x69, 0x7b, 0x32, 0x69, 0x19, 0x70, 0x3b, 0xac, 0x03, 0x1c, 0xae, 0x7f, 0x60,
        ];
        let key = AdminPrivateKey::from_seed(seed).unwrap();
        assert_eq!(key.public().to_string(), "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo");
        assert_eq!(key.public().id().as_str(), PublicKey::Ed25519 { x: key.public().to_bytes() }.thumbprint());
        assert!(!format!("{key:?}").contains("157"), "the seed is hidden");
    }

    #[test]
    fn pkcs8_is_read_and_written() {
        let key = AdminPrivateKey::generate().unwrap();
        let pkcs8 = key.to_pkcs8();
        assert_eq!(AdminPrivateKey::from_pkcs8(&pkcs8).unwrap().public(), key.public());
        assert_eq!(*ed25519_from_seed(&key.seed).unwrap().pkcs8, *pkcs8, "as the library writes it");
        for der in [&pkcs8[1..], &pkcs8[..47], &[pkcs8.as_slice(), &[0]].concat(), &[]] {
            assert!(AdminPrivateKey::from_pkcs8(der).is_err());
        }
        assert_ne!(AdminPrivateKey::generate().unwrap().public(), key.public());
    }

    /// The local server accepts the key that the command derives: the derivation never changes.
    #[test]
    fn the_derived_key_never_changes() {
        let derived = |byte| AdminPrivateKey::derived(&Secret::from_bytes([byte; 32])).unwrap().public().to_string();
        assert_eq!(derived(7), DERIVED);
        assert_ne!(derived(7), derived(8));
    }

    /// Computed by another implementation of HKDF and Ed25519 from the secret of 32 sevens.
    const DERIVED: &str = "XXnnt-5XNpreQOvoRk4f4LbILSMf8V0gWNhg3hTCLoU";
}
