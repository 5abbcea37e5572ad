//! WebCrypto and its randomness, on Node: `CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUNNER=wasm-bindgen-test-runner
//! cargo test -p latchkey-keys --target wasm32-unknown-unknown --test web`.
#![cfg(target_arch = "wasm32")]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, missing_docs)]

use jose::{
    Algorithm, ContentEncryption, CryptoError, DecryptionKey, EncryptedJwt, Jwk, JwkSet, Jwt, KeyManagementAlgorithm,
    PublicKey, Recipient, decryption, encrypt_jwt, encryption, platform, sign_jwt,
};
use latchkey_keys::{KeySet, Keyring, Purpose, Secret, Secrets};
use serde_json::json;
use types::Timestamp;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use wasm_bindgen_test::wasm_bindgen_test;
use web_sys::{CryptoKey, CryptoKeyPair, SubtleCrypto};

const NOW: Timestamp = Timestamp::from_secs(1_700_000_000);

#[wasm_bindgen_test]
async fn what_is_signed_verifies_and_nothing_else() {
    let set = KeySet::generate(platform(), NOW).await.unwrap();
    let secrets = Secrets::new(Secret::generate().unwrap(), None);
    let stored = set.to_stored(&secrets).unwrap();
    let ring = Keyring::new(platform(), KeySet::from_stored(&stored, &secrets).unwrap());
    for alg in Algorithm::ALL {
        let key = ring.signing_key(alg, NOW).await.unwrap();
        let claims = json!({ "sub": "demo" });
        let text = sign_jwt(&key, "JWT", &claims).await.unwrap();
        assert_eq!(ring.verify(&Jwt::parse(&text).unwrap(), NOW).await, Some(claims), "{alg}");

        let (message, signature) = text.rsplit_once('.').unwrap();
        let altered = format!("{message}A.{signature}");
        let verified = async |text: &str| ring.verify(&Jwt::parse(text)?, NOW).await;
        assert_eq!(verified(&altered).await, None, "{alg}");
    }
}

#[wasm_bindgen_test]
async fn keys_made_natively_are_read() {
    // PKCS#8, version 1, of Ed25519 and P-256 as the native build writes them.
    for (alg, pkcs8) in [(Algorithm::EdDSA, ED25519), (Algorithm::ES256, P256)] {
        let signer = platform().signer(alg, &hex(pkcs8)).await.unwrap();
        assert_eq!(signer.sign(b"message").await.unwrap().len(), 64);
    }
}

#[wasm_bindgen_test]
async fn what_is_not_a_key_is_refused() {
    for alg in Algorithm::ALL {
        assert_eq!(platform().signer(alg, b"not a key").await.err(), Some(CryptoError::Key));
        let wrong = PublicKey::Rsa { n: vec![0xff; 128], e: vec![1, 0, 1] };
        assert_eq!(platform().verifier(alg, &wrong).await.err(), Some(CryptoError::Key));
    }
    let off_curve = PublicKey::P256 { x: [1; 32], y: [1; 32] };
    assert_eq!(platform().verifier(Algorithm::ES256, &off_curve).await.err(), Some(CryptoError::Key));
}

#[wasm_bindgen_test]
async fn jwts_are_encrypted_by_every_pair_of_algorithms() {
    let mut keys = JwkSet::default();
    for alg in [Algorithm::ES256, Algorithm::RS256] {
        keys.keys.push(Jwk::from(platform().generate(alg).await.unwrap().public));
    }
    for alg in KeyManagementAlgorithm::ALL.iter().copied() {
        for enc in ContentEncryption::ALL.iter().copied() {
            let recipient = Recipient::among(&keys, alg, enc).unwrap();
            let (one, two) = (encrypt_jwt(&recipient, "a.b.c").await, encrypt_jwt(&recipient, "a.b.c").await);
            let (one, two) = (one.unwrap(), two.unwrap());
            assert_eq!(one.split('.').count(), 5, "{alg:?} {enc:?}");
            assert_ne!(one, two, "{alg:?} {enc:?}");
        }
    }
}

