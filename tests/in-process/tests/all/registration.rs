//! Registration, its management, and clients that prove themselves by an assertion: round trips, quotas, time.

use http::{Method, header};
use in_process::{ISSUER, Instance, T0, json_of, seed};
use jose::{Algorithm, Jwk, SigningKey, platform, sign_jwt};
use runtime::Response;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;
use storage::memory::Memory;

const OPEN: [(&str, &str); 2] =
    [("LATCHKEY_REGISTRATION", "open"), ("LATCHKEY_REGISTRATION_GRANTS", "authorization_code client_credentials")];

async fn instance(memory: &Arc<Memory>, settings: &[(&str, &str)]) -> Instance {
    seed(memory.as_ref(), "unused").await;
    Instance::start(memory.clone(), settings)
}

async fn send(instance: &Instance, method: Method, path: &str, token: Option<&str>, body: &Value) -> Response {
    let mut headers = vec![(header::CONTENT_TYPE, "application/json".to_owned())];
    headers.extend(token.map(|token| (header::AUTHORIZATION, format!("Bearer {token}"))));
    instance.send(method, path, &headers, body.to_string()).await
}

async fn register(instance: &Instance, token: Option<&str>, metadata: &Value) -> Response {
    send(instance, Method::POST, "/register", token, metadata).await
}

fn service(name: &str) -> Value {
    json!({ "client_name": name, "grant_types": ["client_credentials"], "scope": "openid" })
}

async fn credentials(instance: &Instance, document: &Value) -> Response {
    let text = |name: &str| document[name].as_str().unwrap().to_owned();
    let form = [
        ("grant_type", "client_credentials"),
        ("client_id", &text("client_id")),
        ("client_secret", &text("client_secret")),
    ];
    instance.post("/token", &form).await
}

#[tokio::test]
async fn an_assertion_takes_one_round_trip_and_a_forgery_none() {
    let memory = Arc::new(Memory::new());
    let instance = instance(&memory, &OPEN).await;
    let pair = platform().generate(Algorithm::ES256).await.unwrap();
    let signer = platform().signer(Algorithm::ES256, &pair.pkcs8).await.unwrap();
    let key = SigningKey::new("a", Algorithm::ES256, signer);
    let jwk = Jwk { kid: Some("a".to_owned()), ..Jwk::from(pair.public) };
    let mut metadata = service("by key");
    metadata["token_endpoint_auth_method"] = json!("private_key_jwt");
    metadata["jwks"] = json!({ "keys": [jwk] });
    let registered = json_of(&register(&instance, None, &metadata).await);
    let id = registered["client_id"].as_str().unwrap().to_owned();
    let mut trips = Vec::new();
    for (jti, forged) in [("1", false), ("2", false), ("3", false), ("3", false), ("4", true)] {
        let now = T0.as_secs();
        let claims = json!({ "iss": id, "sub": id, "aud": ISSUER, "jti": jti, "exp": now + 60 });
        let mut assertion = sign_jwt(&key, "JWT", &claims).await.unwrap();
        if forged {
            assertion = assertion.replacen("eyJ", "eyI", 1);
        }
        let form = [
            ("grant_type", "client_credentials"),
            ("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"),
            ("client_assertion", &assertion),
        ];
        let before = memory.counts().total();
        let status = instance.post("/token", &form).await.status.as_u16();
        trips.push((status, memory.counts().total() - before));
    }
    assert_eq!(trips[2], (200, 1), "a client that is known");
    assert_eq!(trips[3], (401, 1), "used before");
    assert_eq!(trips[4], (401, 0), "forged");
}

