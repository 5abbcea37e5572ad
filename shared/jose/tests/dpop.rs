//! DPoP proofs: RFC 9449 §4.3, §8.
#![cfg(not(target_arch = "wasm32"))]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use latchkey_jose::dpop::{DpopProblem, DpopProof, DpopRequest, NoncePolicy, NonceRole, Nonces, access_token_hash};
use latchkey_jose::{Algorithm, Jwk, PublicKey, Signer, platform};
use serde_json::{Value, json};
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use types::Timestamp;

const URL: &str = "https://server.example.com/token";

/// The proof of RFC 9449 §4.2.
const RFC_PROOF: &str = "eyJ0eXAiOiJkcG9wK2p3dCIsImFsZyI6IkVTMjU2IiwiandrIjp7Imt0eSI6IkVDIiwieCI6Imw4dEZyaHgtMzR0VjNoUklDUkRZOXpDa0RscEJoRjQyVVFVZldWQVdCRnMiLCJ5IjoiOVZFNGpmX09rX282NHpiVFRsY3VOSmFqSG10NnY5VERWclUwQ2R2R1JEQSIsImNydiI6IlAtMjU2In19.eyJqdGkiOiItQndDM0VTYzZhY2MybFRjIiwiaHRtIjoiUE9TVCIsImh0dSI6Imh0dHBzOi8vc2VydmVyLmV4YW1wbGUuY29tL3Rva2VuIiwiaWF0IjoxNTYyMjYyNjE2fQ.2-GxA6T8lP4vfrg8v-FdWP0A0zdrj8igiMLvqRMUvwnQg4PtFLbdLXiOSsX0x7NVY-FNyJK70nfbV37xRZT3Lg";

/// Runs a future to its end. Native cryptography never waits.
fn run<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("a native operation is pending"),
    }
}

struct Sender {
    alg: Algorithm,
    public: PublicKey,
    signer: Arc<dyn Signer>,
}

impl Sender {
    fn new(alg: Algorithm) -> Self {
        let key = run(platform().generate(alg)).unwrap();
        let signer = run(platform().signer(alg, &key.pkcs8)).unwrap();
        Self { alg, public: key.public, signer }
    }

    fn header(&self) -> Value {
        json!({ "typ": "dpop+jwt", "alg": self.alg, "jwk": Jwk::from(self.public.clone()) })
    }

    fn sign(&self, header: &Value, claims: &Value) -> String {
        let encode = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let message = format!("{}.{}", encode(header), encode(claims));
        let signature = run(self.signer.sign(message.as_bytes())).unwrap();
        format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature))
    }

    fn proof(&self, changes: &Value) -> String {
        self.sign(&self.header(), &claims(changes))
    }
}

fn now() -> Timestamp {
    Timestamp::from_secs(1_562_262_616)
}

fn claims(changes: &Value) -> Value {
    let mut claims = json!({ "jti": "1", "htm": "POST", "htu": URL, "iat": now().as_secs() });
    for (name, value) in changes.as_object().unwrap() {
        match value {
            Value::Null => claims.as_object_mut().unwrap().remove(name),
            value => claims.as_object_mut().unwrap().insert(name.clone(), value.clone()),
        };
    }
    claims
}

const AT_SERVER: DpopRequest<'_> = DpopRequest { method: "POST", urls: &[URL], access_token: None };

fn judge(text: &str, request: &DpopRequest<'_>) -> Result<(), DpopProblem> {
    let proof = DpopProof::parse(text)?;
    proof.check(request)?;
    no_nonce().admit(&proof, now())?;
    run(proof.verify())
}

fn mac(message: &[u8]) -> [u8; 32] {
    use sha2::{Digest, Sha256};
    Sha256::digest(message).into()
}

fn nonces(policy: NoncePolicy, role: NonceRole) -> Nonces<'static> {
    Nonces::new(policy, role, &mac)
}

fn no_nonce() -> Nonces<'static> {
    nonces(NoncePolicy::Off, NonceRole::AuthorizationServer)
}

