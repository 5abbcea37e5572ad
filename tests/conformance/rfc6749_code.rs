//! Codes at the token endpoint: RFC 6749 §4.1.3, §4.1.4, §10.5.

use suite::{AuthorizationRequest, Browser, Client, TokenRequest, admin, altered, grant, revoke, spa, web};

fn code(client: &Client) -> TokenRequest {
    let request = AuthorizationRequest::new(client).offline();
    let code = Browser::signed_in().complete(&request).code();
    TokenRequest::code(&request, &code)
}

/// RFC 6749 §4.1.4: a code becomes tokens, for a public client and a confidential one.
#[test]
fn a_code_becomes_tokens() {
    for client in [spa(), web()] {
        let tokens = code(&client).tokens();
        assert!(tokens.is_live());
        tokens.refresh_request().tokens();
    }
}

/// RFC 6749 §4.1.3: `code` is REQUIRED.
#[test]
fn a_missing_code_is_refused() {
    code(&spa()).without("code").send().expect_error(400, "invalid_request");
    code(&spa()).set("code", "").send().expect_error(400, "invalid_request");
}

/// RFC 6749 §4.1.3: `redirect_uri` is REQUIRED when the authorization request had it, and "MUST be identical".
#[test]
fn the_redirect_uri_must_be_the_same() {
    let redeem = code(&spa());
    let right = spa().redirect_uri;
    for uri in [
        "http://127.0.0.1/callback",
        &format!("{right}/"),
        &right.replace("callback", "Callback"),
        "https://attacker.example/",
        "\u{0}",
    ] {
        redeem.clone().set("redirect_uri", uri).send().expect_error(400, "invalid_grant");
    }
    redeem.tokens();
}

/// RFC 6749 §4.1.3: "ensure that the authorization code was issued to the authenticated confidential client, or … to
/// 'client_id' in the request". A stranger's attempt costs the owner nothing.
#[test]
fn another_clients_code_is_refused() {
    let redeem = code(&spa());
    redeem.clone().by(&web()).send().expect_error(400, "invalid_grant");
    let other = admin::client("suite-other", &["--set", "token_endpoint_auth_method=none"]);
    redeem.clone().by(&other).send().expect_error(400, "invalid_grant");
    suite::wait(suite::race_window());
    assert!(redeem.tokens().is_live());

    let redeem = code(&web());
    redeem.clone().by(&spa()).send().expect_error(400, "invalid_grant");
    redeem.tokens();
}

/// RFC 6749 §4.1.3: a confidential client must authenticate.
#[test]
fn a_confidential_clients_code_needs_its_secret() {
    let redeem = code(&web());
    redeem.clone().by(&Client::public("demo-web")).send().expect_error(401, "invalid_client");
    redeem.clone().by(&Client::confidential("demo-web", "wrong")).send().expect_error(401, "invalid_client");
    redeem.tokens();
}

/// RFC 6749 §10.10: a made-up or altered code is refused, and the true one stays good.
#[test]
fn forged_codes_are_refused() {
    let redeem = code(&spa());
    let right = redeem.parameters.iter().find(|(name, _)| name == "code").expect("a code").1.clone();
    for position in (0..right.len()).step_by((right.len() / 12).max(1)) {
        redeem.clone().set("code", &altered(&right, position)).send().expect_error(400, "invalid_grant");
    }
    for forged in [&right[1..], &right[..right.len() - 1], &right[..right.len() / 2], "x", "\u{1F511}", ".", "a.b.c"] {
        redeem.clone().set("code", forged).send().expect_error(400, "invalid_grant");
    }
    for forged in
        [format!("{right}A"), format!("{right}="), format!("{right} "), format!("{right}\u{0}"), "x".repeat(4000)]
    {
        redeem.clone().set("code", &forged).send().expect_error(400, "invalid_grant");
    }
    assert!(redeem.tokens().is_live());
}

/// RFC 6749 §10.5: "Authorization codes … MUST be … single-use"; §4.1.2: a second redemption "MUST" be denied.
#[test]
fn a_code_is_redeemed_once() {
    let redeem = code(&spa());
    let tokens = redeem.tokens();
    redeem.send().expect_error(400, "invalid_grant");
    assert!(tokens.is_live(), "a client that races itself loses nothing");
    tokens.refresh_request().tokens();
}

/// RFC 6749 §4.1.2: a replay "SHOULD revoke (when possible) all tokens previously issued based on that code".
#[test]
fn a_replayed_code_kills_the_tokens_of_the_first_exchange() {
    for client in [spa(), web()] {
        let redeem = code(&client);
        let tokens = redeem.tokens();
        assert!(tokens.is_live());
        suite::wait(suite::race_window());
        redeem.send().expect_error(400, "invalid_grant");
        assert!(!tokens.is_live(), "the access token outlives the replay");
        tokens.refresh_request().send().expect_error(400, "invalid_grant");
    }
}

/// RFC 6749 §4.1.2: tokens refreshed since the first exchange die with it.
#[test]
fn a_replayed_code_kills_refreshed_tokens_too() {
    let redeem = code(&spa());
    let first = redeem.tokens();
    let second = first.refresh_request().tokens();
    suite::wait(suite::race_window());
    redeem.send().expect_error(400, "invalid_grant");
    assert!(!first.is_live() && !second.is_live());
    second.refresh_request().send().expect_error(400, "invalid_grant");
}

/// RFC 6749 §4.1.2: a replay that is itself wrong (verifier, redirect URI, client) is a stranger's, and kills nothing.
#[test]
fn a_strangers_replay_kills_nothing() {
    let redeem = code(&spa());
    let tokens = redeem.tokens();
    suite::wait(suite::race_window());
    redeem.clone().set("code_verifier", &suite::random()).send().expect_error(400, "invalid_grant");
    redeem.clone().set("redirect_uri", "http://127.0.0.1:1/callback").send().expect_error(400, "invalid_grant");
    redeem.clone().by(&web()).send().expect_error(400, "invalid_grant");
    assert!(tokens.is_live());
    tokens.refresh_request().tokens();
}

/// RFC 6749 §4.1.2: the end of one grant does not affect another of the same user and client.
#[test]
fn other_grants_survive_a_replay() {
    let other = grant(&spa());
    let redeem = code(&spa());
    redeem.tokens();
    suite::wait(suite::race_window());
    redeem.send().expect_error(400, "invalid_grant");
    assert!(other.is_live());
    other.refresh_request().tokens();
}

/// RFC 6749 §4.1.3: an access token, a refresh token or an ID token is no code.
#[test]
fn other_tokens_are_no_codes() {
    let tokens = grant(&spa());
    let redeem = code(&spa());
    for token in [tokens.access(), tokens.refresh(), tokens.id()] {
        redeem.clone().set("code", token).send().expect_error(400, "invalid_grant");
    }
    assert!(tokens.is_live());
    redeem.tokens();
}

/// RFC 7009 §2.1: a code is nothing to revoke; asking for it neither fails nor redeems it.
#[test]
fn a_code_survives_revocation_of_something_else() {
    let redeem = code(&spa());
    revoke(&spa(), "nothing", None).expect(200);
    redeem.tokens();
}
