//! Discovery and keys: OpenID Connect Discovery 1.0 §3, §4; RFC 7517; and whether they agree with what the server does.

use serde_json::Value;
use suite::{AuthorizationRequest, Browser, Call, TokenRequest, Tokens, base, issuer, spa, web};

fn document() -> Value {
    Call::get("/.well-known/openid-configuration").send().expect(200).json()
}

fn list(document: &Value, name: &str) -> Vec<String> {
    let values = document[name].as_array().unwrap_or_else(|| panic!("{name} is not a list: {document}"));
    values.iter().map(|value| value.as_str().expect("text").to_owned()).collect()
}

fn tokens() -> Tokens {
    let request = AuthorizationRequest::new(&spa()).scope("openid profile email address phone");
    TokenRequest::code(&request, &Browser::signed_in().complete(&request).code()).tokens()
}

/// Discovery §4.2: 200, `application/json`.
#[test]
fn the_document_is_json() {
    let reply = Call::get("/.well-known/openid-configuration").send().expect(200);
    assert!(reply.header("content-type").is_some_and(|kind| kind.starts_with("application/json")), "{reply:?}");
}

/// Discovery §4.3: "The issuer value returned MUST be identical to the Issuer URL".
#[test]
fn the_issuer_is_the_one_asked() {
    assert_eq!(document()["issuer"], issuer());
}

/// Discovery §3: the required members.
#[test]
fn required_members_are_there() {
    let document = document();
    for name in ["authorization_endpoint", "token_endpoint", "userinfo_endpoint", "jwks_uri"] {
        assert!(document[name].as_str().is_some_and(|url| url.starts_with(base())), "{name}: {document}");
    }
    for name in ["response_types_supported", "subject_types_supported", "id_token_signing_alg_values_supported"] {
        assert!(!list(&document, name).is_empty(), "{name}");
    }
}

/// Discovery §3: "The algorithm RS256 MUST be included"; `none` is for the implicit-free only: never here.
#[test]
fn rs256_is_offered_and_none_is_not() {
    let algorithms = list(&document(), "id_token_signing_alg_values_supported");
    assert!(algorithms.iter().any(|algorithm| algorithm == "RS256"));
    assert!(algorithms.iter().all(|algorithm| algorithm != "none" && !algorithm.starts_with("HS")));
}

/// Discovery §3, RFC 9701 §7: the algorithms for signed and encrypted responses.
#[test]
fn encryption_is_listed() {
    let document = document();
    for answer in ["id_token", "userinfo", "introspection"] {
        let algorithms = list(&document, &format!("{answer}_encryption_alg_values_supported"));
        assert_eq!(algorithms, ["RSA-OAEP-256", "ECDH-ES", "ECDH-ES+A128KW", "ECDH-ES+A256KW"], "{answer}");
        let mut encodings = list(&document, &format!("{answer}_encryption_enc_values_supported"));
        encodings.sort();
        assert_eq!(encodings, ["A128CBC-HS256", "A128GCM", "A256CBC-HS512", "A256GCM"], "{answer}");
        assert!(list(&document, &format!("{answer}_signing_alg_values_supported")).iter().any(|alg| alg == "RS256"));
    }
    let methods = list(&document, "introspection_endpoint_auth_methods_supported");
    assert!(!methods.is_empty() && methods.iter().all(|method| method != "none"), "{methods:?}");
    assert_eq!(document["introspection_endpoint"], format!("{}/introspect", issuer()));
}

/// Discovery §3: "The server MUST support the openid scope value".
#[test]
fn openid_is_among_the_scopes() {
    let scopes = list(&document(), "scopes_supported");
    for scope in ["openid", "offline_access"] {
        assert!(scopes.iter().any(|known| known == scope), "{scope}: {scopes:?}");
    }
    // Some clients request every scope of the list: those of resources come first, personal ones only if the operator says so.
    let position = |scope: &str| scopes.iter().position(|known| known == scope);
    assert!(position("demo:read").is_some() && position("demo:read") < position("openid"), "{scopes:?}");
    for personal in ["profile", "email", "address", "phone"] {
        assert!(!scopes.iter().any(|known| known == personal), "{personal}: {scopes:?}");
    }
}

