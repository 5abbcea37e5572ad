//! Introspection: RFC 7662.

use serde_json::{Value, json};
use std::time::Duration;
use suite::{
    Authentication, AuthorizationRequest, Browser, Call, Client, TokenRequest, Tokens, admin, altered, grant,
    introspect, introspection, issuer, jwt, now, revoke, service, spa, web,
};

/// A resource server: of the audience that tokens have unless they ask for another.
fn api() -> Client {
    let introspects = format!("introspects=[\"{}\"]", issuer());
    admin::client("suite-api", &["--confidential", "--set", "grant_types=[]", "--set", &introspects])
}

/// A resource server of an API that none of these tokens is for.
fn other_api() -> Client {
    let introspects = r#"introspects=["https://other.example/api"]"#;
    admin::client("suite-other-api", &["--confidential", "--set", "grant_types=[]", "--set", introspects])
}

#[track_caller]
fn is_inactive(client: &Client, token: &str) {
    let reply = introspect(client, token, "application/json").expect(200).expect_no_store();
    // §2.2: "SHOULD NOT include any additional information about an inactive token, including why".
    assert_eq!(reply.json(), json!({ "active": false }), "{reply:?}");
}

/// §2.2: introspection returns the claims of the access token.
#[test]
fn an_active_access_token_is_described() {
    let request = AuthorizationRequest::new(&spa()).scope("openid email");
    let tokens = TokenRequest::code(&request, &Browser::signed_in().complete(&request).code()).tokens();
    let claims = jwt::verify(tokens.access()).claims;
    let told = introspection(&api(), tokens.access());
    assert_eq!(told["active"], true);
    for name in ["iss", "sub", "aud", "client_id", "scope", "exp", "iat", "jti", "auth_time", "acr"] {
        assert_eq!(told[name], claims[name], "{name}: {told}");
    }
    assert_eq!((&told["token_type"], &told["client_id"]), (&json!("Bearer"), &json!("demo-spa")));
    assert!(told["nbf"].as_i64().is_some_and(|since| since <= now()), "{told}");
    for name in told.as_object().expect("an object").keys() {
        assert_ne!(name, "grant", "what is for this server alone is told: {told}");
    }
}

/// §2.2: a refresh token of one's own.
#[test]
fn an_active_refresh_token_is_described() {
    let tokens = grant(&web());
    let told = introspection(&web(), tokens.refresh());
    assert_eq!((&told["active"], &told["client_id"]), (&json!(true), &json!("demo-web")));
    assert!(told["exp"].as_i64().is_some_and(|end| end > now()), "{told}");
    assert!(told["scope"].as_str().is_some_and(|scope| scope.contains("offline_access")), "{told}");
    assert_eq!(told["sub"], jwt::verify(tokens.id()).claims["sub"]);
    // A refresh token is not for resource servers, and no access token.
    assert_eq!(told.get("aud"), None);
    assert_eq!(told.get("token_type"), None);
    is_inactive(&api(), tokens.refresh());
}

/// §2.2: a token that a client got for itself.
#[test]
fn a_token_without_a_person_is_described() {
    let tokens = TokenRequest::client_credentials(&service()).set("scope", "read").tokens();
    for asking in [service(), api()] {
        let told = introspection(&asking, tokens.access());
        assert_eq!((&told["active"], &told["scope"]), (&json!(true), &json!("read")), "{told}");
        assert_eq!((&told["sub"], told.get("auth_time")), (&json!("demo-service"), None));
    }
    revoke(&service(), tokens.access(), None).expect(200);
    is_inactive(&service(), tokens.access());
    is_inactive(&api(), tokens.access());
}

/// §2.1: "the authorization server MUST … require … authorization": no credentials, wrong ones, those of a public client,
/// an access token.
#[test]
fn callers_must_authenticate() {
    let tokens = grant(&web());
    for client in [
        Client::confidential("demo-web", "wrong"),
        Client::confidential("demo-web", "wrong").with(Authentication::Post),
        Client::confidential("nobody", "x"),
        Client::public("demo-web"),
        Client::public("nobody"),
        spa(),
    ] {
        for token in [tokens.access(), tokens.refresh(), "x"] {
            introspect(&client, token, "application/json").expect_error(401, "invalid_client");
        }
    }
    let own = grant(&spa());
    introspect(&spa(), own.access(), "application/json").expect_error(401, "invalid_client");
    let form = [("token", tokens.access())];
    for accept in ["application/json", "application/token-introspection+jwt", "application/jwt"] {
        Call::post("/introspect").header("accept", accept).form(&form).send().expect_error(401, "invalid_client");
    }
    Call::post("/introspect").bearer(tokens.access()).form(&form).send().expect_error(401, "invalid_client");
    // Both ways of RFC 6749 §2.3.1 do.
    assert_eq!(introspection(&web().with(Authentication::Post), tokens.access())["active"], true);
}

/// §2.2, §4: a client may introspect its own tokens, a resource server those for it, no client others.
#[test]
fn what_is_none_of_ones_business_is_inactive() {
    let (of_spa, of_web) = (grant(&spa()), grant(&web()));
    is_inactive(&web(), of_spa.access());
    is_inactive(&web(), of_spa.refresh());
    is_inactive(&service(), of_web.access());
    is_inactive(&other_api(), of_web.access());
    is_inactive(&other_api(), of_web.refresh());
    for tokens in [&of_spa, &of_web] {
        assert_eq!(introspection(&api(), tokens.access())["active"], true);
    }
    assert_eq!(introspection(&web(), of_web.access())["active"], true);
}

