//! Accepted and rejected requests, and the number of requests to the authorization server.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]
#![allow(clippy::arithmetic_side_effects, clippy::expect_used, reason = "as above")]

mod server;

use futures::executor::block_on;
use http::{HeaderMap, HeaderValue, Method, header};
use jose::Algorithm;
use latchkey_resource_server::{Access, AccessError, Config, RequestHead, ResourceServer, Scope, Timestamp};
use serde_json::json;
use server::{ISSUER, NOW, RESOURCE, Server, claims, key, token};
use std::sync::Arc;
use std::time::Duration;

const AGE: Duration = Duration::from_secs(10);

struct Api {
    server: Arc<Server>,
    guard: ResourceServer,
}

fn api(change: impl FnOnce(Config) -> Config) -> Api {
    let server = Arc::new(Server::default());
    let guard = ResourceServer::new(change(Config::new(ISSUER, RESOURCE)), server.clone());
    Api { server, guard }
}

fn introspecting(config: Config) -> Config {
    config.with_introspection("api", "s:", AGE)
}

fn checked(config: Config) -> Config {
    let mut config = introspecting(config);
    config.introspection.as_mut().unwrap().checks_jwts = true;
    config
}

fn phantom(config: Config) -> Config {
    let mut config = introspecting(config);
    config.introspection.as_mut().unwrap().phantom = true;
    config
}

fn es256_alone() -> Api {
    api(|mut config| {
        config.algorithms = vec![Algorithm::ES256];
        config
    })
}

impl Api {
    async fn check(&self, token: &str, scope: &str, now: Timestamp) -> Result<Access, AccessError> {
        let mut headers = HeaderMap::new();
        headers.insert(header::AUTHORIZATION, HeaderValue::from_str(&format!("Bearer {token}")).unwrap());
        let head = RequestHead { method: &Method::GET, url: "/", headers: &headers, certificate: None };
        self.guard.check(&head, &Scope::parse(scope).unwrap(), now).await
    }
}

fn seconds(seconds: u64) -> Timestamp {
    NOW.after(Duration::from_secs(seconds))
}

#[track_caller]
fn is_invalid(outcome: Result<Access, AccessError>) {
    assert!(matches!(outcome, Err(AccessError::InvalidToken(_))), "{outcome:?}");
}

#[test]
fn a_jwt_is_verified_with_the_keys_of_its_issuer() {
    block_on(async {
        let api = api(|config| config);
        let (signing, public) = key(Algorithm::ES256, "1").await;
        api.server.publish(&[&public]);
        let jwt = token(&signing, "at+jwt", &claims(json!({}))).await;
        let access = api.check(&jwt, "read", NOW).await.unwrap();
        assert_eq!((access.claims.sub.as_str(), access.jwt.as_deref()), ("ada", Some(jwt.as_str())));
        // RFC 9068 §4: `application/at+jwt` is the same type.
        let long = token(&signing, "application/at+jwt", &claims(json!({}))).await;
        api.check(&long, "", NOW).await.unwrap();
        let outcome = api.check(&jwt, "read write", NOW).await;
        assert_eq!(outcome.unwrap_err(), AccessError::InsufficientScope(Scope::parse("read write").unwrap()));
        assert_eq!(api.server.times("/jwks"), 1);
    });
}

