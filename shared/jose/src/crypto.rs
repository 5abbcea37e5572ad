//! What is asked of a platform's cryptography.

use crate::{Algorithm, CryptoError, PublicKey};
use async_trait::async_trait;
use std::sync::Arc;
use zeroize::Zeroizing;

/// A key pair, new.
pub struct GeneratedKey {
    /// The private key: PKCS#8, DER (RFC 5958). Wiped from memory when it is dropped.
    pub pkcs8: Zeroizing<Vec<u8>>,
    /// The public key.
    pub public: PublicKey,
}

impl std::fmt::Debug for GeneratedKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("GeneratedKey").field("public", &self.public).finish_non_exhaustive()
    }
}

/// A private key, prepared once: no call parses it again.
#[async_trait]
pub trait Signer: Send + Sync {
    /// The signature of `message`, in the form that JWS carries (RFC 7518 §3: for ECDSA r and s, 32 bytes each).
    async fn sign(&self, message: &[u8]) -> Result<Vec<u8>, CryptoError>;
}

/// A public key, prepared once.
#[async_trait]
pub trait Verifier: Send + Sync {
    /// Whether `signature` is one of `message` by this key. A fault of the platform counts as no.
    async fn verify(&self, message: &[u8], signature: &[u8]) -> bool;
}

/// A platform's cryptography.
#[async_trait]
pub trait Crypto: Send + Sync {
    /// A new key for `alg`. RSA keys have 2048 bits; RS256 and PS256 keys are the same.
    async fn generate(&self, alg: Algorithm) -> Result<GeneratedKey, CryptoError>;

    /// Prepares a private key (PKCS#8, DER). `CryptoError::Key` when it does not fit `alg`.
    async fn signer(&self, alg: Algorithm, pkcs8: &[u8]) -> Result<Arc<dyn Signer>, CryptoError>;

    /// Prepares a public key. `CryptoError::Key` when it does not fit `alg`, or is RSA under 2048 or over 8192 bits.
    async fn verifier(&self, alg: Algorithm, key: &PublicKey) -> Result<Arc<dyn Verifier>, CryptoError>;
}

/// What came of a key agreement with a fresh key.
pub struct Agreement {
    /// The public half of the fresh key, for the other side.
    pub ephemeral: PublicKey,
    /// What both sides know then.
    pub secret: Vec<u8>,
}

/// A platform's encryption, as JWE is made of it (RFC 7518 §4, §5). Apart from [`Crypto`], so that functions that
/// encrypt nothing do not carry it.
#[async_trait]
pub trait Encryption: Send + Sync {
    /// RSAES-OAEP with SHA-256 and MGF1 with SHA-256 (RFC 7518 §4.3). `CryptoError::Key` when the key is not RSA of
    /// 2048 to 8192 bits.
    async fn rsa_oaep(&self, key: &PublicKey, plaintext: &[u8]) -> Result<Vec<u8>, CryptoError>;

    /// ECDH of a fresh key with this one (RFC 7518 §4.6). `CryptoError::Key` when it is not a point of P-256.
    async fn agree(&self, key: &PublicKey) -> Result<Agreement, CryptoError>;

    /// AES Key Wrap (RFC 7518 §4.4, RFC 3394) under a key of 16 or 32 bytes.
    async fn wrap_key(&self, wrapping: &[u8], key: &[u8]) -> Result<Vec<u8>, CryptoError>;

    /// AES-GCM under a key of 16 or 32 bytes: the ciphertext, then the tag of 16 bytes.
    async fn aes_gcm(&self, key: &[u8], iv: [u8; 12], aad: &[u8], plaintext: &[u8]) -> Result<Vec<u8>, CryptoError>;

    /// AES-CBC with the padding of PKCS #7 under a key of 16 or 32 bytes; it proves nothing by itself.
    async fn aes_cbc(&self, key: &[u8], iv: [u8; 16], plaintext: &[u8]) -> Result<Vec<u8>, CryptoError>;
}

/// The encryption of the platform that this is built for: aws-lc natively, WebCrypto in a Worker.
pub fn encryption() -> &'static dyn Encryption {
    #[cfg(not(target_arch = "wasm32"))]
    return &crate::native::AwsLc;
    #[cfg(target_arch = "wasm32")]
    return &crate::web::WebCrypto;
}

/// The cryptography of the platform that this is built for: aws-lc natively, WebCrypto in a Worker.
pub fn platform() -> &'static dyn Crypto {
    #[cfg(not(target_arch = "wasm32"))]
    return &crate::native::AwsLc;
    #[cfg(target_arch = "wasm32")]
    return &crate::web::WebCrypto;
}
