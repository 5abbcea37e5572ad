//! Clients that authenticate with a JWT of their own key: RFC 7521 §4.2, RFC 7523 §2.2 and §3, OpenID Connect Core §9.

use serde_json::{Value, json};
use std::sync::{LazyLock, OnceLock};
use std::time::Duration;
use suite::{Answer, Call, Host, Reply, Signer, admin, base, issuer, now, random};

const TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
const CLIENT: &str = "suite-assertion";

static SIGNER: LazyLock<Signer> = LazyLock::new(|| Signer::new("ES256", "key-1"));

/// A service that registered this key set, and nothing else about how it signs.
fn client() -> &'static str {
    static ONCE: OnceLock<()> = OnceLock::new();
    ONCE.get_or_init(|| register(CLIENT, &format!("jwks={}", SIGNER.jwks()), &[]));
    CLIENT
}

fn register(id: &str, keys: &str, more: &[&str]) {
    let method = "token_endpoint_auth_method=private_key_jwt";
    let grants = r#"grant_types=["client_credentials"]"#;
    let mut arguments = vec!["--scope", "read write", "--set", method, "--set", grants, "--set", keys];
    more.iter().for_each(|setting| arguments.extend(["--set", *setting]));
    admin::client(id, &arguments);
}

/// The claims of an assertion that is right.
fn claims(client: &str) -> Value {
    json!({ "iss": client, "sub": client, "aud": issuer(), "jti": random(), "iat": now(), "exp": now() + 60 })
}

fn with(changes: &Value) -> Value {
    let mut claims = claims(client());
    for (name, value) in changes.as_object().unwrap() {
        match value {
            Value::Null => claims.as_object_mut().unwrap().remove(name),
            value => claims.as_object_mut().unwrap().insert(name.clone(), value.clone()),
        };
    }
    claims
}

fn token(assertion: &str, more: &[(&str, &str)]) -> Reply {
    let mut form =
        vec![("grant_type", "client_credentials"), ("client_assertion_type", TYPE), ("client_assertion", assertion)];
    form.extend(more);
    Call::post("/token").form(&form).send()
}

#[track_caller]
fn refused(assertion: &str) {
    token(assertion, &[]).expect_error(401, "invalid_client");
}

/// RFC 7523 §2.2: the assertion is enough; `client_id` is optional (RFC 7521 §4.2).
#[test]
fn an_assertion_authenticates() {
    let assertion = SIGNER.sign(&claims(client()));
    token(&assertion, &[]).expect(200);
    token(&SIGNER.sign(&claims(client())), &[("client_id", client())]).expect(200);
}

/// RFC 7518 §3.1: each algorithm that the metadata lists.
#[test]
fn every_algorithm_is_accepted() {
    for alg in ["ES256", "RS256", "PS256", "EdDSA"] {
        let (signer, id) = (Signer::new(alg, "a"), format!("suite-assertion-{}", alg.to_ascii_lowercase()));
        let only = format!("token_endpoint_auth_signing_alg={alg}");
        register(&id, &format!("jwks={}", signer.jwks()), &[&only]);
        token(&signer.sign(&claims(&id)), &[]).expect(200);
    }
}

/// OpenID Connect Registration §2: `token_endpoint_auth_signing_alg` is the one that must be used.
#[test]
fn another_algorithm_than_the_registered_one_is_refused() {
    let signer = Signer::new("ES256", "a");
    register("suite-assertion-alg", &format!("jwks={}", signer.jwks()), &["token_endpoint_auth_signing_alg=PS256"]);
    token(&signer.sign(&claims("suite-assertion-alg")), &[]).expect_error(401, "invalid_client");
}

/// RFC 7523 §3 (1), (2): issuer and subject are the client.
#[test]
fn issuer_and_subject_are_the_client() {
    for changes in [
        json!({ "iss": "demo-service" }),
        json!({ "iss": null }),
        json!({ "sub": "demo-service" }),
        json!({ "sub": null }),
        json!({ "sub": "nobody", "iss": "nobody" }),
        json!({ "iss": "demo-service", "sub": "demo-service" }),
    ] {
        refused(&SIGNER.sign(&with(&changes)));
    }
}