/// RFC 3394 §4.1 and §4.6, RFC 7516 appendix A.1, RFC 7518 appendix B.1: the same vectors as natively.
#[wasm_bindgen_test]
async fn ciphers_give_what_the_specifications_say() {
    let data = hex("00112233445566778899aabbccddeeff000102030405060708090a0b0c0d0e0f");
    let counting: Vec<u8> = (0..32).collect();
    let wrapped = encryption().wrap_key(&counting[..16], &data[..16]).await.unwrap();
    assert_eq!(wrapped, hex("1fa68b0a8112b447aef34bd8fb5a7b829d3e862371d2cfe5"));
    let wrapped = encryption().wrap_key(&counting, &data).await.unwrap();
    assert_eq!(wrapped, hex("28c9f404c4b810f4cbccb35cfb87f8263f5786e2d80ed326cbc7f0e71a99f43bfb988b9b7a02dd21"));
    // A content key of 64 bytes, which is longer than any AES key.
    assert_eq!(encryption().wrap_key(&counting, &[7; 64]).await.unwrap().len(), 72);

    let cek = hex("b1a1f480548fe1733fb403ff6b9ad4f68a076e5b702e22692f82cb2e7aea40fc");
    let iv = hex("e3c575fc02dbe944b4e14ddb").try_into().unwrap();
    let aad = b"eyJhbGciOiJSU0EtT0FFUCIsImVuYyI6IkEyNTZHQ00ifQ";
    let text = b"The true sign of intelligence is not knowledge but imagination.";
    let sealed = encryption().aes_gcm(&cek, iv, aad, text).await.unwrap();
    assert!(sealed.ends_with(&hex("5c5068318519a1d7ad65dbd3885bd291")));

    let iv = hex("1af38c2dc2b96ffdd86694092341bc04").try_into().unwrap();
    let text = b"A cipher system must not be required to be secret, and it must be able to fall into the hands of the enemy without inconvenience";
    let sealed = encryption().aes_cbc(&counting[16..], iv, text).await.unwrap();
    assert!(sealed.starts_with(&hex("c80edfa32ddf39d5ef00c0b468834279")));
    assert!(sealed.ends_with(&hex("f7f80074b9473c82e2db")));
}

/// The recipient decrypts a key that RSA-OAEP encrypted, and agrees on the same secret by ECDH.
#[wasm_bindgen_test]
async fn the_other_side_reads_it() {
    let oaep = json!({ "name": "RSA-OAEP", "hash": "SHA-256", "modulusLength": 2048 });
    let (public, private) = pair(&oaep, &["encrypt", "decrypt"]).await;
    let ciphertext = encryption().rsa_oaep(&public, b"content key").await.unwrap();
    let opened = subtle().decrypt_with_str_and_u8_array("RSA-OAEP", &private, &ciphertext).unwrap();
    assert_eq!(bytes(opened).await, b"content key");

    let ecdh = json!({ "name": "ECDH", "namedCurve": "P-256" });
    let (public, private) = pair(&ecdh, &["deriveBits"]).await;
    let agreement = encryption().agree(&public).await.unwrap();
    let jwk = serde_json::to_string(&Jwk::from(agreement.ephemeral)).unwrap();
    let jwk: js_sys::Object = js_sys::JSON::parse(&jwk).unwrap().unchecked_into();
    let parameters = object(&ecdh);
    let peer = subtle().import_key_with_object("jwk", &jwk, &parameters, false, &js_sys::Array::new()).unwrap();
    let peer = JsFuture::from(peer).await.unwrap();
    js_sys::Reflect::set(&parameters, &"public".into(), &peer).unwrap();
    let known = subtle().derive_bits_with_object(&parameters, &private, 256).unwrap();
    assert_eq!(bytes(known).await, agreement.secret);
}

/// The private key of RFC 7520 §5.5.
fn decryption_key() -> DecryptionKey {
    let public = json!({
        "kty": "EC",
        "crv": "P-256",
        "x": "Ze2loSV3wrroKUN_4zhwGhCqo3Xhu1td4QjeQ5wIVR0",
        "y": "HlLtdXARY_f55A3fnzQbPcm6hgr34Mp8p-nuzQCE0Zw",
    });
    let scalar: [u8; 32] = hex("aff907c99f9ad3aae6c4cdf21122bce2bd68b5283e6907154ad911840fa208cf").try_into().unwrap();
    DecryptionKey::new(serde_json::from_value::<Jwk>(public).unwrap().key, scalar.into())
}

/// Every pair of algorithms, by which others encrypt to this server.
#[wasm_bindgen_test]
async fn what_is_encrypted_to_this_server_opens_unaltered() {
    let key = decryption_key();
    let keys = JwkSet { keys: vec![Jwk::from(key.public().clone())], ..JwkSet::default() };
    let other = Jwk::from(platform().generate(Algorithm::ES256).await.unwrap().public);
    for alg in KeyManagementAlgorithm::RECEIVED.iter().copied() {
        for enc in ContentEncryption::ALL.iter().copied() {
            let text = encrypt_jwt(&Recipient::among(&keys, alg, enc).unwrap(), "a.b.c").await.unwrap();
            let open = async |text: &str| EncryptedJwt::parse(text)?.decrypt(&[&key]).await;
            assert_eq!(open(&text).await.as_deref(), Some("a.b.c"), "{alg:?} {enc:?}");
            let first = text.split('.').nth(3).unwrap();
            let changed = if first.starts_with('A') { "B" } else { "A" };
            let altered = text.replacen(&format!(".{first}"), &format!(".{changed}{}", &first[1..]), 1);
            assert_eq!(open(&altered).await, None, "{alg:?} {enc:?}");
            let to_other = JwkSet { keys: vec![other.clone()], ..JwkSet::default() };
            let text = encrypt_jwt(&Recipient::among(&to_other, alg, enc).unwrap(), "a.b.c").await.unwrap();
            assert_eq!(open(&text).await, None, "{alg:?} {enc:?}: another key");
        }
    }
}

