//! The cache of clients in an instance.

use crate::common::{PASSWORD, deployment};
use protocol::SecretVerifier;
use serde_json::json;
use simulation::{Flow, Instance, Tokens, client_id, json_of};
use std::sync::Arc;
use std::time::Duration;
use storage::clients;
use storage::faults::{Fault, Faulty};
use storage::memory::Memory;
use storage::{Records, Verb};

async fn token(instance: &Instance, secret: &str) -> u16 {
    let form = [("grant_type", "client_credentials"), ("client_id", "service"), ("client_secret", secret)];
    instance.post("/token", &form).await.status.as_u16()
}

/// A new secret is accepted by each instance. Guesses cost the store one read a second, not one each.
#[tokio::test]
async fn a_new_secret_is_good_at_once() {
    let memory = Arc::new(Memory::new());
    let mut instance = deployment(memory.clone()).await;
    assert_eq!(token(&instance, "secret").await, 200);
    let mut stored = clients::find(memory.as_ref(), &client_id("service")).await.unwrap().unwrap();
    stored.secrets = vec![SecretVerifier::new("new secret", [7; 16])];
    clients::save(memory.as_ref(), &stored).await.unwrap();

    instance.wait(Duration::from_secs(1));
    let before = memory.counts().get;
    assert_eq!(token(&instance, "secret").await, 200, "the one before, as long as a client may be remembered");
    assert_eq!(memory.counts().get - before, 0);
    assert_eq!(token(&instance, "new secret").await, 200);
    assert_eq!(token(&instance, "secret").await, 401);
    for guess in 0..20 {
        assert_eq!(token(&instance, &format!("guess {guess}")).await, 401);
    }
    assert_eq!(memory.counts().get - before, 1);
    instance.wait(Duration::from_secs(1));
    assert_eq!(token(&instance, "guess").await, 401);
    assert_eq!(memory.counts().get - before, 2);
}

/// A scope that the operator removes from a client is absent from new tokens of earlier grants.
#[tokio::test]
async fn a_scope_that_was_taken_away_is_in_no_further_token() {
    let memory = Arc::new(Memory::new());
    let mut instance = deployment(memory.clone()).await;
    let claims = "%7B%22userinfo%22%3A%7B%22name%22%3Anull%7D%7D";
    let url = format!("{}&claims={claims}", Flow::authorize_url("openid profile email"));
    let code = Flow::default().code_of(&instance, &url, PASSWORD).await;
    let tokens = Tokens::of(&Flow::redeem(&instance, &code).await);
    let mut stored = clients::find(memory.as_ref(), &client_id("spa")).await.unwrap().unwrap();
    stored.client.scope = types::Scope::parse("openid email").unwrap();
    clients::save(memory.as_ref(), &stored).await.unwrap();
    instance.wait(Duration::from_secs(61));
    let refreshed = json_of(&Flow::refresh(&instance, &tokens.refresh).await);
    assert_eq!(refreshed["scope"], "openid email");
    let claims = json_of(&Flow::userinfo(&instance, refreshed["access_token"].as_str().unwrap()).await);
    assert_eq!((claims.get("name"), &claims["email"]), (None, &json!("alice@example.com")));
}

/// Tokens are issued even if the store fails to record that a registered client is in use.
#[tokio::test]
async fn a_use_that_cannot_be_noted_loses_no_tokens() {
    let memory: Arc<dyn Records> = Arc::new(Memory::new());
    let sound = deployment(memory.clone()).await;
    let mut stored = clients::find(memory.as_ref(), &client_id("spa")).await.unwrap().unwrap();
    stored.unused_until = Some(sound.now.after(Duration::from_secs(86_400)));
    clients::save(memory.as_ref(), &stored).await.unwrap();
    let code = Flow::default().code(&sound, PASSWORD, "openid").await;
    // The first call redeems the code; the second records the use.
    let faulty = Instance::start(Arc::new(Faulty::at(memory.clone(), Verb::Advance, 2, Fault::Before)), &[]);
    let tokens = Tokens::of(&Flow::redeem(&faulty, &code).await);
    assert!(
        clients::find(memory.as_ref(), &client_id("spa")).await.unwrap().unwrap().unused_until.is_some(),
        "it was not noted"
    );
    Tokens::of(&Flow::refresh(&faulty, &tokens.refresh).await);
    assert!(
        clients::find(memory.as_ref(), &client_id("spa")).await.unwrap().unwrap().unused_until.is_none(),
        "now it was"
    );
}

/// Keys that cannot be fetched affect only ID tokens that must be encrypted.
#[tokio::test]
async fn a_token_without_an_id_token_needs_no_keys_of_the_client() {
    let memory = Arc::new(Memory::new());
    let instance = deployment(memory.clone()).await;
    let mut stored = clients::find(memory.as_ref(), &client_id("service")).await.unwrap().unwrap();
    let mut client = serde_json::to_value(&stored.client).unwrap();
    client["jwks_uri"] = json!("https://keys.invalid/jwks");
    client["id_token_encrypted_response_alg"] = json!("RSA-OAEP-256");
    stored.client = serde_json::from_value(client).unwrap();
    clients::save(memory.as_ref(), &stored).await.unwrap();
    assert_eq!(token(&instance, "secret").await, 200);
}
