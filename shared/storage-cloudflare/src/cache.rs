//! A read cache in front of the store for records that may be a minute old: clients, and no others. A grant, a session
//! or a pushed request is always read from its object.

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::time::Duration;
use storage::{Advance, ClockReading, Created, Cursor, Key, Kind, Owner, Page, Record, Records, Unavailable};
use types::Timestamp;

/// Greatest age of an entry. Workers KV accepts no shorter lifetime.
pub const FRESH: Duration = Duration::from_secs(60);

/// A cache of short texts for [`FRESH`]. It may forget and lag, and it fails silently: the store is authoritative.
#[async_trait]
pub trait Cache: Send + Sync {
    /// Returns the text under a name.
    async fn read(&self, name: &str) -> Option<String>;

    /// Stores a text under a name.
    async fn keep(&self, name: &str, text: String);

    /// Stores a text under a name in the background.
    fn keep_soon(&self, name: &str, text: String);

    /// Removes the text under a name.
    async fn forget(&self, name: &str);

    /// Returns the current time.
    fn now(&self) -> Timestamp;
}

/// A store with a read cache in front of it.
#[derive(Debug)]
pub struct CachedRecords<R, C> {
    records: R,
    cache: C,
    reads_cache: bool,
}

/// An entry of the cache.
#[derive(Serialize, Deserialize)]
struct Entry<'a> {
    record: Cow<'a, Record>,
    read_at: Timestamp,
}

impl<R: Records, C: Cache> CachedRecords<R, C> {
    /// Returns the store, with clients read through the cache.
    pub fn new(records: R, cache: C) -> Self {
        Self { records, cache, reads_cache: true }
    }

    /// Returns the store, with a cache that is written and never read: for functions that change what they read. So no old
    /// record is written back to the store. Neither is it written to the cache just before the new one: Workers KV
    /// accepts one write of a key per second.
    pub fn write_through(records: R, cache: C) -> Self {
        Self { records, cache, reads_cache: false }
    }

    fn entry(&self, record: &Record) -> Option<String> {
        serde_json::to_string(&Entry { record: Cow::Borrowed(record), read_at: self.cache.now() }).ok()
    }

    async fn keep(&self, record: &Record) {
        if let Some(text) = self.entry(record) {
            self.cache.keep(record.key.as_str(), text).await;
        }
    }

    async fn fresh(&self, key: &Key) -> Option<Record> {
        let text = self.cache.read(key.as_str()).await?;
        let entry: Entry<'static> = types::json::decode(text.as_bytes()).ok()?;
        let fresh = !entry.read_at.after(FRESH).is_past(self.cache.now());
        (fresh && entry.record.key == *key).then(|| entry.record.into_owned())
    }
}

fn cacheable(key: &Key) -> bool {
    key.is(Kind::Client)
}

#[async_trait]
impl<R: Records, C: Cache> Records for CachedRecords<R, C> {
    async fn create(&self, record: &Record) -> Result<Created, Unavailable> {
        let created = self.records.create(record).await?;
        if cacheable(&record.key) {
            match &created {
                Created::Created => self.keep(&Record { generation: 0, ..record.clone() }).await,
                Created::Exists(existing) => self.keep(existing).await,
            }
        }
        Ok(created)
    }

    async fn get(&self, key: &Key) -> Result<Option<Record>, Unavailable> {
        if !(self.reads_cache && cacheable(key)) {
            return self.records.get(key).await;
        }
        if let Some(record) = self.fresh(key).await {
            return Ok(Some(record));
        }
        let found = self.records.get(key).await?;
        if let Some(text) = found.as_ref().and_then(|record| self.entry(record)) {
            self.cache.keep_soon(key.as_str(), text);
        }
        Ok(found)
    }

    async fn advance(
        &self,
        key: &Key,
        from: u64,
        state: &str,
        expires_at: Option<Timestamp>,
    ) -> Result<Advance, Unavailable> {
        let advanced = self.records.advance(key, from, state, expires_at).await?;
        if cacheable(key) {
            match &advanced {
                Advance::Advanced(record) | Advance::Stale(record) => self.keep(record).await,
                Advance::Missing => self.cache.forget(key.as_str()).await,
            }
        }
        Ok(advanced)
    }

    async fn delete(&self, key: &Key) -> Result<(), Unavailable> {
        self.records.delete(key).await?;
        if cacheable(key) {
            self.cache.forget(key.as_str()).await;
        }
        Ok(())
    }

    async fn list(&self, owner: &Owner, cursor: Option<&Cursor>, limit: u32) -> Result<Page, Unavailable> {
        self.records.list(owner, cursor, limit).await
    }

    async fn count(&self, key: &Key, by: i64, expires_at: Timestamp) -> Result<i64, Unavailable> {
        self.records.count(key, by, expires_at).await
    }

