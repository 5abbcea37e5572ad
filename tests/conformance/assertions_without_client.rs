//! The JWT bearer grant without client authentication: RFC 7523 §2.1, RFC 7521 §4.1. Libraries such as golang.org/x/oauth2/jwt and
//! those of zitadel send `grant_type` and `assertion`, and nothing else.

use serde_json::{Map, Value, json};
use std::sync::OnceLock;
use suite::trusted::{JWT_BEARER, NAMES, PEOPLE, ROBOTS, changed, claims, jwt_bearer, people, typed, unauthenticated};
use suite::{
    Client, Reply, Signer, TokenRequest, Tokens, admin, introspection, issuer, jwt, now, random, revoke, service, url,
};

/// The key of the clients that assert for themselves.
fn key() -> &'static Signer {
    static KEY: OnceLock<Signer> = OnceLock::new();
    KEY.get_or_init(|| Signer::new("RS256", "own"))
}

/// A client with keys, which has a secret too: its assertion needs none.
fn asserting() -> Client {
    let keys = format!("jwks={}", json!({ "keys": [key().jwk()] }));
    let grants = format!("grant_types=[\"{JWT_BEARER}\",\"client_credentials\"]");
    admin::client("self-asserts", &["--service", "--scope", "demo:read demo:write", "--set", &keys, "--set", &grants])
}

/// The claims that golang.org/x/oauth2/jwt writes: no `jti`, an hour, and the token endpoint as audience.
fn own() -> Map<String, Value> {
    let claims = json!({ "iss": "self-asserts", "sub": "self-asserts", "aud": url("/token"), "iat": now() - 10, "exp": now() + 3590 });
    asserting();
    claims.as_object().expect("an object").clone()
}

fn sign(changes: &Value) -> String {
    key().sign_as("JWT", &changed(own(), changes))
}

fn send(assertion: &str) -> Reply {
    unauthenticated(assertion).send()
}

fn refused(assertion: &str) {
    send(assertion).expect_error(400, "invalid_grant");
}

fn tokens(assertion: &str) -> Tokens {
    Tokens::read(&asserting(), send(assertion))
}

/// RFC 7523 §3: a client with keys asserts for itself, and gets what client credentials would bring.
#[test]
fn a_client_with_keys_asserts_for_itself() {
    let tokens = tokens(&sign(&json!({})));
    assert!(tokens.text("refresh_token").is_none(), "{tokens:?}");
    let token = jwt::verify(tokens.access());
    assert_eq!((token.text("sub"), token.text("client_id")), ("self-asserts", "self-asserts"));
    assert_eq!(tokens.text("scope"), Some("demo:read demo:write"));
    assert_eq!(introspection(&asserting(), tokens.access())["active"], json!(true));
    revoke(&asserting(), tokens.access(), None).expect(200);
    assert_eq!(introspection(&asserting(), tokens.access())["active"], json!(false));
}

/// The libraries write the issuer, as a text or a list, or the token endpoint. The scope is in the assertion, or a parameter.
#[test]
fn assertions_of_known_libraries_are_accepted() {
    let here = issuer();
    for aud in [json!(url("/token")), json!(here), json!([here]), json!([url("/token")])] {
        send(&sign(&json!({ "aud": aud }))).expect(200);
    }
    let scoped = tokens(&sign(&json!({ "scope": "demo:read" })));
    assert_eq!(scoped.text("scope"), Some("demo:read"), "x/oauth2/jwt writes the scope into the assertion");
    let call = suite::Call::post("/token").form(&[
        ("grant_type", JWT_BEARER),
        ("assertion", sign(&json!({ "aud": [here] })).as_str()),
        ("scope", "demo:write"),
        ("resource", url("/demo-api").as_str()),
    ]);
    let tokens = Tokens::read(&asserting(), call.send());
    assert_eq!(tokens.text("scope"), Some("demo:write"), "zitadel sends a parameter");
    send(&key().sign_with(&json!({ "alg": "RS256" }), &changed(own(), &json!({})))).expect(200);
    send(&key().sign_as("authorization-grant+jwt", &changed(own(), &json!({ "aud": here })))).expect(200);
    send(&sign(&json!({ "scope": "admin" }))).expect_error(400, "invalid_scope");
}

/// RFC 7523 §3: each claim, missing or wrong.
#[test]
fn each_rule_holds_for_a_client_too() {
    let here = issuer();
    for changes in [
        json!({ "iss": null }),
        json!({ "iss": "nobody-of-this-name" }),
        json!({ "iss": ["self-asserts"] }),
        json!({ "sub": null }),
        json!({ "sub": "someone-else" }),
        json!({ "aud": null }),
        json!({ "aud": "https://other.example/token" }),
        json!({ "aud": [url("/token"), "https://other.example/token"] }),
        json!({ "aud": url("/par") }),
        json!({ "exp": null }),
        json!({ "exp": now() - 60 }),
        json!({ "exp": now() + 7200 }),
        json!({ "iat": now() + 120 }),
        json!({ "nbf": now() + 120 }),
        json!({ "jti": 7 }),
    ] {
        refused(&sign(&changes));
    }
    // draft-ietf-oauth-rfc7523bis: with its type, the audience is the issuer alone.
    refused(&key().sign_as("authorization-grant+jwt", &changed(own(), &json!({}))));
    for typ in ["client-authentication+jwt", "oauth-id-jag+jwt", "oauth-authz-req+jwt", "at+jwt", "dpop+jwt"] {
        refused(&key().sign_as(typ, &changed(own(), &json!({ "aud": here }))));
    }
}

