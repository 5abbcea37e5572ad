//! Clients: a change is applied to the current client, even if another writer changes it meanwhile.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use latchkey_storage::faults::{Fault, Faulty};
use latchkey_storage::memory::Memory;
use latchkey_storage::{Unavailable, Verb, clients};
use protocol::{Client, SecretVerifier, StoredClient};
use serde_json::json;
use std::sync::Arc;
use types::ClientId;

fn id(text: &str) -> ClientId {
    ClientId::parse(text).unwrap()
}

fn client(secret: &str) -> StoredClient {
    let client: Client =
        serde_json::from_value(json!({ "client_id": "shop", "redirect_uris": ["https://shop.example/cb"] })).unwrap();
    StoredClient::new(client, vec![SecretVerifier::new(secret, [7; 16])])
}

/// Returns a store where another writer saves a client with the secret `new` between the first read and its answer.
fn with_another_writer(memory: &Arc<Memory>) -> Faulty {
    let store = Arc::clone(memory);
    let faster = Arc::new(move || {
        let store = Arc::clone(&store);
        Box::pin(async move { clients::save(store.as_ref(), &client("new")).await.unwrap() }) as _
    });
    Faulty::at(memory.clone(), Verb::Get, 1, Fault::DelayAnswer(faster))
}

async fn rename(records: &Faulty) -> StoredClient {
    let renamed = |before: Option<StoredClient>| {
        let mut after = before.unwrap_or_else(|| client("first"));
        after.client.client_name = Some("Shop".to_owned());
        Ok::<_, Unavailable>((after, ()))
    };
    clients::change(records, &id("shop"), renamed).await.unwrap().0
}

/// A secret that was replaced because it leaked must not become valid again.
#[tokio::test]
async fn a_change_brings_no_replaced_secret_back() {
    let memory = Arc::new(Memory::new());
    clients::save(memory.as_ref(), &client("old")).await.unwrap();
    rename(&with_another_writer(&memory)).await;
    let stored = clients::find(memory.as_ref(), &id("shop")).await.unwrap().unwrap();
    assert!(stored.accepts("new") && !stored.accepts("old"));
    assert_eq!(stored.client.client_name.as_deref(), Some("Shop"));
}

#[tokio::test]
async fn a_client_that_another_writer_creates_first_is_changed() {
    let memory = Arc::new(Memory::new());
    let told = rename(&with_another_writer(&memory)).await;
    let stored = clients::find(memory.as_ref(), &id("shop")).await.unwrap().unwrap();
    assert!(stored.accepts("new") && !stored.accepts("first"));
    assert_eq!(stored, told);
}