/// §2.2: "If the introspection call is properly authorized but the token is not active, does not exist on this server
/// … MUST return an introspection response with the active field set to false".
#[test]
fn what_is_no_token_is_inactive() {
    let tokens = grant(&web());
    let request = AuthorizationRequest::new(&web());
    let code = Browser::signed_in().complete(&request).code();
    let promoted = jwt::tampered(tokens.access(), |claims| claims["scope"] = json!("admin"));
    let forged = altered(tokens.refresh(), tokens.refresh().len() - 1);
    let unsigned = jwt::unsigned(tokens.access());
    for token in
        ["x", "a.b.c", "lka_", "lka_AAAA", "lkr_", "\u{1F511}", tokens.id(), &code, &promoted, &forged, &unsigned]
    {
        is_inactive(&web(), token);
        is_inactive(&api(), token);
    }
}

/// §2.2: an expired token is inactive.
#[test]
fn an_expired_token_is_inactive() {
    let client = admin::client("suite-brief", &["--service", "--scope", "read", "--set", "access_token_lifetime=2"]);
    let tokens = TokenRequest::client_credentials(&client).tokens();
    assert_eq!(introspection(&api(), tokens.access())["active"], true);
    suite::wait(Duration::from_millis(2600));
    is_inactive(&api(), tokens.access());
    is_inactive(&client, tokens.access());
}

/// §2.2, §4: revocation is noticed at once: of the token, of the grant, by use and by replay.
#[test]
fn a_revoked_token_is_inactive_at_once() {
    let is_active = |tokens: &Tokens| introspection(&api(), tokens.access())["active"] == true;
    let first = grant(&web());
    let second = first.refresh_request().tokens();
    assert!(is_active(&first) && is_active(&second));
    // A refresh token that was used is not the live one any more.
    is_inactive(&web(), first.refresh());
    assert_eq!(introspection(&web(), second.refresh())["active"], true);
    revoke(&web(), first.access(), None).expect(200);
    assert!(!is_active(&first) && is_active(&second));
    revoke(&web(), second.refresh(), None).expect(200);
    assert!(!is_active(&second));
    is_inactive(&web(), second.refresh());
}

/// The end of the session ends what is not for offline use.
#[test]
fn tokens_of_a_session_that_ended_are_inactive() {
    let mut browser = Browser::new();
    let request = AuthorizationRequest::new(&web());
    let tokens = TokenRequest::code(&request, &browser.complete(&request).code()).tokens();
    assert_eq!(introspection(&api(), tokens.access())["active"], true);
    let page = browser.open("/logout").page();
    browser.decide(&page, "yes");
    is_inactive(&api(), tokens.access());
}

/// §2.1: a hint, right, wrong or unheard of, changes nothing.
#[test]
fn hints_are_not_needed() {
    let tokens = grant(&web());
    for token in [tokens.access(), tokens.refresh()] {
        for hint in ["access_token", "refresh_token", "unheard_of"] {
            let form = [("token", token), ("token_type_hint", hint)];
            let reply = Call::post("/introspect")
                .basic("demo-web", "demo-web-secret-7Kq2Xv9Tb4")
                .form(&form)
                .send()
                .expect(200);
            assert_eq!(reply.json()["active"], true, "{hint}");
        }
    }
}

/// §2.1: `token` is REQUIRED; RFC 6749 §3.2: nothing is repeated; a form, in a POST (§4: never in a query).
#[test]
fn malformed_requests_are_refused() {
    let tokens = grant(&web());
    let call = || Call::post("/introspect").basic("demo-web", "demo-web-secret-7Kq2Xv9Tb4");
    let none: [(&str, &str); 0] = [];
    call().form(&none).send().expect_error(400, "invalid_request");
    call().form(&[("token", "")]).send().expect_error(400, "invalid_request");
    let twice = [("token", tokens.access()), ("token", tokens.access())];
    call().form(&twice).send().expect_error(400, "invalid_request");
    call().query(&twice[..1]).form(&none).send().expect_error(400, "invalid_request");
    call()
        .body("application/json", json!({ "token": tokens.access() }).to_string())
        .send()
        .expect_error(400, "invalid_request");
    let get =
        Call::get("/introspect").basic("demo-web", "demo-web-secret-7Kq2Xv9Tb4").query(&twice[..1]).send().expect(405);
    assert!(get.header("allow").is_some_and(|allow| allow.contains("POST")), "{get:?}");
}

/// §2.2: `application/json`, whatever else is accepted.
#[test]
fn the_answer_is_json() {
    let tokens = grant(&web());
    for accept in ["application/json", "*/*", "text/html", "application/*"] {
        let reply = introspect(&web(), tokens.access(), accept).expect(200).expect_no_store();
        assert_eq!(reply.header("content-type"), Some("application/json"), "{accept}");
        assert!(matches!(reply.json(), Value::Object(told) if told["active"] == true), "{accept}");
    }
}
