//! The issuer in the authorization response: RFC 9207.

use suite::{AuthorizationRequest, Browser, Call, admin, issuer, spa, web};

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

/// mod_auth_openidc 2.4.12 takes an error with `iss` for the start of a sign-in (OpenID Connect Core §4), and loops. A setting of the
/// client leaves `iss` out of errors, in each mode, and of nothing else.
#[test]
fn a_client_setting_leaves_the_issuer_out_of_errors() {
    let client = admin::client("suite-no-iss", &["--confidential", "--set", "omit_iss_in_errors=true"]);
    for mode in ["query", "fragment", "form_post"] {
        let request = AuthorizationRequest::new(&client).set("response_mode", mode);
        for (name, value) in [("prompt", "none"), ("response_type", "bogus"), ("request", "x")] {
            let refused = request.clone().set(name, value);
            let callback = Browser::new().authorize(&refused).callback();
            assert_eq!((callback.value("iss"), callback.mode), (None, mode), "{callback:?}");
            assert!(callback.value("error").is_some(), "{callback:?}");
            assert_eq!(callback.value("state"), Some(request.value("state")), "{callback:?}");
        }
        let mut browser = Browser::signed_in();
        let page = browser.authorize(&request.clone().set("prompt", "consent")).consent_page();
        let denied = browser.decide(&page, "deny").callback();
        assert_eq!((denied.value("iss"), denied.value("error")), (None, Some("access_denied")), "{denied:?}");
        assert_eq!(browser.complete(&request).value("iss"), Some(issuer()), "a success names the issuer");
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
