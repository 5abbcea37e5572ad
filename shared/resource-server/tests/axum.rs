//! The API of the example on axum and sockets, with an authorization server on axum.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]
#![allow(clippy::arithmetic_side_effects, clippy::expect_used, reason = "as above")]
#![allow(clippy::disallowed_methods, reason = "runs only where the system has a clock")]

#[path = "../examples/axum.rs"]
mod example;

use axum::Router;
use axum::routing::get;
use jose::{Algorithm, Jwk, JwkSet, SigningKey, platform, sign_jwt};
use latchkey_resource_server::Config;
use serde_json::json;
use std::time::{SystemTime, UNIX_EPOCH};

async fn serve(router: Router) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });
    url
}

#[tokio::test]
async fn an_api_on_axum() {
    let pair = platform().generate(Algorithm::ES256).await.unwrap();
    let signer = platform().signer(Algorithm::ES256, &pair.pkcs8).await.unwrap();
    let signing = SigningKey::new("1", Algorithm::ES256, signer);
    let keys = JwkSet { keys: vec![Jwk { kid: Some("1".to_owned()), ..Jwk::from(pair.public) }], ..JwkSet::default() };
    let keys = serde_json::to_string(&keys).unwrap();
    let issuer = serve(Router::new().route("/jwks", get(move || async move { keys }))).await;
    let resource = "https://api.example/v1";
    let guard = example::guard(Config::new(&issuer, resource)).unwrap();
    let api = serve(example::router(&guard)).await;

    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let claims = json!({
        "iss": issuer, "aud": resource, "sub": "ada", "client_id": "app", "scope": "read",
        "iat": now, "exp": now + 60, "jti": "1",
    });
    let token = sign_jwt(&signing, "at+jwt", &claims).await.unwrap();
    let client = reqwest::Client::new();

    let response = client.get(&api).bearer_auth(&token).send().await.unwrap();
    assert_eq!((response.status().as_u16(), response.text().await.unwrap().as_str()), (200, "hello ada"));

    let metadata = "https://api.example/.well-known/oauth-protected-resource/v1";
    let challenge = |response: &reqwest::Response| response.headers()["www-authenticate"].to_str().unwrap().to_owned();
    let response = client.get(&api).send().await.unwrap();
    assert_eq!(response.status(), 401);
    assert_eq!(challenge(&response), format!("Bearer resource_metadata=\"{metadata}\", scope=\"read\""));
    let response = client.get(&api).bearer_auth("x.y.z").send().await.unwrap();
    assert_eq!(response.status(), 401);
    assert!(challenge(&response).contains("error=\"invalid_token\""));
    let response = client.post(&api).bearer_auth(&token).send().await.unwrap();
    assert_eq!(response.status(), 403);
    assert!(challenge(&response).ends_with("scope=\"write\""));
    let response = client.get(format!("{api}/?access_token={token}")).send().await.unwrap();
    assert_eq!(response.status(), 400);

    let response = client.get(format!("{api}/.well-known/oauth-protected-resource/v1")).send().await.unwrap();
    assert_eq!(response.status(), 200);
    let document: serde_json::Value = serde_json::from_str(&response.text().await.unwrap()).unwrap();
    assert_eq!(document["authorization_servers"], json!([issuer]));
}
