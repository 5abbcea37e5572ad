//! Keys at a URL: fetched when needed, kept for minutes, asked for again when a token names one that is unknown.
#![cfg(not(target_arch = "wasm32"))]
#![allow(clippy::unwrap_used, missing_docs, reason = "a test fails by panicking")]

use async_trait::async_trait;
use futures::future::join_all;
use http::StatusCode;
use jose::{Algorithm, Jwk, Jwt, SigningKey, platform, sign_jwt};
use latchkey_provider::{Context, KeyError, KeyOwner, KeySource};
use platform::fetch::{Outgoing, Transport};
use platform::{FetchError, Fetched, Fetcher};
use serde_json::json;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use storage::memory::Memory;
use types::Timestamp;
use types::remote_url::EgressPolicy;

const URI: &str = "https://client.example/jwks.json";
const T0: Timestamp = Timestamp::from_secs(1_800_000_000);

/// A server that returns the given keys, and counts the requests.
#[derive(Default)]
struct Server {
    keys: Mutex<Option<Vec<Jwk>>>,
    asked: AtomicUsize,
    takes: Mutex<Duration>,
}

struct Wire(Arc<Server>);

#[async_trait]
impl Transport for Wire {
    async fn send(&self, _: &Outgoing) -> Result<Fetched, FetchError> {
        self.0.asked.fetch_add(1, Ordering::SeqCst);
        let takes = *self.0.takes.lock().unwrap();
        tokio::time::sleep(takes).await;
        let keys = self.0.keys.lock().unwrap().clone().ok_or(FetchError::TimedOut)?;
        let body = json!({ "keys": keys }).to_string().into_bytes();
        Ok(Fetched { status: StatusCode::OK, body, ..Fetched::default() })
    }
}

fn context(server: &Arc<Server>) -> Context {
    let lookup = |name: &str| match name {
        "LATCHKEY_ISSUER" => Some("https://as.example".to_owned()),
        "LATCHKEY_SECRET" => Some("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8".to_owned()),
        _ => None,
    };
    let mut context = Context::new(&lookup, Arc::new(Memory::new()), Box::new(|_| ())).unwrap();
    context.fetch = Fetcher::over(Box::new(Wire(server.clone())), EgressPolicy::Public).into();
    context
}

/// A key and a token that it signed.
async fn key(kid: &str) -> (Jwk, String) {
    let pair = platform().generate(Algorithm::ES256).await.unwrap();
    let signer = platform().signer(Algorithm::ES256, &pair.pkcs8).await.unwrap();
    let jwt = sign_jwt(&SigningKey::new(kid, Algorithm::ES256, signer), "JWT", &json!({ "kid": kid })).await.unwrap();
    (Jwk { kid: Some(kid.to_owned()), ..Jwk::from(pair.public) }, jwt)
}

async fn verify(context: &Context, jwt: &str, seconds: u64) -> Result<serde_json::Value, KeyError> {
    verify_after(context, jwt, Duration::from_secs(seconds)).await
}

async fn verify_after(context: &Context, jwt: &str, time: Duration) -> Result<serde_json::Value, KeyError> {
    let now = T0.after(time);
    context.verify_by(&Jwt::parse(jwt).unwrap(), KeySource::Uri(URI, KeyOwner::Client), now).await
}

#[tokio::test]
async fn keys_are_fetched_once_and_again_when_they_change() {
    let server = Arc::new(Server::default());
    let context = context(&server);
    let asked = || server.asked.load(Ordering::SeqCst);
    let ((first, by_first), (second, by_second)) = (key("1").await, key("2").await);

    *server.keys.lock().unwrap() = Some(vec![first.clone()]);
    assert!(verify(&context, &by_first, 0).await.is_ok());
    assert!(verify(&context, &by_first, 299).await.is_ok());
    assert_eq!(asked(), 1, "kept");

    // An unknown key: asked again at once, but not over and over.
    for attempt in 1..100 {
        assert_eq!(verify(&context, &by_second, 299).await, Err(KeyError::Unverified));
        assert_eq!(asked(), (attempt + 1).min(6));
    }
    let soon = Duration::from_millis(299_999);
    assert_eq!(verify_after(&context, &by_second, soon).await, Err(KeyError::Unverified));
    assert_eq!(asked(), 6);
    *server.keys.lock().unwrap() = Some(vec![first, second]);
    assert!(verify(&context, &by_second, 300).await.is_ok());
    assert_eq!(asked(), 7);

    // A forgery that names a known key causes no request.
    let (message, _) = by_first.rsplit_once('.').unwrap();
    let (_, signature) = by_second.rsplit_once('.').unwrap();
    assert_eq!(verify(&context, &format!("{message}.{signature}"), 400).await, Err(KeyError::Unverified));
    assert_eq!(asked(), 7);
    assert!(verify(&context, &by_first, 605).await.is_ok());
    assert_eq!(asked(), 8, "no longer good");
}

