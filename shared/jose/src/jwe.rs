//! Encrypted JWTs in the compact form (RFC 7516 §3.1, RFC 7519 §5.2).

mod decrypt;

use crate::crypto::encryption;
use crate::{ContentEncryption, CryptoError, Jwk, JwkSet, KeyManagementAlgorithm};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde::Serialize;
use sha2::{Digest as _, Sha256, Sha512};
use zeroize::Zeroizing;

pub use decrypt::{DecryptionKey, EncryptedJwt};

/// The key of a recipient, and the algorithms to use with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recipient {
    key: Jwk,
    alg: KeyManagementAlgorithm,
    enc: ContentEncryption,
}

impl Recipient {
    /// Chooses the key for `alg` from a set; `None` if there is none.
    pub fn among(keys: &JwkSet, alg: KeyManagementAlgorithm, enc: ContentEncryption) -> Option<Self> {
        keys.recipient(alg).map(|key| Self { key: key.clone(), alg, enc })
    }
}

/// Encrypts a signed JWT as a nested JWT (RFC 7519 §5.2: `cty` is `JWT`).
pub async fn encrypt_jwt(recipient: &Recipient, jwt: &str) -> Result<String, CryptoError> {
    let ContentKey { cek, encrypted, ephemeral } = content_key(recipient).await?;
    let header = Header {
        alg: recipient.alg,
        enc: recipient.enc,
        kid: recipient.key.kid.as_deref(),
        cty: "JWT",
        epk: ephemeral.as_ref(),
    };
    let mut text = URL_SAFE_NO_PAD.encode(serde_json::to_vec(&header).map_err(|_| CryptoError::Encoding)?);
    let (iv, ciphertext, tag) = encrypt_content(recipient.enc, &cek, text.as_bytes(), jwt.as_bytes()).await?;
    for part in [encrypted, iv, ciphertext, tag] {
        text.push('.');
        URL_SAFE_NO_PAD.encode_string(part, &mut text);
    }
    Ok(text)
}

/// The header of a JWE (RFC 7516 §4.1, RFC 7518 §4.6.1).
#[derive(Serialize)]
struct Header<'a> {
    alg: KeyManagementAlgorithm,
    enc: ContentEncryption,
    #[serde(skip_serializing_if = "Option::is_none")]
    kid: Option<&'a str>,
    cty: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    epk: Option<&'a Jwk>,
}

struct ContentKey {
    cek: Zeroizing<Vec<u8>>,
    /// The encrypted content key; empty if the key is agreed.
    encrypted: Vec<u8>,
    ephemeral: Option<Jwk>,
}

/// Makes and encrypts a content key (RFC 7516 §5.1, steps 1 to 6).
async fn content_key(recipient: &Recipient) -> Result<ContentKey, CryptoError> {
    let Recipient { key: Jwk { key, .. }, alg, enc } = recipient;
    let length = key_length(*enc);
    let wrapping_length = match alg {
        KeyManagementAlgorithm::RsaOaep256 => {
            let cek = Zeroizing::new(random(length)?);
            let encrypted = encryption().rsa_oaep(key, &cek).await?;
            return Ok(ContentKey { cek, encrypted, ephemeral: None });
        }
        KeyManagementAlgorithm::EcdhEs => None,
        KeyManagementAlgorithm::EcdhEsA128Kw => Some(16),
        KeyManagementAlgorithm::EcdhEsA256Kw => Some(32),
    };
    let agreement = encryption().agree(key).await?;
    let ephemeral = Some(Jwk::from(agreement.ephemeral));
    let Some(wrapping_length) = wrapping_length else {
        let cek = derive(&agreement.secret, enc.as_str(), &[], &[], length);
        return Ok(ContentKey { cek, encrypted: Vec::new(), ephemeral });
    };
    let wrapping = derive(&agreement.secret, alg.as_str(), &[], &[], wrapping_length);
    let cek = Zeroizing::new(random(length)?);
    let encrypted = encryption().wrap_key(&wrapping, &cek).await?;
    Ok(ContentKey { cek, encrypted, ephemeral })
}