#[test]
fn the_proof_of_the_rfc_is_accepted() {
    assert_eq!(judge(RFC_PROOF, &AT_SERVER), Ok(()));
    let proof = DpopProof::parse(RFC_PROOF).unwrap();
    assert_eq!(proof.thumbprint().to_string(), "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I");
    // §7.1: the access token of the example and its digest.
    let token = "Kz~8mXK1EalYznwH-LC-1fBAo.4Ljp~zsPE_NeO.gxU";
    assert_eq!(access_token_hash(token), "fUHyO2r2Z3DZ53EsNrWBb0xWXoaNy59IiKCAqksmQEo");
}

#[test]
fn every_algorithm_of_the_list_and_no_other() {
    for alg in Algorithm::ALL {
        let outcome = judge(&Sender::new(alg).proof(&json!({})), &AT_SERVER);
        let expected = if Algorithm::DPOP.contains(&alg) { Ok(()) } else { Err(DpopProblem::Algorithm) };
        assert_eq!(outcome, expected, "{alg}");
    }
}

/// §4.3 (2) to (7): what is no proof.
#[test]
fn what_is_no_proof_is_rejected() {
    let (sender, other) = (Sender::new(Algorithm::ES256), Sender::new(Algorithm::ES256));
    let header = |changes: Value| {
        let mut header = sender.header();
        header.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
        sender.sign(&header, &claims(&json!({})))
    };
    let without = |member: &str| {
        let mut header = sender.header();
        header.as_object_mut().unwrap().remove(member);
        sender.sign(&header, &claims(&json!({})))
    };
    let proof = sender.proof(&json!({}));
    let other_proof = sender.proof(&json!({ "jti": "2" }));
    let ((message, _), (_, signature)) = (proof.rsplit_once('.').unwrap(), other_proof.rsplit_once('.').unwrap());
    let jwk = |change: &str, value: &str| {
        let mut jwk = serde_json::to_value(Jwk::from(sender.public.clone())).unwrap();
        jwk[change] = json!(value);
        header(json!({ "jwk": jwk }))
    };
    let foreign = serde_json::to_value(Jwk::from(other.public.clone())).unwrap();
    let x = URL_SAFE_NO_PAD.encode([1; 32]);
    for (text, problem) in [
        (String::new(), DpopProblem::Malformed),
        ("a.b.c".to_owned(), DpopProblem::Malformed),
        (message.to_owned(), DpopProblem::Malformed),
        (format!("{proof}, {proof}"), DpopProblem::Malformed),
        (format!("{proof},{proof}"), DpopProblem::Malformed),
        (sender.proof(&json!({ "x": "x".repeat(5000) })), DpopProblem::Malformed),
        (header(json!({ "crit": ["x"], "x": 1 })), DpopProblem::Malformed),
        (without("typ"), DpopProblem::Type),
        (header(json!({ "typ": "JWT" })), DpopProblem::Type),
        (header(json!({ "typ": "dpop+jwt+x" })), DpopProblem::Type),
        (header(json!({ "alg": "none" })), DpopProblem::Algorithm),
        (header(json!({ "alg": "HS256" })), DpopProblem::Algorithm),
        (header(json!({ "alg": "RS256" })), DpopProblem::Algorithm),
        (header(json!({ "alg": "PS256" })), DpopProblem::Key),
        (without("jwk"), DpopProblem::Key),
        (jwk("d", &x), DpopProblem::Key),
        (jwk("crv", "P-384"), DpopProblem::Key),
        (jwk("use", "enc"), DpopProblem::Key),
        (header(json!({ "jwk": { "kty": "oct", "k": x } })), DpopProblem::Key),
        (header(json!({ "jwk": { "kty": "EC", "crv": "P-256", "x": x, "y": x } })), DpopProblem::Key),
        (header(json!({ "jwk": foreign })), DpopProblem::Signature),
        (format!("{message}.{signature}"), DpopProblem::Signature),
        (sender.proof(&json!({ "jti": null })), DpopProblem::Claims),
        (sender.proof(&json!({ "jti": "" })), DpopProblem::Claims),
        (sender.proof(&json!({ "jti": "x".repeat(257) })), DpopProblem::Claims),
        (sender.proof(&json!({ "jti": 1 })), DpopProblem::Claims),
        (sender.proof(&json!({ "htm": null })), DpopProblem::Claims),
        (sender.proof(&json!({ "htu": null })), DpopProblem::Claims),
        (sender.proof(&json!({ "iat": null })), DpopProblem::Claims),
        (sender.proof(&json!({ "iat": "1562262616" })), DpopProblem::Claims),
    ] {
        assert_eq!(judge(&text, &AT_SERVER), Err(problem), "{text}");
    }
}

