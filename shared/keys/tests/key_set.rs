//! The stored key set: sealed, read back, resealed, rotated, and what was put into it by a stranger.
#![cfg(not(target_arch = "wasm32"))]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, missing_docs)]

use jose::{Algorithm, CryptoError, Jwt, platform, sign_jwt};

use latchkey_keys::{KeySet, Keyring, Occasion, Policy, Purpose, Secret, Secrets};
use serde_json::{Value, json};
use std::{
    pin::pin,
    sync::LazyLock,
    task::{Context, Poll, Waker},
    time::Duration,
};
use types::Timestamp;

const NOW: Timestamp = Timestamp::from_secs(1_700_000_000);
const DAY: Duration = Duration::from_secs(86_400);
const POLICY: Policy =
    Policy { rotate_every: DAY.saturating_mul(90), publish_ahead: DAY, token_lifetime: Duration::from_secs(3_600) };

static SET: LazyLock<KeySet> = LazyLock::new(|| run(KeySet::generate(platform(), NOW)).unwrap());

/// Natively nothing has to be waited for.
fn run<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("a native operation is pending"),
    }
}

fn secrets(current: u8, previous: Option<u8>) -> Secrets {
    let secret = |byte| Secret::from_bytes([byte; 32]);
    Secrets::new(secret(current), previous.map(secret))
}

#[test]
fn a_stored_set_is_read_back_with_the_secret() {
    let stored = SET.to_stored(&secrets(1, None)).unwrap();
    let read = KeySet::from_stored(&stored, &secrets(1, None)).unwrap();
    assert_eq!(read.published(), SET.published());
    for key in &read.published().keys {
        assert_eq!(read.pkcs8(&key.kid), SET.pkcs8(&key.kid));
        assert_eq!(key.public.key.thumbprint(), key.kid);
    }
    assert_eq!(KeySet::from_stored(&stored, &secrets(2, None)).unwrap_err(), CryptoError::Stored);
    for broken in ["", "{}", r#"{"keys":[]}"#, r#"{"keys":[],"sealed":""}"#, r#"{"keys":[],"proof":"","sealed":""}"#] {
        assert_eq!(KeySet::from_stored(broken, &secrets(1, None)).unwrap_err(), CryptoError::Stored);
    }
    assert!(!format!("{read:?}").contains("pkcs8"));
}

#[test]
fn a_key_put_into_the_store_by_a_stranger_is_refused() {
    let stored: Value = serde_json::from_str(&SET.to_stored(&secrets(1, None)).unwrap()).unwrap();
    let strangers = run(KeySet::generate(platform(), NOW)).unwrap();
    let foreign: Value = serde_json::from_str(&strangers.to_stored(&secrets(9, None)).unwrap()).unwrap();

    let mut added = stored.clone();
    added["keys"].as_array_mut().unwrap().push(foreign["keys"][0].clone());
    let mut renamed = stored.clone();
    renamed["keys"][0]["public"] = foreign["keys"][0]["public"].clone();
    let mut twice = stored.clone();
    twice["keys"][2] = twice["keys"][0].clone();
    let mut fewer = stored.clone();
    fewer["keys"].as_array_mut().unwrap().pop();
    let mut relabelled = stored.clone();
    relabelled["keys"][0]["alg"] = json!("RS256");
    let mut hastened = stored.clone();
    hastened["keys"][0]["verifies_until"] = json!(1);
    let mut resealed = stored;
    resealed["sealed"] = foreign["sealed"].clone();
    for altered in [added, renamed, twice, fewer, relabelled, hastened, resealed] {
        let read = KeySet::from_stored(&altered.to_string(), &secrets(1, None));
        assert_eq!(read.unwrap_err(), CryptoError::Stored, "{altered}");
    }
}

