//! The index of users by e-mail address and by external id: whatever interrupts a change, a user is found by what the record says.
#![allow(clippy::panic, clippy::unwrap_used, reason = "a test fails by panicking")]

use latchkey_storage::faults::{self, Fault, Faulty};
use latchkey_storage::memory::Memory;
use latchkey_storage::users::{self, User};
use latchkey_storage::{Kind, Records, Verb};
use protocol::{EmailAddress, ExternalId};
use serde_json::{Map, Value};
use std::sync::Arc;
use types::{Subject, Timestamp};

const NOW: Timestamp = Timestamp::from_secs(1_800_000_000);

fn user(name: &str, email: Option<&str>, external_id: Option<&str>) -> User {
    let claims: Map<String, Value> = email.map(|email| ("email".to_owned(), email.into())).into_iter().collect();
    let external_id = external_id.map(str::to_owned);
    User { external_id, ..User::new(Subject::parse(name).unwrap(), name.to_owned(), claims) }
}

fn address(text: &str) -> EmailAddress {
    EmailAddress::parse(text).unwrap()
}

async fn with_address(records: &dyn Records, text: &str) -> Vec<String> {
    let found = users::find_by_email(records, &address(text)).await.unwrap();
    found.into_iter().map(|user| user.username).collect()
}

async fn with_external_id(records: &dyn Records, text: &str) -> Vec<String> {
    let found = users::find_by_external_id(records, &ExternalId::parse(text).unwrap()).await.unwrap();
    found.into_iter().map(|user| user.username).collect()
}

#[tokio::test]
async fn a_user_is_found_by_the_present_address_and_external_id() {
    let memory = Memory::new();
    users::save(&memory, &user("ada", Some("Ada@Example.com"), Some("A1")), NOW).await.unwrap();
    users::save(&memory, &user("bob", Some("bob@example.com"), None), NOW).await.unwrap();
    assert_eq!(with_address(&memory, "ada@example.com").await, ["ada"]);
    assert_eq!(with_external_id(&memory, "A1").await, ["ada"]);
    assert!(with_external_id(&memory, "a1").await.is_empty(), "case matters");

    users::save(&memory, &user("bob", Some("ada@example.com"), Some("A1")), NOW).await.unwrap();
    assert_eq!(with_address(&memory, "ADA@example.com").await, ["ada", "bob"]);
    assert_eq!(with_external_id(&memory, "A1").await, ["ada", "bob"]);
    assert!(with_address(&memory, "bob@example.com").await.is_empty());

    users::save(&memory, &user("bob", None, None), NOW).await.unwrap();
    users::remove(&memory, &Subject::parse("ada").unwrap(), NOW, NOW).await.unwrap();
    assert!(with_address(&memory, "ada@example.com").await.is_empty());
    let entries = memory.snapshot().into_iter().filter(|record| record.key.is(Kind::UserIndex));
    for entry in entries {
        assert!(!entry.state.contains("ada") && !entry.state.contains("bob"), "{}", entry.state);
        assert!(entry.expires_at.is_some(), "{}", entry.key);
    }
}

#[tokio::test]
async fn a_user_who_does_not_change_costs_no_removal() {
    let memory = Memory::new();
    users::save(&memory, &user("ada", Some("ada@example.com"), None), NOW).await.unwrap();
    assert_eq!(memory.counts().total(), 3);
    users::save(&memory, &user("ada", Some("ada@example.com"), None), NOW).await.unwrap();
    assert_eq!(memory.counts().total(), 6);
    let before = memory.counts().total();
    assert_eq!(with_address(&memory, "ada@example.com").await, ["ada"]);
    assert_eq!(memory.counts().total() - before, 2);
}

