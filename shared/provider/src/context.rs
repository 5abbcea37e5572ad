//! The context of a function: settings, keys, store, caches.

use crate::clients::ClientCache;
use crate::configuration::ConfigurationCache;
use crate::fetch_pace::FetchPace;
use crate::mail::{LocalSender, WrittenMails};
use crate::poll_limiter::PollLimiter;
use crate::rate_limiter::CountedHere;
use crate::remote_keys::RemoteKeys;
use crate::request_objects::RequestObjects;
use crate::signed_metadata::SignedMetadata;
use crate::{Config, ConfigError, Configuration, HandlerError, ListCheck, list_problems};
use keys::{KeySet, Keyring, Purpose, Secrets};
use platform::Fetcher;
use protocol::{Problem, Resource};
use serde_json::json;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use storage::guarded::GuardedRecords;
use storage::{Records, signing_keys};
use types::Timestamp;

/// Maximum age of clients and signing keys in the caches of an instance.
pub const CACHED_FOR: Duration = Duration::from_secs(60);

/// One running instance of a function. Its caches may be emptied at any time, and their entries may be a minute old.
///
/// A clone shares the settings and the caches of the original.
#[derive(Clone)]
pub struct Context {
    /// The settings of the deployment.
    pub config: Arc<Config>,
    /// The configuration for the current request; that of the environment alone before one is read.
    pub configuration: Arc<Configuration>,
    pub(crate) of_environment: Arc<Configuration>,
    pub(crate) configurations: Arc<ConfigurationCache>,
    /// The keys derived from the deployment secret.
    pub secrets: Secrets,
    /// The store.
    pub records: Arc<dyn Records>,
    /// Outgoing requests, to URLs that clients registered.
    pub fetch: Arc<Fetcher>,
    /// The polls of devices.
    pub polls: Arc<PollLimiter>,
    /// The mails that this instance wrote and did not hand to the sender yet.
    pub written_mails: Arc<WrittenMails>,
    /// The sender of mails that the local server brings along.
    pub local_sender: Option<Arc<dyn LocalSender>>,
    /// Writes a log line.
    pub log: Arc<dyn Fn(&str) + Send + Sync>,
    keyring: Arc<Mutex<Option<CachedKeyring>>>,
    /// The public part alone, for a function that has no key for the private part.
    published_keyring: Arc<Mutex<Option<CachedKeyring>>>,
    pub(crate) clients: Arc<ClientCache>,
    pub(crate) remote_keys: Arc<RemoteKeys>,
    pub(crate) request_objects: Arc<RequestObjects>,
    pub(crate) signed_metadata: Arc<SignedMetadata>,
    pub(crate) document_fetches: Arc<FetchPace>,
    pub(crate) fetch_pace: Arc<FetchPace>,
    pub(crate) counted_here: Arc<CountedHere>,
}

/// The signing keys, and the time at which they were read.
struct CachedKeyring {
    read_at: Timestamp,
    keyring: Arc<Keyring>,
}

impl Context {
    /// Makes the context of an instance that starts. Errors: every invalid setting.
    pub fn new(
        lookup: &dyn Fn(&str) -> Option<String>,
        records: Arc<dyn Records>,
        log: Box<dyn Fn(&str) + Send + Sync>,
    ) -> Result<Self, ConfigError> {
        Self::with_check(lookup, records, log, list_problems)
    }

    /// Makes the context of an instance, with another check of the lists among the settings.
    fn with_check(
        lookup: &dyn Fn(&str) -> Option<String>,
        records: Arc<dyn Records>,
        log: Box<dyn Fn(&str) + Send + Sync>,
        check: ListCheck,
    ) -> Result<Self, ConfigError> {
        let (config, secrets) = Config::read_with(lookup, check)?;
        let configuration = Arc::new(Configuration::of_environment(&config));
        for warning in configuration.warnings(&config) {
            log(&json!({ "warning": warning }).to_string());
        }
        Ok(Self {
            fetch: Arc::new(Fetcher::new(config.reach())),
            config: Arc::new(config),
            of_environment: Arc::clone(&configuration),
            configuration,
            configurations: Arc::default(),
            secrets,
            records,
            polls: Arc::default(),
            written_mails: Arc::default(),
            local_sender: None,
            log: Arc::from(log),
            keyring: Arc::default(),
            published_keyring: Arc::default(),
            clients: Arc::default(),
            remote_keys: Arc::default(),
            request_objects: Arc::default(),
            signed_metadata: Arc::default(),
            document_fetches: Arc::new(FetchPace::of_documents()),
            fetch_pace: Arc::new(FetchPace::of_hosts()),
            counted_here: Arc::default(),
        })
    }

