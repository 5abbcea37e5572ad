//! Encrypted request objects: RFC 9101 §4, §6.1; OpenID Connect Core §6.1; RFC 7516, RFC 7518 §4.6.

use super::rfc9101::{by_value, claims, error_of};
use serde_json::{Value, json};
use std::sync::LazyLock;
use suite::{AuthorizationRequest, Browser, Call, Client, Signer, admin, jwe, pushed};

/// The description of every failure to decrypt.
const UNDECIPHERABLE: &str =
    "the request object cannot be decrypted: encrypt it to the key of jwks_uri whose use is enc";

static SIGNER: LazyLock<Signer> = LazyLock::new(|| Signer::new("ES256", "jar"));

/// Returns a client that signs request objects with [`SIGNER`].
fn client(id: &str, more: &[&str]) -> Client {
    let jwks = format!("jwks={}", SIGNER.jwks());
    admin::client(id, &[&["--set", &jwks], more].concat())
}

/// Returns the key of the server for encryption.
fn server_key() -> Value {
    let keys = Call::get("/jwks").send().expect(200).json();
    let keys = keys["keys"].as_array().expect("keys");
    let mut found = keys.iter().filter(|key| key["use"] == "enc");
    let key = found.next().expect("a key for encryption").clone();
    assert!(found.next().is_none(), "{keys:?}");
    key
}

fn header(alg: &str, enc: &str) -> Value {
    json!({ "alg": alg, "enc": enc, "cty": "JWT", "kid": server_key()["kid"] })
}

fn signed(request: &AuthorizationRequest) -> String {
    SIGNER.sign(&Value::Object(claims(request)))
}

/// Returns an object that is signed, then encrypted with this header.
fn nested(request: &AuthorizationRequest, header: &Value) -> String {
    jwe::encrypt(&server_key(), header, &signed(request))
}

/// Returns the error code and the description for an object.
fn refusal(request: &AuthorizationRequest, object: &str) -> (String, String) {
    let callback = Browser::signed_in().authorize(&by_value(request, object)).callback();
    (callback.error().to_owned(), callback.value("error_description").unwrap_or_default().to_owned())
}

