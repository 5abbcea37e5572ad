//! Request objects: RFC 9101, OpenID Connect Core §6.

use serde_json::{Map, Value, json};
use std::sync::LazyLock;
use suite::{Answer, Host};
use suite::{AuthorizationRequest, Browser, Client, Signer, TokenRequest, admin, issuer, now, url};

struct Registered {
    client: Client,
    signer: Signer,
    host: Host,
}

static SIGNED: LazyLock<Registered> = LazyLock::new(|| {
    let (signer, host) = (Signer::new("ES256", "jar"), Host::start());
    let jwks = format!("jwks={}", signer.jwks());
    let uris = format!("request_uris={}", json!([host.url("/object"), host.url("/gone"), host.url("/moved")]));
    let client = admin::client("jar-signed", &["--set", &jwks, "--set", &uris]);
    Registered { client, signer, host }
});

/// Returns the claims of a request object for a request.
pub(super) fn claims(request: &AuthorizationRequest) -> Map<String, Value> {
    let mut claims: Map<String, Value> =
        request.parameters.iter().map(|(name, value)| (name.clone(), value.clone().into())).collect();
    claims.insert("iss".to_owned(), request.client.id.clone().into());
    claims.insert("aud".to_owned(), issuer().into());
    claims.insert("exp".to_owned(), (now() + 60).into());
    claims
}

fn changed(request: &AuthorizationRequest, name: &str, value: Value) -> Value {
    let mut claims = claims(request);
    if value.is_null() {
        claims.remove(name)
    } else {
        claims.insert(name.to_owned(), value)
    };
    Value::Object(claims)
}

/// The request as the browser carries it: an object by value, and the parameters that OpenID Connect Core §6.1 wants
/// beside it.
pub(super) fn by_value(request: &AuthorizationRequest, object: &str) -> AuthorizationRequest {
    let mut outer = request.clone();
    outer
        .parameters
        .retain(|(name, _)| ["client_id", "response_type", "scope", "redirect_uri"].contains(&name.as_str()));
    outer.set("request", object)
}

pub(super) fn error_of(outer: &AuthorizationRequest) -> String {
    Browser::signed_in().authorize(outer).callback().error().to_owned()
}

/// §5: a signed object makes the request: state, nonce, challenge, scope come from it.
#[test]
fn a_signed_object_makes_the_request() {
    let Registered { client, signer, .. } = &*SIGNED;
    let request = AuthorizationRequest::new(client);
    for typ in [json!({"typ": "oauth-authz-req+jwt"}), json!({"typ": "JWT"}), json!({})] {
        let mut header = json!({"alg": "ES256", "kid": "jar"});
        header.as_object_mut().unwrap().extend(typ.as_object().unwrap().clone());
        let object = signer.sign_with(&header, &Value::Object(claims(&request)));
        let callback = Browser::signed_in().complete(&by_value(&request, &object));
        assert_eq!(callback.value("state"), Some(request.value("state")));
        let tokens = TokenRequest::code(&request, &callback.code()).tokens();
        assert_eq!(suite::jwt::verify(tokens.id()).text("nonce"), request.value("nonce"));
    }
}

/// §6.3: "MUST only use the parameters in the Request Object even if the same parameter is provided in the query".
#[test]
fn parameters_beside_the_object_are_ignored() {
    let Registered { client, signer, .. } = &*SIGNED;
    let request = AuthorizationRequest::new(client);
    let object = signer.sign(&Value::Object(claims(&request)));
    let outer = by_value(&request, &object)
        .set("scope", "openid email profile")
        .set("state", "from-the-query")
        .set("redirect_uri", "https://evil.example/")
        .set("prompt", "login");
    let callback = Browser::signed_in().complete(&outer);
    assert_eq!(callback.value("state"), Some(request.value("state")));
    assert_eq!(TokenRequest::code(&request, &callback.code()).tokens().document["scope"], "openid");
    // A parameter that only the query has is not part of the request.
    let object = signer.sign(&changed(&request, "code_challenge", Value::Null));
    let outer = by_value(&request, &object).set("code_challenge", request.value("code_challenge"));
    assert_eq!(error_of(&outer), "invalid_request");
}

