//! Clients with a metadata document: freshness, the last good copy, copies of well-known documents, consent after a change.

use crate::common::{PASSWORD, stock};
use async_trait::async_trait;
use http::{Method, StatusCode};
use platform::fetch::{Outgoing, Transport};
use platform::{FetchError, Fetched, Fetcher};
use protocol::StoredClient;
use serde_json::{Value, json};
use simulation::{Flow, Instance, Tokens, VERIFIER, client_id, json_of};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use storage::memory::Memory;
use storage::{Unavailable, clients};
use types::remote_url::EgressPolicy;

const URL: &str = "https://app.example/client.json";
const CLAUDE: &str = "https://claude.ai/oauth/mcp-oauth-client-metadata";

/// The host of documents: its answer, and the requests that it received.
#[derive(Clone)]
struct Documents {
    answer: Arc<Mutex<Result<Fetched, FetchError>>>,
    requests: Arc<Mutex<Vec<Outgoing>>>,
}

#[async_trait]
impl Transport for Documents {
    async fn send(&self, request: &Outgoing) -> Result<Fetched, FetchError> {
        self.requests.lock().unwrap().push(request.clone());
        self.answer.lock().unwrap().clone()
    }
}

fn document(changes: &Value) -> Value {
    let mut document = json!({
        "client_id": URL, "client_name": "App", "redirect_uris": ["https://app.example/cb"],
        "grant_types": ["authorization_code", "refresh_token"], "token_endpoint_auth_method": "none",
    });
    document.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
    document
}

fn served(document: &Value) -> Fetched {
    Fetched {
        status: StatusCode::OK,
        content_type: Some("application/json; charset=utf-8".to_owned()),
        cache_control: Some("max-age=600".to_owned()),
        etag: Some("\"one\"".to_owned()),
        body: document.to_string().into_bytes(),
    }
}

fn status(status: u16) -> Fetched {
    Fetched { status: StatusCode::from_u16(status).unwrap(), ..Fetched::default() }
}

impl Documents {
    fn new() -> Self {
        Self { answer: Arc::new(Mutex::new(Ok(served(&document(&json!({})))))), requests: Arc::default() }
    }

    fn answer(&self, answer: Result<Fetched, FetchError>) {
        *self.answer.lock().unwrap() = answer;
    }

    fn count(&self) -> usize {
        self.requests.lock().unwrap().len()
    }

    fn instance(&self, memory: &Arc<Memory>, settings: &[(&str, &str)]) -> Instance {
        let mut instance = Instance::start(memory.clone(), settings);
        instance.context_mut().fetch = Fetcher::over(Box::new(self.clone()), EgressPolicy::Public).into();
        instance
    }
}

async fn deployment(policy: &str) -> (Arc<Memory>, Documents, Instance) {
    let memory = Arc::new(Memory::new());
    stock(memory.as_ref()).await;
    let documents = Documents::new();
    let instance = documents.instance(&memory, &[("LATCHKEY_CLIENT_DOCUMENTS", policy)]);
    (memory, documents, instance)
}

fn authorize_url(client: &str, redirect_uri: &str) -> String {
    let encode = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
    Flow::authorize_url("openid offline_access")
        .replace("client_id=spa", &format!("client_id={}", encode(client)))
        .replace(&encode("https://app.example/cb"), &encode(redirect_uri))
}

async fn code(instance: &Instance) -> String {
    Flow::default().code_of(instance, &authorize_url(URL, "https://app.example/cb"), PASSWORD).await
}

async fn redeem(instance: &Instance, code: &str) -> Tokens {
    let form = [
        ("grant_type", "authorization_code"),
        ("client_id", URL),
        ("redirect_uri", "https://app.example/cb"),
        ("code_verifier", VERIFIER),
        ("code", code),
    ];
    Tokens::of(&instance.post("/token", &form).await)
}

async fn page(instance: &Instance, client: &str) -> (u16, String) {
    let response = Flow::default().get(instance, &authorize_url(client, "https://app.example/cb")).await;
    (response.status.as_u16(), String::from_utf8_lossy(&response.body).into_owned())
}

