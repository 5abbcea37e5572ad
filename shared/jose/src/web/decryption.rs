//! Decryption by WebCrypto.

use super::encryption::{ecdh, import_public, import_secret, named};
use super::{WebCrypto, bytes, failed, set, subtle_crypto};
use crate::{CryptoError, Decryption, DecryptionKey, Jwk, PublicKey};
use async_trait::async_trait;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use js_sys::{Array, JSON, Object, Uint8Array};
use send_wrapper::SendWrapper;
use wasm_bindgen::{JsCast as _, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::CryptoKey;
use zeroize::Zeroizing;

#[async_trait]
impl Decryption for WebCrypto {
    async fn agree(&self, own: &DecryptionKey, ephemeral: &PublicKey) -> Result<Zeroizing<Vec<u8>>, CryptoError> {
        if !matches!(ephemeral, PublicKey::P256 { .. }) {
            return Err(CryptoError::Key);
        }
        SendWrapper::new(async move {
            let parameters = ecdh().map_err(failed)?;
            let peer = import_public(ephemeral, &parameters, &[]).await.map_err(|_| CryptoError::Key)?;
            let own = import_private(own, &parameters).await.map_err(|_| CryptoError::Key)?;
            set(&parameters, "public", &peer).map_err(failed)?;
            let subtle = subtle_crypto().map_err(failed)?;
            let secret = subtle.derive_bits_with_object(&parameters, &own, 256).map_err(failed)?;
            bytes(secret).await.map(Zeroizing::new).map_err(failed)
        })
        .await
    }

    async fn unwrap_key(&self, wrapping: &[u8], wrapped: &[u8]) -> Result<Zeroizing<Vec<u8>>, CryptoError> {
        SendWrapper::new(async move {
            let wrapping = import_secret(&named("AES-KW").map_err(failed)?, wrapping, false, "unwrapKey").await;
            // An HMAC key can have any length, which an AES key cannot.
            let carrier = named("HMAC").map_err(failed)?;
            set(&carrier, "hash", "SHA-256").map_err(failed)?;
            let subtle = subtle_crypto().map_err(failed)?;
            let key = subtle.unwrap_key_with_u8_array_and_str_and_object(
                "raw",
                wrapped,
                &wrapping.map_err(failed)?,
                "AES-KW",
                &carrier,
                true,
                &Array::of1(&"sign".into()),
            );
            let key: CryptoKey = JsFuture::from(key.map_err(failed)?).await.map_err(failed)?.unchecked_into();
            let exported = subtle.export_key("raw", &key).map_err(failed)?;
            bytes(exported).await.map(Zeroizing::new).map_err(failed)
        })
        .await
    }

    async fn aes_gcm(&self, key: &[u8], iv: [u8; 12], aad: &[u8], sealed: &[u8]) -> Result<Vec<u8>, CryptoError> {
        SendWrapper::new(async move {
            let parameters = named("AES-GCM").map_err(failed)?;
            let key = import_secret(&parameters, key, false, "decrypt").await.map_err(failed)?;
            set(&parameters, "iv", Uint8Array::from(iv.as_slice())).map_err(failed)?;
            set(&parameters, "additionalData", Uint8Array::from(aad)).map_err(failed)?;
            decrypt(&parameters, &key, sealed).await.map_err(failed)
        })
        .await
    }

    async fn aes_cbc(&self, key: &[u8], iv: [u8; 16], ciphertext: &[u8]) -> Result<Vec<u8>, CryptoError> {
        SendWrapper::new(async move {
            let parameters = named("AES-CBC").map_err(failed)?;
            let key = import_secret(&parameters, key, false, "decrypt").await.map_err(failed)?;
            set(&parameters, "iv", Uint8Array::from(iv.as_slice())).map_err(failed)?;
            decrypt(&parameters, &key, ciphertext).await.map_err(failed)
        })
        .await
    }
}

async fn decrypt(parameters: &Object, key: &CryptoKey, ciphertext: &[u8]) -> Result<Vec<u8>, JsValue> {
    bytes(subtle_crypto()?.decrypt_with_object_and_u8_array(parameters, key, ciphertext)?).await
}

/// Imports the private key as a JWK (RFC 7518 §6.2.2), which has the public part too: WebCrypto computes none.
async fn import_private(key: &DecryptionKey, algorithm: &Object) -> Result<CryptoKey, JsValue> {
    let json = serde_json::to_string(&Jwk::from(key.public().clone())).map_err(|_| JsValue::NULL)?;
    let data: Object = JSON::parse(&json)?.unchecked_into();
    set(&data, "d", URL_SAFE_NO_PAD.encode(key.scalar()))?;
    let usages = Array::of1(&"deriveBits".into());
    let key = subtle_crypto()?.import_key_with_object("jwk", &data, algorithm, false, &usages)?;
    Ok(JsFuture::from(key).await?.unchecked_into())
}
