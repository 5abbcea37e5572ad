//! The cryptography that a platform provides.

use crate::{Algorithm, CryptoError, DecryptionKey, PublicKey};
use async_trait::async_trait;
use std::sync::Arc;
use zeroize::Zeroizing;

/// A new key pair.
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

/// A prepared private key: no call parses it again.
#[async_trait]
pub trait Signer: Send + Sync {
    /// Signs `message`. The signature has the form of JWS (RFC 7518 §3: for ECDSA r and s, 32 bytes each).
    async fn sign(&self, message: &[u8]) -> Result<Vec<u8>, CryptoError>;
}

/// A prepared public key.
#[async_trait]
pub trait Verifier: Send + Sync {
    /// True if `signature` is a signature of `message` by this key. False if the platform fails.
    async fn verify(&self, message: &[u8], signature: &[u8]) -> bool;
}

/// Signatures of a platform.
#[async_trait]
pub trait Crypto: Send + Sync {
    /// Generates a key for `alg`. RSA keys have 2048 bits.
    async fn generate(&self, alg: Algorithm) -> Result<GeneratedKey, CryptoError>;

    /// Prepares a private key (PKCS#8, DER). Errors: [`CryptoError::Key`], if it does not fit `alg`.
    async fn signer(&self, alg: Algorithm, pkcs8: &[u8]) -> Result<Arc<dyn Signer>, CryptoError>;

    /// Prepares a public key. Errors: [`CryptoError::Key`], if it does not fit `alg`, or is an RSA key of less than 2048 or more than
    /// 8192 bits.
    async fn verifier(&self, alg: Algorithm, key: &PublicKey) -> Result<Arc<dyn Verifier>, CryptoError>;
}

/// The result of a key agreement with a fresh key.
pub struct Agreement {
    /// The public part of the fresh key, for the recipient.
    pub ephemeral: PublicKey,
    /// The shared secret.
    pub secret: Vec<u8>,
}

/// Encryption of a platform, as JWE needs it (RFC 7518 §4, §5). A trait of its own, so that a function that encrypts nothing does
/// not link it.
#[async_trait]
pub trait Encryption: Send + Sync {
    /// Encrypts with RSAES-OAEP, SHA-256 and MGF1 with SHA-256 (RFC 7518 §4.3). Errors: [`CryptoError::Key`], if the key is no RSA key
    /// of 2048 to 8192 bits.
    async fn rsa_oaep(&self, key: &PublicKey, plaintext: &[u8]) -> Result<Vec<u8>, CryptoError>;

    /// Agrees on a secret with a fresh key by ECDH (RFC 7518 §4.6). Errors: [`CryptoError::Key`], if the key is no point of P-256.
    async fn agree(&self, key: &PublicKey) -> Result<Agreement, CryptoError>;

    /// Wraps a key with AES Key Wrap and a key of 16 or 32 bytes (RFC 7518 §4.4, RFC 3394).
    async fn wrap_key(&self, wrapping: &[u8], key: &[u8]) -> Result<Vec<u8>, CryptoError>;

    /// Encrypts with AES-GCM and a key of 16 or 32 bytes. Returns the ciphertext, followed by the tag of 16 bytes.
    async fn aes_gcm(&self, key: &[u8], iv: [u8; 12], aad: &[u8], plaintext: &[u8]) -> Result<Vec<u8>, CryptoError>;

    /// Encrypts with AES-CBC, the padding of PKCS #7 and a key of 16 or 32 bytes. The ciphertext is not authenticated.
    async fn aes_cbc(&self, key: &[u8], iv: [u8; 16], plaintext: &[u8]) -> Result<Vec<u8>, CryptoError>;
}

/// Decryption of a platform, as JWE needs it (RFC 7518 §4.6, §5). A trait of its own, so that a function that decrypts nothing does
/// not link it.
#[async_trait]
pub trait Decryption: Send + Sync {
    /// Agrees on a secret with the ephemeral key of a sender by ECDH (RFC 7518 §4.6). Errors: [`CryptoError::Key`], if it is no point of
    /// P-256.
    async fn agree(&self, own: &DecryptionKey, ephemeral: &PublicKey) -> Result<Zeroizing<Vec<u8>>, CryptoError>;

    /// Unwraps a key with AES Key Wrap and a key of 16 or 32 bytes (RFC 7518 §4.4, RFC 3394).
    async fn unwrap_key(&self, wrapping: &[u8], wrapped: &[u8]) -> Result<Zeroizing<Vec<u8>>, CryptoError>;

    /// Decrypts with AES-GCM and a key of 16 or 32 bytes. The tag of 16 bytes follows the ciphertext.
    async fn aes_gcm(&self, key: &[u8], iv: [u8; 12], aad: &[u8], sealed: &[u8]) -> Result<Vec<u8>, CryptoError>;

    /// Decrypts with AES-CBC and a key of 16 or 32 bytes, and removes the padding of PKCS #7. The caller authenticates the ciphertext
    /// before.
    async fn aes_cbc(&self, key: &[u8], iv: [u8; 16], ciphertext: &[u8]) -> Result<Vec<u8>, CryptoError>;
}

/// Returns the decryption of the platform of this build: aws-lc natively, WebCrypto in a Worker.
pub fn decryption() -> &'static dyn Decryption {
    #[cfg(not(target_arch = "wasm32"))]
    return &crate::native::AwsLc;
    #[cfg(target_arch = "wasm32")]
    return &crate::web::WebCrypto;
}

/// Returns the encryption of the platform of this build: aws-lc natively, WebCrypto in a Worker.
pub fn encryption() -> &'static dyn Encryption {
    #[cfg(not(target_arch = "wasm32"))]
    return &crate::native::AwsLc;
    #[cfg(target_arch = "wasm32")]
    return &crate::web::WebCrypto;
}

/// Returns the signatures of the platform of this build: aws-lc natively, WebCrypto in a Worker.
pub fn platform() -> &'static dyn Crypto {
    #[cfg(not(target_arch = "wasm32"))]
    return &crate::native::AwsLc;
    #[cfg(target_arch = "wasm32")]
    return &crate::web::WebCrypto;
}
