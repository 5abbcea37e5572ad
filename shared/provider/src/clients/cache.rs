//! The clients that this instance read lately, and the names that no client has.

use crate::CACHED_FOR;
use protocol::StoredClient;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use types::{BoundedCache, ClientId, Timestamp};

/// The most clients in the cache, and the most names that no client has.
const MAX_CLIENTS: usize = 1024;

/// The shortest time between two reads of a client whose authentication fails: guesses must not load the store.
const RECENT: Duration = Duration::from_secs(1);

/// The time for which an unknown `client_id` is not looked up again. A client that is created in this time may be unknown to
/// this instance until the time is over.
const UNKNOWN_FOR: Duration = Duration::from_secs(3);

/// A cache of clients, by `client_id`. A full cache evicts the client that was used least recently. Unknown names have a
/// place of their own, so that they cannot evict a client.
pub(crate) struct ClientCache(Mutex<Entries>);

struct Entries {
    clients: BoundedCache<ClientId, Arc<StoredClient>>,
    unknown: BoundedCache<ClientId, ()>,
}

impl Default for ClientCache {
    fn default() -> Self {
        Self(Mutex::new(Entries { clients: BoundedCache::new(MAX_CLIENTS), unknown: BoundedCache::new(MAX_CLIENTS) }))
    }
}

impl ClientCache {
    /// Returns what was read of a client within [`CACHED_FOR`]; `Some(None)` if no client had this name within
    /// [`UNKNOWN_FOR`].
    pub(super) fn get(&self, client_id: &ClientId, now: Timestamp) -> Option<Option<Arc<StoredClient>>> {
        let mut cached = self.lock();
        if let Some(client) = cached.clients.get(client_id, CACHED_FOR, now) {
            return Some(Some(Arc::clone(client)));
        }
        cached.unknown.get(client_id, UNKNOWN_FOR, now).map(|()| None)
    }

    /// Stores what was read.
    pub(super) fn put(&self, client_id: &ClientId, client: Option<&Arc<StoredClient>>, now: Timestamp) {
        let mut cached = self.lock();
        match client {
            Some(client) => {
                cached.unknown.remove(client_id);
                cached.clients.insert(client_id.clone(), Arc::clone(client), now);
            }
            None => {
                cached.clients.remove(client_id);
                cached.unknown.insert(client_id.clone(), (), now);
            }
        }
    }

    /// Removes every client.
    pub(crate) fn clear(&self) {
        self.lock().clients = BoundedCache::new(MAX_CLIENTS);
    }

    /// Removes all that is known of a name.
    pub(super) fn forget(&self, client_id: &ClientId) {
        let mut cached = self.lock();
        cached.clients.remove(client_id);
        cached.unknown.remove(client_id);
    }

    /// Removes a client that was read more than [`RECENT`] ago. True if it was removed.
    pub(super) fn forget_older(&self, client_id: &ClientId, now: Timestamp) -> bool {
        let mut cached = self.lock();
        let is_older = cached.clients.stored_at(client_id).is_some_and(|read_at| now.since(read_at) >= RECENT);
        if is_older {
            cached.clients.remove(client_id);
        }
        is_older
    }

    fn lock(&self) -> MutexGuard<'_, Entries> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_secs(1_800_000_000);

    fn id(text: &str) -> ClientId {
        ClientId::parse(text).unwrap()
    }

    #[test]
    fn an_unknown_name_is_remembered_for_seconds() {
        let cache = ClientCache::default();
        cache.put(&id("unknown"), None, NOW);
        assert_eq!(cache.get(&id("unknown"), NOW.after(Duration::from_secs(2))), Some(None));
        assert_eq!(cache.get(&id("unknown"), NOW.after(UNKNOWN_FOR)), None);
        cache.put(&id("unknown"), None, NOW);
        cache.forget(&id("unknown"));
        assert_eq!(cache.get(&id("unknown"), NOW), None);
    }

    #[test]
    fn unknown_names_evict_no_client() {
        let cache = ClientCache::default();
        let client = serde_json::from_str(r#"{"client_id":"known","grant_types":[]}"#).unwrap();
        let client = Arc::new(StoredClient::new(client, Vec::new()));
        cache.put(&id("known"), Some(&client), NOW);
        for name in 0..2 * MAX_CLIENTS {
            cache.put(&id(&format!("unknown-{name}")), None, NOW);
        }
        assert_eq!(cache.get(&id("known"), NOW), Some(Some(client)));
    }
}
