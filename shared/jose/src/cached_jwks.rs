//! The cache policy of a JWK Set at a URL: how long a set is used, how often its server is asked, and what holds after a
//! failure. Pure: the caller fetches, waits, and knows the time.

use std::time::Duration;
use types::Timestamp;

/// Lifetime of a set whose server states none.
pub const JWKS_LIFETIME: Duration = Duration::from_secs(300);
/// Shortest and longest lifetime that `Cache-Control` can give a set.
const LIFETIME_RANGE: (Duration, Duration) = (Duration::from_secs(60), Duration::from_secs(600));
/// Time for which an expired set is still used while its server cannot be reached.
pub const JWKS_STALE_LIFETIME: Duration = Duration::from_secs(3600);
/// Average time between fetches of one URL. Tokens that name unknown keys do not cause more.
const INTERVAL: Duration = Duration::from_secs(1);
/// Number of fetches of one URL that may follow at once: a server that replaces its keys twice in a moment is asked at once.
const BURST: u32 = 5;
/// Time after a failed fetch during which the URL is not asked again.
const RETRY_INTERVAL: Duration = Duration::from_secs(5);

/// The last fetches of a JWK Set at one URL. `S` is the set in the form that the caller uses, `E` the error of a fetch.
#[derive(Clone, Debug)]
pub struct CachedJwks<S, E> {
    /// The last set, and the end of its lifetime.
    set: Option<(S, Timestamp)>,
    /// The error of the last fetch, if it failed.
    error: Option<E>,
    /// The time of the last fetch.
    fetched_at: Option<Timestamp>,
    /// The time up to which the fetches made so far use up one fetch per [`INTERVAL`].
    allowance_used_until: Timestamp,
}

/// The next step of a caller that needs a set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FetchDecision<S, E> {
    /// Fetch the set, and [record](CachedJwks::record) the outcome.
    Fetch,
    /// Wait for the first set, which another caller fetches.
    Wait,
    /// Use this outcome of an earlier fetch.
    Use(Result<S, E>),
}

impl<S, E> Default for CachedJwks<S, E> {
    fn default() -> Self {
        Self { set: None, error: None, fetched_at: None, allowance_used_until: Timestamp::default() }
    }
}

impl<S: Clone, E: Clone> CachedJwks<S, E> {
    /// Returns the set if its lifetime has not ended.
    pub fn fresh(&self, now: Timestamp) -> Option<S> {
        self.set.as_ref().filter(|(_, expires_at)| !expires_at.is_past(now)).map(|(set, _)| set.clone())
    }

    /// Decides the next step of a caller for which [`Self::fresh`] has no set, or not the key that it needs. A decision to
    /// fetch counts as a fetch at once, so that concurrent callers fetch no more often than consecutive ones. A caller that
    /// `has_waited` takes the outcome that it waited for. A fetch without an outcome after `timeout` counts as broken off.
    pub fn decide(&mut self, now: Timestamp, timeout: Duration, has_waited: bool) -> FetchDecision<S, E> {
        if let Some(fetched_at) = self.fetched_at {
            let may_fetch = self.may_fetch(fetched_at, now);
            match self.usable(now) {
                Some(outcome) if has_waited || !may_fetch => return FetchDecision::Use(outcome),
                None if now.since(fetched_at) < timeout || !may_fetch => return FetchDecision::Wait,
                _ => {}
            }
        }
        self.fetched_at = Some(now);
        self.allowance_used_until = self.allowance_used_until.max(now).after(INTERVAL);
        FetchDecision::Fetch
    }

    /// Records the outcome of a fetch that was decided at `now`, and returns the set to use: after a failure the last one,
    /// if it is not too old.
    pub fn record(&mut self, outcome: Result<(S, Duration), E>, now: Timestamp) -> Result<S, E> {
        match outcome {
            Ok((set, lifetime)) => {
                self.set = Some((set.clone(), now.after(lifetime)));
                self.error = None;
                Ok(set)
            }
            Err(error) => {
                self.error = Some(error.clone());
                self.usable(now).unwrap_or(Err(error))
            }
        }
    }

    fn may_fetch(&self, fetched_at: Timestamp, now: Timestamp) -> bool {
        match self.error {
            Some(_) => now.since(fetched_at) >= RETRY_INTERVAL,
            None => self.allowance_used_until.since(now) <= INTERVAL.saturating_mul(BURST.saturating_sub(1)),
        }
    }

