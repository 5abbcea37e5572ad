//! Signing and verifying through the public interface: vectors of the RFCs, an independent implementation, forgeries.
#![cfg(not(target_arch = "wasm32"))]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, missing_docs)]

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use keys::{KeySet, Keyring};
use latchkey_jose::{Algorithm, Jwk, Jwt, MAX_JWT_LENGTH, PublicKey, VerificationKey, platform, sign_jwt, verify};
use proptest::prelude::*;
use serde_json::{Value, json};
use std::{
    pin::pin,
    sync::LazyLock,
    task::{Context, Poll, Waker},
};
use types::Timestamp;

const NOW: Timestamp = Timestamp::from_secs(1_700_000_000);

/// One set for all tests, because generating an RSA key is slow.
static SET: LazyLock<KeySet> = LazyLock::new(|| run(KeySet::generate(platform(), NOW)).unwrap());
static KEYRING: LazyLock<Keyring> = LazyLock::new(|| Keyring::new(platform(), SET.clone()));

/// Runs a future to its end. Native cryptography never waits.
fn run<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("a native operation is pending"),
    }
}

fn key(json: Value) -> PublicKey {
    serde_json::from_value::<Jwk>(json).unwrap().key
}

fn signed(alg: Algorithm, typ: &str, claims: &Value) -> String {
    run(async { sign_jwt(&KEYRING.signing_key(alg, NOW).await.unwrap(), typ, claims).await.unwrap() })
}

fn verified(text: &str) -> Option<Value> {
    run(async { KEYRING.verify(&Jwt::parse(text)?, NOW).await })
}

/// Returns a token with another header, and the payload and signature of `text`.
fn with_header(text: &str, header: &Value) -> String {
    let rest = text.split_once('.').unwrap().1;
    format!("{}.{rest}", URL_SAFE_NO_PAD.encode(header.to_string()))
}

fn kid_of(alg: Algorithm) -> String {
    run(KEYRING.signing_key(alg, NOW)).unwrap().kid().to_owned()
}

const JOE: &str = "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";

#[test]
fn rfc_7515_a_2_rs256() {
    let key = key(
        json!({ "kty": "RSA", "e": "AQAB", "n": "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ" }),
    );
    let jwt = format!(
        "eyJhbGciOiJSUzI1NiJ9.{JOE}.cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw"
    );
    check_joe(Algorithm::RS256, &key, &jwt);
}

#[test]
fn rfc_7515_a_3_es256() {
    let key = key(
        json!({ "kty": "EC", "crv": "P-256", "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU", "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0" }),
    );
    let jwt = format!(
        "eyJhbGciOiJFUzI1NiJ9.{JOE}.DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q"
    );
    check_joe(Algorithm::ES256, &key, &jwt);
}

fn check_joe(alg: Algorithm, key: &PublicKey, text: &str) {
    run(async {
        let key = VerificationKey::new("", alg, platform().verifier(alg, key).await.unwrap());
        let jwt = Jwt::parse(text).unwrap();
        let claims = key.verify(&jwt).await.unwrap();
        assert_eq!(claims["iss"], "joe");
        // Without a kid no key is chosen.
        assert_eq!(verify(&jwt, &[key]).await, None);
    });
}

#[test]
fn rfc_8037_a_4_eddsa() {
    let key = key(json!({ "kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo" }));
    let message = b"eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc";
    let signature = URL_SAFE_NO_PAD
        .decode("hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg")
        .unwrap();
    run(async {
        let verifier = platform().verifier(Algorithm::EdDSA, &key).await.unwrap();
        assert!(verifier.verify(message, &signature).await);
        assert!(!verifier.verify(&message[1..], &signature).await);
        assert!(!verifier.verify(message, &signature[1..]).await);
    });
}

