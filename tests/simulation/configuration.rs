//! The configuration of the store: its versions, its age in an instance, and the calls that it costs.

use crate::common::{PASSWORD, deployment, keep_log, stock};
use http::Method;
use latchkey_http::Response;
use serde_json::{Map, Value, json};
use simulation::{Flow, Instance, VERIFIER, json_of};
use std::sync::Arc;
use std::time::Duration;
use storage::configuration::{self, Replaced};
use storage::faults::{Call, Fault, Faulty};
use storage::memory::Memory;

const PATH: &str = "/admin/configuration";
const ONE: &str = "https://one.example";

fn resource(scopes: &str) -> Value {
    json!([{ "resource": ONE, "scopes": scopes, "registered_clients": true }])
}

async fn put(instance: &Instance, version: u64, sections: &Value) -> Response {
    let body = json!({ "version": version, "sections": sections });
    instance.administer(Method::PUT, PATH, body.to_string()).await
}

async fn applied(instance: &Instance, version: u64, sections: &Value) -> Value {
    let response = put(instance, version, sections).await;
    assert_eq!(response.status.as_u16(), 200, "{}", String::from_utf8_lossy(&response.body));
    json_of(&response)
}

fn problems(response: &Response) -> Vec<String> {
    assert_eq!(response.status.as_u16(), 400, "{}", String::from_utf8_lossy(&response.body));
    let problems = json_of(response)["problems"].as_array().cloned().unwrap_or_default();
    problems.iter().map(|problem| problem.as_str().unwrap_or_default().to_owned()).collect()
}

async fn supported(instance: &Instance) -> Value {
    let document = Flow::default().get(instance, "/.well-known/openid-configuration").await;
    json_of(&document)["scopes_supported"].clone()
}

fn has(scopes: &Value, scope: &str) -> bool {
    scopes.as_array().is_some_and(|scopes| scopes.contains(&json!(scope)))
}

/// Another instance has a change when its copy is a minute old, and not before. The record is read once a minute: no request
/// between costs a call.
#[tokio::test]
async fn an_instance_has_a_change_after_a_minute_at_most() {
    let memory = Arc::new(Memory::new());
    stock(memory.as_ref()).await;
    let operator = Instance::start(memory.clone(), &[]);
    let mut instance = Instance::start(memory.clone(), &[]);
    let calls = || memory.counts().total();
    operator.context().keyring(operator.now).await.unwrap();

    // The signing keys, which are cached for a minute too, are the other call.
    let before = calls();
    assert!(!has(&supported(&instance).await, "read"));
    assert_eq!(calls() - before, 2, "cold");
    assert_eq!(applied(&operator, 0, &json!({ "resources": resource("read") })).await["version"], 1);

    let before = calls();
    for _ in 0..3 {
        instance.wait(Duration::from_secs(14));
        assert!(!has(&supported(&instance).await, "read"));
    }
    assert_eq!(calls() - before, 0, "warm, 42 seconds old");
    instance.wait(Duration::from_secs(18));
    assert!(has(&supported(&instance).await, "read"), "a minute old");
    assert_eq!(calls() - before, 2);
}

/// An instance that is used does not wait for the record: it reads it beside a request, in the last quarter of the minute.
#[tokio::test]
async fn an_old_copy_is_renewed_beside_a_request() {
    let memory = Arc::new(Memory::new());
    stock(memory.as_ref()).await;
    let operator = Instance::start(memory.clone(), &[]);
    let mut instance = Instance::start(memory.clone(), &[]);
    supported(&instance).await;
    applied(&operator, 0, &json!({ "resources": resource("read") })).await;
    instance.wait(Duration::from_secs(50));
    let before = memory.counts().total();
    assert!(!has(&supported(&instance).await, "read"), "this request has the copy");
    assert!(has(&supported(&instance).await, "read"), "the next one has the new version");
    assert_eq!(memory.counts().total() - before, 1);
}

/// Two operators who start from the same version: one of them must read it again.
#[tokio::test]
async fn a_version_is_replaced_once() {
    let instance = deployment(Arc::new(Memory::new())).await;
    assert_eq!(json_of(&instance.administer(Method::GET, PATH, String::new()).await)["version"], 0);
    applied(&instance, 0, &json!({ "resources": resource("read") })).await;
    let late = put(&instance, 0, &json!({ "resources": resource("write") })).await;
    assert_eq!(late.status.as_u16(), 409);
    assert!(json_of(&late)["error_description"].as_str().unwrap().contains("which is 1"), "{:?}", json_of(&late));
    let second = applied(&instance, 1, &json!({ "issuers": {} })).await;
    assert_eq!(second["version"], 2);
    assert_eq!(second["sections"]["resources"], resource("read"), "a section that is not named stays");
    let third = applied(&instance, 2, &json!({ "resources": null })).await;
    assert_eq!(third["sections"], json!({ "issuers": {} }));
}

