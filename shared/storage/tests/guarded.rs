//! Record access beyond the row of a function is rejected and logged.

use latchkey_storage::guarded::GuardedRecords;
use latchkey_storage::memory::Memory;
use latchkey_storage::{Key, Kind, Owner, Partition, Record, Records};
use std::sync::{Arc, Mutex};
use types::Timestamp;

fn key(kind: Kind) -> Key {
    Key::new(kind, Partition::of("id"), "id")
}

fn record(kind: Kind) -> Record {
    let (body, state) = ("{}".to_owned(), "{}".to_owned());
    Record { key: key(kind), owner: None, body, state, generation: 0, expires_at: None }
}

#[tokio::test]
async fn each_verb_is_held_to_the_row() {
    let log = Arc::new(Mutex::new(Vec::new()));
    let written = Arc::clone(&log);
    let report = Box::new(move |line: &str| written.lock().unwrap().push(line.to_owned()));
    let records = GuardedRecords::new(Arc::new(Memory::new()), manifest::function("consent"), report);

    assert!(records.create(&record(Kind::Consent)).await.is_ok());
    assert!(records.get(&key(Kind::Client)).await.is_ok());
    assert!(records.advance(&key(Kind::Consent), 0, "{}", None).await.is_ok());
    assert!(log.lock().unwrap().is_empty());

    assert!(records.create(&record(Kind::Client)).await.is_err());
    assert!(records.get(&key(Kind::Credential)).await.is_err());
    assert!(records.get(&Key::from("other#0000#id".to_owned())).await.is_err());
    assert!(records.advance(&key(Kind::Grant), 0, "{}", None).await.is_err());
    assert!(records.delete(&key(Kind::Consent)).await.is_err());
    assert!(records.count(&key(Kind::Counter), 1, Timestamp::from_secs(1)).await.is_err());
    let fault = records.list(&Owner::new("user#ada"), None, 1).await.unwrap_err();
    assert!(fault.reason.starts_with("forbidden record access: consent may not list user;"), "{fault}");
    let log = log.lock().unwrap();
    assert_eq!(log.len(), 7);
    assert!(log[1].starts_with("forbidden record access: consent may not get credential;"), "{log:?}");
}
