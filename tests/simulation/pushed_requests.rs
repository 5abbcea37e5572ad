//! Pushed authorization requests (RFC 9126): round trips, expiry, faults of the store.

use crate::common::{PASSWORD, deployment};
use latchkey_http::Response;
use simulation::{Flow, Instance, json_of};
use std::sync::Arc;
use std::time::Duration;
use storage::memory::Memory;

async fn push(instance: &Instance) -> Response {
    push_with(instance, &[]).await
}

async fn push_with(instance: &Instance, more: &[(&str, &str)]) -> Response {
    let url = Flow::authorize_url("openid profile");
    let query = url.split_once('?').unwrap().1;
    let parameters: Vec<(String, String)> = form_urlencoded::parse(query.as_bytes()).into_owned().collect();
    let mut form: Vec<(&str, &str)> = parameters.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    form.extend_from_slice(more);
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

/// A request that is longer than a URL stays in the store: consent and the answer cost one call more, at the same time as the session's
/// read. Sign-in costs none.
#[tokio::test]
async fn a_long_request_travels_by_reference() {
    let memory = Arc::new(Memory::new());
    let instance = deployment(memory.clone()).await;
    let total = || memory.counts().total();
    let mut browser = Flow::default();
    browser.code(&instance, PASSWORD, "openid").await;
    let mut browser = Flow::default();
    let long = format!(r#"{{"userinfo":{{"email":null,"email_verified":{{"value":"{}"}}}}}}"#, "x".repeat(20_000));
    let pushed = push_with(&instance, &[("claims", &long), ("prompt", "consent")]).await;
    assert_eq!(pushed.status.as_u16(), 201);
    let mut calls = Vec::new();
    let before = total();
    let redirect = browser.get(&instance, &reference(&pushed)).await;
    calls.push(("reference", total() - before));
    let login = path_of(&redirect);
    assert!(login.len() < 2500, "{}", login.len());
    let before = total();
    let page = browser.get(&instance, &login).await;
    calls.push(("sign-in page", total() - before));
    let before = total();
    let answers = [("username", simulation::USERNAME), ("password", PASSWORD)];
    let redirect = browser.submit(&instance, "/login", &page, &answers).await;
    calls.push(("sign-in", total() - before));
    let before = total();
    let redirect = browser.get(&instance, &path_of(&redirect)).await;
    calls.push(("authorize, signed in", total() - before));
    let before = total();
    let page = browser.get(&instance, &path_of(&redirect)).await;
    calls.push(("consent page", total() - before));
    let shown = String::from_utf8_lossy(&page.body).into_owned();
    assert!(shown.contains("claim-email\"") && shown.contains("claim-email_verified\""), "{shown}");
    let before = total();
    let answer = browser.submit(&instance, "/consent", &page, &[("decision", "allow"), ("claim-email", "yes")]).await;
    calls.push(("consent", total() - before));
    let expected = [
        ("reference", 1),
        ("sign-in page", 0),
        ("sign-in", 5),
        ("authorize, signed in", 3),
        ("consent page", 2),
        ("consent", 6),
    ];
    assert_eq!(calls, expected);
    let location = simulation::onward(&answer);
    let code = location.split_once("code=").unwrap().1.split('&').next().unwrap().to_owned();
    // PKCE, nonce and the decision about claims are those of the pushed request.
    let tokens = json_of(&Flow::redeem(&instance, &code).await);
    assert!(tokens["id_token"].is_string(), "{tokens}");
    let grants: Vec<_> = memory
        .snapshot()
        .into_iter()
        .filter(|record| record.key.is(storage::Kind::Grant))
        .map(|record| record.body)
        .collect();
    assert!(grants.iter().any(|body| body.contains(r#""userinfo":{"email":null}"#)), "the refused claim is left out");
}

fn path_of(response: &Response) -> String {
    response.headers["location"].to_str().unwrap().strip_prefix(simulation::ISSUER).unwrap().to_owned()
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
