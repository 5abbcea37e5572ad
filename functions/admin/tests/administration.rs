//! The endpoints for clients, keys and users over the store in memory.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "a test fails by panicking"
)]

use ::keys::AdminPrivateKey;
use async_trait::async_trait;
use base64::{Engine, engine::general_purpose::STANDARD};
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use latchkey_http::{Forwarded, Request, RequestLog, Response};
use platform::fetch::{Outgoing, Transport};
use platform::{FetchError, Fetched, Fetcher};
use protocol::administration::{AdminRequest, AdminScope};
use protocol::{ClientOrigin, StoredClient, Username};
use provider::Context;
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};
use storage::Records;
use storage::memory::Memory;
use types::{ClientId, Issuer, Timestamp};

const SECRET: &str = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
const NOW: Timestamp = Timestamp::from_secs(1_800_000_000);
const HASH: &str = "$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHRzYWx0c2FsdA$aGFzaGhhc2hoYXNoaGFzaGhhc2hoYXNoaGFzaGhhc2g";

fn ada() -> Username {
    provider::names::username("ada").unwrap()
}

/// The operator's key, whose public half is a setting.
fn operator() -> AdminPrivateKey {
    AdminPrivateKey::from_seed([1; 32]).unwrap()
}

async fn token(key: &AdminPrivateKey, method: &Method, target: &str, body: Option<&Value>, now: Timestamp) -> String {
    let body = body.map(Value::to_string).unwrap_or_default();
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let request = AdminRequest { method: method.as_str(), path, query, body: body.as_bytes() };
    key.token(&request, &Issuer::new("http://localhost:8787"), now).await.unwrap()
}

fn shop() -> ClientId {
    ClientId::parse("shop").unwrap()
}