/// RFC 7518 appendix C, RFC 3394 §4.6: the same vectors as natively.
#[wasm_bindgen_test]
async fn deciphering_gives_what_the_specifications_say() {
    let off_curve = PublicKey::P256 { x: [1; 32], y: [1; 32] };
    let agreed = decryption().agree(&decryption_key(), &off_curve).await;
    assert_eq!(agreed.err(), Some(CryptoError::Key));
    let counting: Vec<u8> = (0..32).collect();
    let wrapped = hex("28c9f404c4b810f4cbccb35cfb87f8263f5786e2d80ed326cbc7f0e71a99f43bfb988b9b7a02dd21");
    let data = hex("00112233445566778899aabbccddeeff000102030405060708090a0b0c0d0e0f");
    assert_eq!(*decryption().unwrap_key(&counting, &wrapped).await.unwrap(), data);
    assert!(decryption().unwrap_key(&counting[..16], &wrapped).await.is_err());

    // Appendix C: the secret that both parties agree on.
    let public = json!({
        "kty": "EC",
        "crv": "P-256",
        "x": "weNJy2HscCSM6AEDTDg04biOvhFhyyWvOHQfeF_PxMQ",
        "y": "e8lnCO-AlStT-NJVX-crhB7QRYhiix03illJOVAOyck",
    });
    let ephemeral = json!({
        "kty": "EC",
        "crv": "P-256",
        "x": "gI0GAILBdu7T53akrFmMyGcsF3n5dO7MmwNBHKW5SV0",
        "y": "SLW_xSffzlPWrHEVI30DHM_4egVwt3NQqeUD7nMFpps",
    });
    let [public, ephemeral] = [public, ephemeral].map(|jwk| serde_json::from_value::<Jwk>(jwk).unwrap().key);
    let scalar: [u8; 32] = hex("5449836690d75caf29f0dd029ddb31b3ddb8aba9d2d515c5012465e817d4a9dc").try_into().unwrap();
    let secret = decryption().agree(&DecryptionKey::new(public, scalar.into()), &ephemeral).await.unwrap();
    assert_eq!(*secret, hex("9e56d91d817135d372834283bf84269cfb316ea3da806a48f6daa7798cfe90c4"));
}

/// Generates a key pair with WebCrypto.
async fn pair(algorithm: &serde_json::Value, usages: &[&str]) -> (PublicKey, CryptoKey) {
    let parameters = object(algorithm);
    if algorithm["name"] == "RSA-OAEP" {
        let exponent = js_sys::Uint8Array::from([1_u8, 0, 1].as_slice());
        js_sys::Reflect::set(&parameters, &"publicExponent".into(), &exponent).unwrap();
    }
    let usages: js_sys::Array = usages.iter().map(|usage| JsValue::from(*usage)).collect();
    let pair = subtle().generate_key_with_object(&parameters, true, &usages).unwrap();
    let pair: CryptoKeyPair = JsFuture::from(pair).await.unwrap().unchecked_into();
    let public = JsFuture::from(subtle().export_key("jwk", &pair.get_public_key()).unwrap()).await.unwrap();
    let public = js_sys::JSON::stringify(&public).unwrap().as_string().unwrap();
    (serde_json::from_str::<Jwk>(&public).unwrap().key, pair.get_private_key())
}

fn object(members: &serde_json::Value) -> js_sys::Object {
    js_sys::JSON::parse(&members.to_string()).unwrap().unchecked_into()
}

fn subtle() -> SubtleCrypto {
    let crypto: web_sys::Crypto =
        js_sys::Reflect::get(&js_sys::global(), &"crypto".into()).unwrap().dyn_into().unwrap();
    crypto.subtle()
}

async fn bytes(promise: js_sys::Promise) -> Vec<u8> {
    js_sys::Uint8Array::new(&JsFuture::from(promise).await.unwrap()).to_vec()
}

#[wasm_bindgen_test]
fn randomness_is_the_webs() {
    let secrets = Secrets::new(Secret::generate().unwrap(), None);
    let sealed = secrets.seal(Purpose::Interaction, b"value").unwrap();
    assert_ne!(sealed, secrets.seal(Purpose::Interaction, b"value").unwrap());
    assert_eq!(secrets.open(Purpose::Interaction, &sealed).unwrap(), b"value");
}

fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text.chars().map(|digit| digit.to_digit(16).unwrap() as u8).collect();
    digits.chunks(2).map(|pair| pair.iter().fold(0, |byte, digit| byte << 4 | digit)).collect()
}

const ED25519: &str =
    "302e020100300506032b657004220420bfb25c64fc6118406cc7f751fb62aaebb8d8a0d7788911ff57b9a8b0ed8c39c9";
const P256: &str = "308187020100301306072a8648ce3d020106082a8648ce3d030107046d306b02010104202cf86aedd29dd9263fe74aefed748457b624a9ea6c138ba52d6f0be71b72b778a1440342000419621ae2a71eb6d756ae13961272001e3db2abd81b1b5910d3d6e8ddac8484bd10b732afcaacaf72f1a1b15695d73aa7d488ffc1d7d8facac9bd17366ce74f59";
