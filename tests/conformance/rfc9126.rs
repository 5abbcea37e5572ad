//! Pushed authorization requests: RFC 9126.

use serde_json::Value;
use suite::pushed::{push, push_as, pushed, reference};
use suite::{AuthorizationRequest, Browser, Client, Signer, TokenRequest, Tokens, admin, altered, issuer, spa, web};

const PREFIX: &str = "urn:ietf:params:oauth:request_uri:";

/// §2.2, §4: the pushed request is the one that is answered; it leads to tokens.
#[test]
fn a_pushed_request_leads_to_tokens() {
    for client in [spa(), web()] {
        let request = AuthorizationRequest::new(&client).offline();
        let request_uri = pushed(&request);
        assert!(request_uri.starts_with(PREFIX) && request_uri.is_ascii(), "{request_uri}");
        let mut browser = Browser::signed_in();
        let landing = browser.open(&reference(&client, &request_uri));
        let callback = browser.finish(landing, suite::USERNAME, suite::PASSWORD);
        assert_eq!(callback.value("state"), Some(request.value("state")));
        let tokens = TokenRequest::code(&request, &callback.code()).tokens();
        assert!(tokens.is_live());
    }
}

/// Nothing of what was asked for shows in the browser's URL, on the way through sign-in either.
#[test]
fn nothing_personal_travels_in_the_url() {
    let request = AuthorizationRequest::new(&spa()).set("login_hint", "somebody@example.com");
    let at = reference(&spa(), &pushed(&request));
    assert!(!at.contains("somebody") && !at.contains(request.value("state")));
    let page = Browser::new().open(&at).login_page();
    let shown = page.url.as_str();
    assert!(!shown.contains("somebody") && !shown.contains(request.value("state")), "{shown}");
}

/// §4: parameters beside the reference count for nothing.
#[test]
fn parameters_beside_the_reference_are_ignored() {
    let request = AuthorizationRequest::new(&spa());
    let at = format!(
        "{}&redirect_uri=https%3A%2F%2Fevil.example%2F&state=other&scope=email&prompt=login",
        reference(&spa(), &pushed(&request))
    );
    let callback = Browser::signed_in().open(&at).callback();
    assert_eq!(callback.value("state"), Some(request.value("state")));
    let tokens = TokenRequest::code(&request, &callback.code()).tokens();
    assert_eq!(tokens.document["scope"], "openid");
}

/// §4, §7.3: a request_uri yields one response. The page may be loaded again before; afterwards, the browser that was
/// answered gets the same response while the code is unused.
#[test]
fn a_reference_is_good_once() {
    let request = AuthorizationRequest::new(&spa());
    let at = reference(&spa(), &pushed(&request));
    let mut new = Browser::new();
    new.open(&at).login_page();
    new.open(&at).login_page();
    let mut browser = Browser::signed_in();
    let code = browser.open(&at).callback().code();
    assert_eq!(browser.open(&at).callback().code(), code);
    let page = new.open(&at).login_page();
    let is_over = new.sign_in(&page, suite::USERNAME, suite::PASSWORD);
    assert!(is_over.error_page().text().contains("answered already"));
    let tokens = TokenRequest::code(&request, &code).tokens();
    browser.open(&at).error_page();
    assert!(tokens.is_live(), "loading the page again kills nothing");
}

/// §7.3, 32 at a time: one code, whichever tab it comes to.
#[test]
fn of_32_uses_of_a_reference_comes_one_code() {
    let request = AuthorizationRequest::new(&spa());
    let at = reference(&spa(), &pushed(&request));
    let browser = Browser::signed_in();
    let mut codes = suite::at_once(|_| browser.clone().open(&at).callback().code());
    codes.dedup();
    assert_eq!(codes.len(), 1);
    assert!(TokenRequest::code(&request, &codes[0]).tokens().is_live());
}

/// §2.2, §7.2: a reference is bound to the client that pushed.
#[test]
fn another_clients_reference_is_refused() {
    let request_uri = pushed(&AuthorizationRequest::new(&spa()));
    Browser::signed_in().open(&reference(&web(), &request_uri)).error_page();
}

/// §7.1: a reference that was not handed out is refused: a changed one, another kind of token, anything.
#[test]
fn a_made_up_reference_is_refused() {
    let genuine = pushed(&AuthorizationRequest::new(&spa()));
    let refresh = suite::grant(&spa()).refresh().to_owned();
    for made_up in [
        altered(&genuine, genuine.len() - 1),
        format!("{PREFIX}{refresh}"),
        format!("{PREFIX}lkp_AAAA"),
        PREFIX.to_owned(),
    ] {
        Browser::signed_in().open(&reference(&spa(), &made_up)).error_page();
    }
}