/// RFC 9101 §6.1: the object is decrypted, then its signature verified, by every pair of algorithms that the metadata lists.
#[test]
fn every_pair_of_algorithms_is_decrypted() {
    let metadata = Call::get("/.well-known/openid-configuration").send().expect(200).json();
    let list = |name: &str| {
        let list = metadata[format!("request_object_encryption_{name}_values_supported")].as_array().expect("a list");
        list.iter().map(|name| name.as_str().expect("a name").to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(list("alg"), ["ECDH-ES", "ECDH-ES+A128KW", "ECDH-ES+A256KW"]);
    assert_eq!(list("enc"), ["A128CBC-HS256", "A256CBC-HS512", "A128GCM", "A256GCM"]);
    let request = AuthorizationRequest::new(&client("jar-encrypted", &[]));
    for alg in list("alg") {
        for enc in list("enc") {
            let object = nested(&request, &header(&alg, &enc));
            let callback = Browser::signed_in().complete(&by_value(&request, &object));
            assert_eq!(callback.value("state"), Some(request.value("state")), "{alg} {enc}");
        }
    }
}

/// RFC 7516 §4.1.6, §4.1.12, RFC 7518 §4.6.1: `kid` and `cty` are optional, `apu` and `apv` are inputs of the key derivation.
#[test]
fn optional_members_of_the_header() {
    let request = AuthorizationRequest::new(&client("jar-encrypted", &[]));
    for more in [
        json!({ "cty": "oauth-authz-req+jwt" }),
        json!({ "apu": "QWxpY2U", "apv": "Qm9i" }),
        json!({ "kid": null }),
        json!({ "cty": null, "typ": "oauth-authz-req+jwt", "iss": "ignored" }),
    ] {
        let mut header = header("ECDH-ES", "A256GCM");
        for (name, value) in more.as_object().unwrap() {
            match value {
                Value::Null => header.as_object_mut().unwrap().remove(name),
                value => header.as_object_mut().unwrap().insert(name.clone(), value.clone()),
            };
        }
        Browser::signed_in().complete(&by_value(&request, &nested(&request, &header))).code();
    }
}

/// RFC 9126 §3: a pushed request may be an encrypted object.
#[test]
fn an_encrypted_object_is_pushed() {
    let request = AuthorizationRequest::new(&client("jar-encrypted", &[]));
    let object = nested(&request, &header("ECDH-ES+A256KW", "A256CBC-HS512"));
    let outer = AuthorizationRequest { parameters: vec![("request".to_owned(), object)], ..request.clone() };
    let reply = pushed::push(&outer).expect(201).json();
    let uri = reply["request_uri"].as_str().expect("request_uri");
    let mut browser = Browser::signed_in();
    let landing = browser.open(&pushed::reference(&request.client, uri));
    let callback = browser.finish(landing, suite::USERNAME, suite::PASSWORD);
    assert_eq!(callback.value("state"), Some(request.value("state")));

    let mut parts: Vec<String> =
        nested(&request, &header("ECDH-ES", "A128GCM")).split('.').map(str::to_owned).collect();
    parts[4] = "AAAAAAAAAAAAAAAAAAAAAA".to_owned();
    let outer = AuthorizationRequest { parameters: vec![("request".to_owned(), parts.join("."))], ..request.clone() };
    pushed::push(&outer).expect_error(400, "invalid_request_object");
}

/// RFC 7516 §11: the answer does not tell an attacker which step of a decryption failed.
#[test]
fn every_failed_decryption_gets_one_answer() {
    let request = AuthorizationRequest::new(&client("jar-encrypted", &[]));
    let expected = ("invalid_request_object".to_owned(), UNDECIPHERABLE.to_owned());
    let other = jwe::KeyPair::p256().jwk("other");
    for (alg, enc) in [
        ("ECDH-ES", "A128GCM"),
        ("ECDH-ES", "A128CBC-HS256"),
        ("ECDH-ES+A128KW", "A256GCM"),
        ("ECDH-ES+A256KW", "A256CBC-HS512"),
    ] {
        let header = header(alg, enc);
        let good = nested(&request, &header);
        let parts: Vec<&str> = good.split('.').collect();
        let with = |index: usize, part: &str| {
            let mut parts = parts.clone();
            parts[index] = part;
            parts.join(".")
        };
        let flipped = |part: &str| format!("{}{}", if part.starts_with('A') { "B" } else { "A" }, &part[1..]);
        let mut objects = vec![
            jwe::encrypt(&other, &header, &signed(&request)),
            with(1, "AAAA"),
            with(2, "AAAA"),
            with(2, &flipped(parts[2])),
            with(3, ""),
            with(3, &flipped(parts[3])),
            with(4, ""),
            with(4, "AAAA"),
            with(4, &flipped(parts[4])),
            with(4, &format!("{}AAAA", parts[4])),
        ];
        if !parts[1].is_empty() {
            objects.push(with(1, ""));
            objects.push(with(1, &flipped(parts[1])));
        }
        for object in objects {
            assert_eq!(refusal(&request, &object), expected, "{alg} {enc}: {object}");
        }
    }
    let x = "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE";
    let mut off_curve = header("ECDH-ES", "A128GCM");
    off_curve["epk"] = json!({ "kty": "EC", "crv": "P-256", "x": x, "y": x });
    assert_eq!(refusal(&request, &nested(&request, &off_curve)), expected);
    let mut unknown = header("ECDH-ES", "A128GCM");
    unknown["kid"] = json!("unknown");
    assert_eq!(refusal(&request, &nested(&request, &unknown)), expected);
}

/// RFC 8725 §3.6 (no compression), RFC 7516 §4.1.13 (`crit`), §5.2: what is not supported is refused.
#[test]
fn other_encryptions_are_refused() {
    let request = AuthorizationRequest::new(&client("jar-encrypted", &[]));
    let x = "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE";
    for (name, value) in [
        ("zip", json!("DEF")),
        ("crit", json!(["exp"])),
        ("cty", json!("at+jwt")),
        ("epk", json!({ "kty": "EC", "crv": "P-384", "x": x, "y": x })),
        ("epk", json!({ "kty": "OKP", "crv": "X25519", "x": x })),
        ("epk", json!("none")),
    ] {
        let mut header = header("ECDH-ES", "A128GCM");
        header[name] = value.clone();
        let (error, description) = refusal(&request, &nested(&request, &header));
        assert_eq!(error, "invalid_request_object", "{name} {value}");
        assert!(description.contains("does not support"), "{name} {value}: {description}");
    }
    let good = nested(&request, &header("ECDH-ES", "A128GCM"));
    for object in [format!("{good}.AAAA"), good.rsplit_once('.').unwrap().0.to_owned(), good.replace('.', " .")] {
        assert_eq!(error_of(&by_value(&request, &object)), "invalid_request_object", "{object}");
    }
}

/// RFC 9101 §6.1, RFC 7519 §5.2: inside is one signed object. Encryption proves nothing about the sender.
#[test]
fn the_content_is_one_signed_object() {
    let request = AuthorizationRequest::new(&client("jar-encrypted", &[]));
    let header = header("ECDH-ES", "A128GCM");
    let inside = |text: &str| jwe::encrypt(&server_key(), &header, text);
    let signed = signed(&request);
    for (why, text) in [
        ("encrypted twice", inside(&signed)),
        ("unsigned", suite::jwt::unsigned(&signed)),
        ("a stranger's", Signer::new("ES256", "jar").sign(&Value::Object(claims(&request)))),
        ("claims alone", Value::Object(claims(&request)).to_string()),
        ("nothing", String::new()),
    ] {
        assert_eq!(error_of(&by_value(&request, &inside(&text))), "invalid_request_object", "{why}");
    }
    // OpenID Connect Core §6.1: a client that may send unsigned ones may encrypt them.
    let request =
        AuthorizationRequest::new(&admin::client("jar-encrypted-none", &["--set", "request_object_signing_alg=none"]));
    let unsigned = suite::jwt::unsigned(&SIGNER.sign(&Value::Object(claims(&request))));
    Browser::signed_in().complete(&by_value(&request, &inside(&unsigned))).code();
}

/// OpenID Connect Registration §2: a client that registered an encryption sends no other object. A128CBC-HS256 is the default.
#[test]
fn a_registered_encryption_is_the_only_one() {
    let client = client("jar-encrypted-only", &["--set", "request_object_encryption_alg=ECDH-ES+A128KW"]);
    let request = AuthorizationRequest::new(&client);
    let object = nested(&request, &header("ECDH-ES+A128KW", "A128CBC-HS256"));
    Browser::signed_in().complete(&by_value(&request, &object)).code();
    for object in [
        signed(&request),
        nested(&request, &header("ECDH-ES+A128KW", "A128GCM")),
        nested(&request, &header("ECDH-ES", "A128CBC-HS256")),
    ] {
        let (error, description) = refusal(&request, &object);
        assert_eq!(error, "invalid_request_object");
        assert!(description.contains("request_object_encryption_alg"), "{description}");
    }
}

/// The key of the server is on P-256: a client can register no RSA encryption to it.
#[test]
fn rsa_is_not_registered() {
    let refused = |settings: &[&str]| {
        let arguments =
            [&["client", "add", "--id", "jar-encrypted-rsa", "https://suite.example/cb"], settings].concat();
        admin::refused(&arguments, "")
    };
    let refusal = refused(&["--set", "request_object_encryption_alg=RSA-OAEP-256"]);
    assert!(refusal.contains("request_object_encryption_alg"), "{refusal}");
    let refusal = refused(&["--set", "request_object_encryption_enc=A128GCM"]);
    assert!(refusal.contains("needs request_object_encryption_alg"), "{refusal}");
}
