//! Token exchange: RFC 8693, with resource indicators (RFC 8707).

use serde_json::{Value, json};
use std::sync::OnceLock;
use suite::{
    AuthorizationRequest, Browser, Client, TokenRequest, Tokens, admin, base, exchanger, grant, introspection, issuer,
    jwt, revoke, service, spa, url, web,
};

const ACCESS: &str = "urn:ietf:params:oauth:token-type:access_token";
const REFRESH: &str = "urn:ietf:params:oauth:token-type:refresh_token";
const ID: &str = "urn:ietf:params:oauth:token-type:id_token";
const JWT: &str = "urn:ietf:params:oauth:token-type:jwt";
const GRANT: &str = "urn:ietf:params:oauth:grant-type:token-exchange";

fn api() -> String {
    url("/demo-api")
}

fn exchange(client: &Client, token: &str, kind: &str) -> TokenRequest {
    TokenRequest::new(client, GRANT).set("subject_token", token).set("subject_token_type", kind)
}

fn refused(request: &TokenRequest) {
    request.send().expect_error(400, "invalid_request");
}

/// Tokens of one grant, for tests that do not end it.
fn shared() -> &'static Tokens {
    static TOKENS: OnceLock<Tokens> = OnceLock::new();
    TOKENS.get_or_init(|| {
        let request = AuthorizationRequest::new(&spa()).offline().scope("openid demo:read demo:write offline_access");
        TokenRequest::code(&request, &Browser::new_signed_in().complete(&request).code()).tokens()
    })
}

/// A client that must say who acts, and may exchange its own tokens again.
fn delegate() -> Client {
    let grants = format!("grant_types=[\"{GRANT}\",\"client_credentials\"]");
    let policy = json!({
        "subject_clients": ["demo-spa", "suite-delegate", "demo-exchange"],
        "subject_audiences": [base(), format!("{}/demo-api", base())],
        "audiences": [format!("{}/demo-api", base()), "https://other-api.test"],
    });
    let policy = format!("token_exchange={policy}");
    admin::client("suite-delegate", &["--service", "--scope", "openid demo:read", "--set", &grants, "--set", &policy])
}

fn own_token(client: &Client) -> String {
    TokenRequest::client_credentials(client).tokens().access().to_owned()
}

/// §2.2.1: an access token for the audience, with the same subject, and its type.
#[test]
fn an_access_token_is_exchanged() {
    let subject = jwt::read(shared().access());
    let tokens = exchange(&exchanger(), shared().access(), ACCESS).set("audience", &api()).tokens();
    assert_eq!(tokens.text("issued_token_type"), Some(ACCESS));
    assert!(tokens.text("refresh_token").is_none() && tokens.text("id_token").is_none(), "{tokens:?}");
    let token = jwt::verify(tokens.access());
    assert_eq!((token.text("sub"), token.text("client_id")), (subject.text("sub"), "demo-exchange"));
    assert!(token.is_for(&api()) && !token.is_for(issuer()), "{token:?}");
    assert_eq!(token.text("scope"), "demo:read demo:write", "the scopes of the audience");
    assert!(token.number("exp") <= subject.number("exp"), "it lives no longer");
    assert!(token.claims.get("act").is_none(), "nobody is said to act: impersonation (§1.1)");
    assert_ne!(token.text("jti"), subject.text("jti"));
}

/// §3: each type of token that this server issues can be exchanged, under its name or, if it is one, as a JWT.
#[test]
fn each_type_of_token_is_exchanged() {
    let person = jwt::read(shared().access()).text("sub").to_owned();
    for (token, kind) in [
        (shared().access(), ACCESS),
        (shared().access(), JWT),
        (shared().id(), ID),
        (shared().id(), JWT),
        (shared().refresh(), REFRESH),
    ] {
        let tokens = exchange(&exchanger(), token, kind).set("audience", &api()).tokens();
        assert_eq!(jwt::verify(tokens.access()).text("sub"), person, "{kind}");
    }
    // An exchange is not a use of the refresh token.
    let tokens = grant(&web());
    exchange(&exchanger(), tokens.refresh(), REFRESH).tokens();
    tokens.refresh_request().tokens();
}

/// §3: a token is what it is said to be, or it is refused.
#[test]
fn types_are_not_confused() {
    let tokens = shared();
    for (token, kind) in [
        (tokens.access(), ID),
        (tokens.access(), REFRESH),
        (tokens.id(), ACCESS),
        (tokens.id(), REFRESH),
        (tokens.refresh(), ACCESS),
        (tokens.refresh(), ID),
        (tokens.refresh(), JWT),
        (tokens.access(), "urn:ietf:params:oauth:token-type:saml2"),
        (tokens.access(), "access_token"),
    ] {
        refused(&exchange(&exchanger(), token, kind));
    }
}

