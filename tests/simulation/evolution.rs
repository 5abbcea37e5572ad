//! Records of a later version, over HTTP: a rollback finds members in them that this version does not know.

use crate::common::{PASSWORD, deployment};
use async_trait::async_trait;
use http::Method;
use serde_json::{Value, json};
use simulation::{Flow, Instance, Tokens, client_id, json_of};
use std::sync::Arc;
use storage::memory::Memory;
use storage::{Advance, Created, Cursor, Key, Owner, Page, Record, Records, Unavailable, clients};
use types::Timestamp;

/// A store in which a later version has rewritten every record: each JSON that is read has members that it added.
struct Evolved(Arc<Memory>);

fn evolved(mut record: Record) -> Record {
    for json in [&mut record.body, &mut record.state] {
        if let Ok(mut value @ Value::Object(_)) = serde_json::from_str::<Value>(json) {
            value["schema"] = json!(2);
            value["added"] = json!({ "by": ["the next version"] });
            *json = value.to_string();
        }
    }
    record
}

#[async_trait]
impl Records for Evolved {
    async fn create(&self, record: &Record) -> Result<Created, Unavailable> {
        Ok(match self.0.create(record).await? {
            Created::Exists(record) => Created::Exists(evolved(record)),
            created => created,
        })
    }

    async fn get(&self, key: &Key) -> Result<Option<Record>, Unavailable> {
        Ok(self.0.get(key).await?.map(evolved))
    }

    async fn advance(
        &self,
        key: &Key,
        from: u64,
        state: &str,
        expires_at: Option<Timestamp>,
    ) -> Result<Advance, Unavailable> {
        Ok(match self.0.advance(key, from, state, expires_at).await? {
            Advance::Advanced(record) => Advance::Advanced(evolved(record)),
            Advance::Stale(record) => Advance::Stale(evolved(record)),
            Advance::Missing => Advance::Missing,
        })
    }

    async fn delete(&self, key: &Key) -> Result<(), Unavailable> {
        self.0.delete(key).await
    }

    async fn list(&self, owner: &Owner, cursor: Option<&Cursor>, limit: u32) -> Result<Page, Unavailable> {
        let page = self.0.list(owner, cursor, limit).await?;
        Ok(Page { records: page.records.into_iter().map(evolved).collect(), ..page })
    }

    async fn count(&self, key: &Key, by: i64, expires_at: Timestamp) -> Result<i64, Unavailable> {
        self.0.count(key, by, expires_at).await
    }
}

async fn client_credentials(instance: &Instance) -> u16 {
    let form = [("grant_type", "client_credentials"), ("client_id", "service"), ("client_secret", "secret")];
    instance.post("/token", &form).await.status.as_u16()
}

/// Sends a request to the admin API. Returns status and body.
async fn admin(instance: &Instance, method: Method, path: &str, body: Option<Value>) -> (u16, Value) {
    let response = instance.administer(method, path, body.map(|body| body.to_string()).unwrap_or_default()).await;
    (response.status.as_u16(), serde_json::from_slice(&response.body).unwrap_or(Value::Null))
}

/// Adds members to the stored client `service`, as the next version does.
async fn evolve_client(memory: &Memory) {
    let record = memory.get(&clients::key(&client_id("service"))).await.unwrap().unwrap();
    let mut state: Value = serde_json::from_str(&record.state).unwrap();
    state["schema"] = json!(2);
    state["added"] = json!(1);
    state["client"]["setting_of_the_next_version"] = json!(true);
    memory.advance(&record.key, record.generation, &state.to_string(), record.expires_at).await.unwrap();
}