/// A function that publishes or verifies has no key for the private part.
#[test]
fn the_public_part_is_read_without_the_key_of_the_private_one() {
    let stored = SET.to_stored(&secrets(1, None)).unwrap();
    let reader = secrets(1, None).only(&[Purpose::PublishedKeys]);
    let read = KeySet::published_from_stored(&stored, &reader).unwrap();
    assert_eq!(read.published(), SET.published());
    assert!(read.published().keys.iter().all(|key| read.pkcs8(&key.kid).is_none()));
    let keyring = Keyring::new(platform(), read);
    assert!(matches!(run(keyring.signing_key(Algorithm::ES256, NOW)), Err(CryptoError::Key)));
    assert_eq!(KeySet::from_stored(&stored, &reader).unwrap_err(), CryptoError::Stored);
    assert!(KeySet::published_from_stored(&stored, &secrets(2, Some(1)).only(&[Purpose::PublishedKeys])).is_ok());

    // An attacker who can write to the store alone cannot publish a key.
    let mut altered: Value = serde_json::from_str(&stored).unwrap();
    let strangers = run(KeySet::generate(platform(), NOW)).unwrap();
    let foreign: Value = serde_json::from_str(&strangers.to_stored(&secrets(9, None)).unwrap()).unwrap();
    altered["keys"].as_array_mut().unwrap().push(foreign["keys"][0].clone());
    for altered in [altered.to_string(), foreign.to_string(), stored.replace("signs_from", "signs_since")] {
        assert_eq!(KeySet::published_from_stored(&altered, &reader).unwrap_err(), CryptoError::Stored);
    }
}

#[test]
fn the_set_is_sealed_anew_when_the_secret_changes() {
    let stored = SET.to_stored(&secrets(1, None)).unwrap();
    let changed = secrets(2, Some(1));
    let read = KeySet::from_stored(&stored, &changed).unwrap();
    assert!(read.has_outdated_seal());
    let next = run(read.rotated(platform(), NOW, POLICY, Occasion::Due)).unwrap().unwrap();
    assert_eq!(next.published(), SET.published());

    let read = KeySet::from_stored(&next.to_stored(&changed).unwrap(), &secrets(2, None)).unwrap();
    assert!(!read.has_outdated_seal());
    assert!(run(read.rotated(platform(), NOW, POLICY, Occasion::Due)).unwrap().is_none());
}

#[test]
fn a_token_outlives_the_turn_of_the_next_key_and_no_longer() {
    let token = |set: &KeySet, now| {
        let ring = Keyring::new(platform(), set.clone());
        let key = run(ring.signing_key(Algorithm::PS256, now)).unwrap();
        run(sign_jwt(&key, "JWT", &json!({}))).unwrap()
    };
    let verifies = |set: &KeySet, token: &str, now| {
        let ring = Keyring::new(platform(), set.clone());
        let jwt = Jwt::parse(token).unwrap();
        run(ring.verify(&jwt, now)).is_some()
    };

    let due = NOW.after(POLICY.rotate_every).before(POLICY.publish_ahead);
    let next = run(SET.rotated(platform(), due, POLICY, Occasion::Due)).unwrap().unwrap();
    let turn = due.after(POLICY.publish_ahead);
    let last_of_old = token(&next, turn.before(Duration::from_millis(1)));
    let first_of_new = token(&next, turn);
    assert!(verifies(&SET, &last_of_old, turn) && !verifies(&SET, &first_of_new, turn));
    assert!(verifies(&next, &last_of_old, turn.after(POLICY.token_lifetime)));
    assert!(verifies(&next, &first_of_new, turn.after(POLICY.token_lifetime)));

    let published = |set: &KeySet, now| {
        let jwks: Value = serde_json::from_str(&set.published().jwks_json(&Algorithm::ALL, None, now)).unwrap();
        jwks["keys"].as_array().unwrap().len()
    };
    assert_eq!((published(&SET, due), published(&next, due), published(&next, turn)), (4, 8, 8));
    let dead = turn.after(POLICY.token_lifetime).after(Duration::from_secs(300));
    assert!(!verifies(&next, &last_of_old, dead) && verifies(&next, &first_of_new, dead));
    assert_eq!(published(&next, dead), 4);
    let cleaned = run(next.rotated(platform(), dead, POLICY, Occasion::Due)).unwrap().unwrap();
    assert_eq!(cleaned.published().keys.len(), 4);
    let stored = cleaned.to_stored(&secrets(1, None)).unwrap();
    assert!(KeySet::from_stored(&stored, &secrets(1, None)).is_ok());
}
