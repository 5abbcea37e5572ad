//! Remembered consent.

use crate::common::{PASSWORD, deployment};
use simulation::{Flow, Instance, client_id, subject};
use std::sync::Arc;
use storage::memory::Memory;
use storage::{clients, consents};
use types::Scope;

const RESOURCE: &str = "https://orders.example";

fn names(prefix: &str, count: usize) -> Scope {
    let one = |index| Scope::parse(&format!("{prefix}{index}")).unwrap();
    (0..count).map(one).fold(Scope::default(), |all, one| all.with(&one))
}

/// Consent to very many scopes can be read; scopes that the client may no longer request are dropped.
#[tokio::test]
async fn much_that_was_allowed_locks_nobody_out() {
    let memory = Arc::new(Memory::new());
    let instance = deployment(memory.clone()).await;
    let earlier = names("old", 300).with(&Scope::parse("email").unwrap());
    consents::add(memory.as_ref(), &subject("alice-subject"), &client_id("spa"), None, |_| earlier.clone())
        .await
        .unwrap();
    let mut browser = Flow::default();
    browser.code(&instance, PASSWORD, "openid").await;
    let remembered = consents::find(memory.as_ref(), &subject("alice-subject"), &client_id("spa"), None).await.unwrap();
    assert_eq!(remembered.to_string(), "email openid");
    browser.code(&instance, "unused", "openid email").await;
}

/// A user can consent to all scopes of a client, and to resources besides.
#[tokio::test]
async fn all_that_a_client_may_ask_for_can_be_allowed() {
    let memory = Arc::new(Memory::new());
    deployment(memory.clone()).await;
    let resources = serde_json::json!([{ "resource": RESOURCE }]).to_string();
    let instance = Instance::start(memory.clone(), &[("LATCHKEY_RESOURCES", &resources)]);
    let mut stored = clients::find(memory.as_ref(), &client_id("spa")).await.unwrap().unwrap();
    stored.client.scope = names("s", 256);
    clients::save(memory.as_ref(), &stored).await.unwrap();
    let mut browser = Flow::default();
    let url = format!("{}&resource={RESOURCE}", Flow::authorize_url(&stored.client.scope.to_string()));
    browser.code_of(&instance, &url, PASSWORD).await;
    assert_eq!(
        consents::find(memory.as_ref(), &subject("alice-subject"), &client_id("spa"), None)
            .await
            .unwrap()
            .iter()
            .count(),
        257
    );
    browser.code_of(&instance, &url, "unused").await;
}
