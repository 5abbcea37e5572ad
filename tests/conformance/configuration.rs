//! The configuration of the store: `latchkey config`, and the requests below it.

use serde_json::{Value, json};
use std::time::Duration;
use suite::admin::{self, AdminKey};
use suite::{Call, Reply, TokenRequest, address, issuer, jwt, random, service, wait};

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
    let file = include_str!("../support/configuration.json").replace("ISSUER", issuer());
    let file: Value = serde_json::from_str(&file).expect("JSON");
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

/// Authentication context classes: every mistake is reported at once, with its place.
#[test]
fn mistakes_of_classes_are_reported_together() {
    let key = admin::key(&["configuration:write"]);
    let problems = |acr: Value| {
        let body = json!({ "version": version(&key), "sections": { "acr": acr }, "dry_run": true }).to_string();
        let problems = send(&key, "PUT", &body).expect(400).json()["problems"].clone();
        problems
            .as_array()
            .expect("problems")
            .iter()
            .map(|it| it.as_str().expect("text").to_owned())
            .collect::<Vec<_>>()
    };
    let password = json!([["password"]]);
    let found = problems(json!([
        { "name": "urn:latchkey:acr:mine", "methods": password },
        { "name": "two words", "methods": [[]] },
        { "name": "urn:x", "methods": [] },
        { "name": "urn:x", "methods": [["password", "password"]] },
    ]));
    let expected = ["urn:latchkey:acr:", "two words", "is empty", "alternatives", "there twice", "a method twice"];
    assert_eq!(found.len(), expected.len(), "{found:#?}");
    for text in expected {
        assert!(
            found.iter().any(|problem| problem.starts_with("acr: ") && problem.contains(text)),
            "{text}: {found:#?}"
        );
    }
    let found =
        problems(json!([{ "name": "urn:x", "methods": [["fingerprint"]] }, { "methods": password, "level": 2 }]));
    for text in ["the methods are password, passkey and totp", "name", "level"] {
        assert!(found.iter().any(|problem| problem.contains(text)), "{text}: {found:#?}");
    }
}

/// A new resource can be requested within a minute. The audience is the configured text, whatever form of the URL the client
/// sends: also an Amazon Resource Name with its escapes and a query, as Bedrock AgentCore names its runtimes. A version is
/// replaced by one change alone: this is the only test that changes the configuration.
#[test]
fn a_change_is_in_force_within_a_minute() {
    let key = admin::key(&["configuration:write"]);
    let name = format!("https://suite-configuration.test/{}", random());
    let bare = format!("https://{}.suite-configuration.test", random().to_ascii_lowercase().replace('_', "-"));
    let runtime = format!(
        "https://bedrock-agentcore.us-east-1.amazonaws.com/runtimes/arn%3Aaws%3Abedrock-agentcore%3Aus-east-1%3A123456789012%3Aruntime%2F{}/invocations?qualifier=DEFAULT",
        random()
    );
    let names = [&name, &bare, &runtime];
    let change = |edit: &dyn Fn(&mut Vec<Value>)| {
        let stored = send(&key, "GET", "").expect(200).json();
        let mut resources = stored["sections"]["resources"].as_array().cloned().unwrap_or_default();
        edit(&mut resources);
        let body = json!({ "version": stored["version"], "sections": { "resources": resources } });
        send(&key, "PUT", &body.to_string()).expect(200);
        wait(Duration::from_secs(61));
    };
    let request =
        |name: &str| TokenRequest::client_credentials(&service()).set("scope", "read").set("resource", name).send();
    request(&name).expect_error(400, "invalid_target");
    change(&|resources| resources.extend(names.map(|name| json!({ "resource": name }))));
    for (asked, configured) in [(&name, &name), (&bare, &bare), (&format!("{bare}/"), &bare), (&runtime, &runtime)] {
        let answer = request(asked).expect(200).json();
        let token = answer["access_token"].as_str().expect("a token");
        assert_eq!(jwt::verify(token).claims["aud"], json!(configured), "{asked}");
    }
    // The client developer reads which identifiers there are.
    let refused = request(&format!("{name}/")).expect_error(400, "invalid_target");
    let description = refused.json()["error_description"].as_str().unwrap_or_default().to_owned();
    assert!(names.iter().all(|name| description.contains(name.as_str())), "{description}");
    change(&|resources| resources.retain(|resource| !names.iter().any(|name| resource["resource"] == json!(name))));
    request(&name).expect_error(400, "invalid_target");
}
