//! Comparisons with hashes that other systems made. Argon2 is in [`password_hash`](crate::password_hash).

use aes::Aes256;
use aes::cipher::{BlockCipherEncrypt, KeyInit};
use jose::constant_time_eq;
use pbkdf2::pbkdf2_hmac;
use protocol::{Pbkdf2Digest, ScryptCost, StoredHash};
use scrypt::Params;
use sha1::Sha1;
use sha2::{Sha256, Sha512};

/// True if the password has this hash. `text` is the hash as stored. A hash whose cost no function can spend matches nothing.
pub(crate) fn is_match(password: &[u8], text: &str, stored: &StoredHash) -> bool {
    if !stored.is_affordable() {
        return false;
    }
    match stored {
        // `password_hash` compares it.
        StoredHash::Argon2id(_) => false,
        // bcrypt reads 72 bytes of a password; so did the system that made the hash.
        StoredHash::Bcrypt { .. } => bcrypt::verify(password, text).unwrap_or(false),
        StoredHash::Pbkdf2 { digest, iterations, salt, hash } => {
            let mut derived = vec![0; hash.len()];
            match digest {
                Pbkdf2Digest::Sha1 => pbkdf2_hmac::<Sha1>(password, salt, *iterations, &mut derived),
                Pbkdf2Digest::Sha256 => pbkdf2_hmac::<Sha256>(password, salt, *iterations, &mut derived),
                Pbkdf2Digest::Sha512 => pbkdf2_hmac::<Sha512>(password, salt, *iterations, &mut derived),
            }
            constant_time_eq(&derived, hash)
        }
        StoredHash::Scrypt { cost, salt, hash } => {
            let mut derived = vec![0; hash.len()];
            derive(password, salt, *cost, &mut derived) && constant_time_eq(&derived, hash)
        }
        StoredHash::FirebaseScrypt { cost, salt, signer_key, hash } => {
            // 64 bytes, of which the first half is the key.
            let mut derived = [0; 64];
            derive(password, salt, *cost, &mut derived)
                && derived.first_chunk().is_some_and(|key| constant_time_eq(&encrypted(key, signer_key), hash))
        }
    }
}

fn derive(password: &[u8], salt: &[u8], cost: ScryptCost, output: &mut [u8]) -> bool {
    Params::new(cost.log_n, cost.r, cost.p).is_ok_and(|params| scrypt::scrypt(password, salt, &params, output).is_ok())
}

/// Encrypts by AES-256 in counter mode, from zero on (NIST SP 800-38A §6.5).
fn encrypted(key: &[u8; 32], text: &[u8]) -> Vec<u8> {
    let cipher = Aes256::new(key.into());
    let blocks = (0_u128..).zip(text.chunks(16));
    blocks
        .flat_map(|(counter, part)| {
            let mut block = counter.to_be_bytes().into();
            cipher.encrypt_block(&mut block);
            part.iter().zip(block).map(|(byte, mask)| byte ^ mask).collect::<Vec<u8>>()
        })
        .collect()
}
