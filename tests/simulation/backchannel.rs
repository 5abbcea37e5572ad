//! Backchannel authentication: round trips, the push service, pings, faults.

use crate::common::{PASSWORD, keep_log, stock};
use async_trait::async_trait;
use http::StatusCode;
use latchkey_http::Response;
use platform::fetch::{Outgoing, Transport};
use platform::{FetchError, Fetched, Fetcher};
use protocol::{Client, SecretVerifier, StoredClient};
use serde_json::{Value, json};
use simulation::{Flow, ISSUER, Instance, Tokens, USERNAME, json_of, subject, username};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use storage::memory::Memory;
use storage::{clients, directory};
use suite::{Call, Landing, Reply, Turn, jwt};
use types::remote_url::EgressPolicy;

const GRANT: &str = "urn:openid:params:grant-type:ciba";
const HOOK: &str = "https://push.example/hook";

/// The push service of the operator and the endpoint of the client.
#[derive(Clone)]
struct Peers {
    status: Arc<Mutex<StatusCode>>,
    received: Arc<Mutex<Vec<Outgoing>>>,
}

#[async_trait]
impl Transport for Peers {
    async fn send(&self, request: &Outgoing) -> Result<Fetched, FetchError> {
        self.received.lock().unwrap().push(request.clone());
        Ok(Fetched { status: *self.status.lock().unwrap(), ..Fetched::default() })
    }
}

impl Peers {
    fn answer(&self, status: u16) {
        *self.status.lock().unwrap() = StatusCode::from_u16(status).unwrap();
    }

    fn to(&self, host: &str) -> Vec<Outgoing> {
        let received = self.received.lock().unwrap();
        received.iter().filter(|request| request.url.host_str() == Some(host)).cloned().collect()
    }
}

/// Returns an instance with a client in this mode, and with a push service.
async fn deployment(memory: Arc<Memory>, mode: &str) -> (Instance, Peers) {
    stock(memory.as_ref()).await;
    let client: Client = serde_json::from_value(json!({
        "client_id": "bank", "grant_types": [GRANT, "refresh_token"], "scope": "openid profile",
        "backchannel_token_delivery_mode": mode,
        "backchannel_client_notification_endpoint": "https://bank.example/ping",
    }))
    .unwrap();
    assert_eq!(client.validate(), []);
    let secrets = vec![SecretVerifier::new("secret", [7; 16])];
    clients::save(memory.as_ref(), &StoredClient::new(client, secrets)).await.unwrap();
    directory::enter(memory.as_ref(), &username(USERNAME), &subject("alice-subject")).await.unwrap();
    let mut instance = Instance::start(memory, &[("LATCHKEY_BACKCHANNEL_WEBHOOK", HOOK)]);
    let peers = Peers { status: Arc::new(Mutex::new(StatusCode::OK)), received: Arc::default() };
    instance.context_mut().fetch = Fetcher::over(Box::new(peers.clone()), EgressPolicy::Public).into();
    (instance, peers)
}

async fn post(instance: &Instance, path: &str, form: &[(&str, &str)]) -> Response {
    instance.post(path, &[form, &[("client_id", "bank"), ("client_secret", "secret")]].concat()).await
}

async fn ask(instance: &Instance) -> String {
    let form = [
        ("scope", "openid profile"),
        ("login_hint", "alice"),
        ("binding_message", "1234"),
        ("client_notification_token", "token"),
        ("requested_expiry", "600"),
    ];
    let document = json_of(&post(instance, "/bc-authorize", &form).await);
    document["auth_req_id"].as_str().unwrap_or_else(|| panic!("{document}")).to_owned()
}

async fn poll(instance: &Instance, id: &str) -> Response {
    post(instance, "/token", &[("grant_type", GRANT), ("auth_req_id", id)]).await
}

/// Returns the claims of the last notification of the push service. Its signature is that of the server.
async fn notification(instance: &Instance, peers: &Peers) -> Value {
    let (_, form) = peers.to("push.example").pop().unwrap().body.unwrap();
    let (_, token) = form_urlencoded::parse(form.as_bytes()).find(|(name, _)| name == "notification").unwrap();
    let parsed = jose::Jwt::parse(&token).unwrap();
    assert!(parsed.typ_is("backchannel-request+jwt"));
    let keys = json_of(&instance.send(http::Method::GET, "/jwks", &[], String::new()).await);
    let kid = parsed.header().kid.clone().unwrap();
    assert!(keys["keys"].as_array().unwrap().iter().any(|key| key["kid"] == *kid), "{keys}");
    jwt::read(&token).claims
}

