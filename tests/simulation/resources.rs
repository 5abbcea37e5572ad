//! Resource indicators (RFC 8707): at the authorization endpoint, the code, the refresh token, client credentials.

use crate::common::{PASSWORD, deployment};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use latchkey_http::Response;
use protocol::StoredClient;
use serde_json::{Value, json};
use simulation::{Flow, Instance, VERIFIER, json_of};
use std::sync::Arc;
use storage::memory::Memory;

const ONE: &str = "https://one.example/api";
const TWO: &str = "https://two.example/";
const SEALED: &str = "https://sealed.example/";

async fn start() -> Instance {
    let memory = Arc::new(Memory::new());
    deployment(memory.clone()).await;
    let client: protocol::Client = serde_json::from_value(json!({
        "client_id": "narrow",
        "grant_types": ["client_credentials"],
        "scope": "read write",
        "resources": [ONE],
    }))
    .unwrap();
    let secrets = vec![protocol::SecretVerifier::new("secret", [9; 16])];
    storage::clients::save(memory.as_ref(), &StoredClient::new(client, secrets)).await.unwrap();
    let resources = json!([
        { "resource": ONE, "scopes": "read" },
        { "resource": TWO },
        { "resource": SEALED, "scopes": "read write", "access_token_format": "opaque" },
    ]);
    Instance::start(memory, &[("LATCHKEY_RESOURCES", &resources.to_string())])
}

fn claims(response: &Response) -> Value {
    let token = json_of(response)["access_token"].as_str().unwrap().to_owned();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(token.split('.').nth(1).unwrap()).unwrap()).unwrap()
}

/// Returns a code for these resources, after sign-in and consent.
async fn code(instance: &Instance, resources: &[&str]) -> String {
    let mut browser = Flow::default();
    let query = form_urlencoded::Serializer::new(String::new())
        .extend_pairs(resources.iter().map(|r| ("resource", r)))
        .finish();
    browser.code_of(instance, &format!("{}&{query}", Flow::authorize_url("openid profile")), PASSWORD).await
}

async fn token(instance: &Instance, grant: &[(&str, &str)], resources: &[&str]) -> Response {
    let mut form = grant.to_vec();
    form.extend(resources.iter().map(|resource| ("resource", *resource)));
    instance.post("/token", &form).await
}

async fn redeem(instance: &Instance, code: &str, resources: &[&str]) -> Response {
    let form = [
        ("grant_type", "authorization_code"),
        ("client_id", "spa"),
        ("redirect_uri", "https://app.example/cb"),
        ("code_verifier", VERIFIER),
        ("code", code),
    ];
    token(instance, &form, resources).await
}

async fn refresh(instance: &Instance, from: &Response, resources: &[&str]) -> Response {
    let refresh_token = json_of(from)["refresh_token"].as_str().unwrap().to_owned();
    let form = [("grant_type", "refresh_token"), ("client_id", "spa"), ("refresh_token", refresh_token.as_str())];
    token(instance, &form, resources).await
}

fn error(response: &Response) -> String {
    assert_eq!(response.status.as_u16(), 400);
    json_of(response)["error"].as_str().unwrap().to_owned()
}

/// §2.2: a token has the granted resources, or those that the token request names.
#[tokio::test]
async fn tokens_are_for_what_was_granted_or_less() {
    let instance = start().await;
    let all = redeem(&instance, &code(&instance, &[ONE, TWO]).await, &[]).await;
    assert_eq!(claims(&all)["aud"], json!([ONE, TWO]));
    let one = redeem(&instance, &code(&instance, &[ONE, TWO]).await, &[ONE]).await;
    assert_eq!(claims(&one)["aud"], ONE);
    let two = refresh(&instance, &one, &[TWO]).await;
    assert_eq!(claims(&two)["aud"], TWO);
    assert_eq!(claims(&refresh(&instance, &two, &[]).await)["aud"], json!([ONE, TWO]));
    let none = redeem(&instance, &code(&instance, &[]).await, &[]).await;
    assert_eq!(claims(&none)["aud"], simulation::ISSUER);
}

/// §2.2: a request for other resources is rejected; code and refresh token stay valid.
#[tokio::test]
async fn tokens_are_never_for_more() {
    let instance = start().await;
    let code = code(&instance, &[ONE]).await;
    assert_eq!(error(&redeem(&instance, &code, &[TWO]).await), "invalid_target");
    let tokens = redeem(&instance, &code, &[ONE]).await;
    assert_eq!(error(&refresh(&instance, &tokens, &[ONE, TWO]).await), "invalid_target");
    assert_eq!(error(&refresh(&instance, &tokens, &["https://unknown.example/"]).await), "invalid_target");
    assert!(refresh(&instance, &tokens, &[]).await.status.is_success());
}