    /// Adds a resource that this process serves itself. Call it before the first request and before the context is cloned.
    pub fn serve_resource(&mut self, resource: Resource) {
        if let Some(config) = Arc::get_mut(&mut self.config) {
            config.own_resources.push(resource);
        }
        self.of_environment = Arc::new(Configuration::of_environment(&self.config));
        self.configuration = Arc::clone(&self.of_environment);
    }

    /// Returns this context under another configuration.
    pub(crate) fn under(&self, configuration: Arc<Configuration>) -> Self {
        Self { configuration, ..self.clone() }
    }

    /// Makes the context of an instance of one function. Errors: every invalid setting, and each derived key that the function
    /// needs and did not receive.
    pub fn of_function(
        function: manifest::Function,
        lookup: &dyn Fn(&str) -> Option<String>,
        records: Arc<dyn Records>,
        log: Box<dyn Fn(&str) + Send + Sync>,
        check: ListCheck,
    ) -> Result<Self, ConfigError> {
        let context = Self::with_check(lookup, records, log, check)?;
        let purposes = function.purposes().into_iter();
        let missing: Vec<&str> =
            purposes.filter(|purpose| !context.secrets.has(*purpose)).map(Purpose::label).collect();
        if !missing.is_empty() {
            let rule = format!(
                "lacks keys that this function needs ({}); derive them with `latchkey secret derive {}`",
                missing.join(", "),
                function.name
            );
            return Err(ConfigError { problems: vec![Problem::new("LATCHKEY_KEYS", rule)] });
        }
        Ok(context.guarded(function))
    }

    /// Returns this context with the record access and the derived keys of one function: the store rejects and logs every other
    /// access.
    #[must_use]
    pub fn guarded(&self, function: manifest::Function) -> Self {
        let log = Arc::clone(&self.log);
        let report = move |reason: &str| log(&json!({ "function": function.name, "reason": reason }).to_string());
        let records = GuardedRecords::new(Arc::clone(&self.records), function, Box::new(report));
        let secrets = self.secrets.only(&function.purposes());
        Self { records: Arc::new(records), secrets, ..self.clone() }
    }

    /// Returns the signing keys; creates them if there are none. A function without the key of their private part gets the public
    /// part. They are cached for a minute; a new key is published for longer than that before it signs. Errors:
    /// `temporarily_unavailable` if there are none and this function cannot create them.
    pub async fn keyring(&self, now: Timestamp) -> Result<Arc<Keyring>, HandlerError> {
        let may_sign = self.secrets.has(Purpose::SigningKeys);
        let cache = if may_sign { &self.keyring } else { &self.published_keyring };
        {
            let cached = cache.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(cached) = cached.as_ref()
                && now.since(cached.read_at) < CACHED_FOR
            {
                return Ok(Arc::clone(&cached.keyring));
            }
        }
        let stored = match signing_keys::find(self.records.as_ref()).await? {
            Some(stored) => stored,
            None if !may_sign => {
                return Err(HandlerError::unavailable("there are no signing keys yet; the first client makes them"));
            }
            None => {
                let first = KeySet::generate(jose::platform(), now).await.map_err(HandlerError::unavailable)?;
                signing_keys::create(
                    self.records.as_ref(),
                    first.to_stored(&self.secrets).map_err(HandlerError::unavailable)?,
                )
                .await?
            }
        };
        let read = if may_sign { KeySet::from_stored } else { KeySet::published_from_stored };
        let set = read(&stored.keys, &self.secrets).map_err(|error| {
            HandlerError::unavailable(format!(
                "the signing keys cannot be opened; is LATCHKEY_SECRET the one they were sealed with? {error}"
            ))
        })?;
        let keyring = Arc::new(Keyring::new(jose::platform(), set));
        *cache.lock().unwrap_or_else(PoisonError::into_inner) =
            Some(CachedKeyring { read_at: now, keyring: Arc::clone(&keyring) });
        Ok(keyring)
    }

    /// Drops the cached signing keys: the next use reads them again.
    pub(crate) fn forget_keyring(&self) {
        for cache in [&self.keyring, &self.published_keyring] {
            *cache.lock().unwrap_or_else(PoisonError::into_inner) = None;
        }
    }
}