/// RFC 7521 §4.2: "client_id … MUST identify the same client as is identified by the client assertion".
#[test]
fn the_client_id_is_the_same() {
    token(&SIGNER.sign(&claims(client())), &[("client_id", "demo-service")]).expect_error(401, "invalid_client");
}

/// RFC 7523 §3 (3): the audience is this server alone (draft-ietf-oauth-rfc7523bis).
#[test]
fn the_audience_is_this_server_alone() {
    let endpoint = format!("{}/token", base());
    for aud in [json!([issuer()]), json!(endpoint), json!([issuer(), endpoint])] {
        token(&SIGNER.sign(&with(&json!({ "aud": aud }))), &[]).expect(200);
    }
    let others = [
        json!(null),
        json!("https://other.example"),
        json!(format!("{}/", issuer())),
        json!(format!("{}/par", issuer())),
        json!([issuer(), "https://other.example"]),
        json!([]),
    ];
    for aud in others {
        refused(&SIGNER.sign(&with(&json!({ "aud": aud }))));
    }
    let typed = json!({ "alg": "ES256", "kid": "key-1", "typ": "client-authentication+jwt" });
    token(&SIGNER.sign_with(&typed, &claims(client())), &[]).expect(200);
    refused(&SIGNER.sign_with(&typed, &with(&json!({ "aud": endpoint }))));
}

/// RFC 9126 §2: the server "MUST accept its issuer identifier, token endpoint URL, or pushed authorization request
/// endpoint URL as values that identify it as an intended audience". Each endpoint accepts its own URL.
#[test]
fn the_endpoint_that_is_called_is_an_audience() {
    for (path, expected) in [("/revoke", 200), ("/token", 200), ("/par", 401), ("/introspect", 401)] {
        let assertion = SIGNER.sign(&with(&json!({ "aud": format!("{}{path}", issuer()) })));
        let form = [("token", "x"), ("client_assertion_type", TYPE), ("client_assertion", assertion.as_str())];
        Call::post("/revoke").form(&form).send().expect(expected);
    }
    for path in ["", "/par", "/token"] {
        let assertion = SIGNER.sign(&with(&json!({ "aud": format!("{}{path}", issuer()) })));
        let form = [("client_assertion_type", TYPE), ("client_assertion", assertion.as_str())];
        // The client is proved; the rest of the request is missing.
        Call::post("/par").form(&form).send().expect_error(400, "invalid_request");
    }
}

/// RFC 8725 §3.11: a JWT that says it is for something else.
#[test]
fn a_jwt_of_another_type_is_refused() {
    for typ in ["oauth-authz-req+jwt", "at+jwt", "dpop+jwt", "logout+jwt"] {
        refused(&SIGNER.sign_with(&json!({ "alg": "ES256", "kid": "key-1", "typ": typ }), &claims(client())));
    }
}

/// RFC 7523 §3 (4) to (6).
#[test]
fn times_are_checked() {
    for changes in [
        json!({ "exp": null }),
        json!({ "exp": now() - 120 }),
        json!({ "exp": now() + 86_400 }),
        json!({ "exp": "soon" }),
        json!({ "nbf": now() + 600 }),
        json!({ "iat": now() + 600 }),
        json!({ "iat": now() - 86_400 }),
    ] {
        refused(&SIGNER.sign(&with(&changes)));
    }
    for changes in [json!({ "iat": null }), json!({ "exp": now() + 600 }), json!({ "nbf": now() - 60 })] {
        token(&SIGNER.sign(&with(&changes)), &[]).expect(200);
    }
}

/// RFC 7523 §3 (7): an assertion may be used once, at any endpoint.
#[test]
fn an_assertion_is_good_once() {
    let assertion = SIGNER.sign(&claims(client()));
    token(&assertion, &[]).expect(200);
    refused(&assertion);
    let form = [("token", "x"), ("client_assertion_type", TYPE), ("client_assertion", assertion.as_str())];
    Call::post("/revoke").form(&form).send().expect_error(401, "invalid_client");
    refused(&SIGNER.sign(&with(&json!({ "jti": null }))));
}

