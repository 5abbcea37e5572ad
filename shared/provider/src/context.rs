//! What a function works with besides its request.

use crate::pacing::Pacing;
use crate::remote_keys::RemoteKeys;
use crate::{Config, ConfigError, HandlerError};
use keys::{KeySet, Keyring, Secrets};
use platform::Fetcher;
use protocol::StoredClient;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use storage::{Records, clients, signing_keys};
use types::Timestamp;

/// How long an instance may use what it read of clients and signing keys.
pub const CACHED_FOR: Duration = Duration::from_secs(60);

/// How lately a client must have been read for its secret to be believed to be the one.
const RECENT: Duration = Duration::from_secs(1);

/// How many clients an instance remembers.
const MAX_CLIENTS: usize = 1024;

/// One running instance of a function. All that it remembers may be forgotten at any time, or be a minute old.
pub struct Context {
    /// What the deployment decides.
    pub config: Config,
    /// The keys derived from the one secret.
    pub secrets: Secrets,
    /// The store.
    pub records: Arc<dyn Records>,
    /// The way to other servers, whose URLs clients registered.
    pub fetch: Fetcher,
    /// How often devices poll.
    pub pacing: Pacing,
    /// Where log lines go.
    pub log: Box<dyn Fn(&str) + Send + Sync>,
    keyring: Mutex<Option<(Timestamp, Arc<Keyring>)>>,
    pub(crate) clients: Mutex<HashMap<String, (Timestamp, Arc<StoredClient>)>>,
    pub(crate) remote_keys: RemoteKeys,
}

impl Context {
    /// Of an instance that just started.
    pub fn new(
        lookup: &dyn Fn(&str) -> Option<String>,
        records: Arc<dyn Records>,
        log: Box<dyn Fn(&str) + Send + Sync>,
    ) -> Result<Self, ConfigError> {
        let (config, secrets) = Config::read(lookup)?;
        let fetch = Fetcher::new(config.reach());
        Ok(Self {
            config,
            secrets,
            records,
            fetch,
            pacing: Pacing::default(),
            log,
            keyring: Mutex::default(),
            clients: Mutex::default(),
            remote_keys: RemoteKeys::default(),
        })
    }

    /// The signing keys, made if there are none. Cached for a minute; a new key is published for longer than that
    /// before it signs.
    pub async fn keyring(&self, now: Timestamp) -> Result<Arc<Keyring>, HandlerError> {
        {
            let cached = self.keyring.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some((read_at, keyring)) = cached.as_ref()
                && now.since(*read_at) < CACHED_FOR
            {
                return Ok(keyring.clone());
            }
        }
        let stored = match signing_keys::find(self.records.as_ref()).await? {
            Some(stored) => stored,
            None => {
                let first = KeySet::generate(jose::platform(), now).await.map_err(HandlerError::unavailable)?;
                signing_keys::create(
                    self.records.as_ref(),
                    first.to_stored(&self.secrets).map_err(HandlerError::unavailable)?,
                )
                .await?
            }
        };
        let set = KeySet::from_stored(&stored.keys, &self.secrets).map_err(|error| {
            HandlerError::unavailable(format!(
                "the signing keys cannot be opened; is LATCHKEY_SECRET the one they were sealed with? {error}"
            ))
        })?;
        let keyring = Arc::new(Keyring::new(jose::platform(), set));
        *self.keyring.lock().unwrap_or_else(PoisonError::into_inner) = Some((now, keyring.clone()));
        Ok(keyring)
    }

    /// Has the keys read again when they are next needed.
    pub(crate) fn forget_keyring(&self) {
        *self.keyring.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// Has a client read again when it is next asked for, unless it was read a moment ago. Whether it was not.
    pub(crate) fn forget_older_client(&self, client_id: &str, now: Timestamp) -> bool {
        let mut cached = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        let is_older = cached.get(client_id).is_some_and(|(read_at, _)| now.since(*read_at) >= RECENT);
        if is_older {
            cached.remove(client_id);
        }
        is_older
    }

    /// A client. Cached for a minute: what changes of a client holds everywhere within that time.
    pub async fn client(&self, client_id: &str, now: Timestamp) -> Result<Option<Arc<StoredClient>>, HandlerError> {
        if client_id.is_empty() || client_id.len() > 128 {
            return Ok(None);
        }
        {
            let cached = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some((read_at, client)) = cached.get(client_id)
                && now.since(*read_at) < CACHED_FOR
            {
                return Ok(Some(client.clone()).filter(|client| client.is_there(now)));
            }
        }
        let found =
            clients::find(self.records.as_ref(), client_id).await?.filter(|found| found.is_there(now)).map(Arc::new);
        let mut cached = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        match &found {
            Some(client) => {
                if cached.len() >= MAX_CLIENTS {
                    cached.clear();
                }
                cached.insert(client_id.to_owned(), (now, client.clone()));
            }
            None => {
                cached.remove(client_id);
            }
        }
        Ok(found)
    }
}