    /// Returns the last set as long as it may be used at all, else the last error; `None` if there is neither.
    fn usable(&self, now: Timestamp) -> Option<Result<S, E>> {
        let set = self.set.as_ref().filter(|(_, expires_at)| !expires_at.after(JWKS_STALE_LIFETIME).is_past(now));
        set.map(|(set, _)| Ok(set.clone())).or_else(|| self.error.clone().map(Err))
    }
}

/// Returns the lifetime that a response's `Cache-Control` gives a set (RFC 9111 §5.2.2), between one and ten minutes.
pub fn jwks_lifetime(cache_control: Option<&str>) -> Duration {
    let directives = cache_control.unwrap_or_default().split(',');
    let seconds =
        directives.map(|directive| directive.trim().to_ascii_lowercase()).find_map(|directive| {
            match directive.as_str() {
                "no-store" | "no-cache" => Some(0),
                other => other.strip_prefix("max-age=")?.trim_matches('"').parse().ok(),
            }
        });
    let (shortest, longest) = LIFETIME_RANGE;
    seconds.map_or(JWKS_LIFETIME, Duration::from_secs).clamp(shortest, longest)
}

#[cfg(test)]
mod tests {
    use super::*;

    const T0: Timestamp = Timestamp::from_secs(1_800_000_000);
    const TIMEOUT: Duration = Duration::from_secs(3);

    fn at(seconds: u64) -> Timestamp {
        T0.after(Duration::from_secs(seconds))
    }

    fn decide(cache: &mut CachedJwks<u8, &'static str>, seconds: u64) -> FetchDecision<u8, &'static str> {
        cache.decide(at(seconds), TIMEOUT, false)
    }

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
            assert_eq!(jwks_lifetime(Some(field)).as_secs(), seconds, "{field}");
        }
        assert_eq!(jwks_lifetime(None), JWKS_LIFETIME);
    }

    #[test]
    fn unknown_keys_cause_a_burst_and_then_one_fetch_per_interval() {
        let mut cache = CachedJwks::default();
        for set in 0..5 {
            assert_eq!(decide(&mut cache, 0), FetchDecision::Fetch);
            assert_eq!(cache.record(Ok((set, JWKS_LIFETIME)), at(0)), Ok(set));
        }
        assert_eq!(decide(&mut cache, 0), FetchDecision::Use(Ok(4)));
        assert_eq!(decide(&mut cache, 1), FetchDecision::Fetch);
        assert_eq!(decide(&mut cache, 1), FetchDecision::Use(Ok(4)));
        assert_eq!((cache.fresh(at(299)), cache.fresh(at(300))), (Some(4), None));
    }

    #[test]
    fn callers_wait_for_the_first_set_and_repeat_a_fetch_that_broke_off() {
        let mut cache = CachedJwks::default();
        assert_eq!(decide(&mut cache, 0), FetchDecision::Fetch);
        assert_eq!(decide(&mut cache, 2), FetchDecision::Wait);
        assert_eq!(decide(&mut cache, 3), FetchDecision::Fetch);
        assert_eq!(cache.record(Err("down"), at(3)), Err("down"));
        assert_eq!(cache.decide(at(9), TIMEOUT, true), FetchDecision::Use(Err("down")));
        assert_eq!(decide(&mut cache, 9), FetchDecision::Fetch);
    }

    #[test]
    fn after_a_failure_the_last_set_is_used_for_an_hour() {
        let mut cache = CachedJwks::default();
        assert_eq!(decide(&mut cache, 0), FetchDecision::Fetch);
        cache.record(Ok((1, JWKS_LIFETIME)), at(0)).unwrap();
        assert_eq!(decide(&mut cache, 300), FetchDecision::Fetch);
        assert_eq!(cache.record(Err("down"), at(300)), Ok(1));
        assert_eq!(decide(&mut cache, 304), FetchDecision::Use(Ok(1)));
        assert_eq!(decide(&mut cache, 305), FetchDecision::Fetch);
        assert_eq!(cache.record(Err("down"), at(3899)), Ok(1));
        assert_eq!(cache.record(Err("down"), at(3900)), Err("down"));
    }
}
