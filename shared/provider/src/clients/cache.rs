//! The clients that this instance read lately.

use crate::CACHED_FOR;
use protocol::StoredClient;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use types::{ClientId, Timestamp};

/// The most clients in the cache.
const MAX_CLIENTS: usize = 1024;

/// The shortest time between two reads of a client whose authentication fails: guesses must not load the store.
const RECENT: Duration = Duration::from_secs(1);

/// A client and the time when it was read.
type Entry = (Timestamp, Arc<StoredClient>);

/// A cache of clients, by `client_id`.
#[derive(Default)]
pub(crate) struct ClientCache(Mutex<HashMap<ClientId, Entry>>);

impl ClientCache {
    /// Returns a client that was read within [`CACHED_FOR`].
    pub(super) fn get(&self, client_id: &ClientId, now: Timestamp) -> Option<Arc<StoredClient>> {
        let cached = self.lock();
        let (read_at, client) = cached.get(client_id)?;
        (now.since(*read_at) < CACHED_FOR).then(|| client.clone())
    }

    /// Stores what was read; a client that was not found is removed.
    pub(super) fn put(&self, client_id: &ClientId, client: Option<&Arc<StoredClient>>, now: Timestamp) {
        let mut cached = self.lock();
        match client {
            Some(client) => {
                if cached.len() >= MAX_CLIENTS {
                    cached.clear();
                }
                cached.insert(client_id.clone(), (now, client.clone()));
            }
            None => {
                cached.remove(client_id);
            }
        }
    }

    pub(super) fn forget(&self, client_id: &ClientId) {
        self.lock().remove(client_id);
    }

    /// Removes a client that was read more than [`RECENT`] ago. True if it was removed.
    pub(super) fn forget_older(&self, client_id: &ClientId, now: Timestamp) -> bool {
        let mut cached = self.lock();
        let is_older = cached.get(client_id).is_some_and(|(read_at, _)| now.since(*read_at) >= RECENT);
        if is_older {
            cached.remove(client_id);
        }
        is_older
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<ClientId, Entry>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
