//! A read cache before the store, for records that may be a minute old: clients, and nothing else. A code, a refresh
//! token, a session or a grant is always read from the object that decides.

use async_trait::async_trait;
use protocol::Timestamp;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::time::Duration;
use storage::{Advance, Created, Cursor, Key, Kind, Owner, Page, Record, Records, Unavailable};

/// How old an entry may be. Workers KV refuses to keep anything for less.
pub const FRESH: Duration = Duration::from_secs(60);

/// Somewhere to keep short texts for [`FRESH`]; allowed to forget and to lag. It fails silently: the store has the
/// truth.
#[async_trait]
pub trait Cache: Send + Sync {
    /// What was kept under a name.
    async fn read(&self, name: &str) -> Option<String>;

    /// Keeps a text under a name.
    async fn keep(&self, name: &str, text: String);

    /// Keeps a text under a name, some time soon: nobody waits for it.
    fn keep_soon(&self, name: &str, text: String);

    /// Forgets what was kept under a name.
    async fn forget(&self, name: &str);

    /// The time.
    fn now(&self) -> Timestamp;
}

/// A store behind a cache.
#[derive(Debug)]
pub struct CachedRecords<R, C> {
    records: R,
    cache: C,
}

/// One entry of the cache.
#[derive(Serialize, Deserialize)]
struct Entry<'a> {
    record: Cow<'a, Record>,
    read_at: Timestamp,
}

impl<R: Records, C: Cache> CachedRecords<R, C> {
    /// The store, read through the cache where that is allowed.
    pub fn new(records: R, cache: C) -> Self {
        Self { records, cache }
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
        let entry: Entry<'static> = serde_json::from_str(&text).ok()?;
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
        if !cacheable(key) {
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
}
