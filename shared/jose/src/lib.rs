#![doc = include_str!("../README.md")]

mod cached_jwks;
mod certificate;
mod crypto;
pub mod dpop;
mod error;
mod jwe;
mod jwk;
mod jws;
mod peer;
mod unsecured;

#[cfg(not(target_arch = "wasm32"))]
mod native;
#[cfg(target_arch = "wasm32")]
mod web;

pub use cached_jwks::{CachedJwks, FetchDecision, JWKS_LIFETIME, JWKS_STALE_LIFETIME, jwks_lifetime};
pub use certificate::certificate_thumbprint;
pub use crypto::{
    Agreement, Crypto, Decryption, Encryption, GeneratedKey, Signer, Verifier, decryption, encryption, platform,
};
pub use error::CryptoError;
pub use jwe::{DecryptionKey, EncryptedJwt, Recipient, encrypt_jwt};
pub use jwk::{Jwk, JwkSet, KeyAlgorithm, PublicKey};
pub use jws::{Header, Jwt, MAX_JWT_LENGTH, SigningKey, VerificationKey, sign_jwt, verify};
#[cfg(not(target_arch = "wasm32"))]
pub use native::{ed25519_from_seed, p256_public_key};
pub use peer::Unverified;
pub use types::{Algorithm, ContentEncryption, KeyManagementAlgorithm, UnknownAlgorithm};
pub use unsecured::unsecured_claims;

/// True if two byte strings are equal. The time depends on their lengths alone.
pub fn constant_time_eq(a: &[u8], b: &[u8]) -> bool {
    subtle::ConstantTimeEq::ct_eq(a, b).into()
}