/// RSA keys whose verification costs too much, or is worth nothing.
#[test]
fn keys_of_other_lengths_are_rejected() {
    let sender = Sender::new(Algorithm::PS256);
    let PublicKey::Rsa { n, .. } = &sender.public else { panic!("no RSA key") };
    let with = |n: &[u8], e: &[u8]| {
        let encode = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        let mut header = sender.header();
        header["jwk"] = json!({ "kty": "RSA", "n": encode(n), "e": encode(e) });
        sender.sign(&header, &claims(&json!({})))
    };
    for text in [with(&[n.as_slice(), n, &[1]].concat(), &[1, 0, 1]), with(n, &[1; 5]), with(&n[..128], &[1, 0, 1])] {
        assert_eq!(judge(&text, &AT_SERVER), Err(DpopProblem::Key));
    }
}

/// §4.3 (8), (9), (12).
#[test]
fn a_proof_is_for_one_request() {
    let sender = Sender::new(Algorithm::ES256);
    let token = "token";
    let with_token = DpopRequest { access_token: Some(token), ..AT_SERVER };
    let ath = json!({ "ath": access_token_hash(token) });
    for (changes, request, outcome) in [
        (json!({ "htm": "post" }), AT_SERVER, Err(DpopProblem::Method)),
        (json!({ "htm": "GET" }), AT_SERVER, Err(DpopProblem::Method)),
        (json!({ "htu": "https://server.example.com/par" }), AT_SERVER, Err(DpopProblem::Url)),
        (json!({ "htu": "http://server.example.com/token" }), AT_SERVER, Err(DpopProblem::Url)),
        (json!({ "htu": "https://server.example.com:444/token" }), AT_SERVER, Err(DpopProblem::Url)),
        (json!({ "htu": "https://server.example.com.evil.example/token" }), AT_SERVER, Err(DpopProblem::Url)),
        (json!({ "htu": "https://user@server.example.com/token" }), AT_SERVER, Err(DpopProblem::Url)),
        (json!({ "htu": "/token" }), AT_SERVER, Err(DpopProblem::Url)),
        (json!({ "htu": "https://server.example.com/Token" }), AT_SERVER, Err(DpopProblem::Url)),
        (json!({ "htu": "https://server.example.com/token/" }), AT_SERVER, Err(DpopProblem::Url)),
        (json!({ "htu": "https://server.example.com/%2Ftoken" }), AT_SERVER, Err(DpopProblem::Url)),
        (json!({ "htu": "HTTPS://SERVER.example.com:443/x/../%74oken?a=b#c" }), AT_SERVER, Ok(())),
        (ath.clone(), AT_SERVER, Err(DpopProblem::UnexpectedAccessToken)),
        (ath.clone(), with_token, Ok(())),
        (json!({}), with_token, Err(DpopProblem::AccessToken)),
        (json!({ "ath": access_token_hash("other") }), with_token, Err(DpopProblem::AccessToken)),
        (json!({ "ath": 7 }), with_token, Err(DpopProblem::AccessToken)),
        (json!({ "more": "claims", "nonce": "unknown" }), AT_SERVER, Ok(())),
    ] {
        assert_eq!(judge(&sender.proof(&changes), &request), outcome, "{changes}");
    }
}

