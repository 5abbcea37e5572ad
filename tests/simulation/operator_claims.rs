//! The calls that claims of an operator cost: one more where a token holds them, and none elsewhere.

use crate::common::{PASSWORD, stock};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use http::Method;
use protocol::{SecretVerifier, StoredClient};
use serde_json::{Map, Value, json};
use simulation::{Flow, Instance, Tokens, subject};
use std::sync::Arc;
use storage::memory::Memory;
use storage::{clients, configuration, users};

async fn start(destinations: &[&str]) -> (Arc<Memory>, Instance) {
    let memory = Arc::new(Memory::new());
    stock(memory.as_ref()).await;
    let spa = clients::find(memory.as_ref(), &simulation::client_id("spa")).await.unwrap().unwrap();
    let mut client = spa.client.clone();
    client.scope = types::Scope::parse("openid profile email offline_access groups").unwrap();
    clients::save(memory.as_ref(), &StoredClient { client, ..spa }).await.unwrap();
    let api = json!({ "client_id": "reader", "grant_types": [], "introspects": [simulation::ISSUER] });
    let api = StoredClient::new(serde_json::from_value(api).unwrap(), vec![SecretVerifier::new("secret", [5; 16])]);
    clients::save(memory.as_ref(), &api).await.unwrap();
    set_groups(&memory, &json!(["staff"])).await;
    let claims = json!([{ "name": "groups", "type": "strings", "scopes": "groups", "destinations": destinations }]);
    let sections = Map::from_iter([("claims".to_owned(), claims)]);
    configuration::replace(memory.as_ref(), None, sections, simulation::T0).await.unwrap();
    let instance = Instance::start(memory.clone(), &[]);
    // Warms the caches.
    let code = Flow::default().code(&instance, PASSWORD, "openid groups").await;
    Flow::redeem(&instance, &code).await;
    instance.post("/introspect", &[("client_id", "reader"), ("client_secret", "secret"), ("token", "x")]).await;
    (memory, instance)
}

async fn set_groups(memory: &Memory, groups: &Value) {
    let claims = json!({ "name": "Alice", "email": "alice@example.com", "groups": groups });
    let user = users::User::new(subject("alice-subject"), "alice".into(), claims.as_object().unwrap().clone());
    users::save(memory, &user, simulation::T0).await.unwrap();
}

fn groups(token: &str) -> Value {
    let body = token.split('.').nth(1).unwrap();
    let claims: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(body).unwrap()).unwrap();
    claims["groups"].clone()
}

/// The code exchange stays at one call: the claims are read with the request and kept with the grant. A refresh costs one call
/// more, and has the current values.
#[tokio::test]
async fn a_refresh_costs_one_call_more_where_the_access_token_holds_claims() {
    let (memory, instance) = start(&["access_token"]).await;
    let calls = || memory.counts().total();
    let mut browser = Flow::default();
    let code = browser.code(&instance, PASSWORD, "openid groups").await;
    let before = calls();
    let tokens = Tokens::of(&Flow::redeem(&instance, &code).await);
    assert_eq!((calls() - before, groups(&tokens.access)), (1, json!(["staff"])), "code");

    let before = calls();
    browser.code(&instance, "unused", "openid groups").await;
    assert_eq!(calls() - before, 4, "authorize, signed in, consent remembered: one more for the user");
    let before = calls();
    browser.code(&instance, "unused", "openid").await;
    assert_eq!(calls() - before, 3, "a scope that releases nothing");

    set_groups(&memory, &json!(["guests"])).await;
    let before = calls();
    let second = Tokens::of(&Flow::refresh(&instance, &tokens.refresh).await);
    assert_eq!((calls() - before, groups(&second.access)), (2, json!(["guests"])), "refresh");
    let plain = browser.code(&instance, "unused", "openid").await;
    let plain = Tokens::of(&Flow::redeem(&instance, &plain).await);
    let before = calls();
    let plain = Tokens::of(&Flow::refresh(&instance, &plain.refresh).await);
    assert_eq!((calls() - before, groups(&plain.access)), (1, Value::Null), "refresh without the scope");
}

/// Claims for UserInfo alone cost nothing elsewhere.
#[tokio::test]
async fn claims_of_userinfo_cost_no_call() {
    let (memory, instance) = start(&["userinfo"]).await;
    let calls = || memory.counts().total();
    let tokens =
        Tokens::of(&Flow::redeem(&instance, &Flow::default().code(&instance, PASSWORD, "openid groups").await).await);
    let before = calls();
    let tokens = Tokens::of(&Flow::refresh(&instance, &tokens.refresh).await);
    assert_eq!((calls() - before, groups(&tokens.access)), (1, Value::Null));
    Flow::userinfo(&instance, &tokens.access).await;
    let before = calls();
    let answer = simulation::json_of(&Flow::userinfo(&instance, &tokens.access).await);
    assert_eq!((calls() - before, &answer["groups"]), (2, &json!(["staff"])));
}

/// Introspection reads the user only for a token whose scope releases a claim there.
#[tokio::test]
async fn introspection_costs_one_call_more_where_it_has_claims() {
    let (memory, instance) = start(&["introspection"]).await;
    let mut browser = Flow::default();
    for (scope, calls, expected) in [("openid groups", 2, json!(["staff"])), ("openid", 1, Value::Null)] {
        let tokens = Tokens::of(&Flow::redeem(&instance, &browser.code(&instance, PASSWORD, scope).await).await);
        let before = memory.counts().total();
        let form = [("client_id", "reader"), ("client_secret", "secret"), ("token", tokens.access.as_str())];
        let answer = simulation::json_of(&instance.post("/introspect", &form).await);
        assert_eq!((memory.counts().total() - before, &answer["groups"]), (calls, &expected), "{scope}: {answer}");
        let own = [("client_id", "spa"), ("token", tokens.access.as_str())];
        assert_eq!(instance.post("/introspect", &own).await.status.as_u16(), 401, "a public client");
    }
}

/// A definition that is removed releases nothing, whatever a grant keeps.
#[tokio::test]
async fn a_removed_definition_releases_nothing() {
    let (_, mut instance) = start(&["access_token"]).await;
    let tokens =
        Tokens::of(&Flow::redeem(&instance, &Flow::default().code(&instance, PASSWORD, "openid groups").await).await);
    let body = json!({ "version": 1, "sections": { "claims": null } }).to_string();
    assert!(instance.administer(Method::PUT, "/admin/configuration", body).await.status.is_success());
    instance.wait(std::time::Duration::from_secs(1));
    let second = Tokens::of(&Flow::refresh(&instance, &tokens.refresh).await);
    assert_eq!(groups(&second.access), Value::Null);
}
