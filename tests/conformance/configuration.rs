//! The configuration of the store: `latchkey config`, and the requests below it.

use serde_json::{Value, json};
use std::time::Duration;
use suite::admin::{self, AdminKey};
use suite::{Call, Reply, TokenRequest, address, random, service, wait};

const PATH: &str = "/admin/configuration";

fn send(key: &AdminKey, method: &str, body: &str) -> Reply {
    let token = key.token(method, PATH, body);
    let call = Call::new(method, PATH).bearer(&token).through_proxy(&address());
    if body.is_empty() { call.send() } else { call.body("application/json", body).send() }
}

fn version(key: &AdminKey) -> u64 {
    send(key, "GET", "").expect(200).json()["version"].as_u64().expect("a version")
}

/// The issuers of the tests are trusted because the configuration has them: the other tests of assertions prove its use.
#[test]
fn the_stored_sections_are_shown() {
    let shown = admin::command(&["config", "show", "--json"]);
    assert!(shown["version"].as_u64().is_some_and(|version| version > 0), "{shown}");
    assert!(shown["applied_at"].as_u64().is_some(), "{shown}");
    let file: Value = serde_json::from_str(include_str!("../support/configuration.json")).expect("JSON");
    assert_eq!(shown["sections"]["issuers"], file["issuers"]);
}

#[test]
fn a_key_reads_or_applies_by_its_scopes() {
    let (reader, other) = (admin::key(&["configuration:read"]), admin::key(&["clients:write", "users:write"]));
    let version = version(&reader);
    let body = json!({ "version": version, "sections": {} }).to_string();
    let refused = send(&reader, "PUT", &body).expect(403);
    assert!(refused.json()["error_description"].as_str().is_some_and(|text| text.contains("configuration:write")));
    send(&other, "GET", "").expect(403);
    send(&other, "PUT", &body).expect(403);
    Call::new("GET", PATH).through_proxy(&address()).send().expect(401);
    for method in ["POST", "DELETE"] {
        send(&reader, method, "").expect(405);
    }
    let writer = admin::key(&["configuration:write"]);
    send(&writer, "GET", "").expect(200);
}

/// A token is for one change.
#[test]
fn a_token_applies_once() {
    let key = admin::key(&["configuration:write"]);
    let body = json!({ "version": version(&key), "sections": {}, "dry_run": true }).to_string();
    let token = key.token("PUT", PATH, &body);
    let send = || {
        Call::new("PUT", PATH).bearer(&token).through_proxy(&address()).body("application/json", &*body).send().status
    };
    assert_eq!(send(), 200);
    assert_eq!(send(), 401);
}

#[test]
fn wrong_sections_and_old_versions_change_nothing() {
    let key = admin::key(&["configuration:write"]);
    let before = version(&key);
    let old = json!({ "version": before.saturating_sub(1), "sections": { "issuers": null } }).to_string();
    let conflict = send(&key, "PUT", &old).expect(409);
    assert!(conflict.json()["problems"][0].as_str().is_some_and(|text| text.starts_with("version: ")), "{conflict:?}");
    let wrong = json!({
        "version": before,
        "sections": { "resources": [{ "resource": "x" }, { "scopes": "a" }], "looks": {} },
    });
    let problems = send(&key, "PUT", &wrong.to_string()).expect(400).json()["problems"].clone();
    assert_eq!(problems.as_array().map(Vec::len), Some(2), "{problems}");
    for body in ["[]", "{}", "{", r#"{"version":-1,"sections":{}}"#, r#"{"version":1,"sections":{},"force":true}"#] {
        let reply = send(&key, "PUT", body).expect(400);
        assert_eq!(reply.json()["error"], "invalid_request", "{body}");
    }
    assert_eq!(version(&key), before);
}

/// A new resource can be requested within a minute. A version is replaced by one change alone: this is the only test that
/// changes the configuration.
#[test]
fn a_change_is_in_force_within_a_minute() {
    let key = admin::key(&["configuration:write"]);
    let name = format!("https://suite-configuration.test/{}", random());
    let change = |edit: &dyn Fn(&mut Vec<Value>)| {
        let stored = send(&key, "GET", "").expect(200).json();
        let mut resources = stored["sections"]["resources"].as_array().cloned().unwrap_or_default();
        edit(&mut resources);
        let body = json!({ "version": stored["version"], "sections": { "resources": resources } });
        send(&key, "PUT", &body.to_string()).expect(200);
        wait(Duration::from_secs(61));
    };
    let request = || TokenRequest::client_credentials(&service()).set("scope", "read").set("resource", &name).send();
    request().expect_error(400, "invalid_target");
    change(&|resources| resources.push(json!({ "resource": name, "scopes": "read" })));
    request().expect(200);
    change(&|resources| resources.retain(|resource| resource["resource"] != json!(name)));
    request().expect_error(400, "invalid_target");
}
