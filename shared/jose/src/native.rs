//! aws-lc.

mod decryption;
mod encryption;

pub use decryption::p256_public_key;

use crate::{Algorithm, Crypto, CryptoError, GeneratedKey, PublicKey, Signer, Verifier};
use async_trait::async_trait;
use aws_lc_rs::{
    encoding::{AsDer as _, Pkcs8V1Der},
    rand::SystemRandom,
    rsa::KeySize,
    signature::{
        ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, ED25519, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _,
        ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256, RSA_PSS_2048_8192_SHA256, RSA_PSS_SHA256,
        RsaEncoding, RsaKeyPair, RsaParameters, RsaPublicKeyComponents,
    },
};
use std::fmt::Display;
use std::sync::Arc;

/// The cryptography of a native build.
pub(crate) struct AwsLc;

#[async_trait]
impl Crypto for AwsLc {
    async fn generate(&self, alg: Algorithm) -> Result<GeneratedKey, CryptoError> {
        match alg {
            Algorithm::ES256 => generate_p256(),
            Algorithm::RS256 | Algorithm::PS256 => generate_rsa(),
            Algorithm::EdDSA => generate_ed25519(),
        }
    }

    async fn signer(&self, alg: Algorithm, pkcs8: &[u8]) -> Result<Arc<dyn Signer>, CryptoError> {
        Ok(match alg {
            Algorithm::ES256 => {
                let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8).map_err(not_a_key)?;
                Arc::new(P256Signer(pair))
            }
            Algorithm::RS256 => RsaSigner::prepare(pkcs8, &RSA_PKCS1_SHA256)?,
            Algorithm::PS256 => RsaSigner::prepare(pkcs8, &RSA_PSS_SHA256)?,
            Algorithm::EdDSA => Arc::new(Ed25519Signer(Ed25519KeyPair::from_pkcs8(pkcs8).map_err(not_a_key)?)),
        })
    }

    async fn verifier(&self, alg: Algorithm, key: &PublicKey) -> Result<Arc<dyn Verifier>, CryptoError> {
        let parsed = match (alg, key) {
            (Algorithm::ES256, PublicKey::P256 { x, y }) => {
                let point = [&[4], x.as_slice(), y].concat();
                ParsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point).map_err(not_a_key)?
            }
            (Algorithm::RS256, PublicKey::Rsa { n, e }) => parse_rsa(n, e, &RSA_PKCS1_2048_8192_SHA256)?,
            (Algorithm::PS256, PublicKey::Rsa { n, e }) => parse_rsa(n, e, &RSA_PSS_2048_8192_SHA256)?,
            (Algorithm::EdDSA, PublicKey::Ed25519 { x }) => ParsedPublicKey::new(&ED25519, x).map_err(not_a_key)?,
            _ => return Err(CryptoError::Key),
        };
        Ok(Arc::new(ParsedVerifier(parsed)))
    }
}

struct P256Signer(EcdsaKeyPair);

#[async_trait]
impl Signer for P256Signer {
    async fn sign(&self, message: &[u8]) -> Result<Vec<u8>, CryptoError> {
        let signature = self.0.sign(&SystemRandom::new(), message).map_err(failed)?;
        Ok(signature.as_ref().to_vec())
    }
}

struct RsaSigner {
    pair: RsaKeyPair,
    encoding: &'static dyn RsaEncoding,
}

impl RsaSigner {
    fn prepare(pkcs8: &[u8], encoding: &'static dyn RsaEncoding) -> Result<Arc<dyn Signer>, CryptoError> {
        Ok(Arc::new(Self { pair: RsaKeyPair::from_pkcs8(pkcs8).map_err(not_a_key)?, encoding }))
    }
}

#[async_trait]
impl Signer for RsaSigner {
    async fn sign(&self, message: &[u8]) -> Result<Vec<u8>, CryptoError> {
        let mut signature = vec![0; self.pair.public_modulus_len()];
        self.pair.sign(self.encoding, &SystemRandom::new(), message, &mut signature).map_err(failed)?;
        Ok(signature)
    }
}

struct Ed25519Signer(Ed25519KeyPair);

#[async_trait]
impl Signer for Ed25519Signer {
    async fn sign(&self, message: &[u8]) -> Result<Vec<u8>, CryptoError> {
        Ok(self.0.sign(message).as_ref().to_vec())
    }
}

struct ParsedVerifier(ParsedPublicKey);

#[async_trait]
impl Verifier for ParsedVerifier {
    async fn verify(&self, message: &[u8], signature: &[u8]) -> bool {
        self.0.verify_sig(message, signature).is_ok()
    }
}

fn parse_rsa(n: &[u8], e: &[u8], parameters: &'static RsaParameters) -> Result<ParsedPublicKey, CryptoError> {
    if !crate::jwk::RSA_MODULUS_LENGTHS.contains(&n.len()) {
        return Err(CryptoError::Key);
    }
    RsaPublicKeyComponents { n, e }.to_parsed_public_key(parameters).map_err(not_a_key)
}

fn generate_p256() -> Result<GeneratedKey, CryptoError> {
    let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).map_err(failed)?;
    let pkcs8 = pair.to_pkcs8v1().map_err(failed)?.as_ref().to_vec().into();
    let public = PublicKey::from_point(pair.public_key().as_ref()).ok_or(CryptoError::Key)?;
    Ok(GeneratedKey { pkcs8, public })
}

fn generate_rsa() -> Result<GeneratedKey, CryptoError> {
    let pair = RsaKeyPair::generate(KeySize::Rsa2048).map_err(failed)?;
    let pkcs8: Pkcs8V1Der<'_> = pair.as_der().map_err(failed)?;
    let public = RsaPublicKeyComponents::<Vec<u8>>::from(pair.public_key());
    Ok(GeneratedKey { pkcs8: pkcs8.as_ref().to_vec().into(), public: PublicKey::Rsa { n: public.n, e: public.e } })
}

fn generate_ed25519() -> Result<GeneratedKey, CryptoError> {
    let pair = Ed25519KeyPair::generate().map_err(failed)?;
    // Version 1, because some WebCrypto implementations do not read version 2.
    let pkcs8 = pair.to_pkcs8v1().map_err(failed)?.as_ref().to_vec().into();
    let x = pair.public_key().as_ref().try_into().map_err(not_a_key)?;
    Ok(GeneratedKey { pkcs8, public: PublicKey::Ed25519 { x } })
}

/// Returns the key pair of an Ed25519 seed (RFC 8032 §5.1.5), for programs that sign with a key of their own.
pub fn ed25519_from_seed(seed: &[u8; 32]) -> Result<GeneratedKey, CryptoError> {
    let pair = Ed25519KeyPair::from_seed_unchecked(seed).map_err(not_a_key)?;
    let pkcs8 = pair.to_pkcs8v1().map_err(failed)?.as_ref().to_vec().into();
    let x = pair.public_key().as_ref().try_into().map_err(not_a_key)?;
    Ok(GeneratedKey { pkcs8, public: PublicKey::Ed25519 { x } })
}

fn not_a_key<E>(_: E) -> CryptoError {
    CryptoError::Key
}

fn failed(error: impl Display) -> CryptoError {
    CryptoError::Platform(format!("aws-lc: {error}"))
}
