//! A store in memory, for tests. It counts the calls, and its listing can lag.

use crate::{Advance, Created, Cursor, Key, Owner, Page, Record, Records, Unavailable, Verb, idempotent_write};
use async_trait::async_trait;
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::ops::Bound;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use types::Timestamp;

/// The number of calls of each verb.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Calls of `create`.
    pub create: u64,
    /// Calls of `get`.
    pub get: u64,
    /// Calls of `advance`.
    pub advance: u64,
    /// Calls of `delete`.
    pub delete: u64,
    /// Calls of `list`.
    pub list: u64,
    /// Calls of `count`.
    pub count: u64,
}

impl Counts {
    /// Returns the number of all calls: the round trips to a remote store.
    pub fn total(&self) -> u64 {
        let calls = [self.create, self.get, self.advance, self.delete, self.list, self.count];
        calls.into_iter().fold(0, u64::saturating_add)
    }

    /// Counts a call. Returns its position among the calls of its verb: 1 for the first.
    pub(crate) fn add(&mut self, verb: Verb) -> u64 {
        let count = match verb {
            Verb::Create => &mut self.create,
            Verb::Get => &mut self.get,
            Verb::Advance => &mut self.advance,
            Verb::Delete => &mut self.delete,
            Verb::List => &mut self.list,
            Verb::Count => &mut self.count,
        };
        *count = count.saturating_add(1);
        *count
    }
}

/// Records in the memory of this process.
#[derive(Debug, Default)]
pub struct Memory {
    inner: Mutex<Inner>,
    lag: u64,
}

#[derive(Debug, Default)]
struct Inner {
    records: HashMap<Key, Arc<Record>>,
    counters: HashMap<Key, i64>,
    counts: Counts,
    calls: u64,
    /// The records that `list` returns.
    listed: HashMap<Owner, BTreeMap<String, Arc<Record>>>,
    /// Writes that `list` does not show yet, and the call from which it shows them.
    unlisted: VecDeque<(u64, Change)>,
}

/// A write to a record with an owner.
#[derive(Debug)]
struct Change {
    owner: Owner,
    key: Key,
    now: Option<Arc<Record>>,
}

impl Memory {
    /// Returns an empty store.
    pub fn new() -> Self {
        Self::default()
    }

    /// Returns an empty store whose `list` shows a write `calls` calls later.
    pub fn lagging(calls: u64) -> Self {
        Self { lag: calls, ..Self::default() }
    }

    /// Returns the calls since the start or the last `reset`.
    pub fn counts(&self) -> Counts {
        self.lock().counts
    }

    /// Sets the counts to zero.
    pub fn reset(&self) {
        self.lock().counts = Counts::default();
    }

    /// Returns every record, in the order of the keys.
    pub fn snapshot(&self) -> Vec<Record> {
        let mut records: Vec<Record> = self.lock().records.values().map(|record| Record::clone(record)).collect();
        records.sort_by(|one, other| one.key.as_str().cmp(other.key.as_str()));
        records
    }

    /// Returns a store with the records of a snapshot: a restored backup. Counters start at 0.
    pub fn restored(snapshot: Vec<Record>) -> Self {
        let memory = Self::new();
        let mut inner = memory.lock();
        for record in snapshot {
            inner.put(record, 0);
        }
        drop(inner);
        memory
    }

    /// Locks the store for one call of `verb`, which is counted.
    fn call(&self, verb: Verb) -> MutexGuard<'_, Inner> {
        let mut inner = self.lock();
        inner.counts.add(verb);
        inner.calls = inner.calls.saturating_add(1);
        inner.catch_up();
        inner
    }

    /// Locks the store. No call panics between two writes, so the state under a poisoned lock is sound.
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn put(&mut self, record: Record, lag: u64) -> Arc<Record> {
        let record = Arc::new(record);
        if let Some(owner) = &record.owner {
            self.announce(owner.clone(), record.key.clone(), Some(record.clone()), lag);
        }
        self.records.insert(record.key.clone(), record.clone());
        record
    }

    fn announce(&mut self, owner: Owner, key: Key, now: Option<Arc<Record>>, lag: u64) {
        self.unlisted.push_back((self.calls.saturating_add(lag), Change { owner, key, now }));
        self.catch_up();
    }

    fn catch_up(&mut self) {
        while let Some((_, change)) = self.unlisted.pop_front_if(|(due, _)| *due <= self.calls) {
            let records = self.listed.entry(change.owner).or_default();
            match change.now {
                Some(record) => records.insert(change.key.as_str().to_owned(), record),
                None => records.remove(change.key.as_str()),
            };
        }
    }
}

#[async_trait]
impl Records for Memory {
    async fn create(&self, record: &Record) -> Result<Created, Unavailable> {
        let mut inner = self.call(Verb::Create);
        let found = match inner.records.get(&record.key) {
            Some(existing) => Created::Exists(Record::clone(existing)),
            None => {
                inner.put(Record { generation: 0, ..record.clone() }, self.lag);
                Created::Created
            }
        };
        Ok(idempotent_write::created(found, record))
    }

    async fn get(&self, key: &Key) -> Result<Option<Record>, Unavailable> {
        Ok(self.call(Verb::Get).records.get(key).map(|record| Record::clone(record)))
    }

    async fn advance(
        &self,
        key: &Key,
        from: u64,
        state: &str,
        expires_at: Option<Timestamp>,
    ) -> Result<Advance, Unavailable> {
        let mut inner = self.call(Verb::Advance);
        let Some(record) = inner.records.get(key).map(|record| Record::clone(record)) else {
            return Ok(Advance::Missing);
        };
        if record.generation != from {
            return Ok(idempotent_write::advanced(Advance::Stale(record), from, state, expires_at));
        }
        let next = Record { state: state.to_owned(), expires_at, generation: from.saturating_add(1), ..record };
        Ok(Advance::Advanced(Record::clone(&inner.put(next, self.lag))))
    }

    async fn delete(&self, key: &Key) -> Result<(), Unavailable> {
        let mut inner = self.call(Verb::Delete);
        if let Some(owner) = inner.records.remove(key).and_then(|record| record.owner.clone()) {
            inner.announce(owner, key.clone(), None, self.lag);
        }
        Ok(())
    }

    async fn list(&self, owner: &Owner, cursor: Option<&Cursor>, limit: u32) -> Result<Page, Unavailable> {
        let inner = self.call(Verb::List);
        let Some(records) = inner.listed.get(owner) else { return Ok(Page::default()) };
        let start = cursor.map_or(Bound::Unbounded, |cursor| Bound::Excluded(cursor.0.as_str()));
        let mut rest = records.range::<str, _>((start, Bound::Unbounded)).map(|(_, record)| record);
        let limit = usize::try_from(limit.max(1)).unwrap_or(usize::MAX);
        let records: Vec<Record> = rest.by_ref().take(limit).map(|record| Record::clone(record)).collect();
        let last = records.last().map(|record| Cursor(record.key.as_str().to_owned()));
        Ok(Page { records, next: rest.next().and(last) })
    }

    async fn count(&self, key: &Key, by: i64, _: Timestamp) -> Result<i64, Unavailable> {
        let mut inner = self.call(Verb::Count);
        let total = inner.counters.entry(key.clone()).or_default();
        *total = total.saturating_add(by);
        Ok(*total)
    }
}
