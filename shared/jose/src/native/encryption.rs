//! Encryption by aws-lc.

use super::{AwsLc, failed, not_a_key};
use crate::{Agreement, CryptoError, Encryption, PublicKey};
use async_trait::async_trait;
use aws_lc_rs::{
    aead::{AES_128_GCM, AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey},
    agreement::{ECDH_P256, PrivateKey, UnparsedPublicKey, agree},
    cipher::{AES_128, AES_256, EncryptionContext, PaddedBlockEncryptingKey, UnboundCipherKey},
    iv::FixedLength,
    key_wrap::{self, AesKek, KeyWrap as _},
    rsa::{OAEP_SHA256_MGF1SHA256, OaepPublicEncryptingKey, PublicEncryptingKey},
    signature::RsaPublicKeyComponents,
};

#[async_trait]
impl Encryption for AwsLc {
    async fn rsa_oaep(&self, key: &PublicKey, plaintext: &[u8]) -> Result<Vec<u8>, CryptoError> {
        let PublicKey::Rsa { n, e } = key else { return Err(CryptoError::Key) };
        if !crate::jwk::RSA_MODULUS_LENGTHS.contains(&n.len()) {
            return Err(CryptoError::Key);
        }
        let key: PublicEncryptingKey = RsaPublicKeyComponents { n, e }.try_into().map_err(not_a_key)?;
        let key = OaepPublicEncryptingKey::new(key).map_err(not_a_key)?;
        let mut ciphertext = vec![0; key.ciphertext_size()];
        let written = key.encrypt(&OAEP_SHA256_MGF1SHA256, plaintext, &mut ciphertext, None).map_err(failed)?;
        Ok(written.to_vec())
    }

    async fn agree(&self, key: &PublicKey) -> Result<Agreement, CryptoError> {
        let PublicKey::P256 { x, y } = key else { return Err(CryptoError::Key) };
        let peer = UnparsedPublicKey::new(&ECDH_P256, [&[4], x.as_slice(), y].concat());
        let own = PrivateKey::generate(&ECDH_P256).map_err(failed)?;
        let public = own.compute_public_key().map_err(failed)?;
        let ephemeral = PublicKey::from_point(public.as_ref()).ok_or(CryptoError::Key)?;
        agree(&own, &peer, CryptoError::Key, |secret| Ok(Agreement { ephemeral, secret: secret.to_vec() }))
    }

    async fn wrap_key(&self, wrapping: &[u8], key: &[u8]) -> Result<Vec<u8>, CryptoError> {
        let cipher = if wrapping.len() == 16 { &key_wrap::AES_128 } else { &key_wrap::AES_256 };
        let mut wrapped = vec![0; key.len().saturating_add(8)];
        AesKek::new(cipher, wrapping).map_err(not_a_key)?.wrap(key, &mut wrapped).map_err(failed)?;
        Ok(wrapped)
    }

    async fn aes_gcm(&self, key: &[u8], iv: [u8; 12], aad: &[u8], plaintext: &[u8]) -> Result<Vec<u8>, CryptoError> {
        let algorithm = if key.len() == 16 { &AES_128_GCM } else { &AES_256_GCM };
        let key = LessSafeKey::new(UnboundKey::new(algorithm, key).map_err(not_a_key)?);
        let mut text = plaintext.to_vec();
        let nonce = Nonce::assume_unique_for_key(iv);
        key.seal_in_place_append_tag(nonce, Aad::from(aad), &mut text).map_err(failed)?;
        Ok(text)
    }

    async fn aes_cbc(&self, key: &[u8], iv: [u8; 16], plaintext: &[u8]) -> Result<Vec<u8>, CryptoError> {
        let algorithm = if key.len() == 16 { &AES_128 } else { &AES_256 };
        let key = UnboundCipherKey::new(algorithm, key).map_err(not_a_key)?;
        let key = PaddedBlockEncryptingKey::cbc_pkcs7(key).map_err(not_a_key)?;
        let mut text = plaintext.to_vec();
        key.less_safe_encrypt(&mut text, EncryptionContext::Iv128(FixedLength::from(iv))).map_err(failed)?;
        Ok(text)
    }
}
