//! Admin keys: who may call the administration endpoint, and what a token allows.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use suite::admin::{self, AdminKey};
use suite::{Call, Reply, Signer, address, issuer, now};

/// The part of a token that a test replaces, and its value.
type Change = (&'static str, Value);

/// Sends a request whose token is for `of` in place of this request, from an address of its own: the server limits wrong
/// tokens per network.
fn send(token: &str, method: &str, target: &str, body: &str) -> Reply {
    let mut call = Call::new(method, target).bearer(token).through_proxy(&address());
    if !body.is_empty() {
        call = call.body("application/json", body);
    }
    call.send()
}

fn claims_with(key: &AdminKey, (name, value): Change) -> Value {
    let mut claims = key.claims("GET", "/admin/users", "");
    claims[name] = value;
    claims
}

#[test]
fn a_token_allows_its_own_request_alone() {
    let key = admin::key(&["users:write"]);
    let (target, body) = ("/admin/users/suite-nobody?x=1", r#"{"sub":""}"#);
    let token = key.token("PUT", target, body);
    assert_eq!(send(&token, "PUT", target, body).status, 400, "accepted, and its body is wrong");
    for (method, target, body) in [
        ("DELETE", target, body),
        ("PUT", "/admin/users/suite-somebody?x=1", body),
        ("PUT", "/admin/users/suite-nobody", body),
        ("PUT", "/admin/users/suite-nobody?x=2", body),
        ("PUT", "/admin/users/suite-nobody?x=1&x=1", body),
        ("PUT", target, r#"{"sub":"a"}"#),
        ("PUT", target, r#"{"sub":"" }"#),
    ] {
        let reply = send(&token, method, target, body).expect(401);
        assert_eq!(reply.json()["error"], "invalid_token", "{method} {target} {body}: {reply:?}");
    }
}

#[test]
fn a_token_is_for_one_deployment_and_a_minute() {
    let key = admin::key(&["users:read"]);
    let sent = |claims: &Value| send(&key.sign(claims), "GET", "/admin/users", "");
    sent(&key.claims("GET", "/admin/users", "")).expect(200);
    let other_issuer = format!("{}/", issuer());
    for change in [
        ("aud", json!("https://other.example")),
        ("aud", json!(other_issuer)),
        ("aud", json!([issuer()])),
        ("aud", Value::Null),
        ("htm", Value::Null),
        ("target", Value::Null),
        ("body_sha256", Value::Null),
        ("iat", Value::Null),
        ("exp", Value::Null),
        ("exp", json!(now() - 100)),
        ("exp", json!(now() + 3600)),
        ("iat", json!(now() + 600)),
    ] {
        sent(&claims_with(&key, change.clone())).expect(401);
    }
    let shifted = |seconds: i64| {
        let mut claims = key.claims("GET", "/admin/users", "");
        claims["iat"] = json!(now() + seconds);
        claims["exp"] = json!(now() + seconds + 60);
        claims
    };
    sent(&shifted(-200)).expect(401);
    sent(&shifted(200)).expect(401);
    // Clocks may differ by a minute.
    sent(&shifted(-90)).expect(200);
    sent(&shifted(30)).expect(200);
}

/// RFC 8725 §3.1, §3.11: the key decides the algorithm, and the type is explicit.
#[test]
fn only_a_signature_of_an_admin_key_counts() {
    let key = admin::key(&["users:read"]);
    let claims = key.claims("GET", "/admin/users", "");
    let encode = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let header = |alg: &str| json!({ "alg": alg, "typ": admin::TOKEN_TYPE, "kid": key.kid });
    let unsigned = format!("{}.{}.", encode(&header("none")), encode(&claims));
    let hmac = admin::hs256(&header("HS256"), &claims, &key.public);
    let p256 = Signer::new("ES256", &key.kid);
    let stranger = Signer::new("EdDSA", &key.kid);
    let unknown = Signer::new("EdDSA", &"A".repeat(43));
    let unknown_header = json!({ "alg": "EdDSA", "typ": admin::TOKEN_TYPE, "kid": "A".repeat(43) });
    let good = key.sign(&claims);
    let (message, signature) = good.rsplit_once('.').expect("a JWT");
    let other_message = key.sign(&claims_with(&key, ("htm", json!("DELETE"))));
    let (other_message, _) = other_message.rsplit_once('.').expect("a JWT");
    for (what, token) in [
        ("alg none", unsigned),
        ("HS256 with the public half", hmac),
        ("ES256", p256.sign_with(&header("ES256"), &claims)),
        ("EdDSA named ES256", key.signer.sign_with(&header("ES256"), &claims)),
        ("another key under this kid", stranger.sign_with(&header("EdDSA"), &claims)),
        ("an unknown key", unknown.sign_with(&unknown_header, &claims)),
        ("no kid", key.signer.sign_with(&json!({ "alg": "EdDSA", "typ": admin::TOKEN_TYPE }), &claims)),
        ("another typ", key.signer.sign_with(&json!({ "alg": "EdDSA", "typ": "JWT", "kid": key.kid }), &claims)),
        ("no typ", key.signer.sign_with(&json!({ "alg": "EdDSA", "kid": key.kid }), &claims)),
        ("crit", {
            let header = json!({ "alg": "EdDSA", "typ": admin::TOKEN_TYPE, "kid": key.kid, "crit": ["x"], "x": 1 });
            key.signer.sign_with(&header, &claims)
        }),
        ("no signature", format!("{message}.")),
        ("the signature of another message", format!("{other_message}.{signature}")),
    ] {
        let reply = send(&token, "GET", "/admin/users", "");
        assert_eq!(reply.status, 401, "{what}: {reply:?}");
    }
    send(&good, "GET", "/admin/users", "").expect(200);
}

#[test]
fn a_key_may_do_what_its_scopes_allow() {
    let key = admin::key(&["clients:write", "users:read"]);
    let status = |method: &str, target: &str, body: &str| {
        let reply = send(&key.token(method, target, body), method, target, body);
        if reply.status == 403 {
            assert_eq!(reply.json()["error"], "insufficient_scope", "{reply:?}");
            let challenge = reply.header("www-authenticate").unwrap_or_default();
            assert!(challenge.contains("error=\"insufficient_scope\""), "{reply:?}");
        }
        reply.status
    };
    for (method, target, body, expected) in [
        ("GET", "/admin/clients/none", "", 404),
        ("DELETE", "/admin/clients/none", "", 404),
        ("POST", "/admin/initial-access-tokens", "{}", 201),
        ("GET", "/admin/users/none", "", 404),
        ("PUT", "/admin/users/none", "{}", 403),
        ("DELETE", "/admin/users/none", "", 403),
        ("POST", "/admin/users/none/sign-out", "", 403),
        ("GET", "/admin/keys", "", 403),
        ("POST", "/admin/keys/replace", "", 403),
        ("GET", "/admin/admin-keys", "", 403),
        ("POST", "/admin/admin-keys", "{}", 403),
        ("GET", "/admin/none", "", 404),
        ("POST", "/admin/clients", "", 405),
    ] {
        assert_eq!(status(method, target, body), expected, "{method} {target}");
    }
}

#[test]
fn a_revoked_key_is_rejected_at_once() {
    let (key, other) = (admin::key(&["users:read"]), admin::key(&["users:read"]));
    let list = |key: &AdminKey| send(&key.token("GET", "/admin/users", ""), "GET", "/admin/users", "");
    list(&key).expect(200);
    admin::command(&["admin-key", "revoke", "--json", &key.kid]);
    let reply = list(&key).expect(401);
    assert!(reply.json()["error_description"].as_str().is_some_and(|text| text.contains("revoked")), "{reply:?}");
    list(&other).expect(200);
    let listed = admin::command(&["admin-key", "list", "--json"]);
    let shown = listed.as_array().unwrap().iter().find(|shown| shown["kid"] == json!(key.kid)).unwrap();
    assert!(shown["revoked_at"].is_u64() && shown["scopes"] == json!(["users:read"]), "{shown}");
}

/// A key that may create keys cannot get more rights or more time by them.
#[test]
fn a_key_grants_no_scope_that_it_lacks() {
    let key = admin::key(&["admin-keys:write", "users:read"]);
    let create = |scopes: Value, lifetime: Value| {
        let public = Signer::new("EdDSA", "new").jwk()["x"].clone();
        let body = json!({ "name": "n", "public_key": public, "scopes": scopes, "lifetime": lifetime }).to_string();
        send(&key.token("POST", "/admin/admin-keys", &body), "POST", "/admin/admin-keys", &body)
    };
    create(json!(["all"]), Value::Null).expect(403);
    create(json!(["users:write"]), Value::Null).expect(403);
    create(json!(["users:read"]), json!(2 * 86_400)).expect(403);
    create(json!([]), Value::Null).expect(400);
    let created = create(json!(["users:read"]), Value::Null).expect(201).json();
    assert_eq!(created["created_by"], json!(key.kid));
    assert!(created["expires_at"].as_i64().is_some_and(|end| end <= now() + 86_400), "{created}");
}