/// RFC 9068 §4, RFC 8725 §3.1, §3.11: another type, algorithm, key; `none` and HMAC.
#[test]
fn what_the_issuer_did_not_sign_as_an_access_token_is_refused() {
    block_on(async {
        let api = api(|config| config);
        let (signing, public) = key(Algorithm::ES256, "1").await;
        let (rsa, rsa_public) = key(Algorithm::RS256, "2").await;
        let (foreign, _) = key(Algorithm::ES256, "1").await;
        api.server.publish(&[&public, &rsa_public]);
        let claims = claims(json!({}));
        for typ in ["JWT", "logout+jwt", "at+jwtx", ""] {
            is_invalid(api.check(&token(&signing, typ, &claims).await, "", NOW).await);
        }
        is_invalid(api.check(&token(&foreign, "at+jwt", &claims).await, "", NOW).await);
        api.check(&token(&rsa, "at+jwt", &claims).await, "", NOW).await.unwrap();
        let strict = es256_alone();
        strict.server.publish(&[&public, &rsa_public]);
        is_invalid(strict.check(&token(&rsa, "at+jwt", &claims).await, "", NOW).await);
        let good = token(&signing, "at+jwt", &claims).await;
        let payload = good.split('.').nth(1).unwrap();
        for header in
            ["eyJhbGciOiJub25lIiwidHlwIjoiYXQrand0In0", "eyJhbGciOiJIUzI1NiIsInR5cCI6ImF0K2p3dCIsImtpZCI6IjEifQ"]
        {
            is_invalid(api.check(&format!("{header}.{payload}."), "", NOW).await);
            is_invalid(api.check(&format!("{header}.{payload}.AAAA"), "", NOW).await);
        }
        for other in ["x", "lkr_refresh", "a.b", "a.b.c.d", &format!("{good}x")] {
            is_invalid(api.check(other, "", NOW).await);
        }
        // An opaque token, without introspection.
        is_invalid(api.check("lka_x", "", NOW).await);
        assert_eq!(api.server.times("/introspect"), 0);
    });
}

/// A token that names an unknown key causes a fetch, on average once a second at most.
#[test]
fn keys_are_kept_for_minutes_and_fetched_when_a_token_names_a_new_one() {
    block_on(async {
        let api = api(|config| config);
        let ((one, one_public), (two, two_public)) =
            (key(Algorithm::ES256, "1").await, key(Algorithm::ES256, "2").await);
        let claims = claims(json!({}));
        let (first, second) = (token(&one, "at+jwt", &claims).await, token(&two, "at+jwt", &claims).await);
        api.server.publish(&[&one_public]);
        api.check(&first, "", NOW).await.unwrap();
        for _ in 0..10 {
            is_invalid(api.check(&second, "", NOW).await);
        }
        assert_eq!(api.server.times("/jwks"), 5);
        api.server.publish(&[&one_public, &two_public]);
        api.check(&second, "", seconds(5)).await.unwrap();
        api.check(&first, "", seconds(300)).await.unwrap();
        assert_eq!(api.server.times("/jwks"), 6);
        // A withdrawn key is used for five minutes at most.
        api.server.publish(&[&two_public]);
        is_invalid(api.check(&first, "", seconds(305)).await);
        assert_eq!(api.server.times("/jwks"), 7);
        // The issuer is down: the last keys are used for an hour after their lifetime.
        *api.server.keys.lock().unwrap() = None;
        let late = server::claims(json!({ "exp": NOW.as_secs() + 10_000 }));
        let late = token(&two, "at+jwt", &late).await;
        for after in [605, 606, 609, 610, 614] {
            api.check(&late, "", seconds(after)).await.unwrap();
        }
        // Fetched again at 605 and at 610 alone: an issuer that hangs delays no other request.
        assert_eq!(api.server.times("/jwks"), 9);
        api.check(&late, "", seconds(4204)).await.unwrap();
        assert!(matches!(api.check(&late, "", seconds(4205)).await, Err(AccessError::Unavailable(_))));
    });
}

