//! The hybrid flow, `code id_token`: OpenID Connect Core §3.3, OAuth 2.0 Multiple Response Types §5.

use suite::{AuthorizationRequest, Browser, Call, TokenRequest, spa, web};

fn hybrid() -> AuthorizationRequest {
    AuthorizationRequest::new(&web()).set("response_type", "code id_token")
}

/// §3.3.2.5, §3.3.2.11, §3.3.3: code and ID token in the fragment; the ID token vouches for the code.
#[test]
fn the_id_token_vouches_for_the_code() {
    for response_type in ["code id_token", "id_token code"] {
        for mode in [None, Some("fragment"), Some("form_post")] {
            let mut request = hybrid().set("response_type", response_type);
            if let Some(mode) = mode {
                request = request.set("response_mode", mode);
            }
            let callback = Browser::signed_in().complete(&request);
            assert_eq!(callback.mode, mode.unwrap_or("fragment"));
            assert_eq!(callback.value("state"), Some(request.value("state")));
            assert_eq!(callback.value("access_token"), None);
            let code = callback.value("code").expect("a code");
            let front = suite::jwt::verify(callback.value("id_token").expect("an ID token"));
            assert_eq!(front.text("nonce"), request.value("nonce"));
            assert_eq!(front.text("c_hash"), suite::jwt::at_hash(code));
            assert!(front.claims.get("at_hash").is_none() && front.is_for("demo-web"));
            let tokens = TokenRequest::code(&request, code).tokens();
            let back = suite::jwt::verify(tokens.id());
            for same in ["iss", "sub", "nonce", "sid"] {
                assert_eq!(front.text(same), back.text(same), "§3.3.3.6: {same}");
            }
            assert_eq!(back.text("at_hash"), suite::jwt::at_hash(tokens.access()), "§3.3.3.6");
        }
    }
}

/// §3.3.2.11: a nonce is required.
#[test]
fn a_nonce_is_required() {
    let callback = Browser::signed_in().authorize(&hybrid().without("nonce")).callback();
    assert_eq!((callback.mode, callback.error()), ("fragment", "invalid_request"));
}

/// OAuth 2.0 Multiple Response Types §5: never in the query; the error neither.
#[test]
fn the_query_is_refused() {
    let callback = Browser::signed_in().authorize(&hybrid().set("response_mode", "query")).callback();
    assert_eq!((callback.mode, callback.error()), ("fragment", "invalid_request"));
}

/// §3.1.2.1: an ID token needs the scope openid.
#[test]
fn openid_is_required() {
    let callback = Browser::signed_in().authorize(&hybrid().scope("email")).callback();
    assert_eq!((callback.mode, callback.error()), ("fragment", "invalid_request"));
}

/// §3.3.2.6: errors travel as answers do.
#[test]
fn errors_travel_in_the_fragment() {
    let callback = Browser::new().authorize(&hybrid().set("prompt", "none")).callback();
    assert_eq!((callback.mode, callback.error()), ("fragment", "login_required"));
    let request = hybrid().set("prompt", "none").set("response_mode", "form_post");
    assert_eq!(Browser::new().authorize(&request).callback().mode, "form_post");
}

/// Per client: one that did not register it may not use it.
#[test]
fn it_is_for_clients_that_registered_it() {
    let request = AuthorizationRequest::new(&spa()).set("response_type", "code id_token");
    assert_eq!(Browser::signed_in().authorize(&request).callback().error(), "unauthorized_client");
}

/// RFC 9700 §2.1.2: whatever returns an access token in the front channel, or an ID token without a code, is refused.
#[test]
fn every_other_type_is_refused_by_name() {
    for response_type in [
        "token",
        "id_token",
        "id_token token",
        "code token",
        "code id_token token",
        "none",
        "code code",
        "code  id_token",
    ] {
        let request = hybrid().set("response_type", response_type);
        let callback = Browser::signed_in().authorize(&request).callback();
        assert_eq!(callback.error(), "unsupported_response_type", "{response_type}");
    }
}

/// OpenID Connect Discovery §3.
#[test]
fn the_metadata_lists_it() {
    let metadata = Call::get("/.well-known/openid-configuration").send().expect(200).json();
    assert_eq!(metadata["response_types_supported"], serde_json::json!(["code", "code id_token"]));
}
