//! Encryption by WebCrypto.

use super::{WebCrypto, bytes, failed, set, subtle_crypto};
use crate::{Agreement, CryptoError, Encryption, Jwk, PublicKey};
use async_trait::async_trait;
use js_sys::{Array, JSON, Object, Uint8Array};
use send_wrapper::SendWrapper;
use wasm_bindgen::{JsCast as _, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{CryptoKey, CryptoKeyPair};

#[async_trait]
impl Encryption for WebCrypto {
    async fn rsa_oaep(&self, key: &PublicKey, plaintext: &[u8]) -> Result<Vec<u8>, CryptoError> {
        if !matches!(key, PublicKey::Rsa { n, .. } if crate::jwk::RSA_MODULUS_LENGTHS.contains(&n.len())) {
            return Err(CryptoError::Key);
        }
        SendWrapper::new(async move {
            let algorithm = named("RSA-OAEP").map_err(failed)?;
            set(&algorithm, "hash", "SHA-256").map_err(failed)?;
            let key = import_public(key, &algorithm, &["encrypt"]).await.map_err(|_| CryptoError::Key)?;
            encrypt(&algorithm, &key, plaintext).await.map_err(failed)
        })
        .await
    }

    async fn agree(&self, key: &PublicKey) -> Result<Agreement, CryptoError> {
        if !matches!(key, PublicKey::P256 { .. }) {
            return Err(CryptoError::Key);
        }
        SendWrapper::new(async move {
            let algorithm = ecdh().map_err(failed)?;
            let peer = import_public(key, &algorithm, &[]).await.map_err(|_| CryptoError::Key)?;
            agree(&algorithm, &peer).await.map_err(failed)?.ok_or(CryptoError::Key)
        })
        .await
    }

    async fn wrap_key(&self, wrapping: &[u8], key: &[u8]) -> Result<Vec<u8>, CryptoError> {
        SendWrapper::new(async move {
            let wrapping = import_secret(&named("AES-KW").map_err(failed)?, wrapping, false, "wrapKey").await;
            // An HMAC key can have any length, which an AES key cannot.
            let carrier = named("HMAC").map_err(failed)?;
            set(&carrier, "hash", "SHA-256").map_err(failed)?;
            let key = import_secret(&carrier, key, true, "sign").await.map_err(failed)?;
            let subtle = subtle_crypto().map_err(failed)?;
            let wrapped = subtle.wrap_key_with_str("raw", &key, &wrapping.map_err(failed)?, "AES-KW");
            bytes(wrapped.map_err(failed)?).await.map_err(failed)
        })
        .await
    }

    async fn aes_gcm(&self, key: &[u8], iv: [u8; 12], aad: &[u8], plaintext: &[u8]) -> Result<Vec<u8>, CryptoError> {
        SendWrapper::new(async move {
            let parameters = named("AES-GCM").map_err(failed)?;
            let key = import_secret(&parameters, key, false, "encrypt").await.map_err(failed)?;
            set(&parameters, "iv", Uint8Array::from(iv.as_slice())).map_err(failed)?;
            set(&parameters, "additionalData", Uint8Array::from(aad)).map_err(failed)?;
            encrypt(&parameters, &key, plaintext).await.map_err(failed)
        })
        .await
    }

    async fn aes_cbc(&self, key: &[u8], iv: [u8; 16], plaintext: &[u8]) -> Result<Vec<u8>, CryptoError> {
        SendWrapper::new(async move {
            let parameters = named("AES-CBC").map_err(failed)?;
            let key = import_secret(&parameters, key, false, "encrypt").await.map_err(failed)?;
            set(&parameters, "iv", Uint8Array::from(iv.as_slice())).map_err(failed)?;
            encrypt(&parameters, &key, plaintext).await.map_err(failed)
        })
        .await
    }
}

async fn encrypt(parameters: &Object, key: &CryptoKey, plaintext: &[u8]) -> Result<Vec<u8>, JsValue> {
    bytes(subtle_crypto()?.encrypt_with_object_and_u8_array(parameters, key, plaintext)?).await
}

async fn agree(algorithm: &Object, peer: &CryptoKey) -> Result<Option<Agreement>, JsValue> {
    let subtle = subtle_crypto()?;
    let usages = Array::of1(&"deriveBits".into());
    let own: CryptoKeyPair =
        JsFuture::from(subtle.generate_key_with_object(algorithm, true, &usages)?).await?.unchecked_into();
    let point = bytes(subtle.export_key("raw", &own.get_public_key())?).await?;
    let parameters = ecdh()?;
    set(&parameters, "public", peer)?;
    let secret = bytes(subtle.derive_bits_with_object(&parameters, &own.get_private_key(), 256)?).await?;
    Ok(PublicKey::from_point(&point).map(|ephemeral| Agreement { ephemeral, secret }))
}

pub(super) async fn import_public(key: &PublicKey, algorithm: &Object, usages: &[&str]) -> Result<CryptoKey, JsValue> {
    let json = serde_json::to_string(&Jwk::from(key.clone())).map_err(|_| JsValue::NULL)?;
    let data: Object = JSON::parse(&json)?.unchecked_into();
    let usages: Array = usages.iter().map(|usage| JsValue::from(*usage)).collect();
    let key = subtle_crypto()?.import_key_with_object("jwk", &data, algorithm, false, &usages)?;
    Ok(JsFuture::from(key).await?.unchecked_into())
}

pub(super) async fn import_secret(
    algorithm: &Object,
    key: &[u8],
    extractable: bool,
    usage: &str,
) -> Result<CryptoKey, JsValue> {
    let usages = Array::of1(&usage.into());
    let data = Uint8Array::from(key);
    let key = subtle_crypto()?.import_key_with_object("raw", &data, algorithm, extractable, &usages)?;
    Ok(JsFuture::from(key).await?.unchecked_into())
}

pub(super) fn ecdh() -> Result<Object, JsValue> {
    let parameters = named("ECDH")?;
    set(&parameters, "namedCurve", "P-256")?;
    Ok(parameters)
}

pub(super) fn named(name: &str) -> Result<Object, JsValue> {
    let parameters = Object::new();
    set(&parameters, "name", name)?;
    Ok(parameters)
}
