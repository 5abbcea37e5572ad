//! Step-up: a challenge of an API leads to a new authorization, whose token the API accepts. Scope: RFC 6750 §3.1; sign-in: RFC 9470.

use serde_json::json;
use std::time::Duration;
use suite::registration::Registered;
use suite::{
    AuthorizationRequest, Browser, Call, Client, Landing, Reply, TokenRequest, Tokens, admin, introspection, issuer,
    jwt, platform, random, service, spa, url, web,
};

const API: &str = "/demo-api";
/// The path whose requests need a sign-in of this class and age.
const RECENT: &str = "/demo-api/recent";
const CLASS: &str = "urn:latchkey:acr:password";
/// Classes of `tests/support/configuration.json`, which a password satisfies.
const SILVER: &str = "urn:suite:silver";
const BRONZE: &str = "urn:suite:bronze";
/// Longer than `max_age` and the difference of clocks that the guard allows.
const TOO_OLD: Duration = Duration::from_secs(5 + 30 + 2);

/// A public client that registered itself, at a redirect URI where consent is remembered.
fn registered() -> Client {
    let metadata = json!({
        "client_name": format!("Step {}", random()), "redirect_uris": ["https://client.example/callback"],
        "token_endpoint_auth_method": "none",
    });
    Registered::new(&metadata).client()
}

fn request(client: &Client, scope: &str) -> AuthorizationRequest {
    AuthorizationRequest::new(client).scope(scope).set("resource", &url(API))
}

fn tokens(browser: &mut Browser, request: &AuthorizationRequest) -> Tokens {
    let code = browser.complete(request).code();
    TokenRequest::code(request, &code).tokens()
}

fn scope(tokens: &Tokens) -> Vec<String> {
    let mut scope: Vec<String> = jwt::verify(tokens.access()).text("scope").split(' ').map(str::to_owned).collect();
    scope.sort_unstable();
    assert_eq!(tokens.text("scope").map(|text| text.split(' ').count()), Some(scope.len()), "RFC 6749 §5.1");
    scope
}

fn recent(tokens: &Tokens) -> Reply {
    Call::get(RECENT).bearer(tokens.access()).send()
}

/// Returns a parameter of the challenge. API Gateway sends none for what an authorizer rejects.
#[track_caller]
fn challenged(reply: &Reply, name: &str) -> String {
    let challenge = reply.header("www-authenticate").unwrap_or_else(|| panic!("no challenge: {reply:?}"));
    let (_, rest) = challenge.split_once(&format!(" {name}=\"")).unwrap_or_else(|| panic!("no {name}: {reply:?}"));
    rest.split('"').next().unwrap_or_default().to_owned()
}

/// RFC 9470 §3: status, error code, `acr_values`, `max_age`; and the scope, so that one authorization suffices.
#[track_caller]
fn needs_sign_in(reply: Reply) {
    if platform() == "lambda" {
        reply.expect(403);
        return;
    }
    let reply = reply.expect(401).expect_no_store();
    assert_eq!(reply.json()["error"], "insufficient_user_authentication", "{reply:?}");
    let parameters = ["error", "acr_values", "max_age", "scope"].map(|name| challenged(&reply, name));
    assert_eq!(parameters, ["insufficient_user_authentication", CLASS, "5", "demo:read"], "{reply:?}");
    assert_eq!(reply.header("access-control-allow-origin"), Some("*"), "{reply:?}");
}

/// RFC 9470: a token whose sign-in is too old gets a challenge. The client sends the user to a new authorization with `acr_values` and
/// `max_age`, and its token is accepted.
#[test]
fn a_challenge_leads_to_a_new_sign_in_and_an_accepted_token() {
    let mut browser = Browser::new_signed_in();
    let client = spa();
    let first = tokens(&mut browser, &request(&client, "openid demo:read"));
    recent(&first).expect(200);
    suite::wait(TOO_OLD);
    Call::get(API).bearer(first.access()).send().expect(200);
    needs_sign_in(recent(&first));
    let again = request(&client, "openid demo:read").set("acr_values", CLASS).set("max_age", "5");
    let page = browser.authorize(&again).login_page();
    let callback = browser.finish(Landing::Page(Box::new(page)), suite::USERNAME, suite::PASSWORD);
    let second = TokenRequest::code(&again, &callback.code()).tokens();
    recent(&second).expect(200);
    let (old, new) = (jwt::verify(first.access()), jwt::verify(second.access()));
    assert!(new.number("auth_time") > old.number("auth_time"));
    assert_eq!((new.text("acr"), old.text("acr")), (CLASS, CLASS));
    // RFC 9470 §6.1: a refresh is no sign-in.
    let refreshed = first.refresh_request().tokens();
    assert_eq!(jwt::verify(refreshed.access()).number("auth_time"), old.number("auth_time"));
    needs_sign_in(recent(&refreshed));
}

