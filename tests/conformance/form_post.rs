//! OAuth 2.0 Form Post Response Mode, and the other modes (OAuth 2.0 Multiple Response Types §2.1).

use suite::{AuthorizationRequest, Browser, Call, TokenRequest, spa, web};

/// Form Post §2: an HTML form that posts the response to the redirect URI.
#[test]
fn the_response_is_a_form() {
    for client in [spa(), web()] {
        let request = AuthorizationRequest::new(&client).set("response_mode", "form_post");
        let callback = Browser::signed_in().complete(&request);
        assert_eq!(callback.mode, "form_post");
        assert_eq!(callback.url.as_str(), request.value("redirect_uri"));
        assert_eq!(callback.value("state"), Some(request.value("state")));
        TokenRequest::code(&request, &callback.code()).tokens();
    }
}

/// Form Post §2: errors come the same way.
#[test]
fn errors_come_as_a_form() {
    let request = AuthorizationRequest::new(&spa()).set("response_mode", "form_post").set("prompt", "none");
    let callback = Browser::new().authorize(&request).callback();
    assert_eq!((callback.mode, callback.error()), ("form_post", "login_required"));
    assert_eq!(callback.value("state"), Some(request.value("state")));
}

/// Form Post §2: the page is sent with 200, as HTML, is not stored, and may post to the client and nowhere else.
#[test]
fn the_page_is_safe() {
    let request = AuthorizationRequest::new(&spa()).set("response_mode", "form_post");
    let reply = Browser::signed_in().send(Call::get(&request.url())).expect(200).expect_no_store();
    assert!(reply.header("content-type").is_some_and(|kind| kind.starts_with("text/html")), "{reply:?}");
    let policy = reply.header("content-security-policy").expect("a policy");
    // Browsers apply `form-action` to each redirect after the form, and the client may redirect on to any place.
    assert!(policy.starts_with("default-src 'none'") && !policy.contains("form-action"), "{policy}");
    assert!(policy.contains("'nonce-") && !policy.contains("unsafe"), "{policy}");
}

/// Form Post §2: without JavaScript the user can press a button.
#[test]
fn the_page_works_without_javascript() {
    let request = AuthorizationRequest::new(&spa()).set("response_mode", "form_post");
    let reply = Browser::signed_in().send(Call::get(&request.url())).expect(200);
    assert!(reply.text().contains("<button") || reply.text().contains("type=\"submit\""), "{reply:?}");
}

/// Form Post §4: values of the client cannot break out of the form.
#[test]
fn the_state_cannot_inject_html() {
    let state = "\"><script>alert(1)</script><input name=\"code\" value=\"x";
    let request = AuthorizationRequest::new(&spa()).set("response_mode", "form_post").set("state", state);
    let callback = Browser::signed_in().authorize(&request).callback();
    assert_eq!(callback.value("state"), Some(state));
    callback.code();
    let reply = Browser::signed_in().send(Call::get(&request.url())).expect(200);
    assert!(!reply.text().contains("<script>alert"), "{reply:?}");
}

/// Multiple Response Types §2.1: `query` is the default of `code`.
#[test]
fn query_is_the_default() {
    let callback = Browser::signed_in().authorize(&AuthorizationRequest::new(&spa())).callback();
    assert_eq!(callback.mode, "query");
    let request = AuthorizationRequest::new(&spa()).set("response_mode", "query");
    assert_eq!(Browser::signed_in().authorize(&request).callback().mode, "query");
}

/// Multiple Response Types §2.1: `fragment`; nothing of the response is in the query then.
#[test]
fn fragment_is_served() {
    let request = AuthorizationRequest::new(&spa()).set("response_mode", "fragment");
    let callback = Browser::signed_in().authorize(&request).callback();
    assert_eq!((callback.mode, callback.url.query()), ("fragment", None));
    assert_eq!(callback.value("state"), Some(request.value("state")));
    TokenRequest::code(&request, &callback.code()).tokens();
    let callback = Browser::signed_in().authorize(&request.set("response_type", "token")).callback();
    assert_eq!((callback.mode, callback.error()), ("fragment", "unsupported_response_type"));
}

/// Multiple Response Types §2.1: an unknown mode is `invalid_request`.
#[test]
fn unknown_modes_are_refused() {
    for mode in ["magic", "FORM_POST", "query fragment"] {
        let request = AuthorizationRequest::new(&spa()).set("response_mode", mode);
        assert_eq!(Browser::signed_in().authorize(&request).callback().error(), "invalid_request", "{mode}");
    }
}
