//! Audit events: each security-relevant act is one event of the request's one log line, and no event holds a secret.

use crate::common::{PASSWORD, deployment, keep_log};
use http::Method;
use latchkey_http::Response;
use provider::shell;
use serde_json::{Value, json};
use simulation::{Flow, Instance, Tokens};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use storage::memory::Memory;

/// An instance whose log lines are kept.
async fn instance() -> (Instance, Arc<Mutex<Vec<String>>>) {
    let mut instance = deployment(Arc::new(Memory::new())).await;
    let lines = keep_log(&mut instance);
    (instance, lines)
}

/// The events of the log lines so far, without what is the same in all; the lines are forgotten.
fn events(lines: &Mutex<Vec<String>>) -> Vec<Value> {
    let mut all = Vec::new();
    for line in lines.lock().unwrap().drain(..) {
        let line: Value = serde_json::from_str(&line).unwrap();
        for mut event in line["events"].as_array().cloned().unwrap_or_default() {
            let members = event.as_object_mut().unwrap();
            assert_eq!(members.remove("request"), Some(line["request"].clone()), "{line}");
            // A run on a schedule has no sender.
            let address = line.get("method").map(|_| json!("192.0.2.1"));
            assert_eq!(members.remove("address"), address, "{line}");
            all.push(event);
        }
    }
    all
}

fn names(events: &[Value]) -> Vec<&str> {
    events.iter().map(|event| event["event"].as_str().unwrap()).collect()
}

async fn admin(instance: &Instance, method: Method, path: &str, body: Value) -> Response {
    instance.administer(method, path, body.to_string()).await
}

#[tokio::test]
async fn a_sign_in_and_the_life_of_its_grant() {
    let (mut instance, lines) = instance().await;
    let mut browser = Flow::default();
    let code = browser.code(&instance, PASSWORD, "openid offline_access").await;
    let of_user = |event: &str| json!({ "event": event, "outcome": "success", "actor": "user", "subject": "alice-subject", "client": "spa" });
    let mut expected: Vec<Value> = ["sign_in_succeeded", "consent_given", "code_issued"].map(of_user).into();
    expected[0]["reason"] = json!("password");
    assert_eq!(events(&lines), expected);

    let first = Tokens::of(&Flow::redeem(&instance, &code).await);
    let second = Tokens::of(&Flow::refresh(&instance, &first.refresh).await);
    assert_eq!(
        events(&lines),
        [
            json!({
                "event": "token_issued", "outcome": "success", "actor": "client", "subject": "alice-subject",
                "client": "spa", "reason": "authorization_code",
            }),
            json!({
                "event": "token_refreshed", "outcome": "success", "actor": "client", "subject": "alice-subject",
                "client": "spa",
            }),
        ]
    );
    let exchange = [
        ("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange"),
        ("client_id", "gateway"),
        ("client_secret", "secret"),
        ("subject_token", second.access.as_str()),
        ("subject_token_type", "urn:ietf:params:oauth:token-type:access_token"),
    ];
    assert_eq!(instance.post("/token", &exchange).await.status, 200);
    instance.post("/revoke", &[("client_id", "spa"), ("token", &second.access)]).await;
    instance.wait(instance.context().config.refresh_retry.lost_answer + protocol::limits::CLOCK_DIFFERENCE);
    assert_eq!(Flow::refresh(&instance, &first.refresh).await.status, 400);
    Flow::redeem(&instance, &code).await;
    let seen = events(&lines);
    assert_eq!(names(&seen), ["token_exchanged", "token_revoked", "refresh_token_replayed"]);
    assert_eq!((&seen[0]["client"], &seen[0]["subject"]), (&json!("gateway"), &json!("alice-subject")));
    assert_eq!((&seen[2]["outcome"], &seen[2]["client"]), (&json!("failure"), &json!("spa")));
}

#[tokio::test]
async fn a_replayed_code() {
    let (mut instance, lines) = instance().await;
    let code = Flow::default().code(&instance, PASSWORD, "openid").await;
    Tokens::of(&Flow::redeem(&instance, &code).await);
    events(&lines);
    instance.wait(protocol::RACE + Duration::from_millis(1));
    assert_eq!(Flow::redeem(&instance, &code).await.status, 400);
    assert_eq!(names(&events(&lines)), ["code_replayed"]);
}

#[tokio::test]
async fn refusals_of_users_and_of_clients() {
    let (instance, lines) = instance().await;
    let mut browser = Flow::default();
    let page = browser.get(&instance, &Flow::authorize_url("openid")).await;
    let sign_in = page.headers["location"].to_str().unwrap().strip_prefix(simulation::ISSUER).unwrap().to_owned();
    let page = browser.get(&instance, &sign_in).await;
    for _ in 0..12 {
        browser.submit(&instance, "/login", &page, &[("username", "alice"), ("password", "hunter2-hunter2")]).await;
    }
    let seen = events(&lines);
    assert_eq!(names(&seen).first(), Some(&"sign_in_failed"));
    assert_eq!(names(&seen).last(), Some(&"sign_in_throttled"));
    assert!(seen.iter().all(|event| event["outcome"] == "failure" && event["client"] == "spa"), "{seen:?}");

    let wrong = [("grant_type", "client_credentials"), ("client_id", "service"), ("client_secret", "wrong-secret")];
    assert_eq!(instance.post("/token", &wrong).await.status, 401);
    let expected = json!({
        "event": "client_authentication_failed", "outcome": "failure", "actor": "client", "client": "service",
    });
    assert_eq!(events(&lines), [expected]);

    let (instance, lines) = self::instance().await;
    let mut browser = Flow::default();
    let page = browser.get(&instance, &Flow::authorize_url("openid")).await;
    let sign_in = page.headers["location"].to_str().unwrap().strip_prefix(simulation::ISSUER).unwrap().to_owned();
    let page = browser.get(&instance, &sign_in).await;
    let next = browser.submit(&instance, "/login", &page, &[("username", "alice"), ("password", PASSWORD)]).await;
    let follow = |response: &Response| {
        response.headers["location"].to_str().unwrap().strip_prefix(simulation::ISSUER).unwrap().to_owned()
    };
    let next = browser.get(&instance, &follow(&next)).await;
    let consent = browser.get(&instance, &follow(&next)).await;
    browser.submit(&instance, "/consent", &consent, &[("decision", "deny")]).await;
    assert_eq!(names(&events(&lines)), ["sign_in_succeeded", "consent_refused"]);
}