/// RFC 9470 §3: a token without a user has no sign-in at all.
#[test]
fn a_token_without_a_user_has_no_sign_in() {
    let tokens =
        TokenRequest::client_credentials(&service()).set("scope", "demo:read").set("resource", &url(API)).tokens();
    needs_sign_in(recent(&tokens));
    Call::get(API).bearer(tokens.access()).send().expect(200);
}

/// RFC 9470 §6.2: introspection tells `acr` and `auth_time`; so an opaque token is judged alike.
#[test]
fn opaque_tokens_are_judged_alike() {
    let arguments =
        ["--scope", "openid demo:read", "--set", "access_token_format=opaque", "--set", "skip_consent=true"];
    let client = admin::client("suite-step-opaque", &[&["--confidential"], &arguments[..]].concat());
    let tokens = tokens(&mut Browser::new_signed_in(), &request(&client, "openid demo:read"));
    assert!(tokens.access().starts_with("lka_"));
    recent(&tokens).expect(200);
    let told = introspection(&client, tokens.access());
    assert_eq!(told["acr"], CLASS, "{told}");
    assert!(told["auth_time"].is_i64(), "{told}");
}

/// RFC 9470 §5: a class that no sign-in reaches fails where the request is for an API: its client would return with a token that the API
/// rejects again. OpenID Connect Core §3.1.2.1: elsewhere `acr_values` are wishes.
#[test]
fn a_class_that_cannot_be_reached_fails_for_an_api() {
    let client = spa();
    let classes = |values: &str| request(&client, "openid demo:read").set("acr_values", values);
    let callback = Browser::signed_in().authorize(&classes("urn:example:strong 2")).callback();
    assert_eq!(callback.error(), "unmet_authentication_requirements");
    let mut browser = Browser::signed_in();
    tokens(&mut browser, &classes(&format!("urn:example:strong {CLASS}")));
    tokens(&mut browser, &AuthorizationRequest::new(&client).set("acr_values", "urn:example:strong"));
    let essential = json!({ "id_token": { "acr": { "essential": true, "value": CLASS } } }).to_string();
    let reached = tokens(&mut browser, &request(&client, "openid demo:read").set("claims", &essential));
    assert_eq!(jwt::verify(reached.access()).text("acr"), CLASS);
    let metadata = Call::get("/.well-known/oauth-authorization-server").send().expect(200).json();
    assert_eq!(
        metadata["acr_values_supported"],
        json!([SILVER, BRONZE, "urn:latchkey:acr:passkey", "urn:latchkey:acr:mfa", CLASS]),
        "RFC 9470 §7"
    );
    assert_eq!(metadata["issuer"], issuer());
}

/// RFC 9470 §5: the tokens name the first requested class that the sign-in satisfies, in each of their forms. A session that satisfies the
/// class needs no new sign-in.
#[test]
fn tokens_name_the_requested_class() {
    let client = admin::client("suite-step-classes", &["--confidential", "--scope", "openid demo:read offline_access"]);
    let mut browser = Browser::new_signed_in();
    let asks = |values: &str| request(&client, "openid demo:read offline_access").set("acr_values", values);
    tokens(&mut browser, &asks(""));
    for (values, acr) in [
        (SILVER, SILVER),
        (&format!("urn:suite:gold {BRONZE} {SILVER}"), BRONZE),
        (&format!("{CLASS} {SILVER}"), CLASS),
        ("", CLASS),
    ] {
        let asked = asks(values).set("prompt", "none");
        let callback = browser.authorize(&asked).callback();
        let tokens = TokenRequest::code(&asked, &callback.code()).tokens();
        let refreshed = tokens.refresh_request().tokens();
        for tokens in [&tokens, &refreshed] {
            assert_eq!(jwt::verify(tokens.access()).text("acr"), acr, "{values}");
            assert_eq!(introspection(&client, tokens.access())["acr"], acr, "{values}");
        }
        assert_eq!(jwt::verify(tokens.id()).text("acr"), acr, "{values}");
        assert_eq!(jwt::verify(tokens.id()).claims["amr"], json!(["pwd"]), "the methods stay what they are");
    }
}

/// OpenID Connect Core §5.5.1.1: the claim `acr`, essential or voluntary, with one value or several.
#[test]
fn the_claim_acr_is_met_by_configured_classes() {
    let client = web();
    let mut browser = Browser::signed_in();
    let asks = |acr: serde_json::Value| {
        let claims = json!({ "id_token": { "acr": acr } }).to_string();
        AuthorizationRequest::new(&client).set("claims", &claims)
    };
    for (claim, acr) in [
        (json!({ "essential": true, "value": SILVER }), SILVER),
        (json!({ "essential": true, "values": ["urn:suite:gold", BRONZE, SILVER] }), BRONZE),
        (json!({ "value": SILVER }), SILVER),
        (json!({ "values": ["urn:suite:gold", CLASS] }), CLASS),
        (json!({ "value": "urn:suite:gold" }), CLASS),
        (json!({ "essential": true }), CLASS),
        (json!(null), CLASS),
    ] {
        let tokens = tokens(&mut browser, &asks(claim.clone()));
        assert_eq!(jwt::verify(tokens.id()).text("acr"), acr, "{claim}");
    }
    for claim in [json!({ "essential": true, "value": "urn:suite:gold" }), json!({ "essential": true, "values": [] })] {
        let callback = browser.authorize(&asks(claim.clone())).callback();
        assert_eq!(callback.error(), "unmet_authentication_requirements", "{claim}");
    }
    // An essential claim comes before acr_values.
    let both = asks(json!({ "essential": true, "value": SILVER })).set("acr_values", BRONZE);
    assert_eq!(jwt::verify(tokens(&mut browser, &both).id()).text("acr"), SILVER);
}