#[tokio::test]
async fn an_interrupted_change_never_hides_a_user() {
    let calls = [(Verb::Create, 6), (Verb::Advance, 8), (Verb::Get, 10)];
    let cases = calls.into_iter().flat_map(|(verb, most)| (1..=most).map(move |nth| (verb, nth)));
    let mut interrupted = 0;
    for (verb, nth) in cases {
        for fault in [Fault::Before, Fault::After] {
            let memory = Arc::new(Memory::new());
            users::save(memory.as_ref(), &user("ada", Some("old@example.com"), Some("old")), NOW).await.unwrap();
            let faulty = Faulty::at(memory.clone(), verb, nth, fault);
            let changed = user("ada", Some("new@example.com"), Some("new"));
            interrupted += usize::from(users::save(&faulty, &changed, NOW).await.is_err());
            let stored = users::find(memory.as_ref(), &changed.subject).await.unwrap().unwrap();
            let (is, was) = if stored == changed { ("new", "old") } else { ("old", "new") };
            let email = |name: &str| format!("{name}@example.com");
            assert_eq!(with_address(memory.as_ref(), &email(is)).await, ["ada"], "{verb} {nth}");
            assert_eq!(with_external_id(memory.as_ref(), is).await, ["ada"], "{verb} {nth}");
            assert!(with_address(memory.as_ref(), &email(was)).await.is_empty(), "{verb} {nth}");
            assert!(with_external_id(memory.as_ref(), was).await.is_empty(), "{verb} {nth}");
            users::save(memory.as_ref(), &changed, NOW).await.unwrap();
            assert_eq!(with_address(memory.as_ref(), "new@example.com").await, ["ada"], "{verb} {nth}");
        }
    }
    assert!(interrupted > 20, "{interrupted} changes were interrupted");
}

#[tokio::test]
async fn an_interrupted_removal_can_be_repeated() {
    for (verb, nth) in [(Verb::Get, 1), (Verb::Get, 2), (Verb::Get, 3), (Verb::Advance, 1), (Verb::Advance, 3)] {
        let memory = Arc::new(Memory::new());
        let ada = user("ada", Some("ada@example.com"), Some("A1"));
        users::save(memory.as_ref(), &ada, NOW).await.unwrap();
        let faulty = Faulty::at(memory.clone(), verb, nth, Fault::Before);
        users::remove(&faulty, &ada.subject, NOW, NOW).await.unwrap_err();
        users::remove(memory.as_ref(), &ada.subject, NOW, NOW).await.unwrap();
        let entries = memory.snapshot().into_iter().filter(|record| record.key.is(Kind::UserIndex));
        assert!(entries.into_iter().all(|entry| !entry.state.contains("ada")), "{verb} {nth}");
    }
}

/// Two changes at the same time, one of which goes back: the entry of the address that stays must survive the removal by the other.
#[tokio::test]
async fn changes_at_the_same_time_leave_the_user_to_be_found() {
    for seed in 0..300 {
        let memory: Arc<dyn Records> = Arc::new(Memory::new());
        users::save(memory.as_ref(), &user("ada", Some("a@example.com"), None), NOW).await.unwrap();
        let one = Faulty::random(memory.clone(), seed, 2, Fault::Delay(faults::turns(3)));
        let other = Faulty::random(memory.clone(), seed + 1000, 3, Fault::DelayAnswer(faults::turns(5)));
        let third = Faulty::random(memory.clone(), seed + 2000, 2, Fault::Delay(faults::turns(7)));
        let change = |records: Faulty, to: &'static str| async move {
            users::save(&records, &user("ada", Some(to), None), NOW).await.unwrap();
        };
        futures::join!(change(one, "b@example.com"), change(other, "a@example.com"), change(third, "c@example.com"));
        let stored = users::find(memory.as_ref(), &Subject::parse("ada").unwrap()).await.unwrap().unwrap();
        let present = stored.email().unwrap();
        assert_eq!(users::find_by_email(memory.as_ref(), &present).await.unwrap().len(), 1, "seed {seed}: {present:?}");
    }
}

#[tokio::test]
async fn a_full_entry_names_no_more_users() {
    let memory = Memory::new();
    for number in 0..101 {
        users::save(&memory, &user(&format!("u{number}"), Some("all@example.com"), None), NOW).await.unwrap();
    }
    assert_eq!(with_address(&memory, "all@example.com").await.len(), 100);
    users::save(&memory, &user("u7", None, None), NOW).await.unwrap();
    users::save(&memory, &user("u100", Some("all@example.com"), None), NOW).await.unwrap();
    assert!(with_address(&memory, "all@example.com").await.contains(&"u100".to_owned()));
}