/// Opens a page of the server, signs in, and presses a button.
async fn decide(instance: &Instance, browser: &mut Flow, uri: &str, decision: &str) -> Response {
    let mut call = Call::get(uri);
    loop {
        let response = browser.get(instance, &call_url(&call)).await;
        let reply = Reply::new(call, response.status.as_u16(), response.headers.clone(), response.body.to_vec());
        match Turn::after(&reply.url(), reply) {
            Turn::Send(next) => call = next,
            Turn::Landed(Landing::Page(page)) if page.login().is_some() => {
                let answers = [("username", USERNAME), ("password", PASSWORD)];
                let response = browser.submit(instance, "/login", &response, &answers).await;
                call = Call::get(response.headers["location"].to_str().unwrap());
            }
            Turn::Landed(_) => {
                return browser.submit(instance, "/requests", &response, &[("decision", decision)]).await;
            }
        }
    }
}

fn call_url(call: &Call) -> String {
    call.parts().1.to_owned()
}

/// The operator's push service learns of a request by a signed JWT. Its link leads to the page, where the user signs in and decides;
/// opening it decides nothing.
#[tokio::test]
async fn the_push_service_learns_of_a_request() {
    let (instance, peers) = deployment(Arc::new(Memory::new()), "poll").await;
    let id = ask(&instance).await;
    let claims = notification(&instance, &peers).await;
    assert_eq!(
        (&claims["iss"], &claims["aud"], &claims["sub"]),
        (&json!(ISSUER), &json!(HOOK), &json!("alice-subject"))
    );
    assert_eq!((&claims["client_id"], &claims["binding_message"]), (&json!("bank"), &json!("1234")));
    let uri = claims["uri"].as_str().unwrap();
    assert!(uri.starts_with(&format!("{ISSUER}/requests?request=")) && !uri.contains("alice"), "{uri}");
    for suffix in ["", "&decision=allow"] {
        let opened = Flow::default().get(&instance, &format!("{uri}{suffix}")).await;
        assert_eq!(opened.status.as_u16(), 303);
    }
    assert_eq!(json_of(&poll(&instance, &id).await)["error"], "authorization_pending");
    decide(&instance, &mut Flow::default(), uri, "allow").await;
    Tokens::of(&poll(&instance, &id).await);
}

/// A push service that fails costs nothing but the notification.
#[tokio::test]
async fn a_push_service_that_fails_fails_no_request() {
    let (mut instance, peers) = deployment(Arc::new(Memory::new()), "poll").await;
    peers.answer(500);
    let lines = keep_log(&mut instance);
    ask(&instance).await;
    assert!(lines.lock().unwrap().iter().any(|line| line.contains("backchannel_notification")));
}

/// Each step keeps its cost. A forged auth_req_id costs nothing.
#[tokio::test]
async fn each_step_keeps_its_round_trips() {
    let memory = Arc::new(Memory::new());
    let (instance, peers) = deployment(memory.clone(), "poll").await;
    let total = || memory.counts().total();
    // Warms the caches of clients, keys and configuration.
    ask(&instance).await;
    let before = total();
    let id = ask(&instance).await;
    assert_eq!(total() - before, 4, "name, user, and the record of the user's requests twice");
    poll(&instance, &id).await;
    let before = total();
    assert_eq!(poll(&instance, &id).await.status.as_u16(), 400);
    assert_eq!(total() - before, 1, "a poll before the decision");
    let uri = notification(&instance, &peers).await["uri"].as_str().unwrap().to_owned();
    decide(&instance, &mut Flow::default(), &uri, "allow").await;
    let before = total();
    Tokens::of(&poll(&instance, &id).await);
    assert_eq!(total() - before, 2, "the poll that gets the tokens");
    let before = total();
    assert_eq!(poll(&instance, &simulation::altered(&id)).await.status.as_u16(), 400);
    assert_eq!(total() - before, 0, "a forged auth_req_id");
}

/// CIBA Core §10.2: a ping is repeated while the client fails, three times at most; never after a redirect or an error of the client.
#[tokio::test]
async fn pings_are_repeated_while_the_client_fails() {
    for (status, expected) in [(204, 1), (301, 1), (401, 1), (404, 1), (429, 3), (503, 3)] {
        let (mut instance, peers) = deployment(Arc::new(Memory::new()), "ping").await;
        ask(&instance).await;
        let uri = notification(&instance, &peers).await["uri"].as_str().unwrap().to_owned();
        peers.answer(status);
        decide(&instance, &mut Flow::default(), &uri, "deny").await;
        for _ in 0..6 {
            instance.wait(Duration::from_secs(31));
            notify::run(&instance.scheduled_run(), instance.context()).await.unwrap();
        }
        let pings = peers.to("bank.example");
        assert_eq!(pings.len(), expected, "{status}");
        assert!(pings.iter().all(|ping| ping.authorization.as_deref() == Some("Bearer token")));
    }
}
