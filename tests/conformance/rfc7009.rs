//! Revocation: RFC 7009.

use suite::{
    Authentication, AuthorizationRequest, Browser, Call, Client, TokenRequest, Tokens, admin, altered, grant,
    introspection, revoke, service, spa, trusted, web,
};

/// RFC 7009 §2.1: a revoked refresh token takes the whole grant with it, its access tokens too.
#[test]
fn revoking_a_refresh_token_ends_the_grant() {
    for client in [spa(), web()] {
        for hint in [None, Some("refresh_token"), Some("access_token"), Some("unheard_of")] {
            let tokens = grant(&client);
            revoke(&client, tokens.refresh(), hint).expect(200);
            assert!(!tokens.is_live(), "hint {hint:?}");
            tokens.refresh_request().send().expect_error(400, "invalid_grant");
        }
    }
}

/// RFC 7009 §2.1: later tokens of the refresh token are revoked with it.
#[test]
fn revoking_an_older_refresh_token_ends_the_grant_too() {
    let first = grant(&spa());
    let second = first.refresh_request().tokens();
    revoke(&spa(), first.refresh(), None).expect(200);
    assert!(!first.is_live() && !second.is_live());
    second.refresh_request().send().expect_error(400, "invalid_grant");
}

/// RFC 7009 §2.1: a revoked access token is dead; the refresh token and later access tokens live.
#[test]
fn revoking_an_access_token_revokes_only_it() {
    for hint in [None, Some("access_token"), Some("refresh_token")] {
        let first = grant(&spa());
        let second = first.refresh_request().tokens();
        revoke(&spa(), first.access(), hint).expect(200);
        assert!(!first.is_live(), "hint {hint:?}");
        assert!(second.is_live());
        let third = second.refresh_request().tokens();
        assert!(third.is_live() && second.is_live() && !first.is_live());
    }
}

/// RFC 7009 §2.1: other grants of the same user and client are unaffected.
#[test]
fn other_grants_survive() {
    let (one, two) = (grant(&spa()), grant(&spa()));
    revoke(&spa(), one.refresh(), None).expect(200);
    assert!(two.is_live());
    two.refresh_request().tokens();
}

/// RFC 7009 §2.1: "verifies whether the token was issued to the client making the revocation request": another's token is
/// not revoked.
#[test]
fn another_clients_tokens_are_not_touched() {
    let tokens = grant(&spa());
    for client in [web(), service()] {
        for token in [tokens.access(), tokens.refresh()] {
            let reply = revoke(&client, token, None);
            assert!(matches!(reply.status, 200 | 400), "{reply:?}");
        }
    }
    assert!(tokens.is_live());
    tokens.refresh_request().tokens();

    let tokens = grant(&web());
    revoke(&spa(), tokens.refresh(), None);
    revoke(&spa(), tokens.access(), None);
    assert!(tokens.is_live());
    tokens.refresh_request().tokens();
}

/// RFC 7009 §2.2: "invalid tokens do not cause an error response".
#[test]
fn unknown_tokens_are_200() {
    for token in ["x", "a.b.c", "\u{1F511}", "eyJhbGciOiJub25lIn0.e30.", "\u{0}"] {
        // §2.2: the body says nothing. Some clients want JSON of every answer.
        assert_eq!(revoke(&spa(), token, None).expect(200).json(), serde_json::json!({}));
        revoke(&web(), token, Some("refresh_token")).expect(200);
    }
}

/// RFC 7009 §2.2: a second revocation is 200 as well.
#[test]
fn a_second_revocation_is_200() {
    let tokens = grant(&spa());
    for _ in 0..2 {
        revoke(&spa(), tokens.refresh(), None).expect(200);
        revoke(&spa(), tokens.access(), None).expect(200);
    }
}

/// RFC 7009 §2.1: `token` is REQUIRED.
#[test]
fn a_missing_token_is_refused() {
    let none: [(&str, &str); 0] = [];
    Call::post("/revoke")
        .basic("demo-web", "demo-web-secret-7Kq2Xv9Tb4")
        .form(&none)
        .send()
        .expect_error(400, "invalid_request");
    revoke(&spa(), "", None).expect_error(400, "invalid_request");
}

/// RFC 7009 §2.1: "The authorization server first validates the client credentials".
#[test]
fn a_confidential_client_must_authenticate() {
    let tokens = grant(&web());
    for client in [
        Client::public("demo-web"),
        Client::confidential("demo-web", "wrong"),
        Client::confidential("demo-web", "wrong").with(Authentication::Post),
        Client::confidential("nobody", "x"),
        Client::public("nobody"),
    ] {
        let reply = revoke(&client, tokens.refresh(), None).expect_error(401, "invalid_client");
        if client.authentication == Authentication::Basic {
            assert!(reply.header("www-authenticate").is_some(), "{reply:?}");
        }
    }
    Call::post("/revoke").form(&[("token", tokens.refresh())]).send().expect_error(401, "invalid_client");
    assert!(tokens.is_live());
    tokens.refresh_request().tokens();
}

