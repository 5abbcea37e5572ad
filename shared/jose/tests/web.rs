//! WebCrypto and the Web's randomness, on Node: `CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUNNER=wasm-bindgen-test-runner
//! cargo test -p jose --target wasm32-unknown-unknown --test web`.
#![cfg(target_arch = "wasm32")]
#![allow(clippy::unwrap_used, missing_docs)]

use jose::{
    Algorithm, ContentEncryption, CryptoError, Jwk, JwkSet, Jwt, KeyManagementAlgorithm, KeySet, Keyring, PublicKey,
    Purpose, Recipient, Secret, Secrets, encrypt_jwt, platform, sign_jwt,
};
use protocol::Timestamp;
use serde_json::json;
use wasm_bindgen_test::wasm_bindgen_test;

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

#[wasm_bindgen_test]
fn randomness_is_the_webs() {
    let secrets = Secrets::new(Secret::generate().unwrap(), None);
    let sealed = secrets.seal(Purpose::Session, b"value").unwrap();
    assert_ne!(sealed, secrets.seal(Purpose::Session, b"value").unwrap());
    assert_eq!(secrets.open(Purpose::Session, &sealed).unwrap(), b"value");
}

fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text.chars().map(|digit| digit.to_digit(16).unwrap() as u8).collect();
    digits.chunks(2).map(|pair| pair.iter().fold(0, |byte, digit| byte << 4 | digit)).collect()
}

const ED25519: &str =
    "302e020100300506032b657004220420bfb25c64fc6118406cc7f751fb62aaebb8d8a0d7788911ff57b9a8b0ed8c39c9";
const P256: &str = "308187020100301306072a8648ce3d020106082a8648ce3d030107046d306b02010104202cf86aedd29dd9263fe74aefed748457b624a9ea6c138ba52d6f0be71b72b778a1440342000419621ae2a71eb6d756ae13961272001e3db2abd81b1b5910d3d6e8ddac8484bd10b732afcaacaf72f1a1b15695d73aa7d488ffc1d7d8facac9bd17366ce74f59";
