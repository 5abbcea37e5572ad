//! Pushed authorization requests (RFC 9126): round trips, expiry, faults of the store.

use crate::common::{PASSWORD, deployment};
use latchkey_http::Response;
use simulation::{Flow, Instance, json_of};
use std::sync::Arc;
use std::time::Duration;
use storage::memory::Memory;

async fn push(instance: &Instance) -> Response {
    let url = Flow::authorize_url("openid profile");
    let query = url.split_once('?').unwrap().1;
    let parameters: Vec<(String, String)> = form_urlencoded::parse(query.as_bytes()).into_owned().collect();
    let form: Vec<(&str, &str)> = parameters.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    instance.post("/par", &form).await
}

fn reference(pushed: &Response) -> String {
    let request_uri = json_of(pushed)["request_uri"].as_str().unwrap().to_owned();
    let query = form_urlencoded::Serializer::new(String::new()).append_pair("request_uri", &request_uri).finish();
    format!("/authorize?client_id=spa&{query}")
}

#[tokio::test]
async fn each_step_keeps_its_round_trips() {
    let memory = Arc::new(Memory::new());
    let instance = deployment(memory.clone()).await;
    let mut browser = Flow::default();
    browser.code(&instance, PASSWORD, "openid profile").await;
    let total = || memory.counts().total();

    let before = total();
    let pushed = push(&instance).await;
    assert_eq!(
        (total() - before, pushed.status.as_u16()),
        (2, 201),
        "push: the request and the count, at the same time"
    );

    // Three calls as without the push, one to read the request, one to mark it as used.
    let before = total();
    let answer = browser.get(&instance, &reference(&pushed)).await;
    assert!(answer.headers["location"].to_str().unwrap().contains("code="));
    assert!(total() - before <= 5, "reference to code: {}", total() - before);

    let before = total();
    let foreign = reference(&pushed).replace("client_id=spa", "client_id=service");
    browser.get(&instance, &foreign).await;
    browser.get(&instance, "/authorize?client_id=spa&request_uri=urn:ietf:params:oauth:request_uri:lkp_AAAA").await;
    assert!(total() - before <= 1, "foreign and forged: nothing but the other client is read");
}

#[tokio::test]
async fn a_reference_expires() {
    let memory = Arc::new(Memory::new());
    let mut instance = deployment(memory.clone()).await;
    let mut browser = Flow::default();
    browser.code(&instance, PASSWORD, "openid profile").await;
    let pushed = push(&instance).await;
    let lifetime = json_of(&pushed)["expires_in"].as_u64().unwrap();
    instance.wait(Duration::from_secs(lifetime));
    let answer = browser.get(&instance, &reference(&pushed)).await;
    assert_eq!(answer.status.as_u16(), 400);
}

/// A user who began in time has the usual time to sign in.
#[tokio::test]
async fn a_person_may_take_longer_than_the_reference_lives() {
    let memory = Arc::new(Memory::new());
    let mut instance = deployment(memory.clone()).await;
    let mut browser = Flow::default();
    let pushed = push(&instance).await;
    let redirect = browser.get(&instance, &reference(&pushed)).await;
    let login = redirect.headers["location"].to_str().unwrap().to_owned();
    instance.wait(Duration::from_secs(600));
    let page = browser.get(&instance, &login).await;
    let sent = browser.submit(&instance, "/login", &page, &[("username", "alice"), ("password", PASSWORD)]).await;
    let onward = browser.get(&instance, sent.headers["location"].to_str().unwrap()).await;
    let page = browser.get(&instance, onward.headers["location"].to_str().unwrap()).await;
    let answer = browser.submit(&instance, "/consent", &page, &[("decision", "allow")]).await;
    assert!(simulation::onward(&answer).starts_with("https://app.example/cb?code="));
}

#[tokio::test]
async fn the_deployment_can_demand_that_requests_are_pushed() {
    let memory = Arc::new(Memory::new());
    deployment(memory.clone()).await;
    let instance = Instance::start(memory, &[("LATCHKEY_REQUIRE_PUSHED_REQUESTS", "true")]);
    let mut browser = Flow::default();
    let answer = browser.get(&instance, &Flow::authorize_url("openid")).await;
    assert!(answer.headers["location"].to_str().unwrap().contains("error=invalid_request"));
    let document = browser.get(&instance, "/.well-known/oauth-authorization-server").await;
    assert_eq!(json_of(&document)["require_pushed_authorization_requests"], true);
}
