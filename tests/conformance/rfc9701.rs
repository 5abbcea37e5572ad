//! Introspection responses as JWTs: RFC 9701.

use serde_json::json;
use suite::jwe::KeyPair;
use suite::{
    AuthorizationRequest, Browser, Client, Reply, TokenRequest, admin, grant, introspect, introspection, issuer, jwt,
    now, revoke, spa, userinfo, web,
};

const MEDIA_TYPE: &str = "application/token-introspection+jwt";

/// A resource server with settings of its own.
fn api(id: &str, settings: &[String]) -> Client {
    let introspects = format!("introspects=[\"{}\"]", issuer());
    let mut arguments = vec!["--confidential", "--set", "grant_types=[]", "--set", &introspects];
    arguments.extend(settings.iter().flat_map(|setting| ["--set", setting.as_str()]));
    admin::client(id, &arguments)
}

fn plain() -> Client {
    api("suite-jwt-api", &[])
}

#[track_caller]
fn jwt_of(reply: &Reply) -> String {
    assert_eq!(reply.header("content-type"), Some(MEDIA_TYPE), "{reply:?}");
    reply.text()
}

/// §4, §5: signed, typed, for the caller alone, and with what RFC 7662 says inside.
#[test]
fn the_response_is_a_signed_jwt() {
    let tokens = grant(&spa());
    let reply = introspect(&plain(), tokens.access(), MEDIA_TYPE).expect(200).expect_no_store();
    let response = jwt::verify(&jwt_of(&reply));
    // §5: the type, against confusion with other JWTs; §6: RS256 unless registered otherwise.
    assert_eq!(
        (&response.header["typ"], &response.header["alg"]),
        (&json!("token-introspection+jwt"), &json!("RS256"))
    );
    assert_eq!(response.text("iss"), issuer());
    assert!(response.is_for(&plain().id), "{response:?}");
    assert!((now() - response.number("iat")).abs() < 30);
    assert_eq!(response.claims["token_introspection"], introspection(&plain(), tokens.access()));
    // §5: not at the top, so that it cannot pass for an access token.
    for name in ["sub", "exp", "client_id", "scope", "active"] {
        assert_eq!(response.claims.get(name), None, "{response:?}");
    }
}

/// §5: the response for an invalid, revoked or foreign token has only `active: false`.
#[test]
fn an_inactive_token_tells_nothing_more() {
    let tokens = grant(&spa());
    revoke(&spa(), tokens.access(), None).expect(200);
    let elsewhere = admin::client(
        "suite-jwt-elsewhere",
        &["--confidential", "--set", "grant_types=[]", "--set", r#"introspects=["https://other.example"]"#],
    );
    let live = grant(&spa());
    for (client, token) in
        [(plain(), tokens.access()), (plain(), "x"), (elsewhere, live.access()), (web(), live.access())]
    {
        let response = jwt::verify(&jwt_of(&introspect(&client, token, MEDIA_TYPE).expect(200)));
        assert_eq!(response.claims["token_introspection"], json!({ "active": false }), "{}", client.id);
    }
}

/// §6: by the algorithm that the client registered.
#[test]
fn a_client_chooses_its_algorithm() {
    let tokens = grant(&spa());
    for algorithm in ["RS256", "ES256", "PS256", "EdDSA"] {
        let setting = format!("introspection_signed_response_alg={algorithm}");
        let client = api(&format!("suite-jwt-api-{}", algorithm.to_lowercase()), &[setting]);
        let response = jwt::verify(&jwt_of(&introspect(&client, tokens.access(), MEDIA_TYPE).expect(200)));
        assert_eq!(response.header["alg"], algorithm);
        assert_eq!(response.claims["token_introspection"]["active"], true);
    }
}

/// §5: "signed and encrypted … MUST be a Nested JWT"; §6: A128CBC-HS256 unless registered otherwise.
#[test]
fn the_response_can_be_encrypted() {
    let tokens = grant(&spa());
    for (alg, enc) in [("RSA-OAEP-256", None), ("ECDH-ES", Some("A256GCM")), ("ECDH-ES+A256KW", Some("A256CBC-HS512"))]
    {
        let pair = KeyPair::for_algorithm(alg);
        let mut settings = vec![
            format!("jwks={}", json!({ "keys": [pair.jwk("mine")] })),
            format!("introspection_encrypted_response_alg={alg}"),
        ];
        settings.extend(enc.map(|enc| format!("introspection_encrypted_response_enc={enc}")));
        let client = api(&format!("suite-jwe-api-{}", alg.to_lowercase().replace('+', "-")), &settings);
        let reply = introspect(&client, tokens.access(), MEDIA_TYPE).expect(200);
        let opened = pair.open(&jwt_of(&reply)).expect("it is encrypted to this key");
        assert_eq!(opened.header["alg"], alg);
        assert_eq!(opened.header["enc"], enc.unwrap_or("A128CBC-HS256"));
        assert_eq!((&opened.header["cty"], &opened.header["kid"]), (&json!("JWT"), &json!("mine")));
        let response = jwt::verify(&opened.text);
        assert_eq!(response.header["typ"], "token-introspection+jwt");
        assert_eq!(response.claims["token_introspection"]["active"], true);
        // §5: a client that is registered for encrypted responses gets no others.
        for accept in ["application/json", "*/*", "application/jwt"] {
            introspect(&client, tokens.access(), accept).expect_error(400, "invalid_request");
        }
    }
}

/// §8.1: it is no access token, no ID token, and says nothing to introspection itself.
#[test]
fn the_response_passes_for_nothing_else() {
    let tokens = grant(&spa());
    let response = introspect(&plain(), tokens.access(), MEDIA_TYPE).expect(200).text();
    userinfo(&response).expect(401);
    assert_eq!(introspection(&plain(), &response), json!({ "active": false }));
    let request = AuthorizationRequest::new(&spa()).set("prompt", "none").set("id_token_hint", &response);
    let callback = Browser::signed_in().authorize(&request).callback();
    assert_eq!(callback.value("code"), None, "{callback:?}");
    TokenRequest::refresh(&web(), &response).send().expect_error(400, "invalid_grant");
}
