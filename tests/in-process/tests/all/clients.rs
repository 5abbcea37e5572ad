//! What an instance remembers of clients, and when it looks again.

use crate::common::deployment;
use in_process::Instance;
use protocol::SecretVerifier;
use std::sync::Arc;
use std::time::Duration;
use storage::clients;
use storage::memory::Memory;

async fn token(instance: &Instance, secret: &str) -> u16 {
    let form = [("grant_type", "client_credentials"), ("client_id", "service"), ("client_secret", secret)];
    instance.post("/token", &form).await.status.as_u16()
}

/// A secret that was just made is good everywhere; whoever guesses costs the store one read a second, not one a guess.
#[tokio::test]
async fn a_new_secret_is_good_at_once() {
    let memory = Arc::new(Memory::new());
    let mut instance = deployment(memory.clone()).await;
    assert_eq!(token(&instance, "secret").await, 200);
    let mut stored = clients::find(memory.as_ref(), "service").await.unwrap().unwrap();
    stored.secrets = vec![SecretVerifier::new("new secret", [7; 16])];
    clients::save(memory.as_ref(), &stored).await.unwrap();

    instance.wait(Duration::from_secs(1));
    let before = memory.counts().total();
    assert_eq!(token(&instance, "secret").await, 200, "the one before, as long as a client may be remembered");
    assert_eq!(memory.counts().total() - before, 0);
    assert_eq!(token(&instance, "new secret").await, 200);
    assert_eq!(token(&instance, "secret").await, 401);
    for guess in 0..100 {
        assert_eq!(token(&instance, &format!("guess {guess}")).await, 401);
    }
    assert_eq!(memory.counts().total() - before, 1);
    instance.wait(Duration::from_secs(1));
    assert_eq!(token(&instance, "guess").await, 401);
    assert_eq!(memory.counts().total() - before, 2);
}
