//! The vectors of Project Wycheproof and RFC 7520 for what this crate verifies and encrypts.
#![cfg(not(target_arch = "wasm32"))]
#![allow(
    clippy::unwrap_used,
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::panic,
    missing_docs,
    reason = "a test fails by panicking"
)]

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use latchkey_jose::{Algorithm, CryptoError, Jwk, Jwt, VerificationKey, encryption, platform, verify};
use serde_json::Value;

const ECDSA: &str = include_str!("vectors/ecdsa_p256_sha256.json");
const ED25519: &str = include_str!("vectors/ed25519.json");
const RSA_PKCS1: &str = include_str!("vectors/rsa_pkcs1_sha256.json");
const RSA_PSS: &str = include_str!("vectors/rsa_pss_sha256.json");
const ECDH: &str = include_str!("vectors/ecdh_p256.json");
const AES_WRAP: &str = include_str!("vectors/aes_wrap.json");
const AES_GCM: &str = include_str!("vectors/aes_gcm.json");
const AES_CBC: &str = include_str!("vectors/aes_cbc_pkcs5.json");
const JWS: &str = include_str!("vectors/jws.json");
const RFC_7520: &str = include_str!("vectors/rfc7520.json");

fn block_on<T>(work: impl Future<Output = T>) -> T {
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    match std::pin::pin!(work).poll(&mut context) {
        std::task::Poll::Ready(done) => done,
        std::task::Poll::Pending => panic!("native cryptography never waits"),
    }
}

fn hex(text: &Value) -> Vec<u8> {
    let digits: Vec<u8> = text.as_str().unwrap().chars().map(|c| c.to_digit(16).unwrap().try_into().unwrap()).collect();
    digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect()
}

fn base64url(text: &Value) -> Vec<u8> {
    URL_SAFE_NO_PAD.decode(text.as_str().unwrap()).unwrap()
}

/// Calls `run` with each group and test of a file, and checks the number of tests, so that none is lost.
#[track_caller]
fn each(file: &str, expected: usize, mut run: impl FnMut(&Value, &Value)) {
    let file: Value = serde_json::from_str(file).unwrap();
    let mut count = 0;
    for group in file["groups"].as_array().unwrap() {
        for test in group["tests"].as_array().unwrap() {
            run(group, test);
            count += 1;
        }
    }
    assert_eq!(count, expected);
}

/// Checks the outcome of a test. A result of `acceptable` leaves the outcome open.
#[track_caller]
fn agrees(test: &Value, outcome: bool) {
    match test["result"].as_str().unwrap() {
        "acceptable" => {}
        result => assert_eq!(outcome, result == "valid", "{test}"),
    }
}

#[test]
fn wycheproof_signatures() {
    for (file, tests) in [(ECDSA, 262), (ED25519, 151), (RSA_PKCS1, 776), (RSA_PSS, 324)] {
        each(file, tests, |group, test| {
            let alg: Algorithm = group["alg"].as_str().unwrap().parse().unwrap();
            let jwk: Jwk = serde_json::from_str(&group["jwk"].to_string()).unwrap();
            let verifier = block_on(platform().verifier(alg, &jwk.key)).unwrap();
            agrees(test, block_on(verifier.verify(&hex(&test["msg"]), &hex(&test["sig"]))));
        });
    }
}

/// Verifies a JWS as [`verify`] does, but for its payload, which need not be JSON.
fn verifies(keys: &[Jwk], jws: &str) -> bool {
    let Some(jwt) = Jwt::parse(jws) else { return false };
    let alg = jwt.header().alg;
    let (message, signature) = jws.rsplit_once('.').unwrap();
    let signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
    let named = keys.iter().filter(|key| jwt.header().kid.is_none() || key.kid == jwt.header().kid);
    named.filter(|key| key.verifies(alg)).any(|key| {
        let verifier = block_on(platform().verifier(alg, &key.key));
        verifier.is_ok_and(|verifier| block_on(verifier.verify(message.as_bytes(), &signature)))
    })
}

#[test]
fn wycheproof_jws() {
    let mut wrong = Vec::new();
    each(JWS, 332, |group, test| {
        let keys = group["keys"].as_array().unwrap().iter();
        let keys: Vec<Jwk> = keys.filter_map(|key| serde_json::from_str(&key.to_string()).ok()).collect();
        if verifies(&keys, test["jws"].as_str().unwrap()) != (test["result"] == "valid") {
            wrong.push(format!("{} {}", test["tcId"], test["comment"]));
        }
    });
    assert!(wrong.is_empty(), "{wrong:?}");
}

