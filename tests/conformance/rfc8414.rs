//! Authorization server metadata: RFC 8414.

use serde_json::Value;
use suite::{Call, issuer};

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