/// §5.2: the headers of the document decide how long its copy is used; then its ETag is compared. Token and refresh never read it.
#[tokio::test]
async fn a_document_is_read_once_while_it_is_fresh() {
    let (memory, documents, mut instance) = deployment("any").await;
    let tokens = redeem(&instance, &code(&instance).await).await;
    assert_eq!(documents.count(), 1);
    let another = documents.instance(&memory, &[("LATCHKEY_CLIENT_DOCUMENTS", "any")]);
    code(&another).await;
    assert_eq!(documents.count(), 1, "another instance uses the stored copy");

    documents.answer(Ok(status(304)));
    instance.wait(Duration::from_secs(601));
    code(&instance).await;
    assert_eq!(documents.count(), 2);
    assert_eq!(documents.requests.lock().unwrap()[1].field, Some(("if-none-match", "\"one\"".to_owned())));
    code(&instance).await;
    assert_eq!(documents.count(), 2, "the look made the copy fresh");

    documents.answer(Err(FetchError::TimedOut));
    instance.wait(Duration::from_secs(24 * 3600));
    let form = [("grant_type", "refresh_token"), ("client_id", URL), ("refresh_token", tokens.refresh.as_str())];
    Tokens::of(&instance.post("/token", &form).await);
    assert_eq!(documents.count(), 2, "a refresh waits for no document");
}

/// An operator's review holds until the document changes.
#[tokio::test]
async fn a_review_holds_until_the_document_changes() {
    let (memory, documents, mut instance) = deployment("any").await;
    code(&instance).await;
    let review = |stored: Option<StoredClient>| {
        Ok::<_, Unavailable>((StoredClient { reviewed: true, ..stored.expect("the client") }, ()))
    };
    clients::change(memory.as_ref(), &client_id(URL), review).await.unwrap();
    for (answer, is_reviewed) in [
        (Ok(status(304)), true),
        (Err(FetchError::TimedOut), true),
        (Ok(served(&document(&json!({})))), true),
        (Ok(served(&document(&json!({ "client_name": "Another" })))), false),
    ] {
        let case = format!("{answer:?}");
        documents.answer(answer);
        instance.wait(Duration::from_secs(3601));
        code(&instance).await;
        let stored = clients::find(memory.as_ref(), &client_id(URL)).await.unwrap().unwrap();
        assert_eq!(stored.is_reviewed(), is_reviewed, "{case}");
    }
}

/// A document that cannot be read is replaced by its last good copy for seven days, and an error is never kept as the answer.
#[tokio::test]
async fn the_last_good_copy_replaces_a_document_for_a_week() {
    let (_, documents, mut instance) = deployment("any").await;
    code(&instance).await;
    for (answer, days) in [(Ok(status(403)), 1), (Err(FetchError::TimedOut), 3), (Ok(status(302)), 2)] {
        documents.answer(answer);
        instance.wait(Duration::from_secs(days * 24 * 3600 - 60));
        code(&instance).await;
    }
    instance.wait(Duration::from_secs(25 * 3600));
    let (status, text) = page(&instance, URL).await;
    assert_eq!(status, 503);
    assert!(text.contains("app.example"), "the page names the host: {text}");
    assert!(!text.contains("302"), "the reason is for the log alone: {text}");
    documents.answer(Ok(served(&document(&json!({})))));
    instance.wait(Duration::from_secs(10));
    code(&instance).await;
}

/// The owner of a document can withdraw it: no copy replaces one that is gone or describes no client.
#[tokio::test]
async fn a_document_that_is_gone_has_no_copy() {
    for answer in [status(404), status(410), served(&document(&json!({ "client_id": "https://other.example/c.json" })))]
    {
        let (_, documents, mut instance) = deployment("any").await;
        code(&instance).await;
        documents.answer(Ok(answer));
        instance.wait(Duration::from_secs(601));
        assert_eq!(page(&instance, URL).await.0, 400);
    }
}

