//! A bounded cache.

use crate::Timestamp;
use std::borrow::Borrow;
use std::collections::HashMap;
use std::fmt;
use std::hash::Hash;
use std::time::Duration;

/// A map of at most `capacity` entries that remembers when each was stored. A full cache evicts the entry that was used least
/// recently. Costs: one lookup for a read; a scan of all entries for an insertion into a full cache, which is a few
/// microseconds for a thousand.
pub struct BoundedCache<K, V> {
    capacity: usize,
    uses: u64,
    entries: HashMap<K, Entry<V>>,
}

struct Entry<V> {
    value: V,
    stored_at: Timestamp,
    last_use: u64,
}

impl<K: Eq + Hash, V> BoundedCache<K, V> {
    /// Returns an empty cache for at most `capacity` entries. It allocates nothing yet.
    pub fn new(capacity: usize) -> Self {
        Self { capacity, uses: 0, entries: HashMap::new() }
    }

    /// Returns the value of a key, stored less than `max_age` ago. A value stored after `now` does not count, because the clock
    /// was set back and proves nothing about its age.
    pub fn get<Q: Eq + Hash + ?Sized>(&mut self, key: &Q, max_age: Duration, now: Timestamp) -> Option<&V>
    where
        K: Borrow<Q>,
    {
        let entry = self.touch(key)?;
        (entry.stored_at <= now && now.since(entry.stored_at) < max_age).then_some(&entry.value)
    }

    /// Returns the value of a key, of any age.
    pub fn get_mut<Q: Eq + Hash + ?Sized>(&mut self, key: &Q) -> Option<&mut V>
    where
        K: Borrow<Q>,
    {
        self.touch(key).map(|entry| &mut entry.value)
    }

    /// Returns the time at which the value of a key was stored. Does not count as a use.
    pub fn stored_at<Q: Eq + Hash + ?Sized>(&self, key: &Q) -> Option<Timestamp>
    where
        K: Borrow<Q>,
    {
        self.entries.get(key).map(|entry| entry.stored_at)
    }

    /// Applies `work` to the value of a key, of any age. A missing value begins as its default. Counts as a use.
    pub fn update<Q, T>(&mut self, key: &Q, now: Timestamp, work: impl FnOnce(&mut V) -> T) -> T
    where
        K: Borrow<Q>,
        Q: Eq + Hash + ToOwned<Owned = K> + ?Sized,
        V: Default,
    {
        if let Some(value) = self.get_mut(key) {
            return work(value);
        }
        let mut value = V::default();
        let outcome = work(&mut value);
        self.insert(key.to_owned(), value, now);
        outcome
    }

    /// Stores a value, and evicts the least recently used entry if the cache is full.
    pub fn insert(&mut self, key: K, value: V, now: Timestamp) {
        if self.entries.len() >= self.capacity && !self.entries.contains_key(&key) {
            self.evict();
        }
        self.uses = self.uses.saturating_add(1);
        self.entries.insert(key, Entry { value, stored_at: now, last_use: self.uses });
    }

    /// Removes a key.
    pub fn remove<Q: Eq + Hash + ?Sized>(&mut self, key: &Q)
    where
        K: Borrow<Q>,
    {
        self.entries.remove(key);
    }

    fn touch<Q: Eq + Hash + ?Sized>(&mut self, key: &Q) -> Option<&mut Entry<V>>
    where
        K: Borrow<Q>,
    {
        let entry = self.entries.get_mut(key)?;
        self.uses = self.uses.saturating_add(1);
        entry.last_use = self.uses;
        Some(entry)
    }

    fn evict(&mut self) {
        if let Some(least) = self.entries.values().map(|entry| entry.last_use).min() {
            self.entries.retain(|_, entry| entry.last_use != least);
        }
    }
}

impl<K, V> fmt::Debug for BoundedCache<K, V> {
    /// Shows the number of entries alone: keys and values may be secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BoundedCache")
            .field("capacity", &self.capacity)
            .field("entries", &self.entries.len())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_secs(1_800_000_000);
    const AGE: Duration = Duration::from_secs(10);

    #[test]
    fn an_update_begins_with_the_default_and_evicts_like_an_insertion() {
        let mut cache: BoundedCache<String, u32> = BoundedCache::new(1);
        let mut count = |key: &str| {
            cache.update(key, NOW, |uses| {
                *uses = uses.saturating_add(1);
                *uses
            })
        };
        assert_eq!([count("a"), count("a"), count("b"), count("a")], [1, 2, 1, 1]);
    }

    #[test]
    fn a_value_expires() {
        let mut cache = BoundedCache::new(2);
        cache.insert("a", 1, NOW);
        assert_eq!(cache.get("a", AGE, NOW.after(Duration::from_secs(9))), Some(&1));
        assert_eq!(cache.get("a", AGE, NOW.after(AGE)), None);
        assert_eq!(cache.get("a", AGE, NOW.before(AGE)), None);
        assert_eq!(cache.get("a", Duration::ZERO, NOW), None);
        assert_eq!(cache.get("b", AGE, NOW), None);
        assert_eq!(cache.stored_at("a"), Some(NOW));
        assert_eq!(cache.get_mut("a"), Some(&mut 1));
        cache.remove("a");
        assert_eq!(cache.stored_at("a"), None);
        assert_eq!(cache.get_mut("a"), None);
    }

    #[test]
    fn a_full_cache_evicts_the_least_recently_used_entry_alone() {
        let mut cache = BoundedCache::new(3);
        for key in ["a", "b", "c"] {
            cache.insert(key, key, NOW);
        }
        // Reading counts as a use, replacing does, and asking for the time of storage does not.
        assert!(cache.get("a", AGE, NOW).is_some());
        cache.insert("b", "b2", NOW);
        assert!(cache.stored_at("c").is_some());
        cache.insert("d", "d", NOW);
        assert_eq!(["a", "b", "c", "d"].map(|key| cache.stored_at(key).is_some()), [true, true, false, true]);
        cache.insert("e", "e", NOW);
        assert_eq!(["a", "b", "d", "e"].map(|key| cache.stored_at(key).is_some()), [false, true, true, true]);
    }

    #[test]
    fn it_never_exceeds_its_capacity() {
        let mut cache = BoundedCache::new(64);
        for key in 0..1000 {
            cache.insert(key, key, NOW);
            assert_eq!(cache.get(&key, AGE, NOW), Some(&key));
        }
        assert_eq!(cache.entries.len(), 64);
        assert!((936..1000).all(|key| cache.stored_at(&key).is_some()));
    }

    #[test]
    fn a_cache_of_no_entries_keeps_one_at_most() {
        let mut cache = BoundedCache::new(0);
        cache.insert(1, 1, NOW);
        cache.insert(2, 2, NOW);
        assert_eq!(cache.entries.len(), 1);
    }
}