/// Discovery §4.2: "Claims with zero elements MUST be omitted from the response".
#[test]
fn no_member_is_empty_or_null() {
    for (name, value) in document().as_object().expect("an object") {
        assert!(!value.is_null() && value.as_array().is_none_or(|list| !list.is_empty()), "{name}: {value}");
    }
}

/// Every endpoint that the document names is there.
#[test]
fn every_endpoint_answers() {
    for (name, value) in document().as_object().expect("an object") {
        if name.ends_with("_endpoint") || name == "jwks_uri" {
            let url = value.as_str().expect("a URL");
            assert!(url.starts_with(base()), "{name}: {url}");
            assert_ne!(Call::get(url).send().status, 404, "{name}: {url}");
        }
    }
}

/// The response modes of the document, and no others, are served.
#[test]
fn response_modes_are_as_told() {
    let modes = list(&document(), "response_modes_supported");
    for mode in ["query", "fragment", "form_post", "query.jwt", "fragment.jwt", "form_post.jwt", "web_message"] {
        let request = AuthorizationRequest::new(&spa()).set("response_mode", mode);
        let callback = Browser::signed_in().authorize(&request).callback();
        if modes.iter().any(|known| known == mode) {
            // JARM §2.3: the way is before the dot.
            assert_eq!(Some(callback.mode), mode.split('.').next());
            assert!(callback.value("response").is_some() || !callback.code().is_empty());
        } else {
            assert_eq!(callback.error(), "invalid_request", "{mode}");
        }
    }
}

/// The grant types of the document, and no others, are served.
#[test]
fn grant_types_are_as_told() {
    let told = list(&document(), "grant_types_supported");
    for kind in [
        "authorization_code",
        "refresh_token",
        "client_credentials",
        "password",
        "implicit",
        "urn:ietf:params:oauth:grant-type:device_code",
        "urn:ietf:params:oauth:grant-type:jwt-bearer",
        "urn:ietf:params:oauth:grant-type:token-exchange",
        "urn:openid:params:grant-type:ciba",
    ] {
        let error = TokenRequest::new(&web(), kind).send().expect(400).json()["error"].clone();
        let is_told = told.iter().any(|known| known == kind);
        assert_eq!(error != "unsupported_grant_type", is_told, "{kind}: {error}");
    }
}

/// The prompts of the document are served.
#[test]
fn prompts_are_as_told() {
    for prompt in list(&document(), "prompt_values_supported") {
        let landing = Browser::signed_in().authorize(&AuthorizationRequest::new(&spa()).set("prompt", &prompt));
        if let suite::Landing::Callback(callback) = landing {
            callback.code();
        }
    }
}

/// The challenge methods of the document: S256 and nothing weaker (RFC 9700 §2.1.1).
#[test]
fn challenge_methods_are_as_told() {
    assert_eq!(list(&document(), "code_challenge_methods_supported"), ["S256"]);
}

/// The ways to authenticate of the document.
#[test]
fn client_authentication_is_as_told() {
    for name in ["token_endpoint_auth_methods_supported", "revocation_endpoint_auth_methods_supported"] {
        let mut methods = list(&document(), name);
        methods.sort();
        let with_certificate = ["self_signed_tls_client_auth", "tls_client_auth"];
        let others = ["client_secret_basic", "client_secret_post", "none", "private_key_jwt"];
        assert_eq!(methods, [&others[..], &with_certificate[..]].concat(), "{name}");
    }
}

/// Every claim that the server gives is among `claims_supported`.
#[test]
fn claims_are_as_told() {
    let told = list(&document(), "claims_supported");
    let tokens = tokens();
    let userinfo = suite::userinfo(tokens.access()).expect(200).json();
    let id_token = suite::jwt::verify(tokens.id()).claims;
    for claims in [userinfo, id_token] {
        for name in claims.as_object().expect("an object").keys() {
            assert!(told.contains(name), "{name} is not in claims_supported");
        }
    }
}

