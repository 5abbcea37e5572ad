//! The contract on the embedded store, and its data directory.
#![allow(clippy::panic, clippy::unwrap_used, reason = "a test fails by panicking")]

use latchkey_storage_sqlite::{OpenError, SqliteRecords};
use std::path::PathBuf;
use std::sync::Arc;
use storage::{Created, Key, Kind, Partition, Record, Records, contract};
use types::Timestamp;

/// A data directory of a test; removed when dropped.
struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str) -> Self {
        let directory = std::env::temp_dir().join(format!("latchkey-sqlite-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&directory);
        Self(directory)
    }

    fn open(&self) -> SqliteRecords {
        SqliteRecords::open(&self.0).unwrap()
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn record(expires_at: Option<Timestamp>) -> Record {
    Record {
        key: Key::new(Kind::User, Partition::of("ada"), "ada"),
        owner: None,
        body: "{}".to_owned(),
        state: "{}".to_owned(),
        generation: 0,
        expires_at,
    }
}

#[tokio::test]
async fn sqlite_keeps_the_contract() {
    let scratch = Scratch::new("contract");
    let records = Arc::new(scratch.open());
    for run in ["first", "second"] {
        if let Err(wrong) = contract::run(records.clone(), run).await {
            panic!("{}", wrong.join("\n"));
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn sqlite_keeps_the_contract_from_many_threads() {
    let scratch = Scratch::new("threads");
    let records: Arc<dyn Records> = Arc::new(scratch.open());
    let start = |run: u32| {
        let records = records.clone();
        tokio::spawn(async move { contract::run(records, &format!("run {run}")).await })
    };
    for run in (0..4).map(start).collect::<Vec<_>>() {
        run.await.unwrap().unwrap();
    }
}

#[tokio::test]
async fn records_outlive_the_process() {
    let scratch = Scratch::new("reopened");
    let records = scratch.open();
    assert_eq!(records.create(&record(None)).await, Ok(Created::Created));
    drop(records);
    assert_eq!(scratch.open().get(&record(None).key).await, Ok(Some(record(None))));
}

#[tokio::test]
async fn a_data_directory_has_one_user() {
    let scratch = Scratch::new("locked");
    let records = scratch.open();
    assert!(matches!(SqliteRecords::open(&scratch.0), Err(OpenError::InUse(_))));
    drop(records);
    scratch.open();
}

#[tokio::test]
async fn expired_records_are_removed_on_request() {
    let scratch = Scratch::new("expired");
    let records = scratch.open();
    let expiring = record(Some(Timestamp::from_secs(1000)));
    records.create(&expiring).await.unwrap();
    records.remove_expired(Timestamp::from_secs(999)).await.unwrap();
    assert_eq!(records.get(&expiring.key).await, Ok(Some(expiring.clone())));
    records.remove_expired(Timestamp::from_secs(1000)).await.unwrap();
    assert_eq!(records.get(&expiring.key).await, Ok(None));
}

#[tokio::test]
async fn the_first_count_sets_the_expiry_of_a_counter() {
    let scratch = Scratch::new("counters");
    let records = scratch.open();
    let key = Key::new(Kind::Counter, Partition::of("window"), "window");
    let (end, later) = (Timestamp::from_secs(1000), Timestamp::from_secs(2000));
    for (expires_at, total) in [(end, 1), (later, 2)] {
        assert_eq!(records.count(&key, 1, expires_at).await, Ok(total));
    }
    records.remove_expired(Timestamp::from_secs(999)).await.unwrap();
    assert_eq!(records.count(&key, 1, end).await, Ok(3));
    records.remove_expired(end).await.unwrap();
    assert_eq!(records.count(&key, 1, end).await, Ok(1));
}

#[test]
fn a_file_that_is_no_database_is_an_error() {
    let scratch = Scratch::new("broken");
    std::fs::create_dir_all(&scratch.0).unwrap();
    std::fs::write(scratch.0.join("store.sqlite"), "this is not a database, ".repeat(100)).unwrap();
    assert!(matches!(SqliteRecords::open(&scratch.0), Err(OpenError::Database(..))));
}