/// RFC 7523 §3 (9): by a key of that client, with an algorithm of a key.
#[test]
fn signatures_are_by_the_clients_key() {
    let right = sign(&json!({}));
    let claims = jwt::read(&right).claims;
    refused(&jwt::unsigned(&right));
    refused(&jwt::tampered(&right, |claims| claims["exp"] = json!(now() + 3500)));
    refused(&Signer::new("RS256", "own").sign(&claims));
    refused(&people().sign(&claims));
    refused(&key().sign_with(&json!({ "alg": "HS256", "kid": "own" }), &claims));
    let another = Signer::new("ES256", "another");
    refused(&another.sign_with(&json!({ "alg": "ES256", "jwk": another.jwk() }), &claims));
}

/// RFC 7523 §3 (7): an assertion with a `jti` is used once; as a grant and as client authentication together.
#[test]
fn an_assertion_with_a_name_is_used_once() {
    let assertion = sign(&json!({ "jti": random() }));
    send(&assertion).expect(200);
    refused(&assertion);
    let raced = sign(&json!({ "jti": random() }));
    let won = suite::at_once(|_| send(&raced)).into_iter().filter(|reply| reply.status == 200).count();
    assert_eq!(won, 1, "requests at the same moment");
    // Without a name it may come again until it expires: two processes of a client write the same one in the same second.
    let unnamed = sign(&json!({}));
    send(&unnamed).expect(200);
    send(&unnamed).expect(200);

    let keys = format!("jwks={}", json!({ "keys": [key().jwk()] }));
    let grants = format!("grant_types=[\"{JWT_BEARER}\",\"client_credentials\"]");
    let method = "token_endpoint_auth_method=private_key_jwt";
    let arguments = ["--scope", "demo:read", "--set", &keys, "--set", &grants, "--set", method];
    admin::client("self-authenticates", &arguments);
    let mut claims = claims("self-authenticates", "self-authenticates");
    claims.insert("aud".to_owned(), json!(issuer()));
    let assertion = key().sign_as("JWT", &Value::Object(claims));
    let authenticating = TokenRequest::client_credentials(&Client::public("self-authenticates"))
        .set("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer")
        .set("client_assertion", &assertion);
    authenticating.send().expect(200);
    refused(&assertion);
}

/// A mistake of the request does not use up the assertion.
#[test]
fn a_mistake_does_not_use_it_up() {
    let assertion = sign(&json!({ "jti": random() }));
    let call = |name: &str, value: &str| {
        suite::Call::post("/token")
            .form(&[("grant_type", JWT_BEARER), ("assertion", assertion.as_str()), (name, value)])
            .send()
    };
    call("scope", "admin").expect_error(400, "invalid_scope");
    call("resource", "https://other.example").expect_error(400, "invalid_target");
    send(&assertion).expect(200);
}

/// A client without keys, or not registered for the grant, does not assert.
#[test]
fn only_clients_that_are_registered_for_it_assert() {
    let keys = format!("jwks={}", json!({ "keys": [key().jwk()] }));
    admin::client("has-keys-only", &["--service", "--scope", "demo:read", "--set", &keys]);
    let of = |id: &str| key().sign_as("JWT", &changed(own(), &json!({ "iss": id, "sub": id })));
    send(&of("has-keys-only")).expect_error(400, "unauthorized_client");
    refused(&of(&service().id));
    refused(&of("demo-spa"));
}

/// A trusted issuer whose settings name a client: that client gets the token, for the subject of the assertion.
#[test]
fn an_issuer_may_name_the_client_of_its_assertions() {
    let grants = format!("grant_types=[\"{JWT_BEARER}\"]");
    let client = admin::client("jwt-robots", &["--service", "--scope", "demo:read demo:write", "--set", &grants]);
    let assertion = |changes: Value| people().sign_as("JWT", &changed(claims(ROBOTS, "r2"), &changes));
    let once = assertion(json!({ "aud": url("/token") }));
    let tokens = Tokens::read(&client, send(&once));
    let token = jwt::verify(tokens.access());
    assert_eq!((token.text("sub"), token.text("client_id")), ("robot:r2", "jwt-robots"));
    assert_eq!(tokens.text("scope"), Some("demo:read"));
    refused(&once);
    send(&assertion(json!({}))).expect(200);
    for changes in [json!({ "aud": [issuer(), url("/token")] }), json!({ "aud": url("/par") }), json!({ "exp": null })]
    {
        refused(&assertion(changes));
    }
    refused(&Signer::new("ES256", "people").sign(&jwt::read(&assertion(json!({}))).claims));
    // With the type of rfc7523bis, the audience is the issuer alone.
    let claims = changed(claims(ROBOTS, "r2"), &json!({ "aud": url("/token") }));
    refused(&people().sign_as("authorization-grant+jwt", &claims));
    // The client may authenticate all the same.
    jwt_bearer(&client, &assertion(json!({}))).tokens();
}

/// RFC 6749 §5.2: the assertions of other issuers need a client that authenticates.
#[test]
fn other_issuers_need_a_client() {
    send(&typed(people(), claims(PEOPLE, "x"))).expect_error(401, "invalid_client");
    send(&people().sign(&Value::Object(claims(NAMES, "x")))).expect_error(401, "invalid_client");
    for assertion in ["a.b.c", "", "x", &"a".repeat(30_000)] {
        let reply = send(assertion);
        assert_eq!(reply.status, 400, "{reply:?}");
    }
    suite::Call::post("/token").form(&[("grant_type", JWT_BEARER)]).send().expect_error(400, "invalid_request");
    suite::Call::post("/token")
        .form(&[("grant_type", "client_credentials"), ("assertion", "x")])
        .send()
        .expect_error(401, "invalid_client");
}