/// §5.2: the object can be fetched, from where the client registered.
#[test]
fn an_object_is_fetched_from_a_registered_uri() {
    let Registered { client, signer, host } = &*SIGNED;
    let request = AuthorizationRequest::new(client);
    let at = host.serve(
        "/object",
        Answer::new("application/oauth-authz-req+jwt", signer.sign(&Value::Object(claims(&request)))),
    );
    for uri in [at.clone(), format!("{at}#hash")] {
        let outer = by_value(&request, "").without("request").set("request_uri", &uri);
        let callback = Browser::signed_in().complete(&outer);
        assert_eq!(callback.value("state"), Some(request.value("state")));
    }
}

/// §10.4, OpenID Connect Registration §2: any other URI is not fetched (SSRF), and a redirect is not followed.
#[test]
fn no_other_uri_is_fetched() {
    let Registered { client, host, .. } = &*SIGNED;
    let request = AuthorizationRequest::new(client);
    let elsewhere = Host::start();
    let secret = elsewhere.serve("/secret", Answer::new("text/plain", "x"));
    host.serve("/moved", Answer::status(302).header("location", &secret));
    for uri in [
        secret.as_str(),
        &host.url("/other"),
        &host.url("/object/../other"),
        &host.url("/object?x=y"),
        &host.url("/gone"),
        &host.url("/moved"),
        "http://169.254.169.254/latest/meta-data/",
        "file:///etc/passwd",
        &format!("{}#{}", host.url("/object"), "x".repeat(600)),
    ] {
        let outer = by_value(&request, "").without("request").set("request_uri", uri);
        assert_eq!(error_of(&outer), "invalid_request_uri", "{uri}");
    }
    assert!(elsewhere.requests("/secret").is_empty() && host.requests("/other").is_empty());
}

/// §5: by value and by reference at once is an error.
#[test]
fn value_and_reference_exclude_each_other() {
    let Registered { client, signer, host } = &*SIGNED;
    let request = AuthorizationRequest::new(client);
    let object = signer.sign(&Value::Object(claims(&request)));
    assert_eq!(error_of(&by_value(&request, &object).set("request_uri", &host.url("/object"))), "invalid_request");
}

/// §4, §6.2, §10.8: an invalid request object gets `invalid_request_object`.
#[test]
fn a_wrong_object_is_refused() {
    let Registered { client, signer, .. } = &*SIGNED;
    let request = AuthorizationRequest::new(client);
    let whole = Value::Object(claims(&request));
    let good = signer.sign(&whole);
    let stranger = Signer::new("ES256", "jar");
    let with_typ = |typ: &str| signer.sign_with(&json!({"alg": "ES256", "kid": "jar", "typ": typ}), &whole);
    for (why, object) in [
        ("unsigned", suite::jwt::unsigned(&good)),
        ("a stranger's key", stranger.sign(&whole)),
        ("changed", suite::jwt::tampered(&good, |claims| claims["scope"] = json!("openid email"))),
        ("HS256", signer.sign_with(&json!({"alg": "HS256", "kid": "jar"}), &whole)),
        ("another type", with_typ("at+jwt")),
        ("a logout token", with_typ("logout+jwt")),
        ("another audience", signer.sign(&changed(&request, "aud", json!("https://other.example")))),
        ("another issuer", signer.sign(&changed(&request, "iss", json!("demo-web")))),
        ("another client", signer.sign(&changed(&request, "client_id", json!("demo-web")))),
        ("no client", signer.sign(&changed(&request, "client_id", Value::Null))),
        ("a client assertion", signer.sign(&changed(&request, "sub", json!(client.id)))),
        ("expired", signer.sign(&changed(&request, "exp", json!(now() - 600)))),
        ("not yet", signer.sign(&changed(&request, "nbf", json!(now() + 600)))),
        ("an object within", signer.sign(&changed(&request, "request", json!("x")))),
        ("a reference within", signer.sign(&changed(&request, "request_uri", json!("https://x.example")))),
        ("no JWT", "abc".to_owned()),
        ("no encrypted JWT", "a.b.c.d.e".to_owned()),
    ] {
        assert_eq!(error_of(&by_value(&request, &object)), "invalid_request_object", "{why}");
    }
}