/// §2.1: the parameters, each missing, wrong or too many.
#[test]
fn requests_are_held_to_their_form() {
    let right = || exchange(&exchanger(), shared().access(), ACCESS).set("audience", &api());
    refused(&right().without("subject_token"));
    refused(&right().without("subject_token_type"));
    refused(&right().set("actor_token_type", ACCESS));
    refused(&right().set("actor_token", "x"));
    refused(&right().set("actor_token", "x").set("actor_token_type", ACCESS));
    refused(&right().also("subject_token", shared().access()));
    refused(&right().also("scope", "openid").also("scope", "profile"));
    for wrong in [REFRESH, ID, "urn:ietf:params:oauth:token-type:saml2", "jwt"] {
        refused(&right().set("requested_token_type", wrong));
    }
    assert_eq!(right().set("requested_token_type", ACCESS).tokens().text("issued_token_type"), Some(ACCESS));
    assert_eq!(right().set("requested_token_type", JWT).tokens().text("issued_token_type"), Some(JWT));
}

/// §2.2.2: a subject token that is forged, another server's, or revoked is `invalid_request`.
#[test]
fn what_is_not_good_is_refused() {
    let of = |token: &str, kind: &str| exchange(&exchanger(), token, kind).set("audience", &api());
    refused(&of(&jwt::tampered(shared().access(), |claims| claims["sub"] = json!("admin")), ACCESS));
    refused(&of(&jwt::unsigned(shared().access()), ACCESS));
    refused(&of(&jwt::tampered(shared().id(), |claims| claims["exp"] = json!(9_999_999_999_u64)), ID));
    refused(&of("nonsense", ACCESS));
    refused(&of(&"a".repeat(30_000), JWT));
    let tokens = grant(&spa());
    of(tokens.access(), ACCESS).tokens();
    revoke(&spa(), tokens.access(), None).expect(200);
    refused(&of(tokens.access(), ACCESS));
    revoke(&spa(), tokens.refresh(), None).expect(200);
    for (token, kind) in [(tokens.refresh(), REFRESH), (tokens.id(), ID)] {
        refused(&of(token, kind));
    }
}

/// A refresh token that was rotated away is not the grant's any more.
#[test]
fn a_rotated_refresh_token_is_refused() {
    let grace = suite::grace();
    let tokens = grant(&spa());
    let next = tokens.refresh_request().tokens();
    suite::wait(grace + std::time::Duration::from_secs(1));
    refused(&exchange(&exchanger(), tokens.refresh(), REFRESH));
    exchange(&exchanger(), next.refresh(), REFRESH).tokens();
    next.refresh_request().tokens();
}

/// The policy names the clients whose tokens may be exchanged.
#[test]
fn tokens_of_other_clients_are_refused() {
    refused(&exchange(&exchanger(), &own_token(&service()), ACCESS));
    refused(&exchange(&exchanger(), &own_token(&exchanger()), ACCESS));
    let acting = own_token(&delegate());
    let of_web = grant(&web());
    for (token, kind) in [(of_web.access(), ACCESS), (of_web.id(), ID), (of_web.refresh(), REFRESH)] {
        let request = exchange(&delegate(), token, kind).set("audience", &api());
        refused(&request.set("actor_token", &acting).set("actor_token_type", ACCESS));
    }
}

/// RFC 8707 §2, RFC 8693 §2.2.2: the policy must name the audience, else `invalid_target`.
#[test]
fn the_audience_is_never_widened() {
    let right = || exchange(&exchanger(), shared().access(), ACCESS);
    assert!(jwt::verify(right().tokens().access()).is_for(&api()), "the only one there is");
    assert!(jwt::verify(right().set("resource", &api()).tokens().access()).is_for(&api()));
    for target in ["https://other.example/", issuer(), "demo-api", &format!("{}/", api())] {
        right().set("audience", target).send().expect_error(400, "invalid_target");
        right().set("resource", target).send().expect_error(400, "invalid_target");
        right().set("resource", &api()).also("audience", target).send().expect_error(400, "invalid_target");
    }
    let acting = own_token(&delegate());
    let delegated =
        exchange(&delegate(), shared().access(), ACCESS).set("actor_token", &acting).set("actor_token_type", ACCESS);
    delegated.clone().send().expect_error(400, "invalid_target");
    let both = delegated.set("audience", &api()).set("resource", "https://other-api.test").tokens();
    let token = jwt::verify(both.access());
    assert!(token.is_for(&api()) && token.is_for("https://other-api.test"));
}

