//! What a function works with besides its request.

use crate::clients::ClientCache;
use crate::pacing::Pacing;
use crate::remote_keys::RemoteKeys;
use crate::{Config, ConfigError, HandlerError};
use keys::{KeySet, Keyring, Secrets};
use platform::Fetcher;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use storage::{Records, signing_keys};
use types::Timestamp;

/// How long an instance may use what it read of clients and signing keys.
pub const CACHED_FOR: Duration = Duration::from_secs(60);

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
    pub(crate) clients: ClientCache,
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
            clients: ClientCache::default(),
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
}