/// The `claims` parameter is announced and supported (`openid_claims.rs` tests its behavior).
#[test]
fn the_claims_parameter_is_told() {
    assert_eq!(document()["claims_parameter_supported"], true);
}

/// RFC 9207 §3.
#[test]
fn the_issuer_parameter_is_told() {
    assert_eq!(document()["authorization_response_iss_parameter_supported"], true);
}

/// RFC 7517 §4, §9.3: public keys only, each with its name and use, those for signatures with their algorithm; no name twice.
#[test]
fn keys_are_public_and_named() {
    let reply = Call::get("/jwks").send().expect(200);
    let document: Value = serde_json::from_slice(&reply.body).expect("JSON");
    let keys = document["keys"].as_array().expect("keys");
    assert!(!keys.is_empty());
    let mut names = Vec::new();
    for key in keys {
        for secret in ["d", "p", "q", "dp", "dq", "qi", "oth", "k"] {
            assert!(key.get(secret).is_none(), "a private key is published: {secret}");
        }
        assert!(key["kty"].is_string(), "{key}");
        // Several algorithms use the key for encryption.
        let usage = if key["alg"].is_string() { "sig" } else { "enc" };
        assert_eq!(key["use"], usage, "{key}");
        names.push(key["kid"].as_str().expect("a kid").to_owned());
    }
    names.sort();
    names.dedup();
    assert_eq!(names.len(), keys.len(), "a kid is there twice");
}

/// Discovery §3: there is a key for each announced algorithm.
#[test]
fn there_is_a_key_for_every_algorithm() {
    let keys = Call::get("/jwks").send().expect(200).json();
    let algorithms: Vec<_> =
        keys["keys"].as_array().expect("keys").iter().map(|key| key["alg"].as_str().unwrap_or_default()).collect();
    for algorithm in list(&document(), "id_token_signing_alg_values_supported") {
        assert!(algorithms.contains(&algorithm.as_str()), "no key for {algorithm}: {algorithms:?}");
    }
}

/// RFC 7518 §3.3: RSA keys have 2048 bits or more.
#[test]
fn rsa_keys_are_large_enough() {
    let keys = Call::get("/jwks").send().expect(200).json();
    for key in keys["keys"].as_array().expect("keys").iter().filter(|key| key["kty"] == "RSA") {
        assert!(key["n"].as_str().is_some_and(|modulus| modulus.len() >= 342), "{key}");
    }
}

/// Discovery §4: documents that everybody fetches may be cached, for a while.
#[test]
fn documents_may_be_cached() {
    for path in ["/.well-known/openid-configuration", "/.well-known/oauth-authorization-server", "/jwks"] {
        let reply = Call::get(path).send().expect(200);
        let control = reply.header("cache-control").unwrap_or_default();
        assert!(control.contains("max-age=") && !control.contains("no-store"), "{reply:?}");
    }
}

/// RFC 9110 §9.3.2: HEAD is GET without the body; other methods are 405.
#[test]
fn documents_are_read_only() {
    for path in ["/.well-known/openid-configuration", "/.well-known/oauth-authorization-server", "/jwks"] {
        let reply = Call::new("HEAD", path).send().expect(200);
        assert!(reply.body.is_empty(), "{reply:?}");
        for method in ["POST", "PUT", "DELETE"] {
            Call::new(method, path).send().expect(405);
        }
    }
}

/// Discovery §4: a suffix of the path, or a query, names no other issuer.
#[test]
fn other_paths_are_not_the_document() {
    for path in [
        "/.well-known/openid-configuration/x",
        "/x/.well-known/openid-configuration",
        "/.well-known/",
        "/jwks/x",
        "/nothing",
    ] {
        Call::get(path).send().expect(404);
    }
    assert_eq!(
        Call::get("/.well-known/openid-configuration?issuer=https://attacker.example").send().expect(200).json()["issuer"],
        issuer()
    );
}
