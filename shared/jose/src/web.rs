//! WebCrypto.

use crate::{Algorithm, Crypto, CryptoError, GeneratedKey, Jwk, PublicKey, Signer, Verifier};
use async_trait::async_trait;
use js_sys::{Array, ArrayBuffer, JSON, Object, Promise, Reflect, Uint8Array};
use send_wrapper::SendWrapper;
use std::sync::Arc;
use wasm_bindgen::{JsCast as _, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{CryptoKey, CryptoKeyPair, SubtleCrypto};

/// The cryptography of a Worker. What JavaScript gives never leaves its thread: a Worker has one.
pub(crate) struct WebCrypto;

#[async_trait]
impl Crypto for WebCrypto {
    async fn generate(&self, alg: Algorithm) -> Result<GeneratedKey, CryptoError> {
        SendWrapper::new(async move { generate(alg).await.map_err(failed) }).await?
    }

    async fn signer(&self, alg: Algorithm, pkcs8: &[u8]) -> Result<Arc<dyn Signer>, CryptoError> {
        SendWrapper::new(async move {
            let key = import_private(alg, pkcs8).await.map_err(|_| CryptoError::Key)?;
            Ok(Arc::new(Prepared::new(alg, key).map_err(failed)?) as Arc<dyn Signer>)
        })
        .await
    }

    async fn verifier(&self, alg: Algorithm, key: &PublicKey) -> Result<Arc<dyn Verifier>, CryptoError> {
        let fits = match key {
            PublicKey::Rsa { n, .. } => crate::jwk::RSA_MODULUS_LENGTHS.contains(&n.len()),
            _ => true,
        };
        if !fits || !key.serves(alg) {
            return Err(CryptoError::Key);
        }
        SendWrapper::new(async move {
            let key = import_public(alg, key).await.map_err(|_| CryptoError::Key)?;
            Ok(Arc::new(Prepared::new(alg, key).map_err(failed)?) as Arc<dyn Verifier>)
        })
        .await
    }
}

/// An imported key, and what each use of it needs.
struct Prepared(SendWrapper<Handles>);

struct Handles {
    subtle: SubtleCrypto,
    /// The parameters of sign and verify.
    parameters: Object,
    key: CryptoKey,
}

impl Prepared {
    fn new(alg: Algorithm, key: CryptoKey) -> Result<Self, JsValue> {
        Ok(Self(SendWrapper::new(Handles { subtle: subtle()?, parameters: use_parameters(alg)?, key })))
    }
}

#[async_trait]
impl Signer for Prepared {
    async fn sign(&self, message: &[u8]) -> Result<Vec<u8>, CryptoError> {
        SendWrapper::new(async move {
            let Handles { subtle, parameters, key } = &*self.0;
            let signing = subtle.sign_with_object_and_js_u8_array(parameters, key, &Uint8Array::from(message));
            bytes(signing).await.map_err(failed)
        })
        .await
    }
}

#[async_trait]
impl Verifier for Prepared {
    async fn verify(&self, message: &[u8], signature: &[u8]) -> bool {
        SendWrapper::new(async move {
            let Handles { subtle, parameters, key } = &*self.0;
            let verifying = subtle.verify_with_object_and_js_u8_array_and_js_u8_array(
                parameters,
                key,
                &Uint8Array::from(signature),
                &Uint8Array::from(message),
            );
            match verifying {
                Ok(promise) => JsFuture::from(promise).await.is_ok_and(|valid| valid.is_truthy()),
                Err(_) => false,
            }
        })
        .await
    }
}