/// The race of two writes of the same version has one winner, also for the first version.
#[tokio::test]
async fn the_store_decides_between_two_writes_of_a_version() {
    let memory = Memory::new();
    let sections = |text: &str| Map::from_iter([("resources".to_owned(), resource(text))]);
    let write = async |from: Option<&configuration::StoredConfiguration>, text: &str| {
        configuration::replace(&memory, from, sections(text), simulation::T0).await.unwrap()
    };
    assert_eq!(write(None, "a").await, Replaced::Applied(1));
    assert_eq!(write(None, "b").await, Replaced::Conflict(1));
    let first = configuration::find(&memory).await.unwrap().unwrap();
    assert_eq!(write(Some(&first), "c").await, Replaced::Applied(2));
    assert_eq!(write(Some(&first), "d").await, Replaced::Conflict(2));
    assert_eq!(configuration::find(&memory).await.unwrap().unwrap().sections, sections("c"));
}

/// Every problem of every section is reported at once, with its field, and nothing is stored.
#[tokio::test]
async fn all_problems_are_reported_together() {
    let instance = deployment(Arc::new(Memory::new())).await;
    let sections = json!({
        "resources": [
            { "resource": "not absolute", "scopes": "a" },
            { "resource": ONE, "scopes": "a", "scope_descriptions": { "b": "Words" } },
            { "resource": ONE, "scopes": "a" },
        ],
        "issuers": {
            "jwt": [{ "issuer": "https://i.example", "jwks_uri": "http://i.example/jwks", "subject": "same" }],
            "saml": [{ "issuer": "https://s.example", "certificates": ["MIIC"], "subject": "same" }],
            "software_statements": [{ "issuer": "" }],
            "others": [],
        },
        "looks": {},
    });
    let found = problems(&put(&instance, 0, &sections).await);
    for part in [
        "resources: [0] resource: 'not absolute' must be an absolute URI",
        "resources: [1] scope_descriptions: 'b' describes a scope that is not in scopes",
        "resources: [2] (https://one.example) resource: is there twice",
        "issuers.jwt: [0] (https://i.example) jwks_uri: must be an https URL",
        "issuers.saml: [0] (https://s.example) certificates[0]: is no X.509 certificate",
        "issuers.software_statements: [0] () issuer: must not be empty",
        "issuers.software_statements: [0] () jwks: give either",
        "issuers.others: is no list of issuers",
        "looks: is no section",
    ] {
        assert_eq!(found.iter().filter(|problem| problem.contains(part)).count(), 1, "{part}: {found:#?}");
    }
    assert_eq!(found.len(), 9, "{found:#?}");
    for wrong in
        [json!([]), json!({}), json!({ "version": "1", "sections": {} }), json!({ "version": 0, "sections": [] })]
    {
        let response = instance.administer(Method::PUT, PATH, wrong.to_string()).await;
        assert_eq!(response.status.as_u16(), 400, "{wrong}");
    }
    assert_eq!(json_of(&instance.administer(Method::GET, PATH, String::new()).await)["version"], 0);
}

#[tokio::test]
async fn a_dry_run_checks_and_stores_nothing() {
    let memory = Arc::new(Memory::new());
    let instance = deployment(memory.clone()).await;
    let body = json!({ "version": 0, "sections": { "resources": resource("read") }, "dry_run": true });
    let answer = json_of(&instance.administer(Method::PUT, PATH, body.to_string()).await);
    assert_eq!((&answer["version"], &answer["sections"]["resources"]), (&json!(0), &resource("read")));
    assert_eq!(configuration::find(memory.as_ref()).await.unwrap(), None);
}