#[tokio::test]
async fn every_flow_works_on_records_of_the_next_version() {
    let instance = deployment(Arc::new(Evolved(Arc::new(Memory::new())))).await;
    assert_eq!(client_credentials(&instance).await, 200);
    let code = Flow::default().code(&instance, PASSWORD, "openid profile offline_access").await;
    let tokens = Tokens::of(&Flow::redeem(&instance, &code).await);
    let refreshed = json_of(&Flow::refresh(&instance, &tokens.refresh).await);
    let access_token = refreshed["access_token"].as_str().unwrap();
    assert_eq!(json_of(&Flow::userinfo(&instance, access_token).await)["name"], "Alice");
    let form = [("token", access_token), ("client_id", "api"), ("client_secret", "secret")];
    assert_eq!(json_of(&instance.post("/introspect", &form).await)["active"], true);
    let form = [("token", refreshed["refresh_token"].as_str().unwrap()), ("client_id", "spa")];
    assert_eq!(instance.post("/revoke", &form).await.status, 200);
    assert_eq!(Flow::userinfo(&instance, access_token).await.status, 401);
}

#[tokio::test]
async fn a_client_of_the_next_version_is_used_shown_changed_listed_and_removed() {
    let memory = Arc::new(Memory::new());
    let instance = deployment(memory.clone()).await;
    evolve_client(&memory).await;
    assert_eq!(client_credentials(&instance).await, 200);
    let (status, shown) = admin(&instance, Method::GET, "/admin/clients/service", None).await;
    assert_eq!((status, &shown["client_id"]), (200, &json!("service")));

    let mut changed = shown;
    changed["client_name"] = json!("Service");
    let (status, changed) = admin(&instance, Method::PUT, "/admin/clients/service", Some(changed)).await;
    assert_eq!((status, &changed["client_name"]), (200, &json!("Service")));
    let record = memory.get(&clients::key(&client_id("service"))).await.unwrap().unwrap();
    let state: Value = serde_json::from_str(&record.state).unwrap();
    assert_eq!((&state["schema"], &state["added"]), (&json!(2), &json!(1)));
    assert_eq!(state["client"]["setting_of_the_next_version"], true);
    assert_eq!(state["client"]["client_name"], "Service");
    assert_eq!(client_credentials(&instance).await, 200);

    let (_, listed) = admin(&instance, Method::GET, "/admin/clients", None).await;
    assert!(listed["items"].as_array().unwrap().iter().any(|client| client["client_id"] == "service"), "{listed}");
    assert_eq!(listed.get("unreadable"), None);
    let (status, _) = admin(&instance, Method::DELETE, "/admin/clients/service", None).await;
    assert_eq!(status, 204);
    assert_eq!(memory.get(&clients::key(&client_id("service"))).await.unwrap(), None);
}

/// A setting that does not exist is an error in a request, although a stored client may have it.
#[tokio::test]
async fn the_admin_api_rejects_unknown_settings() {
    let instance = deployment(Arc::new(Memory::new())).await;
    let client = json!({ "client_id": "new", "grant_types": [], "setting_of_the_next_version": true });
    let (status, answer) = admin(&instance, Method::PUT, "/admin/clients/new", Some(client)).await;
    assert_eq!(status, 400);
    assert!(answer["problems"][0].as_str().unwrap().starts_with("setting_of_the_next_version: "), "{answer}");
}

#[tokio::test]
async fn a_client_that_cannot_be_read_is_reported_and_can_be_removed() {
    let memory = Arc::new(Memory::new());
    let instance = deployment(memory.clone()).await;
    let record = memory.get(&clients::key(&client_id("service"))).await.unwrap().unwrap();
    memory.advance(&record.key, record.generation, r#"{"schema":9,"client":[]}"#, None).await.unwrap();
    let (status, listed) = admin(&instance, Method::GET, "/admin/clients", None).await;
    assert_eq!((status, &listed["unreadable"]), (200, &json!(["service"])));
    assert!(listed["items"].as_array().unwrap().iter().any(|client| client["client_id"] == "spa"), "{listed}");
    let (status, _) = admin(&instance, Method::DELETE, "/admin/clients/service", None).await;
    assert_eq!(status, 204);
    let (_, listed) = admin(&instance, Method::GET, "/admin/clients", None).await;
    assert_eq!(listed.get("unreadable"), None);
}
