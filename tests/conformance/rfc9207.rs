//! The issuer in the authorization response: RFC 9207.

use suite::{AuthorizationRequest, Browser, Call, issuer, spa, web};

/// RFC 9207 §2: every success names the issuer, in every response mode.
#[test]
fn success_names_the_issuer() {
    for client in [spa(), web()] {
        for mode in ["query", "fragment", "form_post"] {
            let request = AuthorizationRequest::new(&client).set("response_mode", mode);
            assert_eq!(Browser::signed_in().authorize(&request).callback().value("iss"), Some(issuer()), "{mode}");
        }
    }
}

/// RFC 9207 §2: so does every error that is redirected.
#[test]
fn errors_name_the_issuer() {
    for mode in ["query", "fragment", "form_post"] {
        for (name, value) in
            [("response_type", "bogus"), ("prompt", "bogus"), ("code_challenge_method", "plain"), ("request", "x")]
        {
            let request = AuthorizationRequest::new(&spa()).set("response_mode", mode).set(name, value);
            let callback = Browser::signed_in().authorize(&request).callback();
            assert_eq!((callback.value("iss"), callback.mode), (Some(issuer()), mode), "{name}={value}");
        }
        let request = AuthorizationRequest::new(&spa()).set("response_mode", mode).set("prompt", "none");
        assert_eq!(Browser::new().authorize(&request).callback().value("iss"), Some(issuer()));
    }
}

/// RFC 9207 §2.4: it is the very string of the metadata, so that a client can compare.
#[test]
fn it_is_the_issuer_of_the_metadata() {
    let document = Call::get("/.well-known/oauth-authorization-server").send().expect(200).json();
    let callback = Browser::signed_in().authorize(&AuthorizationRequest::new(&spa())).callback();
    assert_eq!(callback.value("iss"), document["issuer"].as_str());
    assert_eq!(document["authorization_response_iss_parameter_supported"], true);
}