#[tokio::test]
async fn a_server_that_is_down_is_left_alone_and_its_last_keys_live_for_an_hour() {
    let server = Arc::new(Server::default());
    let context = context(&server);
    let asked = || server.asked.load(Ordering::SeqCst);
    let (first, by_first) = key("1").await;

    for (seconds, calls) in [(0, 1), (1, 1), (4, 1), (5, 2)] {
        assert_eq!(verify(&context, &by_first, seconds).await, Err(KeyError::Fetch(FetchError::TimedOut)));
        assert_eq!(asked(), calls, "after {seconds} s");
    }
    *server.keys.lock().unwrap() = Some(vec![first]);
    assert!(verify(&context, &by_first, 10).await.is_ok());
    *server.keys.lock().unwrap() = None;
    assert!(verify(&context, &by_first, 400).await.is_ok());
    assert_eq!(asked(), 4, "asked, in vain");
    assert!(verify(&context, &by_first, 402).await.is_ok());
    assert_eq!(asked(), 4, "left alone");
    assert!(verify(&context, &by_first, 3905).await.is_ok());
    assert!(verify(&context, &by_first, 3915).await.is_err(), "too old");
}

/// Many requests at the same time that name unknown keys: the server is asked no more often than by one request after the
/// other, and no other request waits.
#[tokio::test]
async fn many_at_once_ask_no_more_often() {
    let server = Arc::new(Server::default());
    let context = context(&server);
    let asked = || server.asked.load(Ordering::SeqCst);
    let ((first, by_first), (second, by_second)) = (key("1").await, key("2").await);
    *server.takes.lock().unwrap() = Duration::from_millis(50);

    // Nothing known: one asks for all.
    *server.keys.lock().unwrap() = Some(vec![first.clone()]);
    let answers = join_all((0..60).map(|_| verify(&context, &by_first, 0))).await;
    assert!(answers.iter().all(Result::is_ok));
    assert_eq!(asked(), 1);

    let answers = join_all((0..60).map(|_| verify(&context, &by_second, 10))).await;
    assert!(answers.iter().all(|answer| *answer == Err(KeyError::Unverified)));
    assert_eq!(asked(), 6);
    assert!(join_all((0..60).map(|_| verify(&context, &by_second, 11))).await.iter().all(Result::is_err));
    assert_eq!(asked(), 7);

    // The set that is kept too long is served while newer ones are on their way, and few fetch them.
    *server.keys.lock().unwrap() = Some(vec![first, second]);
    let answers = join_all((0..60).map(|_| verify(&context, &by_first, 600))).await;
    assert!(answers.iter().all(Result::is_ok));
    assert_eq!(asked(), 12);
    assert!(verify(&context, &by_second, 600).await.is_ok());
}

/// A server that is down: one asks in vain for all, also when it is tried again.
#[tokio::test]
async fn many_at_once_wait_for_one_that_fails() {
    let server = Arc::new(Server::default());
    let context = context(&server);
    let (_, jwt) = key("1").await;
    *server.takes.lock().unwrap() = Duration::from_millis(50);
    for (seconds, calls) in [(0, 1), (4, 1), (5, 2)] {
        let answers = join_all((0..60).map(|_| verify(&context, &jwt, seconds))).await;
        assert!(answers.iter().all(|answer| *answer == Err(KeyError::Fetch(FetchError::TimedOut))));
        assert_eq!(server.asked.load(Ordering::SeqCst), calls, "after {seconds} s");
    }
}