/// RFC 7009 §2.1: both ways of RFC 6749 §2.3.1 to authenticate.
#[test]
fn the_secret_may_be_in_the_body() {
    let tokens = grant(&web());
    revoke(&web().with(Authentication::Post), tokens.refresh(), None).expect(200);
    assert!(!tokens.is_live());
}

/// RFC 7009 §2.1: a token without a grant of a user can be revoked too.
#[test]
fn a_client_credentials_token_can_be_revoked() {
    let tokens = TokenRequest::client_credentials(&service()).tokens();
    revoke(&service(), tokens.access(), None).expect(200);
    revoke(&service(), tokens.access(), Some("access_token")).expect(200);
}

/// RFC 7009 §2.1: a token from an assertion (RFC 7523) can be revoked by its client alone; others of the same subject stay.
#[test]
fn a_token_of_an_assertion_can_be_revoked() {
    let grants = r#"grant_types=["urn:ietf:params:oauth:grant-type:jwt-bearer"]"#;
    let client = admin::client("jwt-machine", &["--service", "--scope", "read", "--set", grants]);
    let tokens = || {
        let assertion = trusted::typed(trusted::machines(), trusted::claims(trusted::MACHINES, "repo:octo/app"));
        trusted::jwt_bearer(&client, &assertion).tokens()
    };
    let (one, two) = (tokens(), tokens());
    let is_active = |tokens: &Tokens| introspection(&client, tokens.access())["active"] == true;
    revoke(&web(), one.access(), None).expect(200);
    assert!(is_active(&one));
    revoke(&client, one.access(), None).expect(200);
    assert!(!is_active(&one) && is_active(&two));
}

/// RFC 7009 §2: a token of the client itself is rejected at once after revocation, for each caller.
#[test]
fn a_revoked_client_credentials_token_is_inactive() {
    let (one, two) = (TokenRequest::client_credentials(&service()), TokenRequest::client_credentials(&service()));
    let (one, two) = (one.tokens(), two.tokens());
    revoke(&service(), one.access(), None).expect(200);
    assert_eq!(introspection(&service(), one.access())["active"], false);
    assert_eq!(introspection(&service(), two.access())["active"], true);
}

/// RFC 7009 §2.1: an altered token is not the token.
#[test]
fn an_altered_token_revokes_nothing() {
    let tokens = grant(&spa());
    let last = tokens.refresh().len() - 1;
    revoke(&spa(), &altered(tokens.refresh(), last), None).expect(200);
    revoke(&spa(), &suite::jwt::unsigned(tokens.access()), None).expect(200);
    assert!(tokens.is_live());
    tokens.refresh_request().tokens();
}

/// RFC 7009 §2.1: an ID token is nothing to revoke, and a code that is revoked harms no other grant.
#[test]
fn what_is_neither_is_left_alone() {
    let tokens = grant(&spa());
    let reply = revoke(&spa(), tokens.id(), None);
    assert!(matches!(reply.status, 200 | 400), "{reply:?}");
    assert!(tokens.is_live());
    let request = AuthorizationRequest::new(&spa());
    let code = Browser::signed_in().complete(&request).code();
    let reply = revoke(&spa(), &code, None);
    assert!(matches!(reply.status, 200 | 400), "{reply:?}");
    assert!(tokens.is_live());
}

/// RFC 7009 §2: POST alone.
#[test]
fn only_post_is_served() {
    for method in ["GET", "PUT", "DELETE"] {
        let reply = Call::new(method, "/revoke").query(&[("token", "x"), ("client_id", "demo-spa")]).send().expect(405);
        assert!(reply.header("allow").is_some_and(|allow| allow.contains("POST")), "{reply:?}");
    }
}

/// RFC 7009 §2.1, RFC 6749 §3.2: repeated parameters are refused and revoke nothing.
#[test]
fn repeated_parameters_are_refused() {
    let tokens = grant(&spa());
    for form in [
        [("token", tokens.refresh()), ("token", tokens.refresh()), ("client_id", "demo-spa")],
        [("token", tokens.refresh()), ("client_id", "demo-web"), ("client_id", "demo-spa")],
    ] {
        Call::post("/revoke").form(&form).send().expect_error(400, "invalid_request");
    }
    assert!(tokens.is_live());
}

/// RFC 7009 §2.1: the token comes in a form body.
#[test]
fn another_content_type_is_refused() {
    let tokens = grant(&spa());
    let json = format!("{{\"token\":\"{}\",\"client_id\":\"demo-spa\"}}", tokens.refresh());
    Call::post("/revoke").body("application/json", json).send().expect_error(400, "invalid_request");
    let body = b"token=%ff&client_id=demo-spa".to_vec();
    Call::post("/revoke").body("application/x-www-form-urlencoded", body).send().expect_error(400, "invalid_request");
    assert!(tokens.is_live());
}