#[tokio::test]
async fn registration_and_management_keep_to_their_round_trips() {
    let memory = Arc::new(Memory::new());
    let instance = instance(&memory, &OPEN).await;
    let count = || memory.counts().total();

    let before = count();
    let answer = register(&instance, None, &service("anybody's")).await;
    assert_eq!((answer.status.as_u16(), count() - before), (201, 6), "two quotas, the registration, the client");

    let secrets = &instance.context().secrets;
    let token = runtime::initial_access_token(secrets, [1; 16], 1, T0, T0.after(Duration::from_secs(60)));
    let before = count();
    let answer = register(&instance, Some(&token), &service("invited")).await;
    assert_eq!((answer.status.as_u16(), count() - before), (201, 4), "the token, the registration, the client");
    let document = json_of(&answer);
    let path = format!("/register/{}", document["client_id"].as_str().unwrap());
    let token = document["registration_access_token"].as_str();

    let before = count();
    let answer = send(&instance, Method::GET, &path, token, &json!(null)).await;
    assert_eq!((answer.status.as_u16(), count() - before), (200, 2), "read");

    let mut replacement = service("changed");
    replacement["client_id"] = document["client_id"].clone();
    let before = count();
    let answer = send(&instance, Method::PUT, &path, token, &replacement).await;
    assert_eq!((answer.status.as_u16(), count() - before), (200, 5), "replace");

    for forged in ["x", "lkg_x", document["client_secret"].as_str().unwrap()] {
        let before = count();
        let answer = send(&instance, Method::GET, &path, Some(forged), &json!(null)).await;
        assert_eq!((answer.status.as_u16(), count() - before), (401, 0), "forged");
    }

    let before = count();
    let answer = send(&instance, Method::DELETE, &path, token, &json!(null)).await;
    assert_eq!((answer.status.as_u16(), count() - before), (204, 3), "delete");
    assert_eq!(credentials(&instance, &document).await.status.as_u16(), 401);
}

#[tokio::test]
async fn registration_is_closed_unless_it_is_opened() {
    let memory = Arc::new(Memory::new());
    let closed = instance(&memory, &[]).await;
    assert_eq!(register(&closed, None, &service("x")).await.status.as_u16(), 403);
    let metadata = json_of(&closed.send(Method::GET, "/.well-known/openid-configuration", &[], String::new()).await);
    assert!(metadata.get("registration_endpoint").is_none());

    let by_token = Instance::start(memory.clone(), &[("LATCHKEY_REGISTRATION", "token")]);
    assert_eq!(register(&by_token, None, &service("x")).await.status.as_u16(), 401);
    let web = json!({ "redirect_uris": ["https://client.example/"] });
    let secrets = &by_token.context().secrets;
    let token = |until| runtime::initial_access_token(secrets, [2; 16], 9, T0, until);
    assert_eq!(register(&by_token, Some(&token(T0)), &web).await.status.as_u16(), 401, "expired");
    let good = token(T0.after(Duration::from_secs(1)));
    assert_eq!(register(&by_token, Some(&good), &web).await.status.as_u16(), 201);
    // Grants without a person are for whom the operator says.
    assert_eq!(register(&by_token, Some(&good), &service("x")).await.status.as_u16(), 400);

    let by_statement = Instance::start(memory, &[("LATCHKEY_REGISTRATION", "statement")]);
    assert_eq!(register(&by_statement, None, &web).await.status.as_u16(), 401);
}

#[tokio::test]
async fn quotas_hold_for_an_hour() {
    let memory = Arc::new(Memory::new());
    let settings = [OPEN[0], OPEN[1], ("LATCHKEY_REGISTRATIONS_PER_ADDRESS", "2")];
    let mut instance = instance(&memory, &settings).await;
    for status in [201, 201, 429, 429] {
        assert_eq!(register(&instance, None, &service("x")).await.status.as_u16(), status);
    }
    let refused = register(&instance, None, &service("x")).await;
    assert_eq!(refused.headers[header::RETRY_AFTER], "3601");
    instance.wait(Duration::from_secs(3600));
    assert_eq!(register(&instance, None, &service("x")).await.status.as_u16(), 201);
}

#[tokio::test]
async fn a_client_that_is_not_used_is_forgotten() {
    let memory = Arc::new(Memory::new());
    let mut instance = instance(&memory, &OPEN).await;
    let (used, unused) = (
        json_of(&register(&instance, None, &service("used")).await),
        json_of(&register(&instance, None, &service("unused")).await),
    );
    assert_eq!(credentials(&instance, &used).await.status.as_u16(), 200);
    instance.wait(Duration::from_secs(604_801));
    assert_eq!(credentials(&instance, &used).await.status.as_u16(), 200);
    assert_eq!(credentials(&instance, &unused).await.status.as_u16(), 401);
}