/// A request may end before its fetch does: another request then fetches.
#[tokio::test]
async fn a_fetch_that_broke_off_is_made_again() {
    let server = Arc::new(Server::default());
    let context = context(&server);
    let (first, by_first) = key("1").await;
    *server.keys.lock().unwrap() = Some(vec![first]);
    *server.takes.lock().unwrap() = Duration::from_secs(60);
    assert!(tokio::time::timeout(Duration::from_millis(10), verify(&context, &by_first, 0)).await.is_err());
    *server.takes.lock().unwrap() = Duration::ZERO;
    assert!(verify(&context, &by_first, 0).await.is_ok());
    assert_eq!(server.asked.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn what_is_no_key_set_is_said_to_be_none_and_private_hosts_are_never_asked() {
    let server = Arc::new(Server::default());
    let context = context(&server);
    let (_, jwt) = key("1").await;
    let jwt = Jwt::parse(&jwt).unwrap();
    for uri in ["http://client.example/", "https://169.254.169.254/", "https://localhost/", "https://as.internal/"] {
        let outcome = context.verify_by(&jwt, KeySource::Uri(uri, KeyOwner::Client), T0).await;
        assert!(matches!(outcome, Err(KeyError::Fetch(FetchError::Refused(_)))), "{uri}: {outcome:?}");
    }
    assert_eq!(server.asked.load(Ordering::SeqCst), 0);
    for set in [json!(null), json!([]), json!({ "keys": 7 })] {
        assert_eq!(context.verify_by(&jwt, KeySource::Set(&set), T0).await, Err(KeyError::NoKeySet), "{set}");
    }
}

/// Verifies a token with the keys at many URLs of one kind of owner.
async fn use_urls(context: &Context, jwt: &str, owner: KeyOwner, number: usize) {
    for index in 0..number {
        let uri = format!("https://host-{index}.example/jwks");
        let _ = context.verify_by(&Jwt::parse(jwt).unwrap(), KeySource::Uri(&uri, owner), T0).await;
    }
}

/// The sets of one kind of owner never evict those of another.
#[tokio::test]
async fn no_client_evicts_the_keys_of_another_kind_of_owner() {
    let server = Arc::new(Server::default());
    let context = context(&server);
    let (first, by_first) = key("1").await;
    *server.keys.lock().unwrap() = Some(vec![first]);
    let owners = [KeyOwner::Issuer, KeyOwner::Client, KeyOwner::OpenClient];
    let verified =
        async |owner| context.verify_by(&Jwt::parse(&by_first).unwrap(), KeySource::Uri(URI, owner), T0).await;
    for owner in owners {
        assert!(verified(owner).await.is_ok());
    }
    for flood in owners {
        use_urls(&context, &by_first, flood, 300).await;
        for owner in owners.into_iter().filter(|owner| *owner > flood) {
            let asked = server.asked.load(Ordering::SeqCst);
            assert!(verified(owner).await.is_ok());
            assert_eq!(server.asked.load(Ordering::SeqCst), asked, "{flood:?} evicted the keys of {owner:?}");
        }
    }
    // In the other order.
    assert!(verified(KeyOwner::Issuer).await.is_ok());
    use_urls(&context, &by_first, KeyOwner::Client, 300).await;
    use_urls(&context, &by_first, KeyOwner::OpenClient, 300).await;
    let asked = server.asked.load(Ordering::SeqCst);
    assert!(verified(KeyOwner::Issuer).await.is_ok());
    assert_eq!(server.asked.load(Ordering::SeqCst), asked);
}

/// The keys of a client that sends requests stay, however many other clients send one each.
#[tokio::test]
async fn the_keys_used_least_recently_are_evicted_first() {
    let server = Arc::new(Server::default());
    let context = context(&server);
    let (first, by_first) = key("1").await;
    *server.keys.lock().unwrap() = Some(vec![first]);
    assert!(verify(&context, &by_first, 0).await.is_ok());
    for round in 0..10 {
        use_urls(&context, &by_first, KeyOwner::Client, 100).await;
        let asked = server.asked.load(Ordering::SeqCst);
        assert!(verify(&context, &by_first, 0).await.is_ok());
        assert_eq!(server.asked.load(Ordering::SeqCst), asked, "{round}");
    }
}

/// Clients that registered openly cause a limited number of fetches, even if their URLs evict one another.
#[tokio::test]
async fn urls_that_evict_one_another_are_asked_at_one_pace() {
    let server = Arc::new(Server::default());
    let context = context(&server);
    let (first, by_first) = key("1").await;
    *server.keys.lock().unwrap() = Some(vec![first]);
    for _ in 0..10 {
        use_urls(&context, &by_first, KeyOwner::OpenClient, 257).await;
    }
    assert_eq!(server.asked.load(Ordering::SeqCst), 25);
}