async fn answer(request: &Request, context: &Context) -> Response {
    let answer = match request.path.starts_with("/admin/users") {
        true => admin_users::handle(request, context).await,
        false => admin::handle(request, context).await,
    };
    answer.unwrap_or_else(|error| error.into_api_response(request, context))
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
            "LATCHKEY_ADMIN_KEY" => Some(operator().public().to_string()),
            _ => None,
        };
        let records: Arc<dyn Records> = store.clone();
        let context = Context::new(&lookup, records, Box::new(|_| {})).unwrap();
        Self { context, store }
    }

    async fn send(&self, method: Method, path: &str, token: Option<&str>, body: Option<&Value>) -> Response {
        answer(&self.request(method, path, token, body), &self.context).await
    }

    fn request(&self, method: Method, path: &str, token: Option<&str>, body: Option<&Value>) -> Request {
        let mut headers = HeaderMap::new();
        if let Some(token) = token {
            headers.insert(header::AUTHORIZATION, HeaderValue::from_str(&format!("Bearer {token}")).unwrap());
        }
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        Request {
            method,
            path: path.to_owned(),
            query: query.to_owned(),
            headers,
            body: body.map(Value::to_string).unwrap_or_default().into(),
            address: None,
            place: None,
            certificate: None,
            forwarded: Forwarded::default(),
            received_at: NOW,
            id: "test".to_owned().into(),
            log: RequestLog::default(),
        }
    }

    async fn call(&self, method: Method, path: &str, body: Option<Value>) -> (StatusCode, Value) {
        self.call_with(&operator(), method, path, body).await
    }

    async fn call_with(
        &self,
        key: &AdminPrivateKey,
        method: Method,
        path: &str,
        body: Option<Value>,
    ) -> (StatusCode, Value) {
        let token = token(key, &method, path, body.as_ref(), NOW).await;
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

/// A token for another time or request, of an unknown key, or for no request at all costs at most the look-up of its key.
#[tokio::test]
async fn without_a_good_token_nothing_is_read_or_written() {
    let server = Server::new();
    let body = json!({});
    for method in [Method::GET, Method::POST, Method::PUT, Method::DELETE] {
        let path = "/admin/clients/x";
        let signed = async |key: &AdminPrivateKey, path: &str, now| token(key, &method, path, Some(&body), now).await;
        let old = signed(&operator(), path, Timestamp::from_secs(NOW.as_secs() - 1000)).await;
        let other = signed(&operator(), "/admin/clients/y", NOW).await;
        let good = signed(&operator(), path, NOW).await;
        let forged = format!("{}.{}", good.rsplit_once('.').unwrap().0, other.rsplit_once('.').unwrap().1);
        for token in [None, Some(""), Some("forged"), Some(&old), Some(&other), Some(&forged)] {
            let response = server.send(method.clone(), path, token, Some(&body)).await;
            assert_eq!(response.status, StatusCode::UNAUTHORIZED);
            assert!(response.headers.contains_key(header::WWW_AUTHENTICATE));
        }
        // Failures are counted, for their limit.
        assert_eq!(server.store.counts().total(), server.store.counts().count);
    }
    assert!(server.store.snapshot().iter().all(|record| record.key.is(storage::Kind::Counter)));
    let unknown = AdminPrivateKey::from_seed([9; 32]).unwrap();
    let (status, _) = server.call_with(&unknown, Method::GET, "/admin/clients", None).await;
    let counts = server.store.counts();
    assert_eq!((status, counts.total() - counts.count, counts.get), (StatusCode::UNAUTHORIZED, 1, 1));
}

#[tokio::test]
async fn an_administration_that_is_switched_off_answers_404_to_everybody() {
    let server = Server::with("LATCHKEY_ADMIN", Some("off"));
    for path in ["/admin/clients", "/admin/clients/x", "/admin/other"] {
        assert_eq!(server.call(Method::GET, path, None).await.0, StatusCode::NOT_FOUND);
        assert_eq!(server.send(Method::GET, path, None, None).await.status, StatusCode::NOT_FOUND);
    }
    assert_eq!(server.store.counts().total(), 0);
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
async fn a_user_has_an_address_and_an_external_id() {
    let server = Server::new();
    let wrong = json!({ "password_hash": HASH, "external_id": "a\nb", "claims": { "email": "a@b\r\nBcc: c@d" } });
    let (status, answer) = server.put("/admin/users/ada", wrong).await;
    assert_eq!((status, answer["problems"].as_array().unwrap().len()), (StatusCode::BAD_REQUEST, 2), "{answer}");
    let right = json!({ "password_hash": HASH, "external_id": "E-7", "claims": { "email": "Ada@example.com" } });
    assert_eq!(server.put("/admin/users/ada", right).await.0, StatusCode::CREATED);
    let (_, kept) = server.put("/admin/users/ada", json!({})).await;
    assert_eq!((&kept["external_id"], &kept["claims"]["email"]), (&json!("E-7"), &json!("Ada@example.com")));
    let address = protocol::EmailAddress::parse("ada@EXAMPLE.com").unwrap();
    assert_eq!(storage::users::find_by_email(&*server.store, &address).await.unwrap().len(), 1);
    let (_, gone) = server.put("/admin/users/ada", json!({ "external_id": null })).await;
    assert_eq!(gone.get("external_id"), None);
    assert_eq!(server.call(Method::DELETE, "/admin/users/ada", None).await.0, StatusCode::NO_CONTENT);
    assert!(storage::users::find_by_email(&*server.store, &address).await.unwrap().is_empty());
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
    for path in ["/admin/users/ada/x", "/admin/users/a/b/sign-out", "/admin/clients/ada/sign-out"] {
        assert_eq!(sign_out(path).await.0, StatusCode::NOT_FOUND, "{path}");
    }
    for path in ["/admin/users/ada", "/admin/users/sign-out"] {
        assert_eq!(sign_out(path).await.0, StatusCode::METHOD_NOT_ALLOWED, "{path}");
    }
}

/// A request to every route, with a name that nothing has.
const REQUESTS: [(Method, &str, &str); 18] = [
    (Method::GET, "/admin/clients", "clients:read"),
    (Method::GET, "/admin/clients/none", "clients:read"),
    (Method::PUT, "/admin/clients/none", "clients:write"),
    (Method::DELETE, "/admin/clients/none", "clients:write"),
    (Method::POST, "/admin/initial-access-tokens", "clients:write"),
    (Method::GET, "/admin/users", "users:read"),
    (Method::GET, "/admin/users/none", "users:read"),
    (Method::PUT, "/admin/users/none", "users:write"),
    (Method::DELETE, "/admin/users/none", "users:write"),
    (Method::POST, "/admin/users/none/sign-out", "users:write"),
    (Method::GET, "/admin/users/none/consents", "users:read"),
    (Method::DELETE, "/admin/users/none/consents/none", "users:write"),
    (Method::GET, "/admin/keys", "keys:read"),
    (Method::POST, "/admin/keys/rotate", "keys:write"),
    (Method::POST, "/admin/keys/replace", "keys:write"),
    (Method::GET, "/admin/admin-keys", "admin-keys:read"),
    (Method::POST, "/admin/admin-keys", "admin-keys:write"),
    (Method::DELETE, "/admin/admin-keys/none", "admin-keys:write"),
];

impl Server {
    /// Creates a key of this scope, and returns its private half.
    async fn key(&self, seed: u8, scopes: &[&str], lifetime: u64) -> AdminPrivateKey {
        let key = AdminPrivateKey::from_seed([seed; 32]).unwrap();
        let body = json!({
            "name": format!("key {seed}"), "public_key": key.public(), "scopes": scopes, "lifetime": lifetime,
        });
        let (status, created) = self.call(Method::POST, "/admin/admin-keys", Some(body)).await;
        assert_eq!(status, StatusCode::CREATED, "{created}");
        assert_eq!(created["kid"], json!(key.public().id()));
        key
    }
}

#[tokio::test]
async fn a_scope_allows_its_routes_and_no_others() {
    let server = Server::new();
    for (number, scope) in AdminScope::ALL.into_iter().enumerate() {
        let key = server.key(100 + u8::try_from(number).unwrap(), &[scope.as_str()], 60).await;
        for (method, path, needed) in &REQUESTS {
            let body = (*method == Method::PUT || path.ends_with('s')).then(|| json!({ "unknown": true }));
            let (status, answer) = server.call_with(&key, method.clone(), path, body).await;
            let includes = scope.as_str() == "all"
                || scope.as_str() == *needed
                || needed.strip_suffix(":read").is_some_and(|of| scope.as_str() == format!("{of}:write"));
            assert_eq!(status != StatusCode::FORBIDDEN, includes, "{scope}: {method} {path}: {answer}");
            assert_ne!(status, StatusCode::UNAUTHORIZED, "{scope}: {method} {path}: {answer}");
            if !includes {
                assert_eq!(answer["error"], "insufficient_scope");
                assert!(answer["error_description"].as_str().unwrap().contains(needed), "{answer}");
            }
        }
    }
}

#[tokio::test]
async fn a_key_is_valid_until_it_expires_or_is_revoked() {
    let server = Server::new();
    let key = server.key(2, &["clients:read"], 60).await;
    let list = async |now| {
        let token = token(&key, &Method::GET, "/admin/clients", None, now).await;
        let mut request = server.request(Method::GET, "/admin/clients", Some(&token), None);
        request.received_at = now;
        answer(&request, &server.context).await.status
    };
    assert_eq!(list(NOW).await, StatusCode::OK);
    assert_eq!(list(Timestamp::from_secs(NOW.as_secs() + 59)).await, StatusCode::OK);
    assert_eq!(list(Timestamp::from_secs(NOW.as_secs() + 60)).await, StatusCode::UNAUTHORIZED);

    let path = format!("/admin/admin-keys/{}", key.public().id());
    assert_eq!(server.call(Method::DELETE, &path, None).await.0, StatusCode::NO_CONTENT);
    assert_eq!(list(NOW).await, StatusCode::UNAUTHORIZED);
    assert_eq!(server.call(Method::DELETE, &path, None).await.0, StatusCode::NO_CONTENT, "a repetition");
    let (_, listed) = server.get("/admin/admin-keys").await;
    let items = listed["items"].as_array().unwrap();
    assert_eq!(
        (items[0]["kid"].clone(), items[0]["scopes"].clone()),
        (json!(operator().public().id()), json!(["all"]))
    );
    assert_eq!((&items[1]["name"], &items[1]["revoked_at"]), (&json!("key 2"), &json!(NOW.as_secs())));

    // A revoked key cannot be registered again, and that of the settings cannot be revoked here.
    let again = json!({ "name": "again", "public_key": key.public(), "scopes": ["all"] });
    assert_eq!(server.call(Method::POST, "/admin/admin-keys", Some(again)).await.0, StatusCode::CONFLICT);
    let own = json!({ "name": "own", "public_key": operator().public(), "scopes": ["users:read"] });
    assert_eq!(server.call(Method::POST, "/admin/admin-keys", Some(own)).await.0, StatusCode::CONFLICT);
    let own = format!("/admin/admin-keys/{}", operator().public().id());
    assert_eq!(server.call(Method::DELETE, &own, None).await.0, StatusCode::CONFLICT);
    let none = format!("/admin/admin-keys/{}", AdminPrivateKey::from_seed([3; 32]).unwrap().public().id());
    assert_eq!(server.call(Method::DELETE, &none, None).await.0, StatusCode::NOT_FOUND);
}

/// A key neither grants nor revokes scopes that it lacks, and creates no key that outlives it.
#[tokio::test]
async fn a_limited_key_cannot_gain_rights_by_other_keys() {
    let server = Server::new();
    let limited = server.key(2, &["admin-keys:write", "users:read"], 1000).await;
    let strong = server.key(3, &["users:write"], 1000).await;
    let create = async |scopes: Value, lifetime: Value| {
        let public = AdminPrivateKey::from_seed([4; 32]).unwrap().public();
        let body = json!({ "name": "n", "public_key": public, "scopes": scopes, "lifetime": lifetime });
        server.call_with(&limited, Method::POST, "/admin/admin-keys", Some(body)).await
    };
    for scopes in [json!(["all"]), json!(["users:write"]), json!(["users:read", "keys:read"])] {
        let (status, answer) = create(scopes, Value::Null).await;
        assert_eq!((status, &answer["error"]), (StatusCode::FORBIDDEN, &json!("insufficient_scope")));
    }
    assert_eq!(create(json!(["users:read"]), json!(1001)).await.0, StatusCode::FORBIDDEN);
    let (status, created) = create(json!(["users:read"]), Value::Null).await;
    assert_eq!((status, &created["expires_at"]), (StatusCode::CREATED, &json!(NOW.as_secs() + 1000)));
    assert_eq!(created["created_by"], json!(limited.public().id()));

    let path = format!("/admin/admin-keys/{}", strong.public().id());
    assert_eq!(server.call_with(&limited, Method::DELETE, &path, None).await.0, StatusCode::FORBIDDEN);
    assert_eq!(server.call_with(&strong, Method::GET, "/admin/users", None).await.0, StatusCode::OK);
}

#[tokio::test]
async fn initial_access_tokens_are_issued() {
    let server = Server::new();
    let issue = async |body: Value| server.call(Method::POST, "/admin/initial-access-tokens", Some(body)).await;
    let (status, answer) = issue(json!({ "uses": 3, "lifetime": 600 })).await;
    assert_eq!(
        (status, &answer["uses"], &answer["expires_at"]),
        (StatusCode::CREATED, &json!(3), &json!(NOW.as_secs() + 600))
    );
    assert!(answer["initial_access_token"].as_str().unwrap().len() > 40);
    let (_, usual) = issue(json!({})).await;
    assert_eq!((&usual["uses"], &usual["expires_at"]), (&json!(1), &json!(NOW.as_secs() + 86_400)));
    for body in [
        json!({ "uses": 0 }),
        json!({ "uses": "1" }),
        json!({ "lifetime": 59 }),
        json!({ "lifetime": 1e9 }),
        json!({ "scope": "x" }),
    ] {
        assert_eq!(issue(body.clone()).await.0, StatusCode::BAD_REQUEST, "{body}");
    }
    let counts = server.store.counts();
    assert_eq!((counts.create, counts.total()), (7, 7), "the use of each admin token, and nothing else");
}

/// A key whose record this version cannot read is rejected with a fault, and can be removed by the operator alone.
#[tokio::test]
async fn a_key_that_cannot_be_read_can_be_removed() {
    let server = Server::new();
    let limited = server.key(2, &["admin-keys:write"], 60).await;
    let broken = server.key(3, &["admin-keys:read"], 60).await;
    let id = broken.public().id();
    let record = server.store.snapshot().into_iter().find(|record| record.key.id() == id.as_str()).unwrap();
    server.store.advance(&record.key, 0, "{}", None).await.unwrap();
    server.store.advance(&record.key, 1, "no JSON", None).await.unwrap();
    let sent = token(&broken, &Method::GET, "/admin/admin-keys", None, NOW).await;
    let request = server.request(Method::GET, "/admin/admin-keys", Some(&sent), None);
    assert!(admin::handle(&request, &server.context).await.is_err());

    let path = format!("/admin/admin-keys/{id}");
    assert_eq!(server.call_with(&limited, Method::DELETE, &path, None).await.0, StatusCode::FORBIDDEN);
    assert_eq!(server.call(Method::DELETE, &path, None).await.0, StatusCode::NO_CONTENT);
    assert_eq!(server.call(Method::DELETE, &path, None).await.0, StatusCode::NOT_FOUND);
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
            assert_eq!(request.field, Some(("add-padding", "true".to_owned())));
        }
    }
}

