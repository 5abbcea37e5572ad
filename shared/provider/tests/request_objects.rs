//! Request objects at URLs: who may pass them, and how often a URL is asked (RFC 9101 §5.2, OpenID Connect Core §6.2).
#![cfg(not(target_arch = "wasm32"))]
#![allow(clippy::unwrap_used, missing_docs, reason = "a test fails by panicking")]

use async_trait::async_trait;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use futures::future::join_all;
use http::StatusCode;
use latchkey_provider::{Context, HandlerError};
use platform::fetch::{Outgoing, Transport};
use platform::{FetchError, Fetched, Fetcher};
use protocol::{Client, ClientOrigin, Parameters, RequestObject, StoredClient};
use serde_json::json;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use storage::memory::Memory;
use types::Timestamp;
use types::remote_url::EgressPolicy;

const URI: &str = "https://client.example/object";
const T0: Timestamp = Timestamp::from_secs(1_800_000_000);

fn object() -> String {
    let part = |value: serde_json::Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let claims = json!({
        "client_id": "c", "iss": "c", "aud": "https://as.example", "response_type": "code", "scope": "openid", "nonce": "n",
        "redirect_uri": "https://client.example/cb", "code_challenge": "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
        "code_challenge_method": "S256",
    });
    format!("{}.{}.", part(json!({ "alg": "none" })), part(claims))
}

/// Counts the requests, which take three seconds and then get the object.
#[derive(Default)]
struct Server(AtomicUsize);

struct Wire(Arc<Server>);

#[async_trait]
impl Transport for Wire {
    async fn send(&self, _: &Outgoing) -> Result<Fetched, FetchError> {
        self.0.0.fetch_add(1, Ordering::SeqCst);
        tokio::time::sleep(Duration::from_secs(3)).await;
        Ok(Fetched { status: StatusCode::OK, body: object().into_bytes(), ..Fetched::default() })
    }
}

fn context(server: &Arc<Server>, allows_open: bool) -> Context {
    let lookup = |name: &str| match name {
        "LATCHKEY_ISSUER" => Some("https://as.example".to_owned()),
        "LATCHKEY_SECRET" => Some("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8".to_owned()),
        "LATCHKEY_REGISTRATION_REQUEST_URIS" => Some(allows_open.to_string()),
        _ => None,
    };
    let mut context = Context::new(&lookup, Arc::new(Memory::new()), Box::new(|_| ())).unwrap();
    context.fetch = Fetcher::over(Box::new(Wire(server.clone())), EgressPolicy::Public).into();
    context
}

fn client(origin: ClientOrigin, uris: &[String]) -> StoredClient {
    let client: Client = serde_json::from_value(json!({
        "client_id": "c", "redirect_uris": ["https://client.example/cb"], "grant_types": ["authorization_code"],
        "token_endpoint_auth_method": "none", "scope": "openid", "request_object_signing_alg": "none",
        "request_uris": uris,
    }))
    .unwrap();
    StoredClient { origin, ..StoredClient::new(client, Vec::new()) }
}

/// Sends an authorization request. Returns the error code, or "ok".
async fn ask(context: &Context, client: &StoredClient, uri: &str, now: Timestamp) -> String {
    let query = format!("client_id=c&response_type=code&scope=openid&request_uri={}", uri.replace('#', "%23"));
    let parameters = Parameters::parse(query.as_bytes()).unwrap();
    match context.check_authorization(&parameters, client, now).await {
        Ok(_) => "ok".to_owned(),
        Err(HandlerError::Request(error) | HandlerError::Redirect(_, error)) => error.code.as_str().to_owned(),
        Err(other) => format!("{other:?}"),
    }
}

#[tokio::test(start_paused = true)]
async fn clients_that_registered_openly_pass_none_unless_a_setting_allows_it() {
    for origin in [ClientOrigin::OpenRegistration, ClientOrigin::SharedRegistration] {
        for (allows_open, expected) in [(false, ("invalid_request_uri", 0)), (true, ("ok", 1))] {
            let server = Arc::new(Server::default());
            let context = context(&server, allows_open);
            let outcome = ask(&context, &client(origin, &[URI.to_owned()]), URI, T0).await;
            assert_eq!((outcome.as_str(), server.0.load(Ordering::SeqCst)), expected, "{origin:?}");
        }
    }
    for origin in [ClientOrigin::Operator, ClientOrigin::InitialAccessToken, ClientOrigin::SoftwareStatement] {
        let server = Arc::new(Server::default());
        assert_eq!(
            ask(&context(&server, false), &client(origin, &[URI.to_owned()]), URI, T0).await,
            "ok",
            "{origin:?}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn an_object_whose_url_names_its_hash_is_fetched_once() {
    let server = Arc::new(Server::default());
    let (context, client) = (context(&server, false), client(ClientOrigin::Operator, &[URI.to_owned()]));
    let uri = format!("{URI}#{}", RequestObject::hash(object().as_bytes()));
    for second in 0..200 {
        assert_eq!(ask(&context, &client, &uri, T0.after(Duration::from_secs(second))).await, "ok");
    }
    assert_eq!(server.0.load(Ordering::SeqCst), 1);
}

/// Five hundred anonymous requests at the same moment cause five fetches of one URL, whatever the fragments.
#[tokio::test(start_paused = true)]
async fn a_flood_causes_few_fetches() {
    for uri in [|_: usize| URI.to_owned(), |index: usize| format!("{URI}#{index}")] {
        let server = Arc::new(Server::default());
        let (context, client) = (context(&server, false), client(ClientOrigin::Operator, &[URI.to_owned()]));
        let uris: Vec<String> = (0..500).map(uri).collect();
        let outcomes = join_all(uris.iter().map(|uri| ask(&context, &client, uri, T0))).await;
        assert_eq!(server.0.load(Ordering::SeqCst), 5);
        assert_eq!(outcomes.iter().filter(|outcome| *outcome == "ok").count(), 5);
        assert!(outcomes.iter().all(|outcome| ["ok", "temporarily_unavailable"].contains(&outcome.as_str())));
    }
}

/// Clients that registered openly share one pace, and one host has one, whatever the URLs.
#[tokio::test(start_paused = true)]
async fn many_urls_cause_few_fetches() {
    let uris: Vec<String> = (0..20).map(|index| format!("{URI}/{index}")).collect();
    for (origin, most) in [(ClientOrigin::OpenRegistration, 25), (ClientOrigin::Operator, 50)] {
        let server = Arc::new(Server::default());
        let (context, client) = (context(&server, true), client(origin, &uris));
        let requests = (0..200).map(|index| ask(&context, &client, &uris[index % 20], T0));
        join_all(requests).await;
        assert_eq!(server.0.load(Ordering::SeqCst), most, "{origin:?}");
    }
}
