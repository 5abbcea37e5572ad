//! WebCrypto.

mod decryption;
mod encryption;

use crate::{Algorithm, Crypto, CryptoError, GeneratedKey, Jwk, PublicKey, Signer, Verifier};
use async_trait::async_trait;
use js_sys::{Array, JSON, Object, Promise, Reflect, Uint8Array};
use send_wrapper::SendWrapper;
use std::sync::Arc;
use wasm_bindgen::{JsCast as _, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{CryptoKey, CryptoKeyPair, SubtleCrypto};

/// The cryptography of a Worker. A Worker has one thread, which JavaScript values never leave.
pub(crate) struct WebCrypto;

#[async_trait]
impl Crypto for WebCrypto {
    async fn generate(&self, alg: Algorithm) -> Result<GeneratedKey, CryptoError> {
        SendWrapper::new(async move { generate_pair(alg).await.map_err(failed)?.ok_or(CryptoError::Key) }).await
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

/// An imported key and its parameters.
struct Prepared(SendWrapper<Handles>);

struct Handles {
    subtle: SubtleCrypto,
    /// The parameters of sign and verify.
    parameters: Object,
    key: CryptoKey,
}

impl Prepared {
    fn new(alg: Algorithm, key: CryptoKey) -> Result<Self, JsValue> {
        Ok(Self(SendWrapper::new(Handles { subtle: subtle_crypto()?, parameters: use_parameters(alg)?, key })))
    }
}

#[async_trait]
impl Signer for Prepared {
    async fn sign(&self, message: &[u8]) -> Result<Vec<u8>, CryptoError> {
        SendWrapper::new(async move {
            let Handles { subtle, parameters, key } = &*self.0;
            let signing = subtle.sign_with_object_and_u8_array(parameters, key, message);
            bytes(signing.map_err(failed)?).await.map_err(failed)
        })
        .await
    }
}

#[async_trait]
impl Verifier for Prepared {
    async fn verify(&self, message: &[u8], signature: &[u8]) -> bool {
        SendWrapper::new(async move {
            let Handles { subtle, parameters, key } = &*self.0;
            let verifying = subtle.verify_with_object_and_u8_array_and_u8_array(parameters, key, signature, message);
            match verifying {
                Ok(promise) => JsFuture::from(promise).await.is_ok_and(|valid| valid.is_truthy()),
                Err(_) => false,
            }
        })
        .await
    }
}

fn subtle_crypto() -> Result<SubtleCrypto, JsValue> {
    let crypto: web_sys::Crypto = Reflect::get(&js_sys::global(), &"crypto".into())?.dyn_into()?;
    Ok(crypto.subtle())
}

async fn generate_pair(alg: Algorithm) -> Result<Option<GeneratedKey>, JsValue> {
    let subtle = subtle_crypto()?;
    let parameters = import_parameters(alg)?;
    if matches!(alg, Algorithm::RS256 | Algorithm::PS256) {
        set(&parameters, "modulusLength", 2048)?;
        set(&parameters, "publicExponent", Uint8Array::from([1_u8, 0, 1].as_slice()))?;
    }
    let usages = Array::of2(&"sign".into(), &"verify".into());
    let pair = JsFuture::from(subtle.generate_key_with_object(&parameters, true, &usages)?).await?;
    let pair: CryptoKeyPair = pair.unchecked_into();
    let pkcs8 = bytes(subtle.export_key("pkcs8", &pair.get_private_key())?).await?;
    let public = JsFuture::from(subtle.export_key("jwk", &pair.get_public_key())?).await?;
    // Platforms use different names for Ed25519 here.
    Reflect::delete_property(public.unchecked_ref::<Object>(), &"alg".into())?;
    let public = JSON::stringify(&public)?.as_string();
    let public = public.and_then(|json| types::json::decode::<Jwk>(json.as_bytes()).ok());
    Ok(public.map(|jwk| GeneratedKey { pkcs8: pkcs8.into(), public: jwk.key }))
}

async fn import_private(alg: Algorithm, pkcs8: &[u8]) -> Result<CryptoKey, JsValue> {
    let data = Uint8Array::from(pkcs8);
    let usages = Array::of1(&"sign".into());
    let key = subtle_crypto()?.import_key_with_object("pkcs8", &data, &import_parameters(alg)?, false, &usages)?;
    Ok(JsFuture::from(key).await?.unchecked_into())
}

async fn import_public(alg: Algorithm, key: &PublicKey) -> Result<CryptoKey, JsValue> {
    let json = serde_json::to_string(&Jwk::from(key.clone())).map_err(|_| JsValue::NULL)?;
    let data: Object = JSON::parse(&json)?.unchecked_into();
    let usages = Array::of1(&"verify".into());
    let key = subtle_crypto()?.import_key_with_object("jwk", &data, &import_parameters(alg)?, false, &usages)?;
    Ok(JsFuture::from(key).await?.unchecked_into())
}

/// Returns the parameters of import and generation (Web Cryptography API §20, §21, §23; Secure Curves for Ed25519).
fn import_parameters(alg: Algorithm) -> Result<Object, JsValue> {
    let parameters = named(alg)?;
    match alg {
        Algorithm::ES256 => set(&parameters, "namedCurve", "P-256")?,
        Algorithm::RS256 | Algorithm::PS256 => set(&parameters, "hash", "SHA-256")?,
        Algorithm::EdDSA => {}
    }
    Ok(parameters)
}

/// Returns the parameters of sign and verify.
fn use_parameters(alg: Algorithm) -> Result<Object, JsValue> {
    let parameters = named(alg)?;
    match alg {
        Algorithm::ES256 => set(&parameters, "hash", "SHA-256")?,
        Algorithm::PS256 => set(&parameters, "saltLength", 32)?,
        Algorithm::RS256 | Algorithm::EdDSA => {}
    }
    Ok(parameters)
}

fn named(alg: Algorithm) -> Result<Object, JsValue> {
    let parameters = Object::new();
    let name = match alg {
        Algorithm::ES256 => "ECDSA",
        Algorithm::RS256 => "RSASSA-PKCS1-v1_5",
        Algorithm::PS256 => "RSA-PSS",
        Algorithm::EdDSA => "Ed25519",
    };
    set(&parameters, "name", name)?;
    Ok(parameters)
}

fn set(object: &Object, name: &str, value: impl Into<JsValue>) -> Result<(), JsValue> {
    Reflect::set(object, &name.into(), &value.into()).map(|_| ())
}

/// Returns the bytes of the ArrayBuffer to which the promise resolves.
async fn bytes(promise: Promise) -> Result<Vec<u8>, JsValue> {
    Ok(Uint8Array::new(&JsFuture::from(promise).await?).to_vec())
}

fn failed(reason: JsValue) -> CryptoError {
    CryptoError::Platform(format!("{reason:?}"))
}