/// The same in a race: one of many wins.
#[test]
fn one_of_many_uses_of_an_assertion_wins() {
    let assertion = SIGNER.sign(&claims(client()));
    let statuses: Vec<u16> = std::thread::scope(|scope| {
        let uses: Vec<_> = (0..16).map(|_| scope.spawn(|| token(&assertion, &[]).status)).collect();
        uses.into_iter().map(|used| used.join().unwrap()).collect()
    });
    assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 1, "{statuses:?}");
    assert!(statuses.iter().all(|status| matches!(status, 200 | 401)), "{statuses:?}");
}

/// An assertion with an invalid signature does not use up its `jti`.
#[test]
fn a_forgery_uses_nothing_up() {
    let claims = claims(client());
    refused(&Signer::new("ES256", "key-1").sign(&claims));
    refused(&Signer::new("ES256", "other").sign(&claims));
    refused(&Signer::new("RS256", "key-1").sign(&claims));
    token(&SIGNER.sign(&claims), &[]).expect(200);
}

/// RFC 8725 §3.1, §3.2: neither unsigned nor signed by a secret, such as the public key itself.
#[test]
fn weak_algorithms_are_refused() {
    let assertion = SIGNER.sign(&claims(client()));
    let parts: Vec<_> = assertion.split('.').collect();
    refused(&suite::jwt::unsigned(&assertion));
    let header = json!({ "alg": "HS256", "kid": "key-1" });
    refused(&SIGNER.sign_with(&header, &claims(client())));
    refused(&format!("{}.{}.", parts[0], parts[1]));
    for text in ["", "x", "x.y", "..", "a.b.c.d", "{}", &"x".repeat(40_000)] {
        let reply = token(text, &[]);
        assert!(matches!(reply.status, 400 | 401), "{reply:?}");
    }
}

/// RFC 6749 §2.3: one method in one request; RFC 7521 §4.2: the type says which.
#[test]
fn one_method_alone() {
    let assertion = SIGNER.sign(&claims(client()));
    token(&assertion, &[("client_secret", "x")]).expect_error(400, "invalid_request");
    let form = [("grant_type", "client_credentials"), ("client_assertion", assertion.as_str())];
    Call::post("/token").form(&form).send().expect_error(400, "invalid_request");
    let both = [form[0], form[1], ("client_assertion_type", TYPE)];
    Call::post("/token").basic(client(), "x").form(&both).send().expect_error(400, "invalid_request");
    let saml = "urn:ietf:params:oauth:client-assertion-type:saml2-bearer";
    let other = [form[0], form[1], ("client_assertion_type", saml)];
    Call::post("/token").form(&other).send().expect_error(401, "invalid_client");
    // None of these used it up.
    token(&assertion, &[]).expect(200);
}

/// A client authenticates the way that it is registered for, no other.
#[test]
fn the_registered_method_is_the_only_one() {
    let mut form = vec![("grant_type", "client_credentials"), ("client_id", client())];
    Call::post("/token").form(&form).send().expect_error(401, "invalid_client");
    form.push(("client_secret", "x"));
    Call::post("/token").form(&form).send().expect_error(401, "invalid_client");
    refused(&SIGNER.sign(&claims("demo-service")));
    refused(&SIGNER.sign(&claims("demo-spa")));
}