/// §2.1: the scope is within that of the subject token, and within what the client may have.
#[test]
fn the_scope_is_never_widened() {
    let right = || exchange(&exchanger(), shared().access(), ACCESS);
    assert_eq!(right().set("scope", "demo:read").tokens().text("scope"), Some("demo:read"));
    for scope in ["address", "demo:read address", "read", "openid", "offline_access", "\u{fc}", "DEMO:READ"] {
        right().set("scope", scope).send().expect_error(400, "invalid_scope");
    }
    // Narrowed once, it stays narrow.
    let narrow = right().set("scope", "demo:read").tokens();
    let acting = own_token(&delegate());
    let again = exchange(&delegate(), narrow.access(), ACCESS).set("audience", &api());
    let again = again.set("actor_token", &acting).set("actor_token_type", ACCESS);
    assert_eq!(again.clone().tokens().text("scope"), Some("demo:read"));
    again.set("scope", "demo:write").send().expect_error(400, "invalid_scope");
}

/// §2.1, §5: an ID token is worth no more than the access token of the same response.
#[test]
fn an_id_token_is_as_narrow_as_its_access_token() {
    let request = AuthorizationRequest::new(&spa()).offline().scope("openid demo:read demo:write offline_access");
    let wide = TokenRequest::code(&request, &Browser::signed_in().complete(&request).code()).tokens();
    let narrow = wide.refresh_request().set("scope", "openid demo:read").tokens();
    let right = |tokens: &Tokens| exchange(&exchanger(), tokens.id(), ID);
    assert_eq!(right(&wide).tokens().text("scope"), Some("demo:read demo:write"));
    assert_eq!(right(&narrow).tokens().text("scope"), Some("demo:read"));
    right(&narrow).set("scope", "demo:write").send().expect_error(400, "invalid_scope");
}

/// §2.1: the policy names the types of token, and access tokens alone by default.
#[test]
fn other_tokens_are_exchanged_only_where_the_policy_names_them() {
    let acting = own_token(&delegate());
    for (token, kind) in [(shared().id(), ID), (shared().id(), JWT), (shared().refresh(), REFRESH)] {
        let request = exchange(&delegate(), token, kind).set("audience", &api());
        refused(&request.set("actor_token", &acting).set("actor_token_type", ACCESS));
    }
}

/// §5: a token for one API cannot be turned into a token for another one by a client that it was not for.
#[test]
fn a_token_for_another_audience_is_refused() {
    let grants = format!("grant_types=[\"{GRANT}\"]");
    let policy = |audiences: Value| {
        let mut policy = json!({
            "subject_clients": ["demo-spa", "demo-exchange"], "audiences": ["https://other-api.test"], "impersonation": true,
        });
        if !audiences.is_null() {
            policy["subject_audiences"] = audiences;
        }
        format!("token_exchange={policy}")
    };
    let client = |id: &str, audiences: Value, introspects: Value| {
        let (policy, introspects) = (policy(audiences), format!("introspects={introspects}"));
        let settings = ["--set", &grants, "--set", &policy, "--set", &introspects];
        admin::client(id, &[&["--service", "--scope", "openid profile"][..], &settings].concat())
    };
    let for_api = exchange(&exchanger(), shared().access(), ACCESS).tokens();
    let ask = |client: &Client| exchange(client, for_api.access(), ACCESS);
    refused(&ask(&client("suite-exchange-other", Value::Null, json!(["https://other-api.test"]))));
    refused(&ask(&client("suite-exchange-named", json!([base()]), json!([api()]))));
    for client in [
        client("suite-exchange-own", Value::Null, json!([api()])),
        client("suite-exchange-listed", json!(["https://x.test", api()]), json!([])),
    ] {
        assert!(jwt::verify(ask(&client).tokens().access()).is_for("https://other-api.test"));
    }
}

/// §1.1, §4.1: a client that may not impersonate names who acts, and the token says so; who acted before stays.
#[test]
fn delegation_names_who_acts() {
    let client = delegate();
    let plain = |token: &str| exchange(&client, token, ACCESS).set("audience", &api());
    refused(&plain(shared().access()));
    let acting = own_token(&client);
    let by = |token: &str| plain(token).set("actor_token", &acting).set("actor_token_type", ACCESS);

    let first = by(shared().access()).tokens();
    let token = jwt::verify(first.access());
    assert_eq!(token.claims["act"], json!({ "sub": "suite-delegate" }));
    assert_eq!(token.text("sub"), jwt::read(shared().access()).text("sub"));

    let second = by(first.access()).tokens();
    let act = &jwt::verify(second.access()).claims["act"];
    assert_eq!(*act, json!({ "sub": "suite-delegate", "act": { "sub": "suite-delegate" } }));

    // The chain is bounded.
    let mut tokens = second;
    let depth = |tokens: &Tokens| {
        std::iter::successors(jwt::read(tokens.access()).claims.get("act").cloned(), |act: &Value| {
            act.get("act").cloned()
        })
        .count()
    };
    while depth(&tokens) < 4 {
        tokens = by(tokens.access()).tokens();
    }
    refused(&by(tokens.access()));
}

