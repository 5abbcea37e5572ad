//! Keys of peers: those that a client or a trusted issuer registered, or has at a URL; fetched, and kept for minutes.

use crate::Context;
use http::StatusCode;
use jose::{JwkSet, Jwt, Unverified};
use platform::{FetchError, fetch};
use protocol::Client;
use serde_json::Value;
use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use types::Timestamp;

/// How long a set is kept, when its server does not say; and the least and the most that it can say.
const KEPT_FOR: Duration = Duration::from_secs(300);
const LEAST: Duration = Duration::from_secs(60);
const MOST: Duration = Duration::from_secs(600);
/// How often one URL is asked in the long run, whatever comes: tokens that name unknown keys do not make us call more
/// often.
const PAUSE: Duration = Duration::from_secs(1);
/// How far ahead of that it may be asked: a peer that changes its keys twice in a moment is served at once.
const AHEAD: Duration = Duration::from_secs(4);
/// How long a URL is left alone after a fetch that failed.
const PAUSE_AFTER_FAILURE: Duration = Duration::from_secs(5);
/// How long a set outlives its time when its server cannot be reached.
const STALE: Duration = Duration::from_secs(3600);
/// How long it takes to look again whether the first set of a URL came that another request fetches. Whoever waits has a
/// clock of their own: on Workers no request can be woken by another.
const STEP: Duration = Duration::from_millis(20);
/// How many sets an instance remembers.
const MAX_SETS: usize = 256;

/// Where a peer's keys are.
#[derive(Clone, Copy, Debug)]
pub enum KeySource<'a> {
    /// They were registered: a JWK Set (RFC 7517 §5).
    Set(&'a Value),
    /// At this URL.
    Uri(&'a str),
}

impl<'a> KeySource<'a> {
    /// A client's, if it registered any.
    pub fn of(client: &'a Client) -> Option<Self> {
        Self::either(client.jwks.as_ref(), client.jwks_uri.as_deref())
    }

    /// Those that are there.
    pub fn either(jwks: Option<&'a Value>, jwks_uri: Option<&'a str>) -> Option<Self> {
        jwks.map(Self::Set).or(jwks_uri.map(Self::Uri))
    }
}

/// Why a token counts for nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyError {
    /// None of the keys signed it.
    Unverified,
    /// The keys cannot be had.
    Fetch(FetchError),
    /// What was registered, or is at the URL, is no key set; or the answer has another status than 200.
    NoKeySet,
}

impl fmt::Display for KeyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unverified => f.write_str("none of the keys registered signed it"),
            Self::Fetch(error) => write!(f, "the keys at jwks_uri cannot be fetched: {error}"),
            Self::NoKeySet => f.write_str("jwks, or what is at jwks_uri, is not a JWK Set (RFC 7517 section 5)"),
        }
    }
}

impl std::error::Error for KeyError {}

/// The sets that an instance knows, by URL.
#[derive(Debug, Default)]
pub(crate) struct RemoteKeys {
    known: Mutex<HashMap<String, Known>>,
}

/// What came of the last fetches of one URL. Neither set nor error: the first is on its way, or broke off.
#[derive(Clone, Debug)]
struct Known {
    /// The last set that came, and until when it is good.
    set: Option<(Arc<JwkSet>, Timestamp)>,
    /// When it was last asked for.
    asked_at: Timestamp,
    /// When it would have been asked for, had it been asked once in each [`PAUSE`].
    paid_until: Timestamp,
    /// What came then, if not a set.
    error: Option<KeyError>,
}

impl Known {
    /// A URL that is asked for the first time.
    fn first(now: Timestamp) -> Self {
        Self { set: None, asked_at: now, paid_until: now.after(PAUSE), error: None }
    }

    /// Whether the URL may be asked again.
    fn may_ask(&self, now: Timestamp) -> bool {
        match self.error {
            Some(_) => now.since(self.asked_at) >= PAUSE_AFTER_FAILURE,
            None => self.paid_until.since(now) <= AHEAD,
        }
    }

    /// What is known, the last set for as long as it may outlive its time; `None` when that is nothing.
    fn answer(&self, now: Timestamp) -> Option<Result<Arc<JwkSet>, KeyError>> {
        let set = self.set.as_ref().filter(|(_, good_until)| !good_until.after(STALE).is_past(now));
        set.map(|(set, _)| Ok(set.clone())).or_else(|| self.error.clone().map(Err))
    }
}

/// What somebody who wants a set fetched is to do.
enum Turn {
    /// Fetch it: that is noted and paid for.
    Ask,
    /// Wait for the one who fetches it.
    Wait,
    /// Take what is known.
    Take(Result<Arc<JwkSet>, KeyError>),
}