/// §11.1, and the optional claims of RFC 7519.
#[test]
fn a_proof_is_for_now() {
    let sender = Sender::new(Algorithm::ES256);
    let now = now().as_secs();
    for (changes, outcome) in [
        (json!({ "iat": now - 60 }), Ok(())),
        (json!({ "iat": now + 60 }), Ok(())),
        (json!({ "iat": now as f64 - 0.5 }), Ok(())),
        (json!({ "iat": now - 61 }), Err(DpopProblem::Time)),
        (json!({ "iat": now + 61 }), Err(DpopProblem::Time)),
        (json!({ "nbf": now, "exp": now + 300 }), Ok(())),
        (json!({ "exp": now - 61 }), Err(DpopProblem::Time)),
        (json!({ "nbf": now + 61 }), Err(DpopProblem::Time)),
        (json!({ "exp": "soon" }), Err(DpopProblem::Time)),
    ] {
        assert_eq!(judge(&sender.proof(&changes), &AT_SERVER), outcome, "{changes}");
    }
}

/// §8: with a nonce of the server, `iat` does not matter. A nonce is accepted for three minutes, in one role.
#[test]
fn a_nonce_takes_the_place_of_the_clock() {
    use NoncePolicy::{Always, Off, WhenSkewed};
    let sender = Sender::new(Algorithm::ES256);
    let role = NonceRole::AuthorizationServer;
    let at = |seconds: u64| Timestamp::from_secs(now().as_secs() / 60 * 60 + seconds);
    let start = at(0);
    let newest = nonces(Always, role).newest(start);
    let foreign = nonces(Always, NonceRole::ResourceServer).newest(start);
    assert!(newest.len() == 22 && newest != foreign);
    let (with, without) = (json!({ "nonce": newest }), json!({}));
    let with_foreign = json!({ "nonce": foreign });
    let skewed = |changes: &Value| {
        let mut changes = changes.clone();
        changes["iat"] = json!(now().as_secs() - 86_400);
        changes
    };
    let late = skewed(&with);
    for (policy, changes, seconds, outcome, offers) in [
        (Off, &without, 0, Ok(()), false),
        (Off, &with_foreign, 0, Ok(()), false),
        (Off, &late, 0, Err(DpopProblem::Time), false),
        (WhenSkewed, &without, 0, Ok(()), false),
        (WhenSkewed, &with, 0, Ok(()), false),
        (WhenSkewed, &late, 0, Ok(()), false),
        (WhenSkewed, &skewed(&without), 0, Err(DpopProblem::Nonce), true),
        (WhenSkewed, &with_foreign, 0, Err(DpopProblem::Nonce), true),
        (Always, &without, 0, Err(DpopProblem::Nonce), true),
        (Always, &with, 0, Ok(()), false),
        (Always, &late, 0, Ok(()), false),
        (Always, &late, 60, Ok(()), true),
        (Always, &late, 179, Ok(()), true),
        (Always, &late, 180, Err(DpopProblem::Nonce), true),
    ] {
        let text = sender.proof(changes);
        let proof = DpopProof::parse(&text).unwrap();
        let nonces = nonces(policy, role);
        assert_eq!(nonces.admit(&proof, at(seconds)), outcome, "{policy:?} {changes} {seconds}");
        assert_eq!(nonces.offer(&proof, at(seconds)).is_some(), offers, "{policy:?} {changes} {seconds}");
    }
    // Another instance's clock may be behind.
    let text = sender.proof(&with);
    let behind = at(0).before(std::time::Duration::from_secs(1));
    assert_eq!(nonces(Always, role).admit(&DpopProof::parse(&text).unwrap(), behind), Ok(()));
}

/// The digest that makes a proof single-use differs by key and by `jti`.
#[test]
fn a_digest_names_one_proof() {
    let (one, two) = (Sender::new(Algorithm::ES256), Sender::new(Algorithm::EdDSA));
    let digest = |sender: &Sender, jti: &str| DpopProof::parse(&sender.proof(&json!({ "jti": jti }))).unwrap().digest();
    assert_eq!(digest(&one, "a"), digest(&one, "a"));
    assert_ne!(digest(&one, "a"), digest(&one, "b"));
    assert_ne!(digest(&one, "a"), digest(&two, "a"));
}