/// §6: an object with a redirect URI that is not the client's leads nowhere.
#[test]
fn the_objects_redirect_uri_is_checked() {
    let Registered { client, signer, .. } = &*SIGNED;
    let request = AuthorizationRequest::new(client);
    let object = signer.sign(&changed(&request, "redirect_uri", json!("https://evil.example/")));
    Browser::signed_in().authorize(&by_value(&request, &object)).error_page();
}

/// §10.5: the client's registered algorithm is the only one; a client that must sign must.
#[test]
fn registered_algorithms_are_held_to() {
    let (es256, rs256) = (Signer::new("ES256", "e"), Signer::new("RS256", "r"));
    let jwks = format!("jwks={}", json!({"keys": [es256.jwk(), rs256.jwk()]}));
    let client = admin::client(
        "jar-rs256",
        &["--set", &jwks, "--set", "request_object_signing_alg=RS256", "--set", "require_signed_request_object=true"],
    );
    let request = AuthorizationRequest::new(&client);
    let whole = Value::Object(claims(&request));
    Browser::signed_in().complete(&by_value(&request, &rs256.sign(&whole))).code();
    assert_eq!(error_of(&by_value(&request, &es256.sign(&whole))), "invalid_request_object");
    assert_eq!(error_of(&request), "invalid_request", "plain parameters");
}

/// RFC 9864 §2.2: `Ed25519` is another name of EdDSA, where a client registers it and in its objects.
#[test]
fn ed25519_has_both_its_names() {
    let signer = Signer::new("EdDSA", "ed");
    let jwks = format!("jwks={}", signer.jwks());
    let client = admin::client("jar-ed25519", &["--set", &jwks, "--set", "request_object_signing_alg=Ed25519"]);
    let request = AuthorizationRequest::new(&client);
    for alg in ["Ed25519", "EdDSA"] {
        let object = signer.sign_with(&json!({ "alg": alg, "kid": "ed" }), &Value::Object(claims(&request)));
        Browser::signed_in().complete(&by_value(&request, &object)).code();
    }
}

/// OpenID Connect Core §6.1: unsigned objects are for clients that registered for them, and for no other.
#[test]
fn unsigned_objects_are_for_those_who_registered_them() {
    let client = admin::client("jar-none", &["--set", "request_object_signing_alg=none"]);
    let request = AuthorizationRequest::new(&client);
    let object = suite::jwt::unsigned(&Signer::new("ES256", "x").sign(&Value::Object(claims(&request))));
    let callback = Browser::signed_in().complete(&by_value(&request, &object));
    assert_eq!(callback.value("state"), Some(request.value("state")));
    let request = AuthorizationRequest::new(&suite::spa());
    let object = suite::jwt::unsigned(&Signer::new("ES256", "x").sign(&Value::Object(claims(&request))));
    assert_eq!(error_of(&by_value(&request, &object)), "request_not_supported");
}

/// OpenID Connect Core §6.1: `max_age` as a number and `claims` as an object are what they are as parameters.
#[test]
fn members_that_are_not_strings() {
    let Registered { client, signer, .. } = &*SIGNED;
    let request = AuthorizationRequest::new(client);
    let mut members = claims(&request);
    members.insert("max_age".to_owned(), json!(0));
    members.insert("claims".to_owned(), json!({"id_token": {"email": null}}));
    let outer = by_value(&request, &signer.sign(&Value::Object(members)));
    Browser::signed_in().authorize(&outer).login_page();
    let callback = Browser::new().complete(&outer);
    let tokens = TokenRequest::code(&request, &callback.code()).tokens();
    assert_eq!(suite::jwt::verify(tokens.id()).text("email"), "demo@example.com");
}

/// §10.5 and OpenID Connect Discovery §3: the metadata says what is supported.
#[test]
fn the_metadata_says_so() {
    let metadata = suite::Call::get(&url("/.well-known/openid-configuration")).send().expect(200).json();
    assert_eq!(metadata["request_parameter_supported"], true);
    assert_eq!(metadata["request_uri_parameter_supported"], true);
    assert_eq!(metadata["require_request_uri_registration"], true);
    let algorithms = metadata["request_object_signing_alg_values_supported"].as_array().unwrap();
    assert!(algorithms.contains(&json!("RS256")));
    assert!(!algorithms.contains(&json!("none")), "it is for those who register it by name");
}
