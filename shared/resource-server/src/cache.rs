//! What an instance remembers of tokens: bounded in number and in age.

use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::time::Duration;
use types::Timestamp;

/// How many tokens each half of a cache holds.
const HALF: usize = 1024;

/// By the token's hash, never the token itself. In two halves: when the newer is full, the older is forgotten.
#[derive(Debug)]
pub(crate) struct Cache<T> {
    newer: HashMap<Key, (Timestamp, T)>,
    older: HashMap<Key, (Timestamp, T)>,
}

/// Names a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Key([u8; 32]);

impl Key {
    /// The name of a token in one of its uses.
    pub(crate) fn of(token: &str, usage: u8) -> Self {
        Self(Sha256::new().chain_update([usage]).chain_update(token.as_bytes()).finalize().into())
    }
}

impl<T> Default for Cache<T> {
    fn default() -> Self {
        Self { newer: HashMap::new(), older: HashMap::new() }
    }
}

impl<T: Clone> Cache<T> {
    /// What was kept less than `age` ago.
    pub(crate) fn find(&self, key: &Key, age: Duration, now: Timestamp) -> Option<T> {
        let (kept_at, value) = self.newer.get(key).or_else(|| self.older.get(key))?;
        // A clock that went back proves nothing about the age.
        (*kept_at <= now && now.since(*kept_at) < age).then(|| value.clone())
    }

    /// Keeps a value.
    pub(crate) fn keep(&mut self, key: Key, value: T, now: Timestamp) {
        if self.newer.len() >= HALF && !self.newer.contains_key(&key) {
            self.older = std::mem::take(&mut self.newer);
        }
        self.newer.insert(key, (now, value));
    }

    /// Forgets a value.
    pub(crate) fn forget(&mut self, key: &Key) {
        self.newer.remove(key);
        self.older.remove(key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_secs(1_800_000_000);
    const AGE: Duration = Duration::from_secs(10);

    #[test]
    fn nothing_grows_too_old() {
        let mut cache = Cache::default();
        let key = Key::of("a", 0);
        cache.keep(key, 1, NOW);
        assert_eq!(cache.find(&key, AGE, NOW.after(Duration::from_secs(9))), Some(1));
        assert_eq!(cache.find(&key, AGE, NOW.after(AGE)), None);
        assert_eq!(cache.find(&key, AGE, NOW.before(AGE)), None);
        assert_eq!(cache.find(&key, Duration::ZERO, NOW), None);
        assert_eq!(cache.find(&Key::of("a", 1), AGE, NOW), None);
        cache.forget(&key);
        assert_eq!(cache.find(&key, AGE, NOW), None);
    }

    #[test]
    fn it_does_not_grow() {
        let mut cache = Cache::default();
        for number in 0..10 * HALF {
            cache.keep(Key::of(&number.to_string(), 0), number, NOW);
            assert_eq!(cache.find(&Key::of(&number.to_string(), 0), AGE, NOW), Some(number));
        }
        assert!(cache.newer.len() + cache.older.len() <= 2 * HALF);
    }
}
