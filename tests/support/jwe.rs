//! Encrypted JWTs, decrypted and encrypted as a client does it.

use aws_lc_rs::aead::{self, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::agreement::{ECDH_P256, PrivateKey, UnparsedPublicKey, agree};
use aws_lc_rs::cipher::{
    self, DecryptionContext, EncryptionContext, PaddedBlockDecryptingKey, PaddedBlockEncryptingKey, UnboundCipherKey,
};
use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::iv::FixedLength;
use aws_lc_rs::key_wrap::{self, AesKek, KeyWrap};
use aws_lc_rs::rsa::{
    KeySize, OAEP_SHA256_MGF1SHA256, OaepPrivateDecryptingKey, PrivateDecryptingKey, PublicKeyComponents,
};
use aws_lc_rs::signature::{KeyPair as _, RsaKeyPair};
use aws_lc_rs::{constant_time, hmac};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

/// The key pair of a client for encryption.
pub enum KeyPair {
    /// On P-256.
    P256(PrivateKey),
    /// RSA, 2048 bits: the private key as PKCS#8.
    Rsa(Vec<u8>),
}

/// The content of an encrypted JWT.
#[derive(Clone, Debug)]
pub struct Opened {
    /// The protected header.
    pub header: Value,
    /// The text inside.
    pub text: String,
}

impl KeyPair {
    /// Returns a new key pair on P-256.
    pub fn p256() -> Self {
        Self::P256(PrivateKey::generate(&ECDH_P256).expect("a key"))
    }

    /// Returns a new RSA key pair.
    pub fn rsa() -> Self {
        let pair = RsaKeyPair::generate(KeySize::Rsa2048).expect("a key");
        let pkcs8: Pkcs8V1Der<'_> = pair.as_der().expect("PKCS#8");
        Self::Rsa(pkcs8.as_ref().to_vec())
    }

    /// Returns a new key pair of the kind that an algorithm needs.
    pub fn for_algorithm(alg: &str) -> Self {
        if alg.starts_with("RSA") { Self::rsa() } else { Self::p256() }
    }

    /// Returns the public key as a JWK for encryption with this name.
    pub fn jwk(&self, kid: &str) -> Value {
        match self {
            Self::P256(private) => {
                let public = private.compute_public_key().expect("a public key");
                let (x, y) = public.as_ref()[1..].split_at(32);
                json!({ "kty": "EC", "crv": "P-256", "x": encode(x), "y": encode(y), "use": "enc", "kid": kid })
            }
            Self::Rsa(pkcs8) => {
                let pair = RsaKeyPair::from_pkcs8(pkcs8).expect("a key");
                let public = PublicKeyComponents::<Vec<u8>>::from(pair.public_key());
                json!({ "kty": "RSA", "n": encode(&public.n), "e": encode(&public.e), "use": "enc", "kid": kid })
            }
        }
    }

    /// Decrypts a JWT (RFC 7516 §5.2). Returns `None` if it is encrypted to another key, or altered.
    pub fn open(&self, jwe: &str) -> Option<Opened> {
        let parts: Vec<&str> = jwe.split('.').collect();
        assert_eq!(parts.len(), 5, "not an encrypted JWT: {jwe}");
        let header: Value = serde_json::from_slice(&decode(parts[0])).expect("a header of JSON");
        let enc = header["enc"].as_str().expect("enc");
        let cek = self.content_key(&header, enc, &decode(parts[1]))?;
        let (iv, ciphertext, tag) = (decode(parts[2]), decode(parts[3]), decode(parts[4]));
        let text = open_content(enc, &cek, &iv, parts[0].as_bytes(), ciphertext, &tag)?;
        Some(Opened { header, text: String::from_utf8(text).expect("text") })
    }

    /// RFC 7518 §4.3, §4.6.
    fn content_key(&self, header: &Value, enc: &str, encrypted: &[u8]) -> Option<Vec<u8>> {
        let alg = header["alg"].as_str().expect("alg");
        match self {
            Self::Rsa(pkcs8) => {
                assert_eq!(alg, "RSA-OAEP-256");
                let key = PrivateDecryptingKey::from_pkcs8(pkcs8).expect("a key");
                let key = OaepPrivateDecryptingKey::new(key).expect("a key");
                let mut cek = vec![0; key.min_output_size()];
                Some(key.decrypt(&OAEP_SHA256_MGF1SHA256, encrypted, &mut cek, None).ok()?.to_vec())
            }
            Self::P256(private) => {
                let point = [vec![4], member(&header["epk"], "x"), member(&header["epk"], "y")].concat();
                let peer = UnparsedPublicKey::new(&ECDH_P256, point);
                let secret = agree(private, &peer, (), |secret| Ok(secret.to_vec())).ok()?;
                let (name, length, cipher) = match alg {
                    "ECDH-ES" => (enc, content_key_length(enc), None),
                    "ECDH-ES+A128KW" => (alg, 16, Some(&key_wrap::AES_128)),
                    "ECDH-ES+A256KW" => (alg, 32, Some(&key_wrap::AES_256)),
                    other => panic!("{other}"),
                };
                let derived = concat_kdf(&secret, name, &[], &[], length);
                let Some(cipher) = cipher else {
                    assert!(encrypted.is_empty(), "RFC 7516 §5.1: no encrypted key in direct agreement");
                    return Some(derived);
                };
                let mut cek = vec![0; encrypted.len()];
                Some(AesKek::new(cipher, &derived).expect("a key").unwrap(encrypted, &mut cek).ok()?.to_vec())
            }
        }
    }
}

fn content_key_length(enc: &str) -> usize {
    match enc {
        "A128GCM" => 16,
        "A256GCM" | "A128CBC-HS256" => 32,
        "A256CBC-HS512" => 64,
        other => panic!("{other}"),
    }
}

/// Encrypts a text to a public key on P-256. The header has at least `alg` and `enc`; `epk` is added, and `apu` and `apv` are used
/// (RFC 7518 §4.6).
pub fn encrypt(jwk: &Value, header: &Value, text: &str) -> String {
    let own = PrivateKey::generate(&ECDH_P256).expect("a key");
    let peer = UnparsedPublicKey::new(&ECDH_P256, [vec![4], member(jwk, "x"), member(jwk, "y")].concat());
    let secret = agree(&own, &peer, (), |secret| Ok(secret.to_vec())).expect("a secret");
    let mut header = header.clone();
    if header.get("epk").is_none() {
        let mut epk = KeyPair::P256(own).jwk("");
        epk.as_object_mut().expect("an object").retain(|name, _| !["use", "kid"].contains(&name.as_str()));
        header["epk"] = epk;
    }
    let name = |name: &str| header[name].as_str().unwrap_or_default().to_owned();
    let (alg, enc) = (name("alg"), name("enc"));
    let (apu, apv) = (decode(&name("apu")), decode(&name("apv")));
    let length = content_key_length(&enc);
    let derive = |name: &str, length: usize| concat_kdf(&secret, name, &apu, &apv, length);
    let wrapped = |cipher, length: usize| {
        let cek = random(content_key_length(&enc));
        let mut encrypted = vec![0; cek.len() + 8];
        AesKek::new(cipher, &derive(&alg, length)).expect("a key").wrap(&cek, &mut encrypted).expect("a wrapped key");
        (cek, encrypted)
    };
    let (cek, encrypted) = match alg.as_str() {
        "ECDH-ES" => (derive(&enc, length), Vec::new()),
        "ECDH-ES+A128KW" => wrapped(&key_wrap::AES_128, 16),
        "ECDH-ES+A256KW" => wrapped(&key_wrap::AES_256, 32),
        other => panic!("{other}"),
    };
    let aad = encode(header.to_string().as_bytes());
    let (iv, ciphertext, tag) = seal_content(&enc, &cek, aad.as_bytes(), text.as_bytes());
    [aad, encode(&encrypted), encode(&iv), encode(&ciphertext), encode(&tag)].join(".")
}

/// RFC 7518 §5.2.2.1, §5.3.
fn seal_content(enc: &str, cek: &[u8], aad: &[u8], text: &[u8]) -> (Vec<u8>, Vec<u8>, Vec<u8>) {
    let mut ciphertext = text.to_vec();
    if enc.ends_with("GCM") {
        let algorithm = if cek.len() == 16 { &aead::AES_128_GCM } else { &aead::AES_256_GCM };
        let key = LessSafeKey::new(UnboundKey::new(algorithm, cek).expect("a key"));
        let iv = random(12);
        let nonce = Nonce::try_assume_unique_for_key(&iv).expect("96 bits");
        key.seal_in_place_append_tag(nonce, Aad::from(aad), &mut ciphertext).expect("a ciphertext");
        let tag = ciphertext.split_off(text.len());
        return (iv, ciphertext, tag);
    }
    let (mac_key, key) = cek.split_at(cek.len() / 2);
    let algorithm = if key.len() == 16 { &cipher::AES_128 } else { &cipher::AES_256 };
    let key = UnboundCipherKey::new(algorithm, key).expect("a key");
    let key = PaddedBlockEncryptingKey::cbc_pkcs7(key).expect("a key");
    let iv = random(16);
    let context = EncryptionContext::Iv128(FixedLength::<16>::try_from(iv.as_slice()).expect("128 bits"));
    key.less_safe_encrypt(&mut ciphertext, context).expect("a ciphertext");
    let algorithm = if mac_key.len() == 16 { hmac::HMAC_SHA256 } else { hmac::HMAC_SHA512 };
    let authenticated = [aad, &iv, &ciphertext, &(aad.len() as u64 * 8).to_be_bytes()].concat();
    let tag = hmac::sign(&hmac::Key::new(algorithm, mac_key), &authenticated).as_ref()[..mac_key.len()].to_vec();
    (iv, ciphertext, tag)
}

fn random(length: usize) -> Vec<u8> {
    let mut bytes = vec![0; length];
    aws_lc_rs::rand::fill(&mut bytes).expect("random bytes");
    bytes
}

/// RFC 7518 §4.6.2.
fn concat_kdf(secret: &[u8], name: &str, apu: &[u8], apv: &[u8], length: usize) -> Vec<u8> {
    let field = |bytes: &[u8]| [&(bytes.len() as u32).to_be_bytes(), bytes].concat();
    let other_info =
        [field(name.as_bytes()), field(apu), field(apv), (length as u32 * 8).to_be_bytes().to_vec()].concat();
    let rounds = 1..=(length as u32).div_ceil(32);
    let derived: Vec<u8> =
        rounds.flat_map(|round| Sha256::digest([&round.to_be_bytes(), secret, &other_info].concat())).collect();
    derived[..length].to_vec()
}

/// RFC 7518 §5.2.2.2, §5.3.
fn open_content(enc: &str, cek: &[u8], iv: &[u8], aad: &[u8], mut ciphertext: Vec<u8>, tag: &[u8]) -> Option<Vec<u8>> {
    assert_eq!(cek.len(), content_key_length(enc), "the length of the content key");
    if enc.ends_with("GCM") {
        let algorithm = if cek.len() == 16 { &aead::AES_128_GCM } else { &aead::AES_256_GCM };
        let key = LessSafeKey::new(UnboundKey::new(algorithm, cek).expect("a key"));
        ciphertext.extend_from_slice(tag);
        let nonce = Nonce::try_assume_unique_for_key(iv).expect("96 bits");
        return Some(key.open_in_place(nonce, Aad::from(aad), &mut ciphertext).ok()?.to_vec());
    }
    let (mac_key, key) = cek.split_at(cek.len() / 2);
    let algorithm = if mac_key.len() == 16 { hmac::HMAC_SHA256 } else { hmac::HMAC_SHA512 };
    let authenticated = [aad, iv, &ciphertext, &(aad.len() as u64 * 8).to_be_bytes()].concat();
    let expected = hmac::sign(&hmac::Key::new(algorithm, mac_key), &authenticated);
    constant_time::verify_slices_are_equal(&expected.as_ref()[..mac_key.len()], tag).ok()?;
    let algorithm = if key.len() == 16 { &cipher::AES_128 } else { &cipher::AES_256 };
    let key = UnboundCipherKey::new(algorithm, key).expect("a key");
    let key = PaddedBlockDecryptingKey::cbc_pkcs7(key).expect("a key");
    let iv = FixedLength::<16>::try_from(iv).expect("128 bits");
    Some(key.decrypt(&mut ciphertext, DecryptionContext::Iv128(iv)).ok()?.to_vec())
}

fn member(jwk: &Value, name: &str) -> Vec<u8> {
    decode(jwk[name].as_str().unwrap_or_else(|| panic!("no {name}: {jwk}")))
}

fn encode(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

fn decode(text: &str) -> Vec<u8> {
    URL_SAFE_NO_PAD.decode(text).expect("base64url without padding")
}
