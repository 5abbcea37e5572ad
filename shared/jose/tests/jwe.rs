//! Decryption of encrypted JWTs with the right and with wrong private keys.
#![cfg(not(target_arch = "wasm32"))]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, missing_docs)]

use latchkey_jose::{
    ContentEncryption, DecryptionKey, EncryptedJwt, JwkSet, KeyManagementAlgorithm, Recipient, encrypt_jwt,
    p256_public_key,
};
use serde_json::json;
use suite::jwe::KeyPair;

const JWT: &str = "header.payload.signature";

fn recipient(pair: &KeyPair, alg: KeyManagementAlgorithm, enc: ContentEncryption) -> Recipient {
    let keys = JwkSet::parse(&json!({ "keys": [pair.jwk("mine")] }).to_string()).unwrap();
    Recipient::among(&keys, alg, enc).unwrap()
}

fn encrypt(recipient: &Recipient) -> String {
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    match std::pin::pin!(encrypt_jwt(recipient, JWT)).poll(&mut context) {
        std::task::Poll::Ready(done) => done.unwrap(),
        std::task::Poll::Pending => panic!("native cryptography never waits"),
    }
}

#[test]
fn every_pair_of_algorithms_opens_again() {
    let (rsa, p256, other) = (KeyPair::rsa(), KeyPair::p256(), KeyPair::p256());
    for alg in KeyManagementAlgorithm::ALL.iter().copied() {
        let pair = if alg == KeyManagementAlgorithm::RsaOaep256 { &rsa } else { &p256 };
        for enc in ContentEncryption::ALL.iter().copied() {
            let recipient = recipient(pair, alg, enc);
            let jwe = encrypt(&recipient);
            let opened = pair.open(&jwe).unwrap();
            assert_eq!(opened.text, JWT, "{alg:?} {enc:?}");
            let header = opened.header;
            assert_eq!((&header["alg"], &header["enc"]), (&json!(alg.as_str()), &json!(enc.as_str())));
            assert_eq!((&header["cty"], &header["kid"]), (&json!("JWT"), &json!("mine")));
            assert!(header.get("zip").is_none());

            // Content keys, ephemeral keys and IVs are fresh each time.
            let (one, two) = (jwe.split('.').collect::<Vec<_>>(), encrypt(&recipient));
            let two: Vec<_> = two.split('.').collect();
            assert!(one[2] != two[2] && one[3] != two[3], "{alg:?} {enc:?}");
            assert!(one[0] != two[0] || alg == KeyManagementAlgorithm::RsaOaep256);

            if alg != KeyManagementAlgorithm::RsaOaep256 {
                assert!(other.open(&jwe).is_none(), "{alg:?} {enc:?}");
            }
            for part in 2..5 {
                let mut parts: Vec<String> = one.iter().map(|part| (*part).to_owned()).collect();
                let first = if parts[part].starts_with('A') { "B" } else { "A" };
                parts[part].replace_range(..1, first);
                assert!(pair.open(&parts.join(".")).is_none(), "{alg:?} {enc:?} part {part}");
            }
        }
    }
}

#[test]
fn a_key_that_is_no_point_receives_nothing() {
    let x = "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE";
    let keys =
        JwkSet::parse(&json!({ "keys": [{ "kty": "EC", "crv": "P-256", "x": x, "y": x }] }).to_string()).unwrap();
    let recipient = Recipient::among(&keys, KeyManagementAlgorithm::EcdhEs, ContentEncryption::A128Gcm).unwrap();
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    let done = std::pin::pin!(encrypt_jwt(&recipient, JWT)).poll(&mut context);
    assert_eq!(done, std::task::Poll::Ready(Err(latchkey_jose::CryptoError::Key)));
}

/// RFC 7518 §4.6.2: `apu` and `apv` are inputs of the derivation. The peer is another implementation.
#[test]
fn what_a_peer_encrypted_with_party_information_opens() {
    let scalar = [7; 32];
    let key = DecryptionKey::new(p256_public_key(&scalar).unwrap(), scalar.into());
    let jwk = serde_json::to_value(latchkey_jose::Jwk::from(key.public().clone())).unwrap();
    let decrypt = |text: &str| {
        let jwt = EncryptedJwt::parse(text)?;
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        match std::pin::pin!(jwt.decrypt(&[&key])).poll(&mut context) {
            std::task::Poll::Ready(done) => done,
            std::task::Poll::Pending => panic!("native cryptography never waits"),
        }
    };
    for alg in KeyManagementAlgorithm::RECEIVED {
        for enc in ContentEncryption::ALL {
            for party in [json!({}), json!({ "apu": "QWxpY2U" }), json!({ "apu": "QWxpY2U", "apv": "Qm9i" })] {
                let mut header = json!({ "alg": alg.as_str(), "enc": enc.as_str(), "cty": "JWT" });
                header.as_object_mut().unwrap().extend(party.as_object().unwrap().clone());
                let text = suite::jwe::encrypt(&jwk, &header, JWT);
                assert_eq!(decrypt(&text).as_deref(), Some(JWT), "{header}");
            }
        }
    }
    let header = json!({ "alg": "ECDH-ES", "enc": "A128GCM", "apv": "A".repeat(400) });
    assert_eq!(decrypt(&suite::jwe::encrypt(&jwk, &header, JWT)), None, "300 bytes of party information");
}