#[tokio::test]
async fn sign_out() {
    let (instance, lines) = instance().await;
    for (decision, event) in [("yes", "signed_out"), ("everywhere-yes", "signed_out_everywhere")] {
        let mut browser = Flow::default();
        browser.code(&instance, PASSWORD, "openid").await;
        events(&lines);
        let page = browser.get(&instance, "/logout").await;
        browser.submit(&instance, "/logout", &page, &[("decision", decision)]).await;
        let expected = json!({ "event": event, "outcome": "success", "actor": "user", "subject": "alice-subject" });
        assert_eq!(events(&lines), [expected]);
    }
}

#[tokio::test]
async fn administration() {
    let (instance, lines) = instance().await;
    let client = json!({ "grant_types": ["client_credentials"], "scope": "read" });
    let hash = "$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHRzYWx0c2FsdA$aGFzaGhhc2hoYXNoaGFzaGhhc2hoYXNoaGFzaGhhc2g";
    let user = json!({ "password_hash": hash });
    let kept = json!({ "password_hash": hash, "keep_sessions": true });
    for (method, path, body, event) in [
        (Method::PUT, "/admin/clients/new", &client, "client_registered"),
        (Method::PUT, "/admin/clients/new", &client, "client_changed"),
        (Method::DELETE, "/admin/clients/new", &Value::Null, "client_deleted"),
        (Method::PUT, "/admin/users/bob", &user, "user_created"),
        (Method::PUT, "/admin/users/bob", &kept, "user_changed"),
        (Method::POST, "/admin/users/bob/sign-out", &Value::Null, "signed_out_everywhere"),
        (Method::DELETE, "/admin/users/bob", &Value::Null, "user_deleted"),
        (Method::POST, "/admin/keys/rotate", &Value::Null, "keys_rotated"),
        (Method::POST, "/admin/keys/replace", &Value::Null, "keys_replaced"),
    ] {
        let response = admin(&instance, method, path, body.clone()).await;
        assert!(response.status.is_success(), "{path}: {}", String::from_utf8_lossy(&response.body));
        let seen = events(&lines);
        assert_eq!(names(&seen), [event], "{path}");
        assert_eq!(seen[0]["actor"], "administrator");
    }
    instance.send(Method::GET, "/admin/clients", &[], String::new()).await;
    assert_eq!(names(&events(&lines)), ["administration_rejected"]);
}

/// A rotation that changes no key is no event: neither on schedule, nor if the successors are published already.
#[tokio::test]
async fn keys_are_rotated_once() {
    let (mut instance, lines) = instance().await;
    shell::run_scheduled(&rotate::FUNCTION, instance.scheduled_run(), instance.context()).await.unwrap();
    assert_eq!(names(&events(&lines)), [""; 0], "nothing is due");
    for expected in [&["keys_rotated"][..], &[]] {
        let response = admin(&instance, Method::POST, "/admin/keys/rotate", Value::Null).await;
        assert!(response.status.is_success());
        assert_eq!(names(&events(&lines)), expected);
    }
    instance.wait(instance.context().config.key_rotation);
    for expected in [&["keys_rotated"][..], &[]] {
        shell::run_scheduled(&rotate::FUNCTION, instance.scheduled_run(), instance.context()).await.unwrap();
        let seen = events(&lines);
        assert_eq!(names(&seen), expected);
        for event in seen {
            assert_eq!(event["actor"], "schedule");
        }
    }
}

#[tokio::test]
async fn no_line_holds_a_secret() {
    let (instance, lines) = instance().await;
    let mut browser = Flow::default();
    let code = browser.code(&instance, PASSWORD, "openid offline_access").await;
    let tokens = Tokens::of(&Flow::redeem(&instance, &code).await);
    Flow::userinfo(&instance, &tokens.access).await;
    Flow::refresh(&instance, &simulation::altered(&tokens.refresh)).await;
    let wrong = [("grant_type", "client_credentials"), ("client_id", "service"), ("client_secret", "wrong-secret")];
    instance.post("/token", &wrong).await;
    let text = lines.lock().unwrap().join("\n");
    assert!(!text.is_empty());
    for secret in [PASSWORD, &code, &tokens.access, &tokens.refresh, "wrong-secret", simulation::VERIFIER] {
        assert!(!text.contains(secret), "{secret}");
    }
}