/// A section has one place. Applying it where the environment has it is an error with a remedy; an instance that finds it in both
/// answers nothing with either.
#[tokio::test]
async fn a_section_is_in_the_environment_or_in_the_store() {
    let memory = Arc::new(Memory::new());
    stock(memory.as_ref()).await;
    let resources = resource("read").to_string();
    let with_setting = Instance::start(memory.clone(), &[("LATCHKEY_RESOURCES", &resources)]);
    let found = problems(&put(&with_setting, 0, &json!({ "resources": resource("write") })).await);
    assert!(
        matches!(&found[..], [one] if one.contains("LATCHKEY_RESOURCES") && one.contains("remove it")),
        "{found:?}"
    );
    applied(&with_setting, 0, &json!({ "issuers": {} })).await;
    assert!(has(&supported(&with_setting).await, "read"), "the other section stays that of the environment");

    applied(&Instance::start(memory.clone(), &[]), 1, &json!({ "resources": resource("write") })).await;
    let mut late = Instance::start(memory.clone(), &[("LATCHKEY_RESOURCES", &resources)]);
    let log = keep_log(&mut late);
    let refused = Flow::default().get(&late, "/.well-known/openid-configuration").await;
    assert_eq!(refused.status.as_u16(), 503);
    assert!(log.lock().unwrap().iter().any(|line| line.contains("LATCHKEY_RESOURCES")));
}

/// Clients that registered themselves get the scopes of the current version, without a new registration.
#[tokio::test]
async fn requests_follow_the_version() {
    let memory = Arc::new(Memory::new());
    stock(memory.as_ref()).await;
    let mut instance = Instance::start(memory.clone(), &[("LATCHKEY_REGISTRATION", "open")]);
    applied(&instance, 0, &json!({ "resources": resource("read") })).await;
    let metadata = json!({ "redirect_uris": ["https://app.example/cb"], "token_endpoint_auth_method": "none" });
    let headers = [(http::header::CONTENT_TYPE, "application/json".to_owned())];
    let registered = json_of(&instance.send(Method::POST, "/register", &headers, metadata.to_string()).await);
    let client_id = registered["client_id"].as_str().unwrap().to_owned();
    let url = |scope: &str| {
        let resource: String = form_urlencoded::byte_serialize(ONE.as_bytes()).collect();
        let url = Flow::authorize_url(scope).replace("client_id=spa", &format!("client_id={client_id}"));
        format!("{url}&resource={resource}")
    };
    Flow::default().code_of(&instance, &url("read"), PASSWORD).await;
    let words = json!([{
        "resource": ONE, "scopes": "read delete", "scope_descriptions": { "delete": "Delete your notes" },
        "registered_clients": true,
    }]);
    applied(&instance, 1, &json!({ "resources": words })).await;
    instance.wait(Duration::from_secs(61));
    let mut browser = Flow::default();
    let code = browser.code_of(&instance, &url("delete"), PASSWORD).await;
    let form = [
        ("grant_type", "authorization_code"),
        ("client_id", client_id.as_str()),
        ("redirect_uri", "https://app.example/cb"),
        ("code_verifier", VERIFIER),
        ("code", code.as_str()),
    ];
    assert_eq!(
        json_of(&instance.post("/token", &form).await)["scope"],
        "delete read",
        "with what the user allowed before"
    );
}

/// A section that a later version stored survives a change by this one.
#[tokio::test]
async fn sections_of_later_versions_are_kept() {
    let memory = Arc::new(Memory::new());
    let instance = deployment(memory.clone()).await;
    let later = Map::from_iter([("later".to_owned(), json!({ "a": 1 }))]);
    configuration::replace(memory.as_ref(), None, later, simulation::T0).await.unwrap();
    assert!(Flow::default().get(&instance, "/.well-known/openid-configuration").await.status.is_success());
    let stored = applied(&instance, 1, &json!({ "resources": resource("read") })).await;
    assert_eq!(stored["sections"]["later"], json!({ "a": 1 }));
}

/// A fault of the store is 503: no request is answered by half of a configuration.
#[tokio::test]
async fn without_a_copy_a_fault_is_unavailable() {
    let memory = Arc::new(Memory::new());
    stock(memory.as_ref()).await;
    let plan = |call: &Call<'_>| match call.name.starts_with("configuration#") {
        true => Fault::Before,
        false => Fault::None,
    };
    let instance = Instance::start(Arc::new(Faulty::new(memory, plan)), &[]);
    let answer = Flow::default().get(&instance, "/.well-known/openid-configuration").await;
    assert_eq!((answer.status.as_u16(), json_of(&answer)["error"].clone()), (503, json!("temporarily_unavailable")));
    assert!(Flow::default().get(&instance, "/health").await.status.is_success());
}

#[tokio::test]
async fn an_applied_configuration_is_an_audit_event() {
    let mut instance = deployment(Arc::new(Memory::new())).await;
    let log = keep_log(&mut instance);
    applied(&instance, 0, &json!({ "resources": resource("read") })).await;
    let lines = log.lock().unwrap();
    let event = lines.iter().find(|line| line.contains("configuration_applied")).expect("an event");
    assert!(event.contains("version 1: resources"), "{event}");
}