/// Returns the length of a content key, in bytes (RFC 7518 §5.2, §5.3).
const fn key_length(enc: ContentEncryption) -> usize {
    match enc {
        ContentEncryption::A128Gcm => 16,
        ContentEncryption::A256Gcm | ContentEncryption::A128CbcHs256 => 32,
        ContentEncryption::A256CbcHs512 => 64,
    }
}

/// Derives `length` bytes, at most 64, with the Concat KDF and SHA-256 (RFC 7518 §4.6.2).
fn derive(secret: &[u8], algorithm: &str, apu: &[u8], apv: &[u8], length: usize) -> Zeroizing<Vec<u8>> {
    let mut derived = Zeroizing::new(Vec::with_capacity(64));
    for round in 1_u32..=2 {
        let mut hash = Sha256::new().chain_update(round.to_be_bytes()).chain_update(secret);
        for field in [algorithm.as_bytes(), apu, apv] {
            hash.update(u32::try_from(field.len()).unwrap_or_default().to_be_bytes());
            hash.update(field);
        }
        hash.update(u32::try_from(length.saturating_mul(8)).unwrap_or_default().to_be_bytes());
        derived.extend_from_slice(&hash.finalize());
    }
    derived.truncate(length);
    derived
}

/// Encrypts a text, and returns IV, ciphertext and tag (RFC 7516 §5.1, steps 9 to 15).
async fn encrypt_content(
    enc: ContentEncryption,
    cek: &[u8],
    aad: &[u8],
    text: &[u8],
) -> Result<(Vec<u8>, Vec<u8>, Vec<u8>), CryptoError> {
    let (iv, (ciphertext, tag)) = match enc {
        ContentEncryption::A128Gcm | ContentEncryption::A256Gcm => {
            let iv: [u8; 12] = random_array()?;
            (iv.to_vec(), gcm(cek, iv, aad, text).await?)
        }
        ContentEncryption::A128CbcHs256 | ContentEncryption::A256CbcHs512 => {
            let iv: [u8; 16] = random_array()?;
            (iv.to_vec(), cbc_hmac(enc, cek, iv, aad, text).await?)
        }
    };
    Ok((iv, ciphertext, tag))
}

/// Encrypts with AES-GCM, and returns ciphertext and tag (RFC 7518 §5.3).
async fn gcm(cek: &[u8], iv: [u8; 12], aad: &[u8], text: &[u8]) -> Result<(Vec<u8>, Vec<u8>), CryptoError> {
    let mut ciphertext = encryption().aes_gcm(cek, iv, aad, text).await?;
    let tag = ciphertext.split_off(ciphertext.len().saturating_sub(16));
    Ok((ciphertext, tag))
}

/// Encrypts with AES-CBC and HMAC, and returns ciphertext and tag (RFC 7518 §5.2.2.1). The first half of the key authenticates, the
/// second encrypts.
async fn cbc_hmac(
    enc: ContentEncryption,
    cek: &[u8],
    iv: [u8; 16],
    aad: &[u8],
    text: &[u8],
) -> Result<(Vec<u8>, Vec<u8>), CryptoError> {
    let (mac_key, key) = cek.split_at_checked(key_length(enc) / 2).ok_or(CryptoError::Key)?;
    let ciphertext = encryption().aes_cbc(key, iv, text).await?;
    let tag = cbc_tag(enc, mac_key, aad, &iv, &ciphertext)?;
    Ok((ciphertext, tag))
}

/// Returns the tag of AES-CBC with HMAC: half of the HMAC (RFC 7518 §5.2.2.1, steps 4 to 6).
fn cbc_tag(
    enc: ContentEncryption,
    mac_key: &[u8],
    aad: &[u8],
    iv: &[u8],
    ciphertext: &[u8],
) -> Result<Vec<u8>, CryptoError> {
    let aad_bits = u64::try_from(aad.len()).unwrap_or_default().saturating_mul(8).to_be_bytes();
    let parts = [aad, iv, ciphertext, &aad_bits];
    let mut tag = match enc {
        ContentEncryption::A256CbcHs512 => {
            let mac = Hmac::<Sha512>::new_from_slice(mac_key).map_err(|_| CryptoError::Key)?;
            parts.iter().fold(mac, |mac, part| mac.chain_update(part)).finalize().into_bytes().to_vec()
        }
        _ => {
            let mac = Hmac::<Sha256>::new_from_slice(mac_key).map_err(|_| CryptoError::Key)?;
            parts.iter().fold(mac, |mac, part| mac.chain_update(part)).finalize().into_bytes().to_vec()
        }
    };
    tag.truncate(tag.len() / 2);
    Ok(tag)
}