/// §2.1: an unknown resource is reported to the client.
#[tokio::test]
async fn an_unknown_resource_is_an_invalid_target() {
    let instance = start().await;
    let mut browser = Flow::default();
    for resource in ["https://unknown.example/", "https%3A%2F%2Fone.example%2Fapi%2F", "one"] {
        let url = format!("{}&resource={resource}", Flow::authorize_url("openid"));
        let answer = browser.get(&instance, &url).await;
        let location = answer.headers["location"].to_str().unwrap();
        assert!(location.contains("error=invalid_target"), "{resource}: {location}");
    }
}

/// Consent to a scope at one resource does not cover another resource.
#[tokio::test]
async fn consent_is_per_resource() {
    let instance = start().await;
    let mut browser = Flow::default();
    let at = |resource: &str| {
        let resource: String = form_urlencoded::byte_serialize(resource.as_bytes()).collect();
        format!("{}&resource={resource}", Flow::authorize_url("openid profile"))
    };
    browser.code_of(&instance, &at(ONE), PASSWORD).await;
    let again = browser.get(&instance, &at(ONE)).await;
    assert!(again.headers["location"].to_str().unwrap().contains("code="));
    let other = browser.get(&instance, &at(TWO)).await;
    let location = other.headers["location"].to_str().unwrap().to_owned();
    assert!(location.contains("/consent?"), "{location}");
    let page = browser.get(&instance, &location).await;
    assert!(String::from_utf8_lossy(&page.body).contains(TWO), "the page names the resource");
}

/// Client credentials: a client may be limited to resources; the scope is narrowed to that of the resource; tokens of a
/// resource may be opaque.
#[tokio::test]
async fn a_service_asks_by_name() {
    let instance = start().await;
    let service = [("grant_type", "client_credentials"), ("client_id", "service"), ("client_secret", "secret")];
    let narrow = [("grant_type", "client_credentials"), ("client_id", "narrow"), ("client_secret", "secret")];
    let one = token(&instance, &service, &[ONE]).await;
    assert_eq!((&claims(&one)["aud"], &claims(&one)["scope"]), (&json!(ONE), &json!("read")));
    assert_eq!(json_of(&one)["scope"], "read");
    assert_eq!(claims(&token(&instance, &service, &[TWO]).await)["scope"], "read write");
    let sealed = token(&instance, &service, &[SEALED]).await;
    assert!(json_of(&sealed)["access_token"].as_str().unwrap().starts_with("lka_"));
    assert!(token(&instance, &narrow, &[ONE]).await.status.is_success());
    assert_eq!(error(&token(&instance, &narrow, &[TWO]).await), "invalid_target");
}

/// A request may name the deployment's own audience, in any spelling of its URL: it is the default.
#[tokio::test]
async fn the_audience_of_the_deployment_is_a_resource() {
    let memory = Arc::new(Memory::new());
    deployment(memory.clone()).await;
    let instance = Instance::start(memory, &[("LATCHKEY_AUDIENCE", "https://api.example")]);
    for resources in [&[][..], &["https://api.example"], &["https://api.example/"]] {
        let first = redeem(&instance, &code(&instance, resources).await, resources).await;
        let second = refresh(&instance, &first, resources).await;
        for response in [&first, &second] {
            assert_eq!(claims(response)["aud"], "https://api.example");
        }
    }
    let other = redeem(&instance, &code(&instance, &[]).await, &["https://other.example"]).await;
    assert_eq!(error(&other), "invalid_target");
}

/// RFC 9068 §2.1: a resource decides how its tokens are signed, and for a resource server that rejects `at+jwt` their type. Such a
/// token passes for an ID token nowhere.
#[tokio::test]
async fn a_resource_decides_signature_and_type() {
    let memory = Arc::new(Memory::new());
    deployment(memory.clone()).await;
    let resources = json!([{
        "resource": ONE, "scopes": "read", "access_token_signed_response_alg": "RS256", "access_token_type": "JWT",
    }]);
    let instance = Instance::start(memory, &[("LATCHKEY_RESOURCES", &resources.to_string())]);
    let code = code(&instance, &[ONE, simulation::ISSUER]).await;
    let response = redeem(&instance, &code, &[]).await;
    let token = json_of(&response)["access_token"].as_str().unwrap().to_owned();
    let header: Value =
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(token.split('.').next().unwrap()).unwrap()).unwrap();
    assert_eq!((&header["alg"], &header["typ"]), (&json!("RS256"), &json!("JWT")));
    assert_eq!(Flow::userinfo(&instance, &token).await.status.as_u16(), 200, "the server knows its own token");
    let url = format!("{}&prompt=none&id_token_hint={token}", Flow::authorize_url("openid"));
    let answer = Flow::default().get(&instance, &url).await;
    assert!(answer.headers["location"].to_str().unwrap().contains("error=invalid_request"), "{answer:?}");
    let id_token = json_of(&response)["id_token"].as_str().unwrap().to_owned();
    assert_eq!(Flow::userinfo(&instance, &id_token).await.status.as_u16(), 401);
}