/// A token that changes something is accepted once. Equal requests have different tokens.
#[tokio::test]
async fn a_token_is_used_once() {
    let server = Server::new();
    let body = json!({ "password": "two green umbrellas" });
    let sign =
        async |method: &Method, body: Option<&Value>| token(&operator(), method, "/admin/users/ada", body, NOW).await;
    let (one, two) = (sign(&Method::PUT, Some(&body)).await, sign(&Method::PUT, Some(&body)).await);
    let send = async |method: Method, token: &str, body: Option<&Value>| {
        server.send(method, "/admin/users/ada", Some(token), body).await.status.as_u16()
    };
    assert_eq!(send(Method::PUT, &one, Some(&body)).await, 201);
    assert_eq!(send(Method::PUT, &one, Some(&body)).await, 401);
    assert_eq!(send(Method::PUT, &two, Some(&body)).await, 200);
    let read = sign(&Method::GET, None).await;
    assert_eq!((send(Method::GET, &read, None).await, send(Method::GET, &read, None).await), (200, 200));
    let delete = sign(&Method::DELETE, None).await;
    assert_eq!((send(Method::DELETE, &delete, None).await, send(Method::DELETE, &delete, None).await), (204, 401));
}

/// Only a client of the operator has a logo. The picture of another one is not stored. A picture goes with its client.
#[tokio::test]
async fn a_logo_is_stored_for_clients_of_the_operator_alone() {
    let server = Server::new();
    let picture = json!({ "image": STANDARD.encode(include_bytes!("../../../tests/fuzz/seeds/logo/png")) });
    let logos = || server.store.snapshot().iter().filter(|record| record.key.is(storage::Kind::Logo)).count();
    server.put("/admin/clients/shop", json!({ "redirect_uris": ["https://shop.example/cb"] })).await;
    let stored = storage::clients::find(&*server.store, &shop()).await.unwrap().unwrap();
    let open = StoredClient { origin: ClientOrigin::OpenRegistration, ..stored.clone() };
    storage::clients::save(&*server.store, &open).await.unwrap();
    assert_eq!(server.put("/admin/clients/shop/logo", picture.clone()).await.0, StatusCode::BAD_REQUEST);
    assert_eq!(server.put("/admin/clients/other/logo", picture.clone()).await.0, StatusCode::NOT_FOUND);
    assert_eq!(logos(), 0);
    storage::clients::save(&*server.store, &stored).await.unwrap();
    assert_eq!(server.put("/admin/clients/shop/logo", picture).await.0, StatusCode::OK);
    assert_eq!(logos(), 1);
    assert_eq!(server.call(Method::DELETE, "/admin/clients/shop", None).await.0, StatusCode::NO_CONTENT);
    assert_eq!(logos(), 0);
}
