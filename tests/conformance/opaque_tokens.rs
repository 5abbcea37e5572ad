//! Opaque access tokens, and the JWTs that stand behind them (phantom tokens).

use serde_json::json;
use suite::{
    AuthorizationRequest, Browser, Client, TokenRequest, Tokens, admin, altered, grant, introspect, introspection,
    issuer, jwt, revoke, spa, userinfo, web,
};

fn app() -> Client {
    admin::client("suite-opaque", &["--set", "access_token_format=opaque"])
}

fn job() -> Client {
    admin::client("suite-opaque-job", &["--service", "--scope", "read", "--set", "access_token_format=opaque"])
}

fn api() -> Client {
    let introspects = format!("introspects=[\"{}\"]", issuer());
    admin::client("suite-opaque-api", &["--confidential", "--set", "grant_types=[]", "--set", &introspects])
}

fn tokens() -> Tokens {
    let request = AuthorizationRequest::new(&app()).scope("openid email offline_access").set("prompt", "consent");
    TokenRequest::code(&request, &Browser::signed_in().complete(&request).code()).tokens()
}

/// Nothing can be read in it, and it says what it is.
#[test]
fn it_tells_nothing() {
    let (one, two) = (tokens(), TokenRequest::client_credentials(&job()).tokens());
    for token in [one.access(), two.access()] {
        assert!(token.starts_with("lka_") && !token.contains('.') && token.len() < 1500, "{token}");
    }
    // An ID token that comes with it binds it all the same (OpenID Connect Core §3.1.3.6).
    assert_eq!(jwt::verify(one.id()).text("at_hash"), jwt::at_hash(one.access()));
    let again = one.refresh_request().tokens();
    assert!(again.access().starts_with("lka_") && again.access() != one.access());
}

/// This server takes it as it takes a JWT.
#[test]
fn userinfo_takes_it() {
    let tokens = tokens();
    let answer = userinfo(tokens.access()).expect(200).json();
    assert_eq!(answer["sub"], jwt::verify(tokens.id()).claims["sub"]);
    assert_eq!(answer["email"], "demo@example.com");
}

/// Introspection is how an API reads it (RFC 7662 §1).
#[test]
fn introspection_reads_it() {
    let tokens = tokens();
    let told = introspection(&api(), tokens.access());
    assert_eq!((&told["active"], &told["client_id"]), (&json!(true), &json!("suite-opaque")), "{told}");
    assert_eq!(told["sub"], jwt::verify(tokens.id()).claims["sub"]);
    assert_eq!(introspection(&web(), tokens.access()), json!({ "active": false }));
    let own = TokenRequest::client_credentials(&job()).tokens();
    assert_eq!(introspection(&job(), own.access())["scope"], "read");
}

/// Altered, cut or made up it is nothing; nor do tokens of other kinds pass under its name.
#[test]
fn a_forgery_opens_nothing() {
    let tokens = tokens();
    let good = tokens.access();
    let altered = altered(good, good.len() / 2);
    let refresh = tokens.refresh().replacen("lkr_", "lka_", 1);
    let readable = grant(&spa());
    for token in
        [altered.as_str(), &good[..good.len() - 4], &good[4..], "lka_", &refresh, &format!("lka_{}", readable.access())]
    {
        userinfo(token).expect(401);
        assert_eq!(introspection(&api(), token), json!({ "active": false }), "{token}");
        revoke(&app(), token, None).expect(200);
    }
    assert!(tokens.is_live());
    // Nor is it a code, a refresh token or a session.
    TokenRequest::refresh(&app(), good).send().expect_error(400, "invalid_grant");
    TokenRequest::refresh(&app(), &good.replacen("lka_", "lkr_", 1)).send().expect_error(400, "invalid_grant");
}

/// RFC 7009: its client revokes it, no other does; with the grant it goes too.
#[test]
fn it_can_be_revoked() {
    let (one, two) = (tokens(), tokens());
    revoke(&spa(), one.access(), None);
    assert!(one.is_live());
    revoke(&app(), one.access(), None).expect(200);
    assert!(!one.is_live() && two.is_live());
    assert_eq!(introspection(&api(), one.access()), json!({ "active": false }));
    revoke(&app(), two.refresh(), None).expect(200);
    assert!(!two.is_live());
    assert_eq!(introspection(&api(), two.access()), json!({ "active": false }));

    let own = TokenRequest::client_credentials(&job()).tokens();
    assert_eq!(introspection(&api(), own.access())["active"], true);
    revoke(&job(), own.access(), None).expect(200);
    assert_eq!(introspection(&api(), own.access()), json!({ "active": false }));
}

/// An API's gateway gets the JWT in place of it: RFC 9068, with the same claims.
#[test]
fn a_gateway_gets_the_jwt() {
    for tokens in [tokens(), TokenRequest::client_credentials(&job()).tokens(), grant(&spa())] {
        let reply = introspect(&api(), tokens.access(), "application/jwt").expect(200).expect_no_store();
        assert_eq!(reply.header("content-type"), Some("application/jwt"), "{reply:?}");
        let token = jwt::verify(&reply.text());
        assert_eq!((&token.header["typ"], &token.header["alg"]), (&json!("at+jwt"), &json!("ES256")));
        let told = introspection(&api(), tokens.access());
        for name in ["iss", "sub", "aud", "client_id", "scope", "exp", "iat", "jti"] {
            assert_eq!(token.claims[name], told[name], "{name}");
        }
        // Both forms are one token: introspection agrees, and revoking one revokes the other.
        assert_eq!(introspection(&api(), &reply.text()), told);
        revoke(&tokens.client, tokens.access(), None).expect(200);
        assert_eq!(introspection(&api(), &reply.text()), json!({ "active": false }));
    }
}

/// Only that API gets the JWT: neither the client, for which the token is opaque, nor another API. There is none of a
/// token that is not active.
#[test]
fn nobody_else_gets_the_jwt() {
    let (own, of_web) = (TokenRequest::client_credentials(&job()).tokens(), grant(&web()));
    let elsewhere = admin::client(
        "suite-opaque-elsewhere",
        &["--confidential", "--set", "grant_types=[]", "--set", r#"introspects=["https://other.example"]"#],
    );
    for (client, token) in [
        (job(), own.access()),
        (elsewhere.clone(), own.access()),
        (elsewhere, of_web.access()),
        (web(), of_web.access()),
        (web(), of_web.refresh()),
        (api(), of_web.refresh()),
        (api(), "lka_x"),
    ] {
        let reply = introspect(&client, token, "application/jwt").expect(204).expect_no_store();
        assert!(reply.body.is_empty(), "{reply:?}");
    }
    revoke(&job(), own.access(), None).expect(200);
    assert!(introspect(&api(), own.access(), "application/jwt").expect(204).body.is_empty());
}
