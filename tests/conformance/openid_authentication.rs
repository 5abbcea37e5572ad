//! The authentication request: OpenID Connect Core §3.1.2.1, §3.1.2.2, §3.1.2.6.

use suite::{AuthorizationRequest, Browser, Landing, TokenRequest, jwt, spa, web};

fn ask(request: &AuthorizationRequest) -> Landing {
    Browser::signed_in().authorize(request)
}

/// Core §3.1.2.1, §3.1.3.3: with `openid` there is an ID token.
#[test]
fn openid_brings_an_id_token() {
    let request = AuthorizationRequest::new(&spa()).scope("openid");
    TokenRequest::code(&request, &ask(&request).callback().code()).tokens().id();
}

/// Core §3.1.2.1: "If the openid scope value is not present, the behavior is entirely unspecified": plain OAuth here.
#[test]
fn without_openid_there_is_no_id_token() {
    let request = AuthorizationRequest::new(&spa()).scope("profile");
    let tokens = TokenRequest::code(&request, &Browser::signed_in().complete(&request).code()).tokens();
    assert_eq!(tokens.text("id_token"), None);
}

/// RFC 6749 §3.3: without any scope it is plain OAuth, too.
#[test]
fn without_scope_there_is_no_id_token() {
    let request = AuthorizationRequest::new(&spa()).without("scope");
    let tokens = TokenRequest::code(&request, &Browser::signed_in().complete(&request).code()).tokens();
    assert_eq!(tokens.text("id_token"), None);
}

/// RFC 6749 §4.1.2.1: an unknown scope is a mistake of the client's developer, who learns it at once. Core §3.1.2.1 would have it
/// ignored, and the client would lack the access without a word.
#[test]
fn unknown_scopes_are_reported() {
    assert_eq!(
        ask(&AuthorizationRequest::new(&spa()).scope("openid launch-missiles")).callback().error(),
        "invalid_scope"
    );
}

/// RFC 6749 §3.3: scopes are a set, in any order.
#[test]
fn the_order_and_repetition_of_scopes_do_not_matter() {
    let request = AuthorizationRequest::new(&spa()).scope("email openid  email openid");
    let tokens = TokenRequest::code(&request, &Browser::signed_in().complete(&request).code()).tokens();
    let mut scope: Vec<_> = tokens.text("scope").expect("scope").split(' ').collect();
    scope.sort_unstable();
    assert_eq!(scope, ["email", "openid"]);
}

/// Core §3.1.2.1: `nonce` "passed through unmodified from the Authentication Request to the ID Token".
#[test]
fn the_nonce_is_passed_through() {
    for nonce in ["n", "a b&c=\u{1F511}\"\\", &"n".repeat(500)] {
        let request = AuthorizationRequest::new(&spa()).set("nonce", nonce);
        let tokens = TokenRequest::code(&request, &ask(&request).callback().code()).tokens();
        assert_eq!(jwt::verify(tokens.id()).text("nonce"), nonce);
    }
}

/// Core §3.1.2.1: it is OPTIONAL; none is made up.
#[test]
fn the_nonce_may_be_left_out() {
    let request = AuthorizationRequest::new(&spa()).without("nonce");
    let tokens = TokenRequest::code(&request, &ask(&request).callback().code()).tokens();
    assert!(jwt::verify(tokens.id()).claims.get("nonce").is_none());
}

/// Core §3.1.2.1, §15.1: every value of `display` is accepted, at least without an error.
#[test]
fn every_display_is_accepted() {
    for display in ["page", "popup", "touch", "wap"] {
        let request = AuthorizationRequest::new(&spa()).set("display", display);
        ask(&request).callback().code();
        Browser::new().authorize(&request).login_page();
    }
}

/// Core §3.1.2.1: `ui_locales`: "An error SHOULD NOT result if some or all of the requested locales are not supported".
#[test]
fn every_ui_locale_is_accepted() {
    for locales in ["fr-CA fr en", "se", "xx-invalid-\u{fc}", "de"] {
        let request = AuthorizationRequest::new(&spa()).set("ui_locales", locales).set("claims_locales", locales);
        ask(&request).callback().code();
        Browser::new().authorize(&request).login_page();
    }
}

/// Core §3.1.2.1: `acr_values` are wishes: the request does not fail, and the ID token says what was reached.
#[test]
fn acr_values_are_voluntary() {
    for values in ["1 2", "urn:example:unheard-of", "urn:latchkey:acr:password"] {
        let request = AuthorizationRequest::new(&spa()).set("acr_values", values);
        let tokens = TokenRequest::code(&request, &ask(&request).callback().code()).tokens();
        assert!(jwt::verify(tokens.id()).claims["acr"].is_string());
    }
}

/// Core §3.1.2.6, §6, §7.2.1: an unsigned request object is for clients that registered one; a URI is fetched for clients
/// that registered it; registration has an endpoint of its own.
#[test]
fn what_was_not_registered_is_refused_by_name() {
    let object = "eyJhbGciOiJub25lIn0.eyJyZWRpcmVjdF91cmkiOiJodHRwczovL2F0dGFja2VyLmV4YW1wbGUvIn0.";
    for client in [spa(), web()] {
        let request = AuthorizationRequest::new(&client);
        assert_eq!(ask(&request.clone().set("request", object)).callback().error(), "request_not_supported");
        let by_uri = request.clone().set("request_uri", "https://attacker.example/request");
        assert_eq!(ask(&by_uri).callback().error(), "invalid_request_uri");
        assert_eq!(ask(&request.set("registration", "{}")).callback().error(), "registration_not_supported");
    }
}

/// Core §3.1.2.2: every refusal that may be redirected is, with the state.
#[test]
fn errors_come_back_with_the_state() {
    for (name, value) in [("response_type", "x"), ("prompt", "x"), ("max_age", "x"), ("claims", "x"), ("scope", "x")] {
        let request = AuthorizationRequest::new(&spa()).set(name, value);
        let callback = ask(&request).callback();
        callback.error();
        assert_eq!(callback.value("state"), Some(request.value("state")), "{name}");
    }
}

/// Core §3.1.2.6: errors are found before the user is asked anything.
#[test]
fn a_bad_request_bothers_nobody() {
    for (name, value) in
        [("response_type", "token"), ("prompt", "none login"), ("max_age", "-1"), ("claims", "{"), ("scope", "\"")]
    {
        let request = AuthorizationRequest::new(&spa()).set(name, value);
        Browser::new().authorize(&request).callback().error();
    }
}

/// Core §3.1.2.3, §3.1.2.4: without a session the user signs in and consents; then the client gets the code.
#[test]
fn a_stranger_signs_in_and_consents() {
    let mut browser = Browser::new();
    let request = AuthorizationRequest::new(&spa()).set("prompt", "consent");
    let page = browser.authorize(&request).login_page();
    let page = browser.sign_in(&page, suite::USERNAME, suite::PASSWORD).consent_page();
    let callback = browser.decide(&page, "allow").callback();
    TokenRequest::code(&request, &callback.code()).tokens();
}

/// Core §3.1.2.3, §3.1.2.4: a signed-in user neither signs in nor consents again.
#[test]
fn a_known_person_is_not_asked_again() {
    ask(&AuthorizationRequest::new(&spa()).scope("openid profile email")).callback().code();
    ask(&AuthorizationRequest::new(&web()).scope("openid")).callback().code();
}