/// §2.1: the actor token is good, is the client's own or one that the policy lets in, and acts in its own name.
#[test]
fn actors_are_proved() {
    let client = delegate();
    let by = |actor: &str, kind: &str| {
        exchange(&client, shared().access(), ACCESS)
            .set("audience", &api())
            .set("actor_token", actor)
            .set("actor_token_type", kind)
    };
    let acting = own_token(&client);
    refused(&by(&jwt::tampered(&acting, |claims| claims["sub"] = json!("admin")), ACCESS));
    refused(&by(&own_token(&service()), ACCESS));
    refused(&by(grant(&web()).access(), ACCESS));
    refused(&by(&acting, ID));
    // A user may be the actor, through a client that the policy names.
    let person = by(shared().access(), ACCESS).tokens();
    let act = &jwt::verify(person.access()).claims["act"];
    assert_eq!((&act["sub"], &act["client_id"]), (&jwt::read(shared().access()).claims["sub"], &json!("demo-spa")));
    refused(&by(person.access(), ACCESS));
    // One that was revoked does not act.
    let gone = own_token(&client);
    by(&gone, JWT).tokens();
    revoke(&client, &gone, None).expect(200);
    refused(&by(&gone, ACCESS));
}

/// A token ends with its origin: with the one access token, and with the grant.
#[test]
fn what_is_issued_dies_with_its_origin() {
    let is_live = |token: &str| introspection(&exchanger(), token)["active"] == true;
    let tokens = grant(&spa());
    let issue = |token: &str, kind: &str| exchange(&exchanger(), token, kind).tokens();
    let (of_access, of_id, of_refresh) =
        (issue(tokens.access(), ACCESS), issue(tokens.id(), ID), issue(tokens.refresh(), REFRESH));
    for tokens in [&of_access, &of_id, &of_refresh] {
        assert!(is_live(tokens.access()), "{tokens:?}");
    }
    // The client that exchanged can revoke what it got, and that alone.
    revoke(&exchanger(), of_id.access(), None).expect(200);
    assert!(!is_live(of_id.access()) && is_live(of_access.access()));
    let of_id = issue(tokens.id(), ID);
    revoke(&spa(), tokens.access(), None).expect(200);
    assert!(!is_live(of_access.access()), "it came from the token that was revoked");
    assert!(!is_live(of_id.access()), "the ID token came with the token that was revoked");
    assert!(is_live(of_refresh.access()), "the grant lives on");
    refused(&exchange(&exchanger(), tokens.id(), ID));
    revoke(&spa(), tokens.refresh(), None).expect(200);
    assert!(!is_live(of_refresh.access()));
}

/// A client's own token, exchanged along a chain, dies with the first of it.
#[test]
fn a_chain_without_a_grant_dies_with_its_first_token() {
    let client = delegate();
    let (subject, acting) = (own_token(&client), own_token(&client));
    let by = |token: &str| {
        let request = exchange(&client, token, ACCESS).set("audience", &api());
        request.set("actor_token", &acting).set("actor_token_type", ACCESS)
    };
    let first = by(&subject).tokens();
    by(first.access()).tokens();
    revoke(&client, &subject, None).expect(200);
    refused(&by(first.access()));
}

/// §2.1, §5: the client authenticates, and is registered to exchange.
#[test]
fn the_client_is_held_to_its_registration() {
    let token = shared().access();
    exchange(&spa(), token, ACCESS).send().expect_error(400, "unauthorized_client");
    exchange(&service(), token, ACCESS).send().expect_error(400, "unauthorized_client");
    exchange(&Client::confidential("demo-exchange", "wrong"), token, ACCESS).send().expect_error(401, "invalid_client");
    exchange(&Client::public("demo-exchange"), token, ACCESS).send().expect_error(401, "invalid_client");
}

/// Exchanges at once do not hinder each other: the subject token is not used up.
#[test]
fn exchanges_at_once_all_succeed() {
    let replies = exchange(&exchanger(), shared().refresh(), REFRESH).send_at_once();
    let tokens: Vec<_> = replies.into_iter().map(|reply| Tokens::read(&exchanger(), reply)).collect();
    let mut names: Vec<_> = tokens.iter().map(|tokens| jwt::read(tokens.access()).text("jti").to_owned()).collect();
    names.sort();
    names.dedup();
    assert_eq!(names.len(), tokens.len());
}
