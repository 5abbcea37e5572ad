//! Decryption by aws-lc.

use super::{AwsLc, failed, not_a_key};
use crate::{CryptoError, Decryption, DecryptionKey, PublicKey};
use async_trait::async_trait;
use aws_lc_rs::{
    aead::{AES_128_GCM, AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey},
    agreement::{ECDH_P256, PrivateKey, UnparsedPublicKey, agree},
    cipher::{AES_128, AES_256, DecryptionContext, PaddedBlockDecryptingKey, UnboundCipherKey},
    iv::FixedLength,
    key_wrap::{self, AesKek, KeyWrap as _},
};
use zeroize::Zeroizing;

#[async_trait]
impl Decryption for AwsLc {
    async fn agree(&self, own: &DecryptionKey, ephemeral: &PublicKey) -> Result<Zeroizing<Vec<u8>>, CryptoError> {
        let PublicKey::P256 { x, y } = ephemeral else { return Err(CryptoError::Key) };
        let own = PrivateKey::from_private_key(&ECDH_P256, own.scalar()).map_err(not_a_key)?;
        let peer = UnparsedPublicKey::new(&ECDH_P256, [&[4], x.as_slice(), y].concat());
        agree(&own, &peer, CryptoError::Key, |secret| Ok(secret.to_vec().into()))
    }

    async fn unwrap_key(&self, wrapping: &[u8], wrapped: &[u8]) -> Result<Zeroizing<Vec<u8>>, CryptoError> {
        let cipher = if wrapping.len() == 16 { &key_wrap::AES_128 } else { &key_wrap::AES_256 };
        let mut key = Zeroizing::new(vec![0; wrapped.len()]);
        let length = AesKek::new(cipher, wrapping).map_err(not_a_key)?.unwrap(wrapped, &mut key).map_err(failed)?.len();
        key.truncate(length);
        Ok(key)
    }

    async fn aes_gcm(&self, key: &[u8], iv: [u8; 12], aad: &[u8], sealed: &[u8]) -> Result<Vec<u8>, CryptoError> {
        let algorithm = if key.len() == 16 { &AES_128_GCM } else { &AES_256_GCM };
        let key = LessSafeKey::new(UnboundKey::new(algorithm, key).map_err(not_a_key)?);
        let mut text = sealed.to_vec();
        let nonce = Nonce::assume_unique_for_key(iv);
        let length = key.open_in_place(nonce, Aad::from(aad), &mut text).map_err(failed)?.len();
        text.truncate(length);
        Ok(text)
    }

    async fn aes_cbc(&self, key: &[u8], iv: [u8; 16], ciphertext: &[u8]) -> Result<Vec<u8>, CryptoError> {
        let algorithm = if key.len() == 16 { &AES_128 } else { &AES_256 };
        let key = UnboundCipherKey::new(algorithm, key).map_err(not_a_key)?;
        let key = PaddedBlockDecryptingKey::cbc_pkcs7(key).map_err(not_a_key)?;
        let mut text = ciphertext.to_vec();
        let context = DecryptionContext::Iv128(FixedLength::from(iv));
        let length = key.decrypt(&mut text, context).map_err(failed)?.len();
        text.truncate(length);
        Ok(text)
    }
}

/// Returns the public key of a private scalar of P-256 (big-endian). Errors: [`CryptoError::Key`], if the scalar is zero or not below the
/// order of the curve.
pub fn p256_public_key(scalar: &[u8; 32]) -> Result<PublicKey, CryptoError> {
    let own = PrivateKey::from_private_key(&ECDH_P256, scalar).map_err(not_a_key)?;
    let point = own.compute_public_key().map_err(failed)?;
    PublicKey::from_point(point.as_ref()).ok_or(CryptoError::Key)
}