/// Hosts of well-known documents refuse requests from some networks: a copy that comes with the server replaces a document that was
/// never read. The operator can turn the copies off.
#[tokio::test]
async fn a_well_known_document_has_a_copy() {
    let url = authorize_url(CLAUDE, "https://claude.ai/api/mcp/auth_callback");
    let (memory, documents, instance) = deployment("known").await;
    documents.answer(Ok(status(403)));
    Flow::default().code_of(&instance, &url, PASSWORD).await;
    assert_eq!(documents.count(), 1, "the document itself is asked first");
    let stored = clients::find(memory.as_ref(), &client_id(CLAUDE)).await.unwrap().unwrap();
    assert!(!stored.client.is_confidential());
    assert_eq!(page(&instance, URL).await.0, 400, "another document is not admitted");
    assert_eq!(documents.count(), 1, "and is not read");

    let none = documents.instance(&memory, &[("LATCHKEY_CLIENT_DOCUMENTS", "off")]);
    assert_eq!(page(&none, CLAUDE).await.0, 400, "the policy counts, although the copy is fresh");

    let memory = Arc::new(Memory::new());
    let off = documents.instance(&memory, &[("LATCHKEY_CLIENT_DOCUMENT_COPIES", "off")]);
    assert_eq!(page(&off, CLAUDE).await.0, 503);
    let none = documents.instance(&memory, &[("LATCHKEY_CLIENT_DOCUMENTS", "off")]);
    assert_eq!(page(&none, CLAUDE).await.0, 400);
    assert_eq!(documents.count(), 2);
}

/// Redirect URIs, authentication method and keys are what a user relies on: a change asks for consent again, and earlier grants
/// stay.
#[tokio::test]
async fn a_change_of_the_document_asks_for_consent_again() {
    let (_, documents, mut instance) = deployment("any").await;
    let mut flow = Flow::default();
    let url = authorize_url(URL, "https://app.example/cb");
    let code = flow.code_of(&instance, &url, PASSWORD).await;
    let tokens = redeem(&instance, &code).await;
    let silent = format!("{url}&prompt=none");
    // An error of a client without a registration is shown on a page.
    let answer = |response: &latchkey_http::Response| {
        let location = response.headers.get("location").map(|location| location.to_str().unwrap().to_owned());
        location.unwrap_or_else(|| String::from_utf8_lossy(&response.body).into_owned())
    };
    assert!(answer(&flow.get(&instance, &silent).await).contains("code="));
    for (changes, asks) in [
        (json!({ "client_name": "Another name" }), false),
        (json!({ "redirect_uris": ["https://app.example/cb", "https://app.example/2"] }), true),
    ] {
        documents.answer(Ok(served(&document(&changes))));
        instance.wait(Duration::from_secs(601));
        let response = answer(&flow.get(&instance, &silent).await);
        assert_eq!(response.contains("consent_required"), asks, "{changes}: {response}");
    }
    flow.code_of(&instance, &url, PASSWORD).await;
    assert!(answer(&flow.get(&instance, &silent).await).contains("code="), "consent was given for the new document");
    let form = [("grant_type", "refresh_token"), ("client_id", URL), ("refresh_token", tokens.refresh.as_str())];
    Tokens::of(&instance.post("/token", &form).await);
}

/// A client that the operator registered under a URL keeps its settings: a document cannot take over its name.
#[tokio::test]
async fn a_registered_client_is_no_document() {
    let (_, documents, instance) = deployment("any").await;
    let body = json!({ "redirect_uris": ["https://app.example/cb"], "token_endpoint_auth_method": "none" });
    let path = format!("/admin/clients/{}", form_urlencoded::byte_serialize(URL.as_bytes()).collect::<String>());
    assert!(instance.administer(Method::PUT, &path, body.to_string()).await.status.is_success());
    code(&instance).await;
    assert_eq!(documents.count(), 0);
}

/// Anonymous requests cannot make the server read documents without end, or fill the store.
#[tokio::test]
async fn documents_are_read_at_a_pace() {
    let (memory, documents, mut instance) = deployment("any").await;
    documents.answer(Err(FetchError::TimedOut));
    for _ in 0..20 {
        assert_eq!(page(&instance, URL).await.0, 503);
    }
    assert!(documents.count() <= 3, "one document: {}", documents.count());
    let before = documents.count();
    for index in 0..200 {
        page(&instance, &format!("https://{index}.example/client.json")).await;
    }
    let read = documents.count() - before;
    assert!((10..=60).contains(&read), "many documents: {read}");
    instance.wait(Duration::from_secs(600));
    assert_eq!(json_of(&instance.post("/par", &[("client_id", URL)]).await)["error"], "temporarily_unavailable");
    assert!(clients::find(memory.as_ref(), &client_id("https://0.example/client.json")).await.unwrap().is_none());
}
