//! JWTs, keys, request objects.

use jose::{DecryptionKey, EncryptedJwt, JwkSet, Jwt, KeyManagementAlgorithm};
use protocol::{Client, RequestObject};
use serde_json::{Value, json};
use types::{Issuer, Timestamp};

fn client(id: &str) -> Client {
    serde_json::from_value(json!({ "client_id": id })).expect("a client")
}

const NOW: Timestamp = Timestamp::from_secs(1_800_000_000);

/// A signed JWT (RFC 7515 §3.1), before its signature is verified.
pub(crate) fn jwt(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if let Some(jwt) = Jwt::parse(text) {
        assert_eq!(text.bytes().filter(|byte| *byte == b'.').count(), 2);
        assert!(jwt.unverified_claims().is_none_or(|claims| claims.is_object()));
        assert!(jose::unsecured_claims(text).is_none(), "a JWT is signed or unsecured, never both");
    }
}

/// An encrypted JWT (RFC 7516 §3.1), and its decryption by a key that no sender knows.
pub(crate) fn jwe(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let Some(jwt) = EncryptedJwt::parse(text) else { return };
    assert!(EncryptedJwt::is_meant(text) && Jwt::parse(text).is_none(), "a JWT is signed or encrypted, never both");
    assert!(KeyManagementAlgorithm::RECEIVED.contains(&jwt.alg()));
    let key = DecryptionKey::new(jose::p256_public_key(&[7; 32]).expect("a key"), [7; 32].into());
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    let decrypted = std::pin::pin!(jwt.decrypt(&[&key])).poll(&mut context);
    assert_eq!(decrypted, std::task::Poll::Ready(None), "nothing here is encrypted to the key");
}

/// A set of keys at a URL of a client or an issuer (RFC 7517 §5).
pub(crate) fn jwk_set(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let Some(set) = JwkSet::parse(text) else { return };
    let written = serde_json::to_string(&set).expect("a set is JSON");
    assert!(JwkSet::parse(&written).is_some_and(|again| again == set), "{written}");
    for key in &set.keys {
        assert_eq!(key.key.thumbprint().len(), 43);
    }
    let written: Value = serde_json::from_str(&written).expect("JSON");
    for key in written.get("keys").and_then(Value::as_array).expect("a list") {
        assert!(key.get("d").is_none() && key.get("k").is_none(), "a private part of a key: {key}");
    }
}

/// The claims of a request object (RFC 9101 §4): of an unsecured one, and of the bytes as JSON.
pub(crate) fn request_object(bytes: &[u8]) {
    let text = std::str::from_utf8(bytes).ok();
    let unsecured = text.and_then(jose::unsecured_claims);
    let json = serde_json::from_slice::<Value>(bytes).ok().and_then(|value| value.as_object().cloned());
    for claims in [unsecured, json].into_iter().flatten() {
        let issuer = Issuer::new("https://server.example.com");
        let Ok(parameters) = RequestObject::new(claims).into_parameters(&client("s6BhdRkqt3"), &issuer, NOW) else {
            continue;
        };
        assert_eq!(parameters.value("client_id"), Some("s6BhdRkqt3"));
        assert!(parameters.value("request").is_none() && parameters.value("request_uri").is_none());
        for claim in ["iss", "aud", "exp", "nbf", "jti"] {
            assert!(parameters.value(claim).is_none(), "{claim} is no parameter");
        }
    }
}