#[test]
fn what_is_signed_verifies_here_and_elsewhere() {
    let jwks: jsonwebtoken::jwk::JwkSet =
        serde_json::from_str(&SET.published().jwks_json(&Algorithm::ALL, None, NOW)).unwrap();
    for alg in Algorithm::ALL {
        for typ in ["at+jwt", "JWT", "logout+jwt"] {
            let claims = json!({ "iss": "https://issuer.example", "sub": "ü", "exp": NOW.as_secs() });
            let text = signed(alg, typ, &claims);
            let jwt = Jwt::parse(&text).unwrap();
            assert_eq!(jwt.header().alg, alg);
            assert!(jwt.typ_is(typ) && !jwt.typ_is("x"));
            assert_eq!(verified(&text), Some(claims.clone()), "{alg}");

            let header = jsonwebtoken::decode_header(&text).unwrap();
            let jwk = jwks.find(&header.kid.unwrap()).unwrap();
            let mut validation = jsonwebtoken::Validation::new(alg.as_str().parse().unwrap());
            validation.validate_exp = false;
            let theirs = jsonwebtoken::decode::<Value>(&text, &jwk.try_into().unwrap(), &validation).unwrap();
            assert_eq!(theirs.claims, claims);
        }
    }
}

#[test]
fn each_published_key_names_its_use_and_nothing_private() {
    let jwks: Value = serde_json::from_str(&SET.published().jwks_json(&Algorithm::ALL, None, NOW)).unwrap();
    let keys = jwks["keys"].as_array().unwrap();
    assert_eq!(keys.len(), 4);
    let mut kids: Vec<_> = keys.iter().map(|key| key["kid"].as_str().unwrap()).collect();
    kids.sort_unstable();
    kids.dedup();
    assert_eq!(kids.len(), 4);
    for (key, alg) in keys.iter().zip(["ES256", "RS256", "PS256", "EdDSA"]) {
        assert_eq!((&key["use"], &key["alg"]), (&json!("sig"), &json!(alg)));
        assert!(["d", "p", "q", "dp", "dq", "qi", "k", "oth"].iter().all(|private| key.get(private).is_none()));
    }
}

#[test]
fn only_the_algorithm_of_the_key_is_believed() {
    for signing in Algorithm::ALL {
        let text = signed(signing, "JWT", &json!({ "sub": "demo" }));
        for named in Algorithm::ALL {
            for kid in Algorithm::ALL {
                let forged = with_header(&text, &json!({ "alg": named.as_str(), "kid": kid_of(kid), "typ": "JWT" }));
                let original = signing == named && signing == kid;
                assert_eq!(verified(&forged).is_some(), original, "{signing} as {named} of {kid}");
            }
        }
    }
}

#[test]
fn the_rsa_key_does_not_accept_the_other_padding() {
    // A valid PSS signature by the same private key, with the `kid` of the RS256 key.
    run(async {
        let rs256 = KEYRING.signing_key(Algorithm::RS256, NOW).await.unwrap();
        let pkcs8 = SET.pkcs8(rs256.kid()).unwrap();
        let signer = platform().signer(Algorithm::PS256, pkcs8).await.unwrap();
        let confused = latchkey_jose::SigningKey::new(rs256.kid(), Algorithm::PS256, signer);
        let text = sign_jwt(&confused, "JWT", &json!({})).await.unwrap();
        assert_eq!(KEYRING.verify(&Jwt::parse(&text).unwrap(), NOW).await, None);
    });
}

#[test]
fn none_and_hmac_with_the_public_key_are_not_read() {
    let kid = kid_of(Algorithm::ES256);
    let text = signed(Algorithm::ES256, "JWT", &json!({ "sub": "demo" }));
    for alg in ["none", "None", "NONE", "", "HS256", "HS384", "HS512", "ES384", "es256", "RS1", "dir"] {
        assert!(Jwt::parse(&with_header(&text, &json!({ "alg": alg, "kid": kid }))).is_none(), "{alg}");
    }
    assert!(Jwt::parse(&with_header(&text, &json!({ "kid": kid }))).is_none());

    let public = SET.published().keys[0].public.clone();
    let secret = serde_json::to_vec(&public).unwrap();
    let mut header = jsonwebtoken::Header::new(jsonwebtoken::Algorithm::HS256);
    header.kid = Some(kid);
    let forged =
        jsonwebtoken::encode(&header, &json!({ "sub": "demo" }), &jsonwebtoken::EncodingKey::from_secret(&secret));
    assert!(Jwt::parse(&forged.unwrap()).is_none());
}

