//! The authorization endpoint: RFC 6749 §3.1, §4.1.1, §4.1.2.

use suite::{AuthorizationRequest, Browser, Call, Landing, TokenRequest, admin, spa, web};

fn ask(request: &AuthorizationRequest) -> Landing {
    Browser::signed_in().authorize(request)
}

/// RFC 6749 §4.1.1, §4.1.2: a valid request ends at the redirect URI with a code.
#[test]
fn a_code_comes_back_in_the_query() {
    let request = AuthorizationRequest::new(&spa());
    let callback = ask(&request).callback();
    assert_eq!(callback.mode, "query");
    assert_eq!(callback.url.as_str(), request.value("redirect_uri"));
    assert!(!callback.code().is_empty());
}

/// RFC 6749 §3.1: "MUST support the use of the HTTP GET method".
#[test]
fn get_is_served() {
    ask(&AuthorizationRequest::new(&web())).callback().code();
}

/// RFC 6749 §3.1: MAY support POST; OpenID Connect Core §3.1.2.1: MUST, with the parameters in a form body.
#[test]
fn post_is_served() {
    let request = AuthorizationRequest::new(&spa());
    let callback = Browser::signed_in().post("/authorize", &request.parameters).callback();
    TokenRequest::code(&request, &callback.code()).tokens();
}

/// RFC 6749 §3.1: POST begins a sign-in as GET does.
#[test]
fn post_leads_a_stranger_to_sign_in() {
    let request = AuthorizationRequest::new(&spa());
    let mut browser = Browser::new();
    let landing = browser.post("/authorize", &request.parameters);
    let callback = browser.finish(landing, suite::USERNAME, suite::PASSWORD);
    assert_eq!(callback.value("state"), Some(request.value("state")));
    callback.code();
}

/// RFC 6749 §3.1: "Parameters sent without a value MUST be treated as if they were omitted".
#[test]
fn parameters_without_value_count_as_omitted() {
    let request = AuthorizationRequest::new(&spa());
    let request = request.also("prompt", "").also("max_age", "").also("claims", "").also("response_mode", "");
    ask(&request).callback().code();
}

/// RFC 6749 §3.1: a required parameter without a value is missing.
#[test]
fn a_required_parameter_without_value_is_missing() {
    assert_eq!(ask(&AuthorizationRequest::new(&spa()).set("response_type", "")).callback().error(), "invalid_request");
    ask(&AuthorizationRequest::new(&spa()).set("client_id", "")).error_page();
    ask(&AuthorizationRequest::new(&spa()).set("redirect_uri", "")).error_page();
}

/// RFC 6749 §3.1: "MUST ignore unrecognized request parameters".
#[test]
fn unknown_parameters_are_ignored() {
    ask(&AuthorizationRequest::new(&spa()).also("foo", "bar").also("x-y.z", "\u{1F511}")).callback().code();
}

/// RFC 6749 §3.1: "Request and response parameters MUST NOT be included more than once".
#[test]
fn repeated_parameters_are_refused() {
    for name in ["response_type", "scope", "nonce", "code_challenge", "code_challenge_method"] {
        let request = AuthorizationRequest::new(&spa());
        let value = request.value(name).to_owned();
        let callback = ask(&request.clone().also(name, &value)).callback();
        assert_eq!(callback.error(), "invalid_request", "{name}");
        assert_eq!(callback.value("state"), Some(request.value("state")), "{name}");
    }
    for (name, value) in [("prompt", "none"), ("max_age", "100"), ("response_mode", "query"), ("login_hint", "a")] {
        let request = AuthorizationRequest::new(&spa()).also(name, value).also(name, value);
        assert_eq!(ask(&request).callback().error(), "invalid_request", "{name}");
    }
    assert_eq!(ask(&AuthorizationRequest::new(&spa()).also("state", "x")).callback().error(), "invalid_request");
}

/// RFC 6749 §3.1, §4.1.2.1: a repeated client_id or redirect_uri leads to an error page, never to a redirect.
#[test]
fn a_repeated_client_or_redirect_uri_never_redirects() {
    let request = AuthorizationRequest::new(&spa());
    ask(&request.clone().also("client_id", "demo-spa")).error_page();
    ask(&request.clone().also("client_id", "demo-web")).error_page();
    let again = request.value("redirect_uri").to_owned();
    ask(&request.clone().also("redirect_uri", &again)).error_page();
    ask(&request.also("redirect_uri", "https://attacker.example/")).error_page();
}

/// RFC 6749 §3.1.1: a missing response type is an error; §4.1.2.1: `invalid_request`.
#[test]
fn a_missing_response_type_is_refused() {
    let callback = ask(&AuthorizationRequest::new(&spa()).without("response_type")).callback();
    assert_eq!(callback.error(), "invalid_request");
}

/// RFC 6749 §4.1.2.1, RFC 9700 §2.1.2: every type that hands tokens to the front channel is refused by name.
#[test]
fn the_implicit_grant_is_refused() {
    for kind in ["token", "id_token", "id_token token", "code token", "code id_token token"] {
        let callback = ask(&AuthorizationRequest::new(&spa()).set("response_type", kind)).callback();
        assert_eq!(callback.error(), "unsupported_response_type", "{kind}");
    }
}

/// RFC 6749 §3.1.1: an unknown response type is an error.
#[test]
fn unknown_response_types_are_refused() {
    for kind in ["magic", "CODE", "code code", "none"] {
        let callback = ask(&AuthorizationRequest::new(&spa()).set("response_type", kind)).callback();
        assert_eq!(callback.error(), "unsupported_response_type", "{kind}");
    }
}