/// A client that registers itself may request the resources that are marked for such clients, with the scopes that they have today;
/// its own `scope` is only that of requests without one.
#[tokio::test]
async fn registered_clients_request_the_resources_marked_for_them() {
    let memory = Arc::new(Memory::new());
    deployment(memory.clone()).await;
    let start = |scopes: &str| {
        let resources = json!([{ "resource": ONE, "scopes": scopes, "registered_clients": true }, { "resource": TWO, "scopes": "write" }]);
        let settings = [("LATCHKEY_RESOURCES", resources.to_string()), ("LATCHKEY_REGISTRATION", "open".to_owned())];
        let settings: Vec<(&str, &str)> = settings.iter().map(|(name, value)| (*name, value.as_str())).collect();
        Instance::start(memory.clone(), &settings)
    };
    let instance = start("read");
    let metadata = json!({
        "redirect_uris": ["https://app.example/cb"], "token_endpoint_auth_method": "none", "scope": "openid read",
    });
    let headers = [(http::header::CONTENT_TYPE, "application/json".to_owned())];
    let registered = json_of(&instance.send(http::Method::POST, "/register", &headers, metadata.to_string()).await);
    let client_id = registered["client_id"].as_str().unwrap();
    let url = |scope: &str, resource: &str| {
        let url = Flow::authorize_url(scope).replace("client_id=spa", &format!("client_id={client_id}"));
        let resource: String = form_urlencoded::byte_serialize(resource.as_bytes()).collect();
        format!("{url}&resource={resource}")
    };
    let body = |response: &Response| String::from_utf8_lossy(&response.body).into_owned();
    let refused = Flow::default().get(&instance, &url("write", TWO)).await;
    assert!(body(&refused).contains("invalid_target"), "{}", body(&refused));
    Flow::default().code_of(&instance, &url("read", ONE), PASSWORD).await;

    let later = start("read delete");
    Flow::default().code_of(&later, &url("delete", ONE), PASSWORD).await;
    let without =
        Flow::authorize_url("x").replace("scope=x&", "").replace("client_id=spa", &format!("client_id={client_id}"));
    let mut browser = Flow::default();
    let code = browser.code_of(&later, &without, PASSWORD).await;
    let form = [
        ("grant_type", "authorization_code"),
        ("client_id", client_id),
        ("redirect_uri", "https://app.example/cb"),
        ("code_verifier", VERIFIER),
        ("code", code.as_str()),
    ];
    assert_eq!(
        json_of(&later.post("/token", &form).await)["scope"],
        "read delete",
        "with what the user allowed before"
    );
}

/// A deployment that offers registration and no resource for it says so at start.
#[tokio::test]
async fn a_resource_that_no_client_can_reach_is_reported() {
    let read = |resources: &str, registration: &str| {
        let lookup = |name: &str| match name {
            "LATCHKEY_ISSUER" => Some(simulation::ISSUER.to_owned()),
            "LATCHKEY_SECRET" => Some(simulation::SECRET.to_owned()),
            "LATCHKEY_RESOURCES" => Some(resources.to_owned()),
            "LATCHKEY_REGISTRATION" => Some(registration.to_owned()),
            "LATCHKEY_CLIENT_DOCUMENTS" => Some("off".to_owned()),
            _ => None,
        };
        let context = provider::Context::new(&lookup, Arc::new(Memory::new()), Box::new(|_| ())).unwrap();
        context.configuration.warnings(&context.config).len()
    };
    let unmarked = format!(r#"[{{"resource":"{ONE}","scopes":"read"}}]"#);
    let marked = format!(r#"[{{"resource":"{ONE}","scopes":"read","registered_clients":true}}]"#);
    assert_eq!(read(&unmarked, "open"), 1);
    assert_eq!(read(&unmarked, "closed"), 0);
    assert_eq!(read(&marked, "open"), 0);
    assert_eq!(read("[]", "open"), 0);
}
