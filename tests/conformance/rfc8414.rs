//! Authorization server metadata: RFC 8414.

use serde_json::Value;
use suite::pushed::push;
use suite::{AuthorizationRequest, Call, issuer, jwt, spa};

fn document() -> Value {
    Call::get("/.well-known/oauth-authorization-server").send().expect(200).json()
}

/// RFC 8414 §3.3: "The 'issuer' value returned MUST be identical to the authorization server's issuer identifier".
#[test]
fn the_issuer_is_the_one_asked() {
    assert_eq!(document()["issuer"], issuer());
}

/// RFC 8414 §2: an issuer has no query, no fragment, and here no path and no slash at its end.
#[test]
fn the_issuer_is_an_origin() {
    let document = document();
    let text = document["issuer"].as_str().expect("text");
    let url = url::Url::parse(text).expect("a URL");
    assert_eq!(url.origin().ascii_serialization(), text);
}

/// RFC 8414 §2: required members.
#[test]
fn required_members_are_there() {
    let document = document();
    for name in ["issuer", "authorization_endpoint", "token_endpoint"] {
        assert!(document[name].is_string(), "{name}");
    }
    assert!(document["response_types_supported"].is_array());
}

/// RFC 8414 §2: the members of the other endpoints.
#[test]
fn revocation_is_told() {
    let document = document();
    assert_eq!(document["revocation_endpoint"], suite::url("/revoke"));
    assert_eq!(document["end_session_endpoint"], suite::url("/logout"));
}

/// RFC 8414 §5: both well-known documents say the same.
#[test]
fn both_documents_agree() {
    let openid = Call::get("/.well-known/openid-configuration").send().expect(200).json();
    for (name, value) in document().as_object().expect("an object") {
        if let Some(other) = openid.get(name) {
            assert_eq!(value, other, "{name}");
        }
    }
    for name in ["token_endpoint", "jwks_uri", "grant_types_supported", "code_challenge_methods_supported"] {
        assert_eq!(document()[name], openid[name], "{name}");
    }
}

/// RFC 8414 §2.1: the members as the claims of a JWT with `iss`, signed by a key of the server, and without `signed_metadata` in it.
#[test]
fn the_metadata_are_signed_too() {
    for path in ["/.well-known/oauth-authorization-server", "/.well-known/openid-configuration"] {
        let mut document = Call::get(path).send().expect(200).json();
        let members = document.as_object_mut().expect("an object");
        let signed = members.remove("signed_metadata").expect("signed_metadata");
        let signed = jwt::verify(signed.as_str().expect("a JWT"));
        assert_eq!(signed.header["alg"], "RS256", "an algorithm that every consumer knows");
        assert_eq!(signed.text("iss"), issuer());
        assert!(signed.number("iat") > 0);
        let mut claims = signed.claims.as_object().expect("claims").clone();
        claims.remove("iss");
        claims.remove("iat");
        assert_eq!(claims, *members, "{path}");
    }
}

/// RFC 8725 §3.12: a JWT of one kind does not pass for another.
#[test]
fn signed_metadata_is_no_token() {
    let document = document();
    let signed = document["signed_metadata"].as_str().expect("a JWT");
    Call::get("/userinfo").bearer(signed).send().expect(401);
    push(&AuthorizationRequest::new(&spa()).set("id_token_hint", signed)).expect_error(400, "invalid_request");
}

/// RFC 8414 §2, OpenID Connect Discovery §3, RFC 9701 §7, JARM §4: every list of algorithms is there. Names of clients' signatures have
/// both names of Ed25519 (RFC 9864 §2.2).
#[test]
fn every_list_of_algorithms_is_there() {
    let document = document();
    let list = |name: &str| document[name].as_array().unwrap_or_else(|| panic!("{name}: {document}")).clone();
    for answer in ["id_token", "userinfo", "introspection", "authorization"] {
        for kind in ["signing_alg", "encryption_alg", "encryption_enc"] {
            assert!(!list(&format!("{answer}_{kind}_values_supported")).is_empty(), "{answer} {kind}");
        }
    }
    let endpoints = ["token", "revocation", "introspection"].map(|name| format!("{name}_endpoint_auth_signing_alg"));
    for name in endpoints.into_iter().chain(["request_object_signing_alg".to_owned(), "dpop_signing_alg".to_owned()]) {
        let names = list(&format!("{name}_values_supported"));
        assert!(names.contains(&"EdDSA".into()) && names.contains(&"Ed25519".into()), "{name}: {names:?}");
        assert!(!names.contains(&"none".into()), "{name}: {names:?}");
    }
}