/// RFC 8628 §3.1, RFC 9126 §2, RFC 7009 §2.1, RFC 7662 §2.1: whatever endpoint authenticates clients takes it, and an
/// assertion that one has seen is used up at all of them.
#[test]
fn every_endpoint_takes_an_assertion_once() {
    let grants = r#"grant_types=["authorization_code","urn:ietf:params:oauth:grant-type:device_code"]"#;
    let keys = format!("jwks={}", SIGNER.jwks());
    register("suite-assertion-all", &keys, &[grants, r#"redirect_uris=["https://assertion.example/cb"]"#]);
    let device = ("/device_authorization", vec![("scope", "read")]);
    let request = vec![
        ("response_type", "code"),
        ("redirect_uri", "https://assertion.example/cb"),
        ("code_challenge", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"),
        ("code_challenge_method", "S256"),
    ];
    let endpoints =
        [device, ("/par", request), ("/revoke", vec![("token", "x")]), ("/introspect", vec![("token", "x")])];
    for (path, parameters) in &endpoints {
        let assertion = SIGNER.sign(&claims("suite-assertion-all"));
        let call = |path: &str, parameters: &[(&str, &str)]| {
            let mut form = vec![("client_assertion_type", TYPE), ("client_assertion", assertion.as_str())];
            form.extend(parameters);
            Call::post(path).form(&form).send()
        };
        let reply = call(path, parameters);
        assert!([200, 201].contains(&reply.status), "{path}: {reply:?}");
        for (path, parameters) in &endpoints {
            call(path, parameters).expect_error(401, "invalid_client");
        }
    }
}

/// OpenID Connect Core §10.1.1: keys at a URL are fetched, and fetched anew when the client changes them.
#[test]
fn keys_are_fetched_and_may_change() {
    let host = Host::start();
    let (old, new) = (Signer::new("ES256", "old"), Signer::new("ES256", "new"));
    let uri = host.serve_json("/jwks", &old.jwks());
    register("suite-assertion-uri", &format!("jwks_uri={uri}"), &[]);
    for _ in 0..3 {
        token(&old.sign(&claims("suite-assertion-uri")), &[]).expect(200);
    }
    host.serve_json("/jwks", &json!({ "keys": [old.jwk(), new.jwk()] }));
    // The same URL is not asked again for some seconds.
    suite::wait(Duration::from_secs(6));
    token(&new.sign(&claims("suite-assertion-uri")), &[]).expect(200);
}

/// Keys that cannot be fetched authenticate no client: redirects are not followed, long and slow responses are cut off.
#[test]
fn keys_that_cannot_be_fetched_prove_nobody() {
    let host = Host::start();
    let signer = Signer::new("ES256", "a");
    let keys = host.serve_json("/jwks", &signer.jwks());
    let padded = json!({ "keys": [signer.jwk()], "padding": "x".repeat(100_000) }).to_string();
    host.serve("/redirect", Answer::status(302).header("location", &keys));
    host.serve("/long", Answer::new("application/json", padded));
    host.serve("/error", Answer { status: 500, ..Answer::new("application/json", signer.jwks().to_string()) });
    host.serve("/html", Answer::new("text/html", "<html>"));
    host.serve("/slow", Answer::new("application/json", signer.jwks().to_string()).after(Duration::from_secs(6)));
    for path in ["/redirect", "/long", "/error", "/html", "/slow", "/missing"] {
        let id = format!("suite-assertion{}", path.replace('/', "-"));
        register(&id, &format!("jwks_uri={}", host.url(path)), &[]);
        token(&signer.sign(&claims(&id)), &[]).expect_error(401, "invalid_client");
    }
    assert!(host.requests("/jwks").is_empty(), "a redirect was followed");
}

/// RFC 8414 §2, OpenID Connect Discovery §3: the method and its algorithms are announced.
#[test]
fn metadata_lists_the_method() {
    let metadata = Call::get("/.well-known/openid-configuration").send().expect(200).json();
    for endpoint in ["token", "revocation"] {
        let list = |name: &str| metadata[format!("{endpoint}_endpoint_auth_{name}")].as_array().cloned().unwrap();
        assert!(list("methods_supported").contains(&json!("private_key_jwt")), "{metadata}");
        assert!(!list("methods_supported").contains(&json!("client_secret_jwt")), "{metadata}");
        let algorithms = list("signing_alg_values_supported");
        assert!(["ES256", "RS256", "PS256", "EdDSA"].iter().all(|alg| algorithms.contains(&json!(alg))), "{metadata}");
        assert!(!algorithms.contains(&json!("none")) && !algorithms.contains(&json!("HS256")), "{metadata}");
    }
}