#[test]
fn an_opaque_token_is_introspected_and_remembered() {
    block_on(async {
        let api = api(introspecting);
        let mut active = claims(json!({ "active": true, "token_type": "Bearer" }));
        api.server.say("application/json", &active);
        let access = api.check("lka_a", "read", NOW).await.unwrap();
        assert_eq!((access.claims.client_id.as_str(), access.jwt), ("app", None));
        assert_eq!(*api.server.forms.lock().unwrap(), ["token=lka_a&token_type_hint=access_token"]);
        api.server.say("application/json", json!({ "active": false }));
        api.check("lka_a", "read", seconds(9)).await.unwrap();
        assert_eq!(api.server.times("/introspect"), 1);
        // The revocation takes effect when the answer is too old, and for good.
        is_invalid(api.check("lka_a", "read", seconds(10)).await);
        is_invalid(api.check("lka_a", "read", seconds(11)).await);
        assert_eq!(api.server.times("/introspect"), 2);
        // Audience and expiry are checked whatever the server answers; the expiry also of a cached answer.
        active["aud"] = json!("https://other.example/");
        api.server.say("application/json", &active);
        is_invalid(api.check("lka_b", "", NOW).await);
        let short = claims(json!({ "active": true, "exp": NOW.as_secs() - 28 }));
        api.server.say("application/json", short);
        api.check("lka_c", "", NOW).await.unwrap();
        is_invalid(api.check("lka_c", "", seconds(2)).await);
    });
}

#[test]
fn a_jwt_is_introspected_when_its_revocation_is_to_be_noticed() {
    block_on(async {
        let api = api(checked);
        let (signing, public) = key(Algorithm::ES256, "1").await;
        api.server.publish(&[&public]);
        let jwt = token(&signing, "at+jwt", &claims(json!({}))).await;
        api.server.say("application/json", json!({ "active": true }));
        api.check(&jwt, "", NOW).await.unwrap();
        api.server.say("application/json", json!({ "active": false }));
        api.check(&jwt, "", seconds(9)).await.unwrap();
        is_invalid(api.check(&jwt, "", seconds(10)).await);
        assert_eq!(api.server.times("/introspect"), 2);
        // A forged token costs no call.
        let (foreign, _) = key(Algorithm::ES256, "1").await;
        is_invalid(api.check(&token(&foreign, "at+jwt", &claims(json!({}))).await, "", NOW).await);
        assert_eq!(api.server.times("/introspect"), 2);
    });
}

/// A phantom token is verified like any other JWT.
#[test]
fn an_opaque_token_is_exchanged_for_a_jwt() {
    block_on(async {
        let api = api(phantom);
        let (signing, public) = key(Algorithm::ES256, "1").await;
        let (foreign, _) = key(Algorithm::ES256, "1").await;
        api.server.publish(&[&public]);
        let jwt = token(&signing, "at+jwt", &claims(json!({}))).await;
        api.server.say("application/jwt", &jwt);
        let access = api.check("lka_a", "read", NOW).await.unwrap();
        assert_eq!(access.jwt.as_deref(), Some(jwt.as_str()));
        assert!(api.server.asked.lock().unwrap().contains(&("/introspect".to_owned(), "application/jwt".to_owned())));
        api.server.say("application/jwt", token(&foreign, "at+jwt", &claims(json!({}))).await);
        is_invalid(api.check("lka_b", "", NOW).await);
        api.server.say("application/jwt", token(&signing, "at+jwt", &claims(json!({ "cnf": { "jkt": "x" } }))).await);
        is_invalid(api.check("lka_c", "", NOW).await);
        api.server.say("application/json", json!({ "active": false }));
        is_invalid(api.check("lka_d", "", NOW).await);
        api.server.say("application/json", claims(json!({ "active": true })));
        assert!(matches!(api.check("lka_e", "", NOW).await, Err(AccessError::Unavailable(_))));
    });
}

#[test]
fn a_fault_is_no_refusal_and_is_not_remembered() {
    block_on(async {
        let api = api(introspecting);
        let unavailable = |outcome| assert!(matches!(outcome, Err(AccessError::Unavailable(_))));
        unavailable(api.check("lka_a", "", NOW).await);
        for (content_type, body) in [("text/html", "<p>"), ("application/json", "{}"), ("application/json", "[")] {
            api.server.say(content_type, body);
            unavailable(api.check("lka_a", "", NOW).await);
        }
        api.server.say("application/json", claims(json!({ "active": true })));
        api.check("lka_a", "", NOW).await.unwrap();
        let (signing, _) = key(Algorithm::ES256, "1").await;
        unavailable(api.check(&token(&signing, "at+jwt", &claims(json!({}))).await, "", NOW).await);
    });
}