/// OpenID Connect Registration §2: `default_acr_values` apply to a request that has neither `acr_values` nor the claim `acr`.
#[test]
fn default_classes_of_a_client() {
    let defaults = format!("default_acr_values={}", json!(["urn:suite:gold", SILVER]));
    let client =
        admin::client("suite-step-default", &["--confidential", "--scope", "openid demo:read", "--set", &defaults]);
    let mut browser = Browser::signed_in();
    let plain = request(&client, "openid demo:read");
    let claims = json!({ "id_token": { "acr": { "value": CLASS } } }).to_string();
    for (asked, acr) in [
        (plain.clone(), SILVER),
        (plain.clone().set("acr_values", BRONZE), BRONZE),
        (plain.set("claims", &claims), CLASS),
    ] {
        assert_eq!(jwt::verify(tokens(&mut browser, &asked).access()).text("acr"), acr);
    }
}

/// RFC 6750 §3.1: a 403 names the scope that lacks. The client asks for that alone, the user allows what is new, and the token has both.
#[test]
fn a_new_scope_is_added_to_the_earlier_ones() {
    let mut browser = Browser::signed_in();
    let client = registered();
    let first = tokens(&mut browser, &request(&client, "demo:read"));
    assert_eq!(scope(&first), ["demo:read"]);
    let refused = Call::post(API).bearer(first.access()).send().expect(403);
    if platform() != "lambda" {
        assert_eq!(challenged(&refused, "scope"), "demo:write", "{refused:?}");
    }
    let more = request(&client, "demo:write");
    let page = browser.authorize(&more).consent_page();
    let shown = page.text();
    assert!(shown.contains("demo:write") && shown.contains("demo:read"), "what is granted is shown: {shown}");
    let callback = browser.decide(&page, "allow").callback();
    let second = TokenRequest::code(&more, &callback.code()).tokens();
    assert_eq!(scope(&second), ["demo:read", "demo:write"]);
    Call::post(API).bearer(second.access()).send().expect(200);
    // A client that asks for one of them again loses neither, and no page asks.
    let again = request(&client, "demo:read");
    let callback = browser.authorize(&again).callback();
    assert_eq!(scope(&TokenRequest::code(&again, &callback.code()).tokens()), ["demo:read", "demo:write"]);
}

/// Scopes that the user allowed at an API are not added to a request for something else, and never to a request of another user.
#[test]
fn earlier_scopes_are_of_this_api_and_this_user() {
    let mut browser = Browser::signed_in();
    let client = registered();
    tokens(&mut browser, &request(&client, "demo:read"));
    let signs_in = AuthorizationRequest::new(&client).scope("openid");
    assert_eq!(tokens(&mut browser, &signs_in).text("scope"), Some("openid"));
    let other = admin::user("suite-step-other");
    let wants = request(&client, "demo:write");
    let callback = Browser::new().complete_as(&wants, &other, admin::PASSWORD);
    assert_eq!(scope(&TokenRequest::code(&wants, &callback.code()).tokens()), ["demo:write"]);
}

/// A client of the operator gets what it asks for: it may want a token that can do less.
#[test]
fn a_client_of_the_operator_gets_what_it_asks_for() {
    let mut browser = Browser::signed_in();
    let client = admin::client("suite-step-operator", &["--confidential", "--scope", "openid demo:read demo:write"]);
    let both = tokens(&mut browser, &request(&client, "demo:read demo:write"));
    assert_eq!(scope(&both), ["demo:read", "demo:write"]);
    assert_eq!(scope(&tokens(&mut browser, &request(&client, "demo:read"))), ["demo:read"]);
}

/// A known scope that the client may not have is left out; `invalid_scope` follows if none is left.
#[test]
fn a_scope_that_the_client_may_not_have_is_left_out() {
    let client = admin::client("suite-step-narrow", &["--confidential", "--scope", "openid demo:read"]);
    let mut browser = Browser::signed_in();
    assert_eq!(scope(&tokens(&mut browser, &request(&client, "demo:read demo:write"))), ["demo:read"]);
    assert_eq!(browser.authorize(&request(&client, "demo:write")).callback().error(), "invalid_scope");
    assert_eq!(browser.authorize(&request(&client, "demo:read no-such-scope")).callback().error(), "invalid_scope");
}
