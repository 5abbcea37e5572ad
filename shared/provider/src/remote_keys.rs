//! Keys of peers: those that a client or a trusted issuer registered, or publishes at a URL.

use crate::Context;
use http::StatusCode;
use jose::{CachedJwks, FetchDecision, JwkSet, Jwt, Unverified, jwks_lifetime};
use platform::{FetchError, fetch};
use protocol::Client;
use serde_json::{Value, json};
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use types::{BoundedCache, Timestamp};

/// Time between two looks for the first set of a URL, which another request fetches. Each request that waits has its own
/// timer, because on Workers no request can wake another.
const POLL_INTERVAL: Duration = Duration::from_millis(20);
/// Maximum number of URLs whose sets an instance keeps.
const MAX_SETS: usize = 256;

/// The place of a peer's keys.
#[derive(Clone, Copy, Debug)]
pub enum KeySource<'a> {
    /// A registered JWK Set (RFC 7517 §5).
    Set(&'a Value),
    /// A URL of a JWK Set.
    Uri(&'a str),
}

impl<'a> KeySource<'a> {
    /// Returns the place of a client's keys, if it registered any.
    pub fn of(client: &'a Client) -> Option<Self> {
        Self::either(client.jwks.as_ref(), client.jwks_uri.as_deref())
    }

    /// Returns the place of the keys that are given, if any.
    pub fn either(jwks: Option<&'a Value>, jwks_uri: Option<&'a str>) -> Option<Self> {
        jwks.map(Self::Set).or(jwks_uri.map(Self::Uri))
    }
}

/// Reason for which a token is not verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyError {
    /// No key signed it.
    Unverified,
    /// The keys cannot be fetched.
    Fetch(FetchError),
    /// The registered value, or the document at the URL, is no JWK Set; or the status is not 200.
    NoKeySet,
}

/// The text for a client. It does not tell why the keys cannot be fetched: a client must not learn what listens at an address.
impl fmt::Display for KeyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unverified => f.write_str("none of the keys registered signed it"),
            Self::Fetch(_) | Self::NoKeySet => f.write_str(
                "jwks is not a JWK Set (RFC 7517 section 5), or jwks_uri does not answer with status 200 and a JWK Set",
            ),
        }
    }
}

impl std::error::Error for KeyError {}

/// The sets that an instance keeps, by URL.
#[derive(Debug)]
pub(crate) struct RemoteKeys {
    cached: Mutex<BoundedCache<String, CachedJwks<Arc<JwkSet>, KeyError>>>,
}

impl Default for RemoteKeys {
    fn default() -> Self {
        Self { cached: Mutex::new(BoundedCache::new(MAX_SETS)) }
    }
}

impl RemoteKeys {
    /// Applies `work` to the state of a URL.
    fn with<T>(&self, uri: &str, now: Timestamp, work: impl FnOnce(&mut CachedJwks<Arc<JwkSet>, KeyError>) -> T) -> T {
        let mut all = self.cached.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(cached) = all.get_mut(uri) {
            return work(cached);
        }
        let mut cached = CachedJwks::default();
        let outcome = work(&mut cached);
        all.insert(uri.to_owned(), cached, now);
        outcome
    }
}

impl Context {
    /// Verifies a token with a peer's keys and returns its claims; the caller checks everything else about the token. If no
    /// known key of a URL fits the token, the keys are fetched again, on average once a second at most: a peer may change its
    /// keys at any time (OpenID Connect Core §10.1.1).
    pub async fn verify_by(&self, jwt: &Jwt<'_>, keys: KeySource<'_>, now: Timestamp) -> Result<Value, KeyError> {
        let uri = match keys {
            KeySource::Set(set) => {
                let set = JwkSet::from_value(set).ok_or(KeyError::NoKeySet)?;
                return set.verify(jwt).await.map_err(|_| KeyError::Unverified);
            }
            KeySource::Uri(uri) => uri,
        };
        let set = self.remote_keys(uri, now).await?;
        match set.verify(jwt).await {
            Ok(claims) => Ok(claims),
            Err(Unverified::Signature) => Err(KeyError::Unverified),
            Err(Unverified::NoKey) => {
                let newer = self.fetch_keys(uri, now).await?;
                newer.verify(jwt).await.map_err(|_| KeyError::Unverified)
            }
        }
    }

    /// Returns the keys at a URL: the cached set, or a new one if its lifetime has ended.
    pub async fn remote_keys(&self, uri: &str, now: Timestamp) -> Result<Arc<JwkSet>, KeyError> {
        match self.remote_keys.with(uri, now, |cached| cached.fresh(now)) {
            Some(set) => Ok(set),
            None => self.fetch_keys(uri, now).await,
        }
    }

    async fn fetch_keys(&self, uri: &str, now: Timestamp) -> Result<Arc<JwkSet>, KeyError> {
        let mut waited = Duration::ZERO;
        loop {
            let decide = |cached: &mut CachedJwks<Arc<JwkSet>, KeyError>| {
                cached.decide(now.after(waited), fetch::TIMEOUT, !waited.is_zero())
            };
            match self.remote_keys.with(uri, now, decide) {
                FetchDecision::Fetch => break,
                FetchDecision::Use(outcome) => return outcome,
                FetchDecision::Wait if waited >= fetch::TIMEOUT => return Err(KeyError::Fetch(FetchError::TimedOut)),
                FetchDecision::Wait => fetch::pause(POLL_INTERVAL).await,
            }
            waited = waited.saturating_add(POLL_INTERVAL);
        }
        let outcome = self.request_keys(uri).await;
        self.remote_keys.with(uri, now, |cached| cached.record(outcome, now))
    }

    /// Writes the reason to the log of the operator. No response says it.
    pub fn log_fetch_error(&self, error: &FetchError) {
        (self.log)(&json!({ "fetch_failed": error.to_string() }).to_string());
    }

    async fn request_keys(&self, uri: &str) -> Result<(Arc<JwkSet>, Duration), KeyError> {
        let fetched = self.fetch.get(uri, fetch::LIMIT, fetch::TIMEOUT).await.map_err(|error| {
            self.log_fetch_error(&error);
            KeyError::Fetch(error)
        })?;
        let text = std::str::from_utf8(&fetched.body).map_err(|_| KeyError::NoKeySet)?;
        let set = JwkSet::parse(text).filter(|_| fetched.status == StatusCode::OK).ok_or(KeyError::NoKeySet)?;
        Ok((Arc::new(set), jwks_lifetime(fetched.cache_control.as_deref())))
    }
}