/// RFC 6749 §4.1.2.1: `unauthorized_client` for a client that may not use the grant.
#[test]
fn a_client_without_the_code_grant_is_refused() {
    let client = admin::client(
        "suite-machine",
        &[
            "--service",
            "--scope",
            "read",
            "--set",
            "grant_types=[\"client_credentials\"]",
            "https://suite.example/callback",
        ],
    );
    let request = AuthorizationRequest::new(&client).scope("read");
    assert_eq!(ask(&request).callback().error(), "unauthorized_client");
}

/// RFC 6749 §4.1.2, §4.1.2.1: `state` comes back as it was sent, in success and in error.
#[test]
fn state_comes_back_unchanged() {
    let long = "s".repeat(1000);
    for state in ["a b+c%20d&e=f#g", "\"<script>'\\", "\u{fc}\u{1F511}", "\u{0}\r\nx: y", "==", long.as_str()] {
        let request = AuthorizationRequest::new(&spa()).set("state", state);
        assert_eq!(ask(&request).callback().value("state"), Some(state));
        assert_eq!(ask(&request.set("response_type", "token")).callback().value("state"), Some(state));
    }
}

/// RFC 6749 §4.1.2: no `state` in the response when none was sent.
#[test]
fn no_state_is_made_up() {
    let request = AuthorizationRequest::new(&spa()).without("state");
    assert_eq!(ask(&request).callback().value("state"), None);
    assert_eq!(ask(&request.set("response_type", "token")).callback().value("state"), None);
}

/// RFC 6749 §4.1.2.1: an unknown or missing client leads to an error page, never to a redirect.
#[test]
fn an_unknown_client_never_redirects() {
    let request = AuthorizationRequest::new(&spa());
    ask(&request.clone().without("client_id")).error_page();
    for id in ["nobody", "DEMO-SPA", "demo-spa ", "demo-spa\u{0}", "../demo-spa", "demo-spa#c", "\u{fc}"] {
        ask(&request.clone().set("client_id", id)).error_page();
    }
    ask(&request.set("client_id", &"x".repeat(5000))).error_page();
}

/// RFC 6749 §3.3, §4.1.2.1: a scope with characters outside the grammar is `invalid_scope`.
#[test]
fn a_malformed_scope_is_refused() {
    for scope in ["openid \"x\"", "openid a\\b", "openid \u{fc}", "openid\tprofile", "openid\nx"] {
        let callback = ask(&AuthorizationRequest::new(&spa()).scope(scope)).callback();
        assert_eq!(callback.error(), "invalid_scope", "{scope:?}");
    }
}

/// RFC 6749 §4.1.2.1: `invalid_scope` when nothing that is asked for can be granted.
#[test]
fn a_scope_of_unknown_tokens_alone_is_refused() {
    let callback = ask(&AuthorizationRequest::new(&spa()).scope("launch-missiles")).callback();
    assert_eq!(callback.error(), "invalid_scope");
}

/// RFC 6749 §4.1.2.1: `access_denied` if the user denies consent.
#[test]
fn a_refusal_is_access_denied() {
    let mut browser = Browser::signed_in();
    let request = AuthorizationRequest::new(&spa()).set("prompt", "consent");
    let page = browser.authorize(&request).consent_page();
    let callback = browser.decide(&page, "deny").callback();
    assert_eq!(callback.error(), "access_denied");
    assert_eq!(callback.value("state"), Some(request.value("state")));
}

/// RFC 6749 §4.1.2.1: `access_denied` if the user cancels sign-in.
#[test]
fn giving_up_the_sign_in_is_access_denied() {
    let mut browser = Browser::new();
    let page = browser.authorize(&AuthorizationRequest::new(&spa())).login_page();
    assert_eq!(browser.decide(&page, "cancel").callback().error(), "access_denied");
}

/// RFC 6749 §10.10: codes cannot be guessed: at least 128 bits, never the same.
#[test]
fn codes_are_long_and_unique() {
    let request = AuthorizationRequest::new(&spa());
    let (one, two) = (ask(&request).callback().code(), ask(&request).callback().code());
    assert_ne!(one, two);
    assert!(one.len() >= 22, "{one}");
}

/// RFC 6749 §4.1.1: only the registered methods of the endpoint.
#[test]
fn other_methods_are_refused() {
    for method in ["PUT", "DELETE", "PATCH"] {
        let reply = Call::new(method, &AuthorizationRequest::new(&spa()).url()).send().expect(405);
        assert!(
            reply.header("allow").is_some_and(|allow| allow.contains("GET") && allow.contains("POST")),
            "{reply:?}"
        );
    }
}

/// RFC 6749 §3.1: a POST whose body is not a form is refused and leads nowhere.
#[test]
fn a_post_of_another_type_is_refused() {
    let request = AuthorizationRequest::new(&spa());
    let reply = Call::post("/authorize").body("application/json", r#"{"client_id":"demo-spa"}"#).send();
    assert!((400..500).contains(&reply.status) && reply.location().is_none(), "{reply:?}");
    let body: String = request.url().split_once('?').expect("a query").1.to_owned();
    let reply = Call::post("/authorize").body("text/plain", body).send();
    assert!((400..500).contains(&reply.status) && reply.location().is_none(), "{reply:?}");
}

/// §3.1: "MUST ignore unrecognized request parameters", those too that this server's own pages use.
#[test]
fn parameters_of_our_own_pages_are_ignored() {
    ask(&AuthorizationRequest::new(&web()).also("interaction", "x").also("csrf", "x")).callback().code();
}

/// §4.1.1, Appendix A.5: a state is any text; U+FFFD is text and no sign of bad UTF-8.
#[test]
fn the_replacement_character_is_text() {
    let request = AuthorizationRequest::new(&web()).set("state", "a\u{fffd}b");
    assert_eq!(ask(&request).callback().value("state"), Some("a\u{fffd}b"));
}