    fn clock(&self) -> Option<ClockReading> {
        self.records.clock()
    }
}

#[cfg(all(test, not(target_arch = "wasm32")))]
#[allow(clippy::unwrap_used, reason = "a test may fail by panicking")]
mod tests {
    use super::*;
    use std::collections::HashMap;
    use std::sync::Mutex;
    use std::sync::atomic::{AtomicU64, Ordering};
    use storage::Partition;
    use storage::memory::Memory;

    /// A cache that keeps everything, so that only the check of the age ends an entry.
    #[derive(Default)]
    struct Shelf {
        texts: Mutex<HashMap<String, String>>,
        secs: AtomicU64,
    }

    #[async_trait]
    impl Cache for &Shelf {
        async fn read(&self, name: &str) -> Option<String> {
            self.texts.lock().unwrap().get(name).cloned()
        }

        async fn keep(&self, name: &str, text: String) {
            self.keep_soon(name, text);
        }

        fn keep_soon(&self, name: &str, text: String) {
            self.texts.lock().unwrap().insert(name.to_owned(), text);
        }

        async fn forget(&self, name: &str) {
            self.texts.lock().unwrap().remove(name);
        }

        fn now(&self) -> Timestamp {
            Timestamp::from_secs(self.secs.load(Ordering::Relaxed))
        }
    }

    fn record(kind: Kind) -> Record {
        let key = Key::new(kind, Partition::of("x"), "x");
        Record { key, owner: None, body: "{}".into(), state: "0".into(), generation: 0, expires_at: None }
    }

    fn calls(memory: &Memory) -> u64 {
        memory.counts().total()
    }

    #[tokio::test]
    async fn a_client_is_read_from_the_cache_for_a_minute() {
        let (memory, shelf) = (Memory::new(), Shelf::default());
        let client = record(Kind::Client);
        memory.create(&client).await.unwrap();
        let cached = CachedRecords::new(memory, &shelf);
        for (secs, expected) in [(0, 2), (1, 2), (59, 2), (60, 3), (61, 3)] {
            shelf.secs.store(secs, Ordering::Relaxed);
            assert_eq!(cached.get(&client.key).await.unwrap().as_ref(), Some(&client));
            assert_eq!(calls(&cached.records), expected, "after {secs} s");
        }
    }

    #[tokio::test]
    async fn what_is_written_is_what_is_read() {
        let shelf = Shelf::default();
        let cached = CachedRecords::new(Memory::new(), &shelf);
        let client = record(Kind::Client);
        assert_eq!(cached.get(&client.key).await.unwrap(), None);
        cached.create(&client).await.unwrap();
        assert_eq!(cached.get(&client.key).await.unwrap().unwrap().state, "0");
        cached.advance(&client.key, 0, "1", None).await.unwrap();
        assert_eq!(cached.get(&client.key).await.unwrap().unwrap().state, "1");
        cached.delete(&client.key).await.unwrap();
        assert_eq!(cached.get(&client.key).await.unwrap(), None);
    }

    /// The cache of another location may have the replaced client: a change must not write that back.
    #[tokio::test]
    async fn who_changes_clients_reads_the_store_and_tells_the_cache() {
        let shelf = Shelf::default();
        let reader = CachedRecords::new(Memory::new(), &shelf);
        let client = record(Kind::Client);
        reader.create(&client).await.unwrap();
        reader.records.advance(&client.key, 0, "1", None).await.unwrap();
        assert_eq!(reader.get(&client.key).await.unwrap().unwrap().state, "0", "a minute old at most");
        let writer = CachedRecords::write_through(reader.records, &shelf);
        let kept = || shelf.texts.lock().unwrap().clone();
        let before = kept();
        assert_eq!(writer.get(&client.key).await.unwrap().unwrap().state, "1");
        assert_eq!(kept(), before, "what was read is not written, for it is about to be old");
        writer.advance(&client.key, 1, "2", None).await.unwrap();
        let reader = CachedRecords::new(writer.records, &shelf);
        assert_eq!(reader.get(&client.key).await.unwrap().unwrap().state, "2");
        assert_eq!(calls(&reader.records), 4, "out of the cache");
    }

    #[tokio::test]
    async fn nothing_but_a_client_is_ever_cached() {
        let shelf = Shelf::default();
        let cached = CachedRecords::new(Memory::new(), &shelf);
        for kind in [Kind::User, Kind::Credential, Kind::Session, Kind::Consent, Kind::Grant, Kind::Marker, Kind::Keys]
        {
            let record = record(kind);
            cached.create(&record).await.unwrap();
            cached.get(&record.key).await.unwrap();
            cached.advance(&record.key, 0, "1", None).await.unwrap();
        }
        assert!(shelf.texts.lock().unwrap().is_empty());
    }
}
