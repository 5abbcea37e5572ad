//! The endpoint over the store in memory.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "a test fails by panicking"
)]

use async_trait::async_trait;
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use latchkey_http::{Forwarded, Request, RequestLog, Response};
use platform::fetch::{Outgoing, Transport};
use platform::{FetchError, Fetched, Fetcher};
use protocol::Username;
use provider::Context;
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};
use storage::memory::Memory;
use types::{ClientId, Timestamp};

const SECRET: &str = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
const NOW: Timestamp = Timestamp::from_secs(1_800_000_000);
const HASH: &str = "$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHRzYWx0c2FsdA$aGFzaGhhc2hoYXNoaGFzaGhhc2hoYXNoaGFzaGhhc2g";

fn ada() -> Username {
    provider::names::username("ada").unwrap()
}

fn shop() -> ClientId {
    ClientId::parse("shop").unwrap()
}

struct Server {
    context: Context,
    store: Arc<Memory>,
}

impl Server {
    fn new() -> Self {
        Self::with("", None)
    }

    /// Returns a server with a setting.
    fn with(setting: &str, value: Option<&str>) -> Self {
        let store = Arc::new(Memory::default());
        let lookup = |name: &str| match name {
            _ if name == setting => value.map(str::to_owned),
            "LATCHKEY_ISSUER" => Some("http://localhost:8787".to_owned()),
            "LATCHKEY_SECRET" => Some(SECRET.to_owned()),
            _ => None,
        };
        let records: Arc<dyn storage::Records> = store.clone();
        let context = Context::new(&lookup, records, Box::new(|_| {})).unwrap();
        Self { context, store }
    }

    async fn send(&self, method: Method, path: &str, token: Option<&str>, body: Option<&Value>) -> Response {
        let mut headers = HeaderMap::new();
        if let Some(token) = token {
            headers.insert(header::AUTHORIZATION, HeaderValue::from_str(&format!("Bearer {token}")).unwrap());
        }
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        let request = Request {
            method,
            path: path.to_owned(),
            query: query.to_owned(),
            headers,
            body: body.map(Value::to_string).unwrap_or_default().into(),
            address: None,
            forwarded: Forwarded::default(),
            received_at: NOW,
            id: "test".to_owned(),
            log: RequestLog::default(),
        };
        admin::handle(&request, &self.context).await.unwrap()
    }

    async fn call(&self, method: Method, path: &str, body: Option<Value>) -> (StatusCode, Value) {
        let token = admin::bearer::mint(&self.context.secrets, NOW);
        let response = self.send(method, path, Some(&token), body.as_ref()).await;
        (response.status, serde_json::from_slice(&response.body).unwrap_or(Value::Null))
    }

    async fn put(&self, path: &str, body: Value) -> (StatusCode, Value) {
        self.call(Method::PUT, path, Some(body)).await
    }

    async fn get(&self, path: &str) -> (StatusCode, Value) {
        self.call(Method::GET, path, None).await
    }
}

#[tokio::test]
async fn without_a_good_token_nothing_is_read_or_written() {
    let server = Server::new();
    let good = admin::bearer::mint(&server.context.secrets, NOW);
    let old = admin::bearer::mint(&server.context.secrets, Timestamp::from_secs(NOW.as_secs() - 1000));
    for token in [None, Some(""), Some("forged"), Some(&good.replace('A', "B")), Some(&old)] {
        for method in [Method::GET, Method::POST, Method::PUT, Method::DELETE] {
            let response = server.send(method, "/admin/clients/x", token, Some(&json!({}))).await;
            assert_eq!(response.status, StatusCode::UNAUTHORIZED);
            assert!(response.headers.contains_key(header::WWW_AUTHENTICATE));
        }
    }
    // Failures are counted, for their limit.
    assert_eq!(server.store.counts().total(), server.store.counts().count);
    assert!(server.store.snapshot().iter().all(|record| record.key.is(storage::Kind::Counter)));
}

