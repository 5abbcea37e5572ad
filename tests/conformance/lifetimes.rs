//! Lifetimes: RFC 6749 §1.4, §5.1, §10.5; RFC 6750 §5.3; OpenID Connect Core §2; RP-Initiated Logout §2.

use serde_json::json;
use std::time::Duration;
use suite::{AuthorizationRequest, Browser, Call, Client, TokenRequest, Tokens, admin, jwt, revoke, service, userinfo};

fn client(name: &str, setting: &str) -> Client {
    admin::client(name, &["--set", setting])
}

/// RFC 6749 §5.1, RFC 6750 §3.1: an access token is dead after `expires_in`.
#[test]
fn an_access_token_expires() {
    let client = client("suite-short-access", "access_token_lifetime=2");
    let request = AuthorizationRequest::new(&client).offline();
    let tokens = TokenRequest::code(&request, &Browser::signed_in().complete(&request).code()).tokens();
    assert_eq!(tokens.document["expires_in"], 2);
    assert!(tokens.is_live());
    suite::wait(Duration::from_millis(3100));
    let reply = userinfo(tokens.access()).expect(401);
    assert!(reply.header("www-authenticate").is_some_and(|field| field.contains("invalid_token")), "{reply:?}");
    let next = tokens.refresh_request().tokens();
    assert!(next.is_live());
    revoke(&client, tokens.access(), None).expect(200);
    assert!(next.is_live(), "revoking an expired access token changed something");
}

/// RFC 6749 §6: a refresh token that was not used for too long is `invalid_grant`.
#[test]
fn an_idle_refresh_token_expires() {
    let client = client("suite-short-idle", "refresh_token_idle_lifetime=3");
    let request = AuthorizationRequest::new(&client).offline();
    let mut tokens = TokenRequest::code(&request, &Browser::signed_in().complete(&request).code()).tokens();
    for _ in 0..3 {
        suite::wait(Duration::from_millis(1500));
        tokens = tokens.refresh_request().tokens();
    }
    suite::wait(Duration::from_millis(4100));
    tokens.refresh_request().send().expect_error(400, "invalid_grant");
}

/// RFC 9700 §4.14.2: a family ends after its absolute lifetime, however often it is used.
#[test]
fn a_family_expires() {
    let client = client("suite-short-family", "refresh_token_lifetime=4");
    let request = AuthorizationRequest::new(&client).offline();
    let mut tokens = TokenRequest::code(&request, &Browser::signed_in().complete(&request).code()).tokens();
    for _ in 0..2 {
        suite::wait(Duration::from_millis(1200));
        tokens = tokens.refresh_request().tokens();
    }
    suite::wait(Duration::from_millis(3000));
    tokens.refresh_request().send().expect_error(400, "invalid_grant");
}

/// draft-ietf-oauth-refresh-token-expiration §2, §3: the response names the time in which the refresh token must be used, and the end
/// of the grant. A response without a refresh token has neither.
#[test]
fn a_response_names_the_lifetimes_of_the_refresh_token() {
    let settings = ["--set", "refresh_token_idle_lifetime=100", "--set", "refresh_token_lifetime=102"];
    let client = admin::client("suite-named-lifetimes", &settings);
    let request = AuthorizationRequest::new(&client).offline();
    let first = TokenRequest::code(&request, &Browser::signed_in().complete(&request).code()).tokens();
    let seconds =
        |tokens: &Tokens, name: &str| tokens.document[name].as_u64().unwrap_or_else(|| panic!("no {name}: {tokens:?}"));
    assert!((80..=100).contains(&seconds(&first, "refresh_token_timeout")), "{first:?}");
    assert!((82..=102).contains(&seconds(&first, "authorization_expires_in")), "{first:?}");
    suite::wait(Duration::from_secs(5));
    let second = first.refresh_request().tokens();
    for name in ["refresh_token_timeout", "authorization_expires_in"] {
        assert!((60..=97).contains(&seconds(&second, name)), "the end of the grant is near: {second:?}");
    }
    let own = TokenRequest::client_credentials(&service()).tokens();
    assert!(
        own.document.get("refresh_token_timeout").is_none() && own.document.get("authorization_expires_in").is_none()
    );
    let document = Call::get("/.well-known/oauth-authorization-server").send().json();
    assert_eq!(document["refresh_token_expiration_types_supported"], json!(["authorization", "token_timeout"]));
}

/// OpenID Connect Core §2: an ID token says when it expires.
#[test]
fn an_id_token_has_its_lifetime() {
    let client = client("suite-short-id", "id_token_lifetime=1");
    let request = AuthorizationRequest::new(&client);
    let tokens = TokenRequest::code(&request, &Browser::signed_in().complete(&request).code()).tokens();
    let token = jwt::verify(tokens.id());
    assert_eq!(token.number("exp") - token.number("iat"), 1);
}

/// OpenID Connect Core §3.1.2.1, RP-Initiated Logout §2: an expired ID token is accepted as a hint.
#[test]
fn an_expired_id_token_is_still_a_hint() {
    let client = client("suite-short-id", "id_token_lifetime=1");
    let mut browser = Browser::new();
    let request = AuthorizationRequest::new(&client);
    let tokens = TokenRequest::code(&request, &browser.complete(&request).code()).tokens();
    suite::wait(Duration::from_millis(2100));
    let hinted = AuthorizationRequest::new(&client).set("prompt", "none").set("id_token_hint", tokens.id());
    browser.authorize(&hinted).callback().code();
    browser.open(&format!("/logout?id_token_hint={}", tokens.id())).page();
    assert_eq!(browser.authorize(&hinted).callback().error(), "login_required");
}

/// OpenID Connect Registration §2: `default_max_age` holds when a request has none.
#[test]
fn a_default_max_age_holds() {
    let client = client("suite-short-sign-in", "default_max_age=1");
    let mut browser = Browser::new();
    browser.complete(&AuthorizationRequest::new(&client)).code();
    suite::wait(Duration::from_millis(2300));
    browser.authorize(&AuthorizationRequest::new(&client)).login_page();
}