/// §2: the client authenticates as at the token endpoint.
#[test]
fn a_client_that_fails_to_authenticate_pushes_nothing() {
    let request = AuthorizationRequest::new(&web());
    let mut wrong = web();
    wrong.secret = Some("wrong".to_owned());
    push_as(&wrong, &request.parameters).expect_error(401, "invalid_client");
    let mut unknown = spa();
    unknown.id = "nobody".to_owned();
    push_as(&unknown, &request.parameters).expect_error(401, "invalid_client");
    push_as(&Client { secret: None, authentication: suite::Authentication::None, ..web() }, &request.parameters)
        .expect_error(401, "invalid_client");
}

/// §2.1: `request_uri` MUST NOT be pushed.
#[test]
fn a_reference_cannot_be_pushed() {
    let request_uri = pushed(&AuthorizationRequest::new(&spa()));
    push(&AuthorizationRequest::new(&spa()).set("request_uri", &request_uri)).expect_error(400, "invalid_request");
}

/// §2.1, §2.3: a request that the authorization endpoint rejects is rejected here, as JSON.
#[test]
fn a_wrong_request_is_refused_when_it_is_pushed() {
    let new = || AuthorizationRequest::new(&spa());
    for (request, code) in [
        (new().set("redirect_uri", "https://evil.example/"), "invalid_request"),
        (new().without("redirect_uri"), "invalid_request"),
        (new().without_pkce(), "invalid_request"),
        (new().set("code_challenge_method", "plain"), "invalid_request"),
        (new().set("response_type", "token"), "unsupported_response_type"),
        (new().without("response_type"), "invalid_request"),
        (new().set("scope", "nothing-known"), "invalid_scope"),
        (new().set("prompt", "none login"), "invalid_request"),
        (new().set("resource", "https://unknown.example/"), "invalid_target"),
        (new().also("state", "twice"), "invalid_request"),
        (new().set("id_token_hint", "x.y.z"), "invalid_request"),
    ] {
        push(&request).expect_error(400, code);
    }
}

/// §2.3: another method and another media type are refused.
#[test]
fn only_a_form_can_be_pushed() {
    suite::Call::get("/par").send().expect(405);
    suite::Call::post("/par").body("application/json", "{}").send().expect_error(400, "invalid_request");
}

/// §6: a client that must push cannot come without.
#[test]
fn a_client_that_must_push_is_held_to_it() {
    let client = admin::client("par-only", &["--set", "require_pushed_authorization_requests=true"]);
    let request = AuthorizationRequest::new(&client);
    assert_eq!(Browser::signed_in().authorize(&request).callback().error(), "invalid_request");
    let mut browser = Browser::signed_in();
    let landing = browser.open(&reference(&client, &pushed(&request)));
    browser.finish(landing, suite::USERNAME, suite::PASSWORD).code();
}

/// §3: a request object is pushed like any other request; what stands beside it counts for nothing.
#[test]
fn a_request_object_can_be_pushed() {
    let signer = Signer::new("ES256", "par");
    let jwks = format!("jwks={}", signer.jwks());
    let client = admin::client("par-jar", &["--set", &jwks]);
    let request = AuthorizationRequest::new(&client);
    let mut claims: serde_json::Map<String, Value> =
        request.parameters.iter().map(|(name, value)| (name.clone(), value.clone().into())).collect();
    claims.insert("iss".to_owned(), client.id.clone().into());
    claims.insert("aud".to_owned(), issuer().into());
    let object = signer.sign(&Value::Object(claims));
    let outer = [("request".to_owned(), object), ("scope".to_owned(), "openid email".to_owned())];
    let reply = push_as(&client, &outer).expect(201).json();
    let mut browser = Browser::signed_in();
    let landing = browser.open(&reference(&client, reply["request_uri"].as_str().unwrap()));
    let callback = browser.finish(landing, suite::USERNAME, suite::PASSWORD);
    let tokens: Tokens = TokenRequest::code(&request, &callback.code()).tokens();
    assert_eq!(tokens.document["scope"], "openid");
}

/// §5: the metadata names the endpoint.
#[test]
fn the_metadata_names_the_endpoint() {
    let metadata = suite::Call::get("/.well-known/oauth-authorization-server").send().expect(200).json();
    assert_eq!(metadata["pushed_authorization_request_endpoint"], format!("{}/par", issuer()));
    assert_eq!(metadata["require_pushed_authorization_requests"], false);
}

/// §2.1: a request that the authorization endpoint cannot continue is rejected.
#[test]
fn a_request_that_is_too_long_to_go_on_is_refused() {
    for length in [4_500, 14_000, 40_000] {
        let request = AuthorizationRequest::new(&spa()).set("state", &"x".repeat(length));
        push(&request).expect_error(400, "invalid_request");
    }
    let request = AuthorizationRequest::new(&spa()).set("state", &"x".repeat(4_000));
    let callback = Browser::signed_in().open(&reference(&spa(), &pushed(&request))).callback();
    assert_eq!(callback.value("state"), Some(request.value("state")));
}