#[test]
fn a_header_with_an_extension_is_not_read() {
    let text = signed(Algorithm::ES256, "JWT", &json!({}));
    let kid = kid_of(Algorithm::ES256);
    for extra in [json!({ "crit": ["exp"] }), json!({ "crit": [] }), json!({ "crit": null }), json!({ "b64": false })] {
        let mut header = json!({ "alg": "ES256", "kid": kid });
        header.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
        assert!(Jwt::parse(&with_header(&text, &header)).is_none(), "{header}");
    }
    // Parsers differ in their reading of repeated members.
    let twice = URL_SAFE_NO_PAD.encode(r#"{"alg":"ES256","alg":"RS256"}"#);
    assert!(Jwt::parse(&format!("{twice}.e30.AA")).is_none());
}

#[test]
fn what_was_altered_or_is_malformed_does_not_verify() {
    let text = signed(Algorithm::ES256, "at+jwt", &json!({ "sub": "demo", "scope": "read" }));
    let parts: Vec<&str> = text.split('.').collect();
    let [header, payload, signature] = parts[..] else { panic!() };
    let other = URL_SAFE_NO_PAD.encode(r#"{"sub":"admin"}"#);
    for altered in [
        format!("{header}.{other}.{signature}"),
        format!("{header}.{payload}."),
        format!("{header}.{payload}"),
        format!("{header}.{payload}.{signature}."),
        format!("{header}.{payload}.{signature}.{signature}"),
        format!(".{payload}.{signature}"),
        format!("{header}..{signature}"),
        format!("{header}.{payload}.{signature}="),
        format!(" {text}"),
        format!("{text}\n"),
        format!("{header}.{payload}.{}", URL_SAFE_NO_PAD.encode([0; 64])),
        String::new(),
        "..".to_owned(),
    ] {
        assert_eq!(verified(&altered), None, "{altered}");
    }
    let long = format!("{header}.{}.{signature}", "A".repeat(MAX_JWT_LENGTH));
    assert!(Jwt::parse(&long).is_none());
    // Claims that are not an object.
    let array = run(async {
        let key = KEYRING.signing_key(Algorithm::ES256, NOW).await.unwrap();
        sign_jwt(&key, "JWT", &json!(["sub"])).await.unwrap()
    });
    assert_eq!(verified(&array), None);
}

#[test]
fn a_key_for_another_algorithm_is_refused() {
    run(async {
        for key in &SET.published().keys {
            for alg in Algorithm::ALL {
                let fits = key.public.key.serves(alg);
                assert_eq!(platform().verifier(alg, &key.public.key).await.is_ok(), fits);
                assert_eq!(platform().signer(alg, SET.pkcs8(&key.kid).unwrap()).await.is_ok(), fits);
            }
        }
        assert!(platform().signer(Algorithm::ES256, b"").await.is_err());
        let small = PublicKey::Rsa { n: vec![0xff; 128], e: vec![1, 0, 1] };
        let huge = PublicKey::Rsa { n: vec![0xff; 4096], e: vec![1, 0, 1] };
        let off_curve = PublicKey::P256 { x: [1; 32], y: [1; 32] };
        assert!(platform().verifier(Algorithm::RS256, &small).await.is_err());
        assert!(platform().verifier(Algorithm::RS256, &huge).await.is_err());
        assert!(platform().verifier(Algorithm::ES256, &off_curve).await.is_err());
    });
}

proptest! {
    #[test]
    fn any_text_is_read_without_panic(text in any::<String>()) {
        let _ = Jwt::parse(&text).map(|jwt| jwt.unverified_claims());
    }

    #[test]
    fn any_parts_are_read_without_panic(header in any::<Vec<u8>>(), payload in any::<Vec<u8>>(), signature in any::<Vec<u8>>()) {
        let encode = |bytes| URL_SAFE_NO_PAD.encode(bytes);
        let text = format!("{}.{}.{}", encode(header), encode(payload), encode(signature));
        prop_assert!(verified(&text).is_none());
    }

    #[test]
    fn any_claims_and_signature_under_a_genuine_header_do_not_verify(payload in any::<Vec<u8>>(), signature in any::<Vec<u8>>()) {
        let header = json!({ "alg": "ES256", "kid": kid_of(Algorithm::ES256) }).to_string();
        let encode = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        let text = format!("{}.{}.{}", encode(header.as_bytes()), encode(&payload), encode(&signature));
        prop_assert!(verified(&text).is_none());
    }
}
