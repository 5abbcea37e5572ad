//! Keys of peers: those that a client or a trusted issuer registered, or publishes at a URL.

use crate::Context;
use http::StatusCode;
use jose::{CachedJwks, FetchDecision, JwkSet, Jwt, Unverified, jwks_lifetime};
use platform::{FetchError, fetch};
use protocol::{Client, StoredClient};
use serde_json::{Value, json};
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use types::{BoundedCache, Thumbprint, Timestamp};

/// Time between two looks for the first set of a URL, which another request fetches. Each request that waits has its own
/// timer, because on Workers no request can wake another.
const POLL_INTERVAL: Duration = Duration::from_millis(20);
/// Maximum number of URLs whose sets an instance keeps, for one kind of owner.
const MAX_SETS: usize = 256;
/// The same for clients that registered openly.
const MAX_SETS_OF_OPEN_CLIENTS: usize = 64;

/// The kind of peer that keys at a URL belong to. The sets of one kind never evict those of another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum KeyOwner {
    /// An issuer that the operator trusts.
    Issuer,
    /// A client of the operator, or one that registered with a credential.
    Client,
    /// A client that registered without a credential.
    OpenClient,
}

/// The place of a peer's keys.
#[derive(Clone, Copy, Debug)]
pub enum KeySource<'a> {
    /// A registered JWK Set (RFC 7517 §5).
    Set(&'a Value),
    /// A URL of a JWK Set.
    Uri(&'a str, KeyOwner),
}

impl<'a> KeySource<'a> {
    /// Returns the place of a client's keys, if it registered any.
    pub fn of(client: &'a Client) -> Option<Self> {
        Self::either(client.jwks.as_ref(), client.jwks_uri.as_deref(), KeyOwner::Client)
    }

    /// As [`Self::of`], for a request that anyone can send: the keys of a client that registered openly are kept apart.
    pub fn of_stored(stored: &'a StoredClient) -> Option<Self> {
        let owner = if stored.origin.is_open() { KeyOwner::OpenClient } else { KeyOwner::Client };
        Self::either(stored.client.jwks.as_ref(), stored.client.jwks_uri.as_deref(), owner)
    }

    /// Returns the place of the keys of a trusted issuer, if any.
    pub fn of_issuer(jwks: Option<&'a Value>, jwks_uri: Option<&'a str>) -> Option<Self> {
        Self::either(jwks, jwks_uri, KeyOwner::Issuer)
    }

    fn either(jwks: Option<&'a Value>, jwks_uri: Option<&'a str>, owner: KeyOwner) -> Option<Self> {
        jwks.map(Self::Set).or(jwks_uri.map(|uri| Self::Uri(uri, owner)))
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

/// Sets by URL. A full cache evicts the set that was used least recently.
#[derive(Debug)]
struct Sets(Mutex<BoundedCache<String, CachedJwks<Arc<JwkSet>, KeyError>>>);

/// The sets that an instance keeps, by kind of owner.
#[derive(Debug)]
pub(crate) struct RemoteKeys {
    issuers: Sets,
    clients: Sets,
    open_clients: Sets,
}

impl Default for RemoteKeys {
    fn default() -> Self {
        let sets = |most| Sets(Mutex::new(BoundedCache::new(most)));
        Self { issuers: sets(MAX_SETS), clients: sets(MAX_SETS), open_clients: sets(MAX_SETS_OF_OPEN_CLIENTS) }
    }
}

impl RemoteKeys {
    /// Applies `work` to the state of a URL.
    fn with<T>(
        &self,
        (uri, owner): (&str, KeyOwner),
        now: Timestamp,
        work: impl FnOnce(&mut CachedJwks<Arc<JwkSet>, KeyError>) -> T,
    ) -> T {
        let sets = match owner {
            KeyOwner::Issuer => &self.issuers,
            KeyOwner::Client => &self.clients,
            KeyOwner::OpenClient => &self.open_clients,
        };
        sets.0.lock().unwrap_or_else(PoisonError::into_inner).update(uri, now, work)
    }
}

impl Context {
    /// Verifies a token with a peer's keys and returns its claims; the caller checks everything else about the token. If no
    /// known key of a URL fits the token, the keys are fetched again, on average once a second at most: a peer may change its
    /// keys at any time (OpenID Connect Core §10.1.1).
    pub async fn verify_by(&self, jwt: &Jwt<'_>, keys: KeySource<'_>, now: Timestamp) -> Result<Value, KeyError> {
        let place = match keys {
            KeySource::Set(set) => {
                let set = JwkSet::from_value(set).ok_or(KeyError::NoKeySet)?;
                return set.verify(jwt).await.map_err(|_| KeyError::Unverified);
            }
            KeySource::Uri(uri, owner) => (uri, owner),
        };
        let set = self.remote_keys(place, now).await?;
        match set.verify(jwt).await {
            Ok(claims) => Ok(claims),
            Err(Unverified::Signature) => Err(KeyError::Unverified),
            Err(Unverified::NoKey) => {
                let newer = self.fetch_keys(place, now).await?;
                newer.verify(jwt).await.map_err(|_| KeyError::Unverified)
            }
        }
    }

    /// True if the keys of a peer have this certificate (RFC 8705 §2.2.2). If the known keys of a URL lack it, they are fetched again, as
    /// [`Self::verify_by`] does for an unknown key.
    pub async fn lists_certificate(
        &self,
        certificate: Thumbprint,
        keys: KeySource<'_>,
        now: Timestamp,
    ) -> Result<bool, KeyError> {
        let place = match keys {
            KeySource::Set(set) => {
                let set = JwkSet::from_value(set).ok_or(KeyError::NoKeySet)?;
                return Ok(set.certificates.contains(&certificate));
            }
            KeySource::Uri(uri, owner) => (uri, owner),
        };
        if self.remote_keys(place, now).await?.certificates.contains(&certificate) {
            return Ok(true);
        }
        Ok(self.fetch_keys(place, now).await?.certificates.contains(&certificate))
    }

    /// Returns the keys at a URL: the cached set, or a new one if its lifetime has ended.
    pub async fn remote_keys(&self, place: (&str, KeyOwner), now: Timestamp) -> Result<Arc<JwkSet>, KeyError> {
        match self.remote_keys.with(place, now, |cached| cached.fresh(now)) {
            Some(set) => Ok(set),
            None => self.fetch_keys(place, now).await,
        }
    }

    async fn fetch_keys(&self, place: (&str, KeyOwner), now: Timestamp) -> Result<Arc<JwkSet>, KeyError> {
        let mut waited = Duration::ZERO;
        loop {
            let decide = |cached: &mut CachedJwks<Arc<JwkSet>, KeyError>| {
                cached.decide(now.after(waited), fetch::TIMEOUT, !waited.is_zero())
            };
            match self.remote_keys.with(place, now, decide) {
                FetchDecision::Fetch => break,
                FetchDecision::Use(outcome) => return outcome,
                FetchDecision::Wait if waited >= fetch::TIMEOUT => return Err(KeyError::Fetch(FetchError::TimedOut)),
                FetchDecision::Wait => fetch::pause(POLL_INTERVAL).await,
            }
            waited = waited.saturating_add(POLL_INTERVAL);
        }
        let outcome = self.request_keys(place, now).await;
        self.remote_keys.with(place, now, |cached| cached.record(outcome, now))
    }

    /// Writes the reason to the log of the operator. No response says it.
    pub fn log_fetch_error(&self, error: &FetchError) {
        (self.log)(&json!({ "fetch_failed": error.to_string() }).to_string());
    }

    /// Fetches the keys, at the pace of their host. The operator vouches for the hosts of trusted issuers.
    async fn request_keys(
        &self,
        (uri, owner): (&str, KeyOwner),
        now: Timestamp,
    ) -> Result<(Arc<JwkSet>, Duration), KeyError> {
        if owner != KeyOwner::Issuer && !self.fetch_pace.take_host(uri, owner == KeyOwner::OpenClient, now) {
            let error = FetchError::Refused("too many requests to this host, or for clients that registered openly");
            self.log_fetch_error(&error);
            return Err(KeyError::Fetch(error));
        }
        let fetched = self.fetch.get(uri, fetch::LIMIT, fetch::TIMEOUT).await.map_err(|error| {
            self.log_fetch_error(&error);
            KeyError::Fetch(error)
        })?;
        let text = std::str::from_utf8(&fetched.body).map_err(|_| KeyError::NoKeySet)?;
        let set = JwkSet::parse(text).filter(|_| fetched.status == StatusCode::OK).ok_or(KeyError::NoKeySet)?;
        Ok((Arc::new(set), jwks_lifetime(fetched.cache_control.as_deref())))
    }
}
