//! Authorization responses in a JWT: JWT Secured Authorization Response Mode for OAuth 2.0 (JARM).

use serde_json::json;
use suite::jwe::KeyPair;
use suite::jwt::{self, Jwt};
use suite::{AuthorizationRequest, Browser, Call, Callback, Client, TokenRequest, admin, issuer, now, spa, web};

fn request(client: &Client, mode: &str) -> AuthorizationRequest {
    AuthorizationRequest::new(client).set("response_mode", mode)
}

/// The JWT of a response, which is its only parameter (§2.3).
#[track_caller]
fn response(callback: &Callback) -> &str {
    let [(name, jwt)] = callback.parameters.as_slice() else { panic!("more than one parameter: {callback:?}") };
    assert_eq!(name, "response", "{callback:?}");
    jwt
}

/// The claims of a response (§2.1), verified as §2.4 says.
#[track_caller]
fn claims(jwt: &str, client: &Client) -> Jwt {
    let response = jwt::verify(jwt);
    assert_eq!(response.text("iss"), issuer(), "{response:?}");
    assert!(response.is_for(&client.id), "{response:?}");
    let lifetime = response.claims["exp"].as_i64().expect("exp") - now();
    assert!((10..=600).contains(&lifetime), "exp is {lifetime} s away");
    response
}

/// §2.3.1 to §2.3.4: the way that each mode takes. The code in the JWT is a code like any other.
#[test]
fn each_mode_carries_one_jwt() {
    for (mode, way) in
        [("jwt", "query"), ("query.jwt", "query"), ("fragment.jwt", "fragment"), ("form_post.jwt", "form_post")]
    {
        for client in [spa(), web()] {
            let request = request(&client, mode);
            let callback = Browser::signed_in().complete(&request);
            assert_eq!(callback.mode, way, "{mode}");
            let response = claims(response(&callback), &client);
            assert_eq!(response.text("state"), request.value("state"));
            assert_eq!(response.claims.get("error"), None);
            TokenRequest::code(&request, response.text("code")).tokens();
        }
    }
}

/// §2.3.4, §2.3.1: the default of the hybrid flow is the fragment. An ID token in the query would have to be encrypted.
#[test]
fn the_hybrid_flow_uses_the_fragment() {
    let hybrid = |mode: &str| request(&web(), mode).set("response_type", "code id_token");
    let callback = Browser::signed_in().complete(&hybrid("jwt"));
    assert_eq!(callback.mode, "fragment");
    let response = claims(response(&callback), &web());
    assert_eq!(jwt::verify(response.text("id_token")).text("c_hash"), jwt::at_hash(response.text("code")));
    let callback = Browser::signed_in().authorize(&hybrid("query.jwt")).callback();
    assert_eq!(callback.mode, "fragment");
    assert_eq!(claims(self::response(&callback), &web()).text("error"), "invalid_request");
}

/// §2.1: an error is in the JWT, too, wherever it arises.
#[test]
fn errors_are_in_the_jwt() {
    let none = request(&spa(), "query.jwt").set("prompt", "none");
    let silent = Browser::new().authorize(&none).callback();
    let wrong = Browser::new().authorize(&request(&spa(), "jwt").set("scope", "unknown")).callback();
    let mut browser = Browser::new();
    let page = browser.authorize(&request(&spa(), "jwt")).login_page();
    let cancelled = browser.decide(&page, "cancel").callback();
    let mut browser = Browser::signed_in();
    let asked = request(&web(), "fragment.jwt").set("prompt", "consent");
    let page = browser.authorize(&asked).consent_page();
    let denied = browser.decide(&page, "deny").callback();
    for (callback, client, error) in [
        (&silent, spa(), "login_required"),
        (&wrong, spa(), "invalid_scope"),
        (&cancelled, spa(), "access_denied"),
        (&denied, web(), "access_denied"),
    ] {
        let response = claims(response(callback), &client);
        assert_eq!(response.text("error"), error, "{callback:?}");
        assert!(response.claims["error_description"].is_string() && response.claims["state"].is_string());
        assert_eq!(response.claims.get("code"), None);
    }
}

/// §3: `authorization_signed_response_alg`, RS256 by default.
#[test]
fn the_client_chooses_the_signature() {
    for alg in [None, Some("ES256"), Some("PS256"), Some("EdDSA")] {
        let id = format!("suite-jarm-{}", alg.unwrap_or("default").to_ascii_lowercase());
        let set = alg.map(|alg| format!("authorization_signed_response_alg={alg}"));
        let arguments: Vec<&str> = set.iter().flat_map(|set| ["--set", set.as_str()]).collect();
        let client = admin::client(&id, &arguments);
        let callback = Browser::signed_in().complete(&request(&client, "jwt"));
        assert_eq!(claims(response(&callback), &client).header["alg"], alg.unwrap_or("RS256"));
    }
}

/// §2.2, §3: signed, then encrypted to the client's key.
#[test]
fn a_response_is_encrypted_for_its_client() {
    for (alg, enc) in [("RSA-OAEP-256", None), ("ECDH-ES", Some("A256GCM"))] {
        let pair = KeyPair::for_algorithm(alg);
        let mut settings = vec![
            format!("jwks={}", json!({ "keys": [pair.jwk("mine")] })),
            format!("authorization_encrypted_response_alg={alg}"),
        ];
        settings.extend(enc.map(|enc| format!("authorization_encrypted_response_enc={enc}")));
        let arguments: Vec<&str> = settings.iter().flat_map(|setting| ["--set", setting.as_str()]).collect();
        let client = admin::client(&format!("suite-jarm-encrypted-{}", alg.to_ascii_lowercase()), &arguments);
        let callback = Browser::signed_in().complete(&request(&client, "jwt"));
        let opened = pair.open(response(&callback)).expect("it is encrypted to this key");
        assert_eq!(
            (&opened.header["alg"], &opened.header["enc"]),
            (&json!(alg), &json!(enc.unwrap_or("A128CBC-HS256")))
        );
        assert!(!claims(&opened.text, &client).text("code").is_empty());
    }
}

/// §4: metadata; and an unknown mode is named.
#[test]
fn metadata_name_the_modes() {
    let document = Call::get("/.well-known/openid-configuration").send().json();
    let modes = ["query", "fragment", "form_post", "query.jwt", "fragment.jwt", "form_post.jwt", "jwt"];
    assert_eq!(document["response_modes_supported"], json!(modes));
    for name in ["signing_alg", "encryption_alg", "encryption_enc"] {
        let values = &document[format!("authorization_{name}_values_supported")];
        assert!(values.as_array().is_some_and(|values| !values.is_empty()), "{name}");
    }
    let callback = Browser::new().authorize(&request(&spa(), "jwe")).callback();
    assert_eq!(callback.error(), "invalid_request");
}
