//! Refresh tokens: RFC 6749 §6, §10.4; RFC 9700 §4.14.

use std::time::Duration;
use suite::{
    AuthorizationRequest, Browser, Client, TokenRequest, Tokens, admin, altered, grace, grant, jwt, lost_answer,
    service, spa, web,
};

fn wide(client: &Client) -> Tokens {
    let request = AuthorizationRequest::new(client).offline().scope("openid profile email offline_access");
    let code = Browser::signed_in().complete(&request).code();
    TokenRequest::code(&request, &code).tokens()
}

fn scope(tokens: &Tokens) -> Vec<&str> {
    let mut scope: Vec<_> = tokens.text("scope").expect("scope").split(' ').collect();
    scope.sort_unstable();
    scope
}

/// RFC 6749 §6: a refresh token gives a new access token, for a public client and a confidential one.
#[test]
fn a_refresh_token_gives_new_tokens() {
    for client in [spa(), web()] {
        let first = grant(&client);
        let second = first.refresh_request().tokens();
        assert_ne!(first.access(), second.access());
        assert!(second.is_live());
    }
}

/// RFC 9700 §4.14.2: rotation: each use gives another refresh token.
#[test]
fn each_use_gives_another_refresh_token() {
    let mut tokens = grant(&spa());
    for _ in 0..4 {
        let next = tokens.refresh_request().tokens();
        assert_ne!(tokens.refresh(), next.refresh());
        tokens = next;
    }
}

/// RFC 6749 §6: an earlier access token lives on after a refresh.
#[test]
fn a_refresh_leaves_the_earlier_access_token_alone() {
    let first = grant(&spa());
    first.refresh_request().tokens();
    assert!(first.is_live());
}

/// RFC 6749 §6: `refresh_token` is REQUIRED.
#[test]
fn a_missing_refresh_token_is_refused() {
    TokenRequest::new(&spa(), "refresh_token").send().expect_error(400, "invalid_request");
    TokenRequest::refresh(&spa(), "").send().expect_error(400, "invalid_request");
}

/// RFC 6749 §6: without `scope` it is that of the original grant.
#[test]
fn the_scope_stays_as_granted() {
    let first = wide(&spa());
    let second = first.refresh_request().tokens();
    assert_eq!(scope(&first), scope(&second));
}

/// RFC 6749 §6: a refresh may ask for less; the refresh token keeps the scope that was granted.
#[test]
fn the_scope_can_be_narrowed_for_one_access_token() {
    let first = wide(&spa());
    let narrow = first.refresh_request().set("scope", "openid email").tokens();
    assert_eq!(scope(&narrow), ["email", "openid"]);
    assert_eq!(jwt::verify(narrow.access()).text("scope").split(' ').count(), 2);
    let claims = suite::userinfo(narrow.access()).expect(200).json();
    assert!(claims.get("email").is_some() && claims.get("name").is_none(), "{claims}");
    let full = narrow.refresh_request().tokens();
    assert_eq!(scope(&full), scope(&first));
}

/// RFC 6749 §6: "MUST NOT include any scope not originally granted"; the refresh token stays good.
#[test]
fn the_scope_cannot_be_widened() {
    let first = grant(&spa());
    for wider in ["openid profile", "openid offline_access phone", "admin", "read", "openid \"", "OPENID"] {
        first.refresh_request().set("scope", wider).send().expect_error(400, "invalid_scope");
    }
    assert!(first.is_live());
    first.refresh_request().tokens();
}

/// RFC 6749 §6: "validate the refresh token was issued to the authenticated client". A stranger cannot kill it.
#[test]
fn another_clients_refresh_token_is_refused() {
    let tokens = grant(&spa());
    let other = admin::client(
        "suite-native",
        &[
            "--set",
            "token_endpoint_auth_method=none",
            "--set",
            "grant_types=[\"authorization_code\",\"refresh_token\"]",
        ],
    );
    for client in [web(), other] {
        tokens.refresh_request().by(&client).send().expect_error(400, "invalid_grant");
    }
    tokens.refresh_request().by(&service()).send().expect_error(400, "unauthorized_client");
    assert!(tokens.is_live());
    tokens.refresh_request().tokens();

    let tokens = grant(&web());
    tokens.refresh_request().by(&spa()).send().expect_error(400, "invalid_grant");
    tokens.refresh_request().tokens();
}

/// RFC 6749 §6: a confidential client must authenticate.
#[test]
fn a_confidential_client_must_authenticate() {
    let tokens = grant(&web());
    tokens.refresh_request().by(&Client::public("demo-web")).send().expect_error(401, "invalid_client");
    tokens.refresh_request().by(&Client::confidential("demo-web", "wrong")).send().expect_error(401, "invalid_client");
    tokens.refresh_request().tokens();
}

/// RFC 6749 §10.4: a made-up or altered refresh token is refused, and the true one stays good.
#[test]
fn forged_refresh_tokens_are_refused() {
    let tokens = grant(&spa());
    let right = tokens.refresh();
    for position in (0..right.len()).step_by((right.len() / 12).max(1)) {
        TokenRequest::refresh(&spa(), &altered(right, position)).send().expect_error(400, "invalid_grant");
    }
    for forged in [&right[1..], &right[..right.len() - 1], "x", "\u{fc}", "..", tokens.access(), tokens.id()] {
        TokenRequest::refresh(&spa(), forged).send().expect_error(400, "invalid_grant");
    }
    assert!(tokens.is_live());
    tokens.refresh_request().tokens();
}