fn random(length: usize) -> Result<Vec<u8>, CryptoError> {
    let mut bytes = vec![0; length];
    getrandom::fill(&mut bytes).map_err(|_| CryptoError::Random)?;
    Ok(bytes)
}

fn random_array<const N: usize>() -> Result<[u8; N], CryptoError> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|_| CryptoError::Random)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hex(text: &str) -> Vec<u8> {
        let digits: Vec<u8> = text.chars().filter_map(|c| c.to_digit(16)).map(|digit| digit as u8).collect();
        digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect()
    }

    fn counting(length: u8) -> Vec<u8> {
        (0..length).collect()
    }

    fn block_on<T>(work: impl Future<Output = T>) -> T {
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        match std::pin::pin!(work).poll(&mut context) {
            std::task::Poll::Ready(done) => done,
            std::task::Poll::Pending => panic!("native cryptography never waits"),
        }
    }

    #[test]
    fn rfc_7518_c_the_derived_key() {
        let secret = [
            158, 86, 217, 29, 129, 113, 53, 211, 114, 131, 66, 131, 191, 132, 38, 156, 251, 49, 110, 163, 218, 128,
            106, 72, 246, 218, 167, 121, 140, 254, 144, 196,
        ];
        let derived = derive(&secret, "A128GCM", b"Alice", b"Bob", 16);
        assert_eq!(URL_SAFE_NO_PAD.encode(derived), "VqqN6vgjbSBcIijNcacQGg");
    }

    const KERCKHOFFS: &str = "A cipher system must not be required to be secret, and it must be able to fall into the hands of the enemy without inconvenience";

    fn authenticated_encryption(enc: ContentEncryption, key: u8) -> (Vec<u8>, Vec<u8>) {
        let iv = hex("1af38c2dc2b96ffdd86694092341bc04").try_into().unwrap();
        let aad = b"The second principle of Auguste Kerckhoffs";
        block_on(cbc_hmac(enc, &counting(key), iv, aad, KERCKHOFFS.as_bytes())).unwrap()
    }

    #[test]
    fn rfc_7518_b_1() {
        let (ciphertext, tag) = authenticated_encryption(ContentEncryption::A128CbcHs256, 32);
        let expected = "c80edfa32ddf39d5ef00c0b468834279a2e46a1b8049f792f76bfe54b903a9c9a94ac9b47ad2655c5f10f9aef71427e2fc6f9b3f399a221489f16362c703233609d45ac69864e3321cf82935ac4096c86e133314c54019e8ca7980dfa4b9cf1b384c486f3a54c51078158ee5d79de59fbd34d848b3d69550a67646344427ade54b8851ffb598f7f80074b9473c82e2db";
        assert_eq!(ciphertext, hex(expected));
        assert_eq!(tag, hex("652c3fa36b0a7c5b3219fab3a30bc1c4"));
    }

    #[test]
    fn rfc_7518_b_3() {
        let (ciphertext, tag) = authenticated_encryption(ContentEncryption::A256CbcHs512, 64);
        assert!(ciphertext.starts_with(&hex("4affaaadb78c31c5da4b1b590d10ffbd3dd8d5d302423526912da037ecbcc7bd")));
        assert_eq!(tag, hex("4dd3b4c088a7f45c216839645b2012bf2e6269a8c56a816dbc1b267761955bc5"));
    }

    #[test]
    fn rfc_7516_a_1_the_content() {
        let cek = [
            177, 161, 244, 128, 84, 143, 225, 115, 63, 180, 3, 255, 107, 154, 212, 246, 138, 7, 110, 91, 112, 46, 34,
            105, 47, 130, 203, 46, 122, 234, 64, 252,
        ];
        let iv = [227, 197, 117, 252, 2, 219, 233, 68, 180, 225, 77, 219];
        let aad = b"eyJhbGciOiJSU0EtT0FFUCIsImVuYyI6IkEyNTZHQ00ifQ";
        let text = b"The true sign of intelligence is not knowledge but imagination.";
        let (ciphertext, tag) = block_on(gcm(&cek, iv, aad, text)).unwrap();
        let expected = "5eym8TW_c8SuK0ltJ3rpYIzOeDQz7TALvtu6UG9oMo4vpzs9tX_EFShS8iB7j6jiSdiwkIr3ajwQzaBtQD_A";
        assert_eq!(URL_SAFE_NO_PAD.encode(ciphertext), expected);
        assert_eq!(URL_SAFE_NO_PAD.encode(tag), "XFBoMYUZodetZdvTiFvSkQ");
    }

    #[test]
    fn rfc_7520_5_5_the_content() {
        let cek = URL_SAFE_NO_PAD.decode("hzHdlfQIAEehb8Hrd_mFRhKsKLEzPfshfXs9l6areCc").unwrap();
        let iv = URL_SAFE_NO_PAD.decode("yc9N8v5sYyv3iGQT926IUg").unwrap().try_into().unwrap();
        let aad = b"eyJhbGciOiJFQ0RILUVTIiwia2lkIjoibWVyaWFkb2MuYnJhbmR5YnVja0BidWNrbGFuZC5leGFtcGxlIiwiZXBrIjp7Imt0eSI6IkVDIiwiY3J2IjoiUC0yNTYiLCJ4IjoibVBVS1RfYkFXR0hJaGcwVHBqanFWc1AxclhXUXVfdndWT0hIdE5rZFlvQSIsInkiOiI4QlFBc0ltR2VBUzQ2ZnlXdzVNaFlmR1RUMElqQnBGdzJTUzM0RHY0SXJzIn0sImVuYyI6IkExMjhDQkMtSFMyNTYifQ";
        let text = "You can trust us to stick with you through thick and thin–to the bitter end. And you can trust us to keep any secret of yours–closer than you keep it yourself. But you cannot trust us to let you face trouble alone, and go off without a word. We are your friends, Frodo.";
        let (ciphertext, tag) =
            block_on(cbc_hmac(ContentEncryption::A128CbcHs256, &cek, iv, aad, text.as_bytes())).unwrap();
        let expected = "BoDlwPnTypYq-ivjmQvAYJLb5Q6l-F3LIgQomlz87yW4OPKbWE1zSTEFjDfhU9IPIOSA9Bml4m7iDFwA-1ZXvHteLDtw4R1XRGMEsDIqAYtskTTmzmzNa-_q4F_evAPUmwlO-ZG45Mnq4uhM1fm_D9rBtWolqZSF3xGNNkpOMQKF1Cl8i8wjzRli7-IXgyirlKQsbhhqRzkv8IcY6aHl24j03C-AR2le1r7URUhArM79BY8soZU0lzwI-sD5PZ3l4NDCCei9XkoIAfsXJWmySPoeRb2Ni5UZL4mYpvKDiwmyzGd65KqVw7MsFfI_K767G9C9Azp73gKZD0DyUn1mn0WW5LmyX_yJ-3AROq8p1WZBfG-ZyJ6195_JGG2m9Csg";
        assert_eq!(URL_SAFE_NO_PAD.encode(ciphertext), expected);
        assert_eq!(URL_SAFE_NO_PAD.encode(tag), "WCCkNa-x4BeB9hIDIfFuhg");
    }

    #[test]
    fn rfc_3394_4_1_and_4_6() {
        let data = hex("00112233445566778899aabbccddeeff000102030405060708090a0b0c0d0e0f");
        let wrapped = block_on(encryption().wrap_key(&counting(16), &data[..16])).unwrap();
        assert_eq!(wrapped, hex("1fa68b0a8112b447aef34bd8fb5a7b829d3e862371d2cfe5"));
        let wrapped = block_on(encryption().wrap_key(&counting(32), &data)).unwrap();
        assert_eq!(wrapped, hex("28c9f404c4b810f4cbccb35cfb87f8263f5786e2d80ed326cbc7f0e71a99f43bfb988b9b7a02dd21"));
    }
}