/// A key agreement accepts exactly the points of P-256. Its secret cannot be compared, because its key is fresh.
#[test]
fn wycheproof_public_keys_of_ecdh() {
    each(ECDH, 353, |_, test| {
        let agreed = match serde_json::from_str::<Jwk>(&test["public"].to_string()) {
            Ok(jwk) => match block_on(encryption().agree(&jwk.key)) {
                Ok(_) => true,
                Err(error) => {
                    assert_eq!(error, CryptoError::Key, "{test}");
                    false
                }
            },
            Err(_) => false,
        };
        agrees(test, agreed);
    });
}

#[test]
fn wycheproof_key_wrap() {
    each(AES_WRAP, 110, |_, test| {
        let wrapped = block_on(encryption().wrap_key(&hex(&test["key"]), &hex(&test["msg"])));
        let is_equal = wrapped.is_ok_and(|wrapped| wrapped == hex(&test["ct"]));
        // Invalid ciphertexts are for unwrapping, which this crate does not do.
        if test["result"] == "valid" {
            assert!(is_equal, "{test}");
        } else if test["result"] == "invalid" {
            assert!(!is_equal, "{test}");
        }
    });
}

#[test]
fn wycheproof_content_encryption() {
    each(AES_GCM, 133, |_, test| {
        let iv = hex(&test["iv"]).try_into().unwrap();
        let (key, aad, text) = (hex(&test["key"]), hex(&test["aad"]), hex(&test["msg"]));
        let ciphertext = block_on(encryption().aes_gcm(&key, iv, &aad, &text)).unwrap();
        agrees(test, ciphertext == [hex(&test["ct"]), hex(&test["tag"])].concat());
    });
    each(AES_CBC, 144, |_, test| {
        let iv = hex(&test["iv"]).try_into().unwrap();
        let ciphertext = block_on(encryption().aes_cbc(&hex(&test["key"]), iv, &hex(&test["msg"]))).unwrap();
        agrees(test, ciphertext == hex(&test["ct"]));
    });
}

#[test]
fn rfc_7520_signatures() {
    let file: Value = serde_json::from_str(RFC_7520).unwrap();
    let examples = file["signatures"].as_array().unwrap();
    assert_eq!(examples.len(), 3);
    for example in examples {
        let jwk: Jwk = serde_json::from_str(&example["jwk"].to_string()).unwrap();
        let compact = example["compact"].as_str().unwrap();
        assert!(verifies(std::slice::from_ref(&jwk), compact), "{}", example["section"]);
        let (message, signature) = compact.rsplit_once('.').unwrap();
        let altered = format!("{message}.{}", signature.chars().rev().collect::<String>());
        assert!(!verifies(&[jwk], &altered), "{}", example["section"]);
    }
}

/// RFC 7520 §6 nests a JWT: its claims are returned.
#[test]
fn rfc_7520_6_claims() {
    let file: Value = serde_json::from_str(RFC_7520).unwrap();
    let example = &file["signatures"][1];
    let jwk: Jwk = serde_json::from_str(&example["jwk"].to_string()).unwrap();
    let verifier = block_on(platform().verifier(Algorithm::PS256, &jwk.key)).unwrap();
    let key = VerificationKey::new("hobbiton.example", Algorithm::PS256, verifier);
    let jwt = Jwt::parse(example["compact"].as_str().unwrap()).unwrap();
    assert_eq!(block_on(key.verify(&jwt)).unwrap()["iss"], "hobbiton.example");
    // Its header names no key, which `verify` requires.
    assert!(block_on(verify(&jwt, &[key])).is_none());
}

#[test]
fn rfc_7520_5_6_and_5_8_encryption() {
    let file: Value = serde_json::from_str(RFC_7520).unwrap();
    for example in [&file["encryption"][0], &file["encryption"][1]] {
        let iv = base64url(&example["iv"]).try_into().unwrap();
        let aad = example["aad"].as_str().unwrap().as_bytes();
        let text = example["plaintext"].as_str().unwrap().as_bytes();
        let ciphertext = block_on(encryption().aes_gcm(&base64url(&example["cek"]), iv, aad, text)).unwrap();
        let expected = [base64url(&example["ciphertext"]), base64url(&example["tag"])].concat();
        assert_eq!(ciphertext, expected, "{}", example["section"]);
    }
    let example = &file["encryption"][1];
    let (wrapping, key) = (base64url(&example["wrapping_key"]), base64url(&example["cek"]));
    let wrapped = block_on(encryption().wrap_key(&wrapping, &key)).unwrap();
    assert_eq!(wrapped, base64url(&example["encrypted_key"]));
}