/// RFC 9700 §4.14.2: a retry inside the grace window gets the very same successor, and nothing dies.
#[test]
fn a_retry_gets_the_same_successor() {
    let first = grant(&spa());
    let second = first.refresh_request().tokens();
    let again = first.refresh_request().tokens();
    assert_eq!(second.refresh(), again.refresh());
    assert!(second.is_live() && again.is_live());
    again.refresh_request().tokens();
}

/// RFC 9700 §4.14.2: once the successor was used, the token before it is a replay: the family dies.
#[test]
fn an_older_refresh_token_kills_the_family() {
    let first = grant(&spa());
    let second = first.refresh_request().tokens();
    let third = second.refresh_request().tokens();
    first.refresh_request().send().expect_error(400, "invalid_grant");
    third.refresh_request().send().expect_error(400, "invalid_grant");
    second.refresh_request().send().expect_error(400, "invalid_grant");
    for tokens in [&first, &second, &third] {
        assert!(!tokens.is_live(), "an access token outlives its family");
    }
}

/// RFC 9700 §4.14.2: after the windows a used refresh token is a replay: the family dies.
#[test]
fn a_used_refresh_token_kills_the_family_after_the_windows() {
    let first = grant(&spa());
    let second = first.refresh_request().tokens();
    suite::wait(lost_answer() + Duration::from_millis(500));
    first.refresh_request().send().expect_error(400, "invalid_grant");
    assert!(!first.is_live() && !second.is_live());
    second.refresh_request().send().expect_error(400, "invalid_grant");
}

/// RFC 9700 §4.14.2: a client that lost the answer, and tries again after the grace window, gets another successor, once.
#[test]
fn a_client_that_lost_the_answer_is_not_signed_out() {
    let first = grant(&spa());
    let lost = first.refresh_request().tokens();
    suite::wait(grace() + Duration::from_millis(500));
    let retries: Vec<_> =
        first.refresh_request().send_at_once().into_iter().map(|reply| Tokens::read(&spa(), reply)).collect();
    for tokens in &retries {
        assert_eq!(tokens.refresh(), retries[0].refresh(), "many retries at once: one successor");
        assert_ne!(tokens.refresh(), lost.refresh());
    }
    assert!(first.is_live() && retries.iter().all(Tokens::is_live));
    retries[0].refresh_request().tokens().refresh_request().tokens();
}

/// RFC 9700 §4.14.2: the successor that was replaced is not accepted beside the new one: one of its two holders is a thief.
#[test]
fn the_replaced_successor_kills_the_family() {
    let first = grant(&spa());
    let replaced = first.refresh_request().tokens();
    suite::wait(grace() + Duration::from_millis(500));
    let again = first.refresh_request().tokens();
    replaced.refresh_request().send().expect_error(400, "invalid_grant");
    again.refresh_request().send().expect_error(400, "invalid_grant");
    for tokens in [&first, &replaced, &again] {
        assert!(!tokens.is_live(), "an access token outlives its family");
    }
}

/// RFC 9700 §4.14.2: processes of one application share a store of tokens. Its operator may decide that a stale token is
/// rejected, and that the family lives.
#[test]
fn a_stale_token_of_processes_that_share_a_store_is_rejected_alone() {
    const CALLBACK: &str = "http://127.0.0.1/callback";
    let client = admin::client("suite-cli", &[CALLBACK, "--set", "refresh_token_replay=reject"]);
    let request = AuthorizationRequest::new(&client).offline().set("redirect_uri", CALLBACK);
    let first = TokenRequest::code(&request, &Browser::signed_in().complete(&request).code()).tokens();
    let second = first.refresh_request().tokens();
    let third = second.refresh_request().tokens();
    first.refresh_request().send().expect_error(400, "invalid_grant");
    assert!(third.is_live());
    third.refresh_request().tokens();
}

/// RFC 9700 §4.14.2: the live refresh token stays good after the grace window.
#[test]
fn the_live_refresh_token_outlives_the_grace_window() {
    let grace = grace();
    let second = grant(&spa()).refresh_request().tokens();
    suite::wait(grace + Duration::from_millis(500));
    second.refresh_request().tokens();
}

/// RFC 9700 §4.14.2: a family belongs to a grant: a replay in one affects no other of the same user and client.
#[test]
fn other_families_survive_a_replay() {
    let other = grant(&spa());
    let first = grant(&spa());
    first.refresh_request().tokens().refresh_request().tokens();
    first.refresh_request().send().expect_error(400, "invalid_grant");
    assert!(other.is_live());
    other.refresh_request().tokens();
}

/// RFC 6749 §6: a client without the refresh grant gets no refresh token.
#[test]
fn no_refresh_token_for_a_client_without_the_grant() {
    let client = admin::client(
        "suite-once",
        &["--set", "token_endpoint_auth_method=none", "--set", "grant_types=[\"authorization_code\"]"],
    );
    let request = AuthorizationRequest::new(&client).offline();
    let tokens = TokenRequest::code(&request, &Browser::signed_in().complete(&request).code()).tokens();
    assert_eq!(tokens.text("refresh_token"), None);
}