impl RemoteKeys {
    fn lock(&self) -> MutexGuard<'_, HashMap<String, Known>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The set at a URL, if it is good.
    fn find(&self, uri: &str, now: Timestamp) -> Option<Arc<JwkSet>> {
        let all = self.lock();
        let (set, good_until) = all.get(uri)?.set.as_ref()?;
        (!good_until.is_past(now)).then(|| set.clone())
    }

    /// Whose turn it is to ask: noted before anybody does, so that many at once ask no more often than one after the
    /// other. Who waited takes what came.
    fn turn(&self, uri: &str, now: Timestamp, has_waited: bool) -> Turn {
        let mut all = self.lock();
        if all.len() >= MAX_SETS && !all.contains_key(uri) {
            all.clear();
        }
        let Some(known) = all.get_mut(uri) else {
            all.insert(uri.to_owned(), Known::first(now));
            return Turn::Ask;
        };
        match known.answer(now) {
            Some(answer) if has_waited || !known.may_ask(now) => return Turn::Take(answer),
            None if now.since(known.asked_at) < fetch::TIMEOUT || !known.may_ask(now) => return Turn::Wait,
            _ => {}
        }
        known.asked_at = now;
        known.paid_until = known.paid_until.max(now).after(PAUSE);
        Turn::Ask
    }

    /// Keeps what came of asking, and says what is known now.
    fn keep(
        &self,
        uri: &str,
        outcome: Result<(Arc<JwkSet>, Timestamp), KeyError>,
        now: Timestamp,
    ) -> Result<Arc<JwkSet>, KeyError> {
        let mut all = self.lock();
        let known = all.entry(uri.to_owned()).or_insert_with(|| Known::first(now));
        match outcome {
            Ok(set) => (known.set, known.error) = (Some(set), None),
            Err(error) => known.error = Some(error),
        }
        known.answer(now).unwrap_or(Err(KeyError::NoKeySet))
    }
}

impl Context {
    /// The claims of a token, if one of the peer's keys signed them. Keys at a URL are fetched anew when none of
    /// those known can have signed it, in the long run once a second: a peer may change its keys at any time (OpenID
    /// Connect Core §10.1.1). Everything else about the token is the caller's to check.
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

    /// The keys at a URL; kept for as long as `Cache-Control` says, between one minute and ten.
    pub async fn remote_keys(&self, uri: &str, now: Timestamp) -> Result<Arc<JwkSet>, KeyError> {
        match self.remote_keys.find(uri, now) {
            Some(set) => Ok(set),
            None => self.fetch_keys(uri, now).await,
        }
    }

    async fn fetch_keys(&self, uri: &str, now: Timestamp) -> Result<Arc<JwkSet>, KeyError> {
        let mut waited = Duration::ZERO;
        loop {
            match self.remote_keys.turn(uri, now.after(waited), !waited.is_zero()) {
                Turn::Ask => break,
                Turn::Take(answer) => return answer,
                Turn::Wait if waited >= fetch::TIMEOUT => return Err(KeyError::Fetch(FetchError::TimedOut)),
                Turn::Wait => fetch::pause(STEP).await,
            }
            waited = waited.saturating_add(STEP);
        }
        let outcome = self.ask_for_keys(uri, now).await;
        self.remote_keys.keep(uri, outcome, now)
    }

    async fn ask_for_keys(&self, uri: &str, now: Timestamp) -> Result<(Arc<JwkSet>, Timestamp), KeyError> {
        let fetched = self.fetch.get(uri, fetch::LIMIT, fetch::TIMEOUT).await.map_err(KeyError::Fetch)?;
        let text = std::str::from_utf8(&fetched.body).map_err(|_| KeyError::NoKeySet)?;
        let set = JwkSet::parse(text).filter(|_| fetched.status == StatusCode::OK).ok_or(KeyError::NoKeySet)?;
        let kept_for = fetched.cache_control.as_deref().map_or(KEPT_FOR, kept_for);
        Ok((Arc::new(set), now.after(kept_for)))
    }
}

/// How long an answer with this `Cache-Control` is kept (RFC 9111 §5.2.2).
fn kept_for(cache_control: &str) -> Duration {
    let mut directives = cache_control.split(',').map(|directive| directive.trim().to_ascii_lowercase());
    let seconds = directives.find_map(|directive| match directive.as_str() {
        "no-store" | "no-cache" => Some(0),
        other => other.strip_prefix("max-age=")?.trim_matches('"').parse().ok(),
    });
    seconds.map_or(KEPT_FOR, Duration::from_secs).clamp(LEAST, MOST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_are_kept_for_one_to_ten_minutes() {
        for (field, seconds) in [
            ("max-age=120", 120),
            ("public, Max-Age=\"120\"", 120),
            ("max-age=0", 60),
            ("no-store", 60),
            ("max-age=31536000, immutable", 600),
            ("max-age=99999999999999999999999", 300),
            ("private", 300),
            ("", 300),
        ] {
            assert_eq!(kept_for(field).as_secs(), seconds, "{field}");
        }
    }
}