/// An invalid query must not select every key.
#[tokio::test]
async fn keys_are_replaced_by_a_request_that_can_be_read() {
    let server = Server::new();
    let (_, before) = server.get("/admin/keys").await;
    for query in ["alg=none", "alg=", "alg=ES256&alg=RS256", "alg=%ff", "alg=%zz&x=%00"] {
        for action in ["rotate", "replace"] {
            let (status, problem) = server.call(Method::POST, &format!("/admin/keys/{action}?{query}"), None).await;
            assert_eq!(status, StatusCode::BAD_REQUEST, "{query}: {problem}");
        }
    }
    assert_eq!(server.get("/admin/keys").await.1, before);
    let (status, after) = server.call(Method::POST, "/admin/keys/replace?alg=ES256", None).await;
    assert_eq!(status, StatusCode::OK);
    assert_ne!(after, before);
}

#[tokio::test]
async fn a_client_is_registered_changed_listed_and_removed() {
    let server = Server::new();
    let metadata = json!({
        "client_name": "Shop",
        "redirect_uris": ["https://shop.example/callback"],
        "grant_types": ["authorization_code", "refresh_token"],
        "token_endpoint_auth_method": "client_secret_basic",
    });
    let (status, registered) = server.put("/admin/clients/shop", metadata.clone()).await;
    assert_eq!(status, StatusCode::CREATED, "{registered}");
    let secret = registered["client_secret"].as_str().unwrap().to_owned();
    assert_eq!(secret.len(), 43);

    let (status, again) = server.put("/admin/clients/shop", metadata.clone()).await;
    assert_eq!((status, again.get("client_secret")), (StatusCode::OK, None), "the same once more changes nothing");
    let stored = storage::clients::find(&*server.store, &shop()).await.unwrap().unwrap();
    assert!(stored.accepts(&secret) && !stored.accepts("another secret"));
    assert!(!serde_json::to_string(&stored).unwrap().contains(&secret), "the store holds no secret");

    let mut with_added = metadata.clone();
    with_added["new_client_secret"] = json!("add");
    let added = server.put("/admin/clients/shop", with_added).await.1["client_secret"].as_str().unwrap().to_owned();
    let stored = storage::clients::find(&*server.store, &shop()).await.unwrap().unwrap();
    assert!(stored.accepts(&secret) && stored.accepts(&added));

    let mut with_new = metadata;
    with_new["new_client_secret"] = json!("replace");
    server.put("/admin/clients/shop", with_new).await;
    let stored = storage::clients::find(&*server.store, &shop()).await.unwrap().unwrap();
    assert!(!stored.accepts(&secret) && !stored.accepts(&added));

    let (_, shown) = server.get("/admin/clients/shop").await;
    assert_eq!((&shown["client_name"], shown.get("secrets")), (&json!("Shop"), None));
    let (_, listed) = server.get("/admin/clients").await;
    assert_eq!(listed["items"][0]["client_id"], "shop");
    assert_eq!(server.call(Method::DELETE, "/admin/clients/shop", None).await.0, StatusCode::NO_CONTENT);
    assert_eq!(server.get("/admin/clients/shop").await.0, StatusCode::NOT_FOUND);
    assert_eq!(server.call(Method::DELETE, "/admin/clients/shop", None).await.0, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn all_that_is_wrong_is_told_at_once() {
    let server = Server::new();
    let (status, answer) = server
        .put(
            "/admin/clients/bad",
            json!({ "client_id": "other", "redirect_uris": 3, "logo_uri": "http://shop.example/logo", "colour": "red", "grant_types": ["password"], "client_secret": "short" }),
        )
        .await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    let problems = answer["problems"].as_array().unwrap();
    for name in ["client_id", "redirect_uris", "colour", "grant_types", "client_secret", "logo_uri"] {
        let told = problems.iter().filter(|problem| problem.as_str().unwrap().starts_with(name)).count();
        assert_eq!(told, 1, "{name}: {answer}");
    }
    let (_, answer) = server
        .put(
            "/admin/clients/bad",
            json!({
                "redirect_uris": ["http://shop.example/", "https://shop.example/#x"],
                "grant_types": ["authorization_code", "client_credentials"],
                "token_endpoint_auth_method": "none",
                "client_secret": "a-secret-of-a-public-client",
            }),
        )
        .await;
    assert_eq!(answer["problems"].as_array().unwrap().len(), 4, "{answer}");
    let (_, answer) = server
        .put("/admin/users/ada", json!({ "password_hash": "x", "claims": { "email": 1, "admin": true }, "sub": "" }))
        .await;
    assert_eq!(answer["problems"].as_array().unwrap().len(), 4, "{answer}");
}

#[tokio::test]
async fn a_person_is_registered_changed_listed_and_removed() {
    let server = Server::new();
    assert_eq!(server.put("/admin/users/ada", json!({})).await.0, StatusCode::BAD_REQUEST, "a password is needed");
    let (status, user) =
        server.put("/admin/users/Ada", json!({ "password_hash": HASH, "claims": { "name": "Ada" } })).await;
    assert_eq!((status, &user["username"]), (StatusCode::CREATED, &json!("ada")));
    assert_eq!(user["claims"]["updated_at"], NOW.as_secs());
    let subject = user["sub"].as_str().unwrap();
    let credential = storage::users::find_credential(&*server.store, &ada()).await.unwrap().unwrap();
    assert_eq!((credential.subject.as_str(), credential.password.as_str()), (subject, HASH));

    let (status, changed) = server.put("/admin/users/ada", json!({ "claims": { "name": "Ada L." } })).await;
    assert_eq!((status, &changed["sub"], &changed["claims"]["name"]), (StatusCode::OK, &user["sub"], &json!("Ada L.")));
    let (_, kept) = server.put("/admin/users/ada", json!({ "password_hash": HASH })).await;
    assert_eq!(kept["claims"]["name"], "Ada L.");
    assert_eq!(server.put("/admin/users/ada", json!({ "sub": "other" })).await.0, StatusCode::BAD_REQUEST);
    assert_eq!(
        server.put("/admin/users/eve", json!({ "sub": subject, "password_hash": HASH })).await.0,
        StatusCode::BAD_REQUEST,
        "a subject is one person's"
    );

    let (_, listed) = server.get("/admin/users").await;
    assert_eq!(listed["items"], json!([{ "username": "ada", "sub": subject }]));
    assert_eq!(server.call(Method::DELETE, "/admin/users/ada", None).await.0, StatusCode::NO_CONTENT);
    assert_eq!(server.get("/admin/users/ada").await.0, StatusCode::NOT_FOUND);
    assert!(storage::users::find_credential(&*server.store, &ada()).await.unwrap().is_none());
}

#[tokio::test]
async fn names_are_decoded_and_long_listings_have_pages() {
    let server = Server::new();
    let (status, _) = server.put("/admin/users/zo%C3%AB%40example.com", json!({ "password_hash": HASH })).await;
    assert_eq!(status, StatusCode::CREATED);
    assert_eq!(server.get("/admin/users/zo%C3%AB%40example.com").await.1["username"], "zoë@example.com");
    for path in ["/admin/users/%FF", "/admin/users/a/b", "/admin/other", "/admin/"] {
        assert_eq!(server.get(path).await.0, StatusCode::NOT_FOUND, "{path}");
    }
    for number in 0..130 {
        let client = json!({ "grant_types": ["client_credentials"], "scope": "read" });
        assert_eq!(server.put(&format!("/admin/clients/c{number:03}"), client).await.0, StatusCode::CREATED);
    }
    let (_, first) = server.get("/admin/clients").await;
    let next = first["next"].as_str().unwrap().replace('#', "%23");
    let (_, second) = server.get(&format!("/admin/clients?cursor={next}")).await;
    let count = |page: &Value| page["items"].as_array().unwrap().len();
    assert_eq!((count(&first), count(&second), second.get("next")), (100, 30, None));
}

#[tokio::test]
async fn a_person_is_signed_out_everywhere() {
    let server = Server::new();
    let sign_out = |name: &'static str| server.call(Method::POST, name, None);
    assert_eq!(sign_out("/admin/users/ada/sign-out").await.0, StatusCode::NOT_FOUND);
    server.put("/admin/users/ada", json!({ "password_hash": HASH })).await;
    let nothing = json!({ "sessions": 0, "grants": 0 });
    assert_eq!(sign_out("/admin/users/Ada/sign-out").await, (StatusCode::OK, nothing));
    for path in ["/admin/users/ada", "/admin/users/ada/x", "/admin/users/sign-out", "/admin/clients/ada/sign-out"] {
        assert_eq!(sign_out(path).await.0, StatusCode::NOT_FOUND, "{path}");
    }
}

/// NIST SP 800-63B-4 §3.1.1.2: the server applies the rules, and stores a hash.
#[tokio::test]
async fn a_password_must_keep_the_rules() {
    let server = Server::new();
    let claims = json!({ "email": "augusta@king.example" });
    for (password, told) in [
        (json!("14 characters."), "needs 15"),
        (json!("augusta king 1815"), "name of the service"),
        (json!("tab\tin the password"), "control characters"),
        (json!(15), "must be a string"),
    ] {
        let (status, answer) =
            server.put("/admin/users/ada", json!({ "password": password, "claims": claims.clone() })).await;
        assert_eq!(status, StatusCode::BAD_REQUEST);
        assert!(answer["problems"][0].as_str().unwrap().contains(told), "{answer}");
    }
    let both = json!({ "password": "two green umbrellas", "password_hash": HASH });
    assert_eq!(server.put("/admin/users/ada", both).await.0, StatusCode::BAD_REQUEST);
    assert_eq!(server.get("/admin/users/ada").await.0, StatusCode::NOT_FOUND);
    let (status, user) = server.put("/admin/users/ada", json!({ "password": "two green umbrellas" })).await;
    assert_eq!(status, StatusCode::CREATED, "{user}");
    assert!(!user.to_string().contains("umbrellas"));
    let credential = storage::users::find_credential(&*server.store, &ada()).await.unwrap().unwrap();
    assert!(credential.password.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"));
}

/// A range API that answers with these lines, and keeps what it was asked.
struct RangeApi {
    answer: Result<Fetched, FetchError>,
    asked: Arc<Mutex<Vec<Outgoing>>>,
}

#[async_trait]
impl Transport for RangeApi {
    async fn send(&self, request: &Outgoing) -> Result<Fetched, FetchError> {
        self.asked.lock().unwrap().push(request.clone());
        self.answer.clone()
    }
}

/// A k-anonymity look-up sends five digits of a hash, is off by default, and fails open.
#[tokio::test]
async fn a_breached_password_is_refused_if_the_deployment_looks_it_up() {
    // SHA-1 of "two green umbrellas", in two parts.
    let (sent, listed) = ("2177B", "33839CEB87B55011EE5D9716DA0F47573BF");
    let answered = |line: &str, status| {
        let body = format!("0018A45C4D1DEF81644B54AB7F969B88D65:3\r\n{line}\r\n").into_bytes();
        Ok(Fetched { status, body, ..Fetched::default() })
    };
    let url = Some("http://localhost:9/range/");
    for (url, answer, status, requests) in [
        (None, answered(&format!("{listed}:17"), StatusCode::OK), StatusCode::CREATED, 0),
        (url, answered(&format!("{listed}:17"), StatusCode::OK), StatusCode::BAD_REQUEST, 1),
        (url, answered(&format!("{}:1", listed.to_lowercase()), StatusCode::OK), StatusCode::BAD_REQUEST, 1),
        (url, answered(&format!("{listed}:0"), StatusCode::OK), StatusCode::CREATED, 1),
        (url, answered("FFFFA45C4D1DEF81644B54AB7F969B88D65:1", StatusCode::OK), StatusCode::CREATED, 1),
        (url, answered(&format!("{listed}:17"), StatusCode::BAD_GATEWAY), StatusCode::CREATED, 1),
        (url, Err(FetchError::TimedOut), StatusCode::CREATED, 1),
    ] {
        let mut server = Server::with("LATCHKEY_BREACHED_PASSWORDS", url);
        let asked = Arc::default();
        let api = RangeApi { answer, asked: Arc::clone(&asked) };
        server.context.fetch = Arc::new(Fetcher::over(Box::new(api), server.context.config.reach()));
        let (answered, problem) = server.put("/admin/users/ada", json!({ "password": "two green umbrellas" })).await;
        assert_eq!(answered, status, "{problem}");
        let asked = asked.lock().unwrap();
        assert_eq!(asked.len(), requests);
        for request in asked.iter() {
            assert_eq!(request.url.as_str(), format!("http://localhost:9/range/{sent}"));
            assert_eq!(request.field, Some(("add-padding", "true")));
        }
    }
}
