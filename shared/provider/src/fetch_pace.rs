//! The pace of outgoing requests that requests of others cause.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use types::{BoundedCache, Timestamp};

/// A number of fetches that may follow at once, and the average time between more of them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pace {
    pub(crate) burst: u32,
    pub(crate) interval: Duration,
}

impl Pace {
    /// Counts a fetch, if the pace allows it. `used_until` is the time up to which earlier fetches used it up.
    pub(crate) fn take(self, used_until: &mut Timestamp, now: Timestamp) -> bool {
        let next = self.next(*used_until, now);
        *used_until = next.unwrap_or_else(|unchanged| unchanged);
        next.is_ok()
    }

    /// Returns the time up to which one more fetch uses the pace up. Errors: the pace allows none now; the time up to which it is
    /// used up.
    fn next(self, used_until: Timestamp, now: Timestamp) -> Result<Timestamp, Timestamp> {
        let most = self.interval.saturating_mul(self.burst.saturating_sub(1));
        // A clock that was set back must not stop fetches for longer than a burst.
        let from = used_until.max(now).min(now.after(most.saturating_add(self.interval)));
        if from.since(now) <= most { Ok(from.after(self.interval)) } else { Err(from) }
    }
}

/// The fetches of an instance: each target has a pace, and those of anonymous origin share another one.
pub(crate) struct FetchPace {
    each: Pace,
    shared: Pace,
    used: Mutex<Used>,
}

struct Used {
    targets: BoundedCache<String, Timestamp>,
    shared: Timestamp,
}

impl FetchPace {
    /// Returns the pace of the keys and request objects of clients, by host.
    ///
    /// Many clients of one provider may have their keys at one host. Each client that registered openly can name a host that
    /// answers slowly, or the host of another party, so these clients share one pace.
    pub(crate) fn of_hosts() -> Self {
        let each = Pace { burst: 50, interval: Duration::from_millis(100) };
        let shared = Pace { burst: 25, interval: Duration::from_millis(200) };
        Self::new(each, shared, 1024)
    }

    /// Returns the pace of client metadata documents, by URL. Anonymous requests cause all of these fetches. An error is never
    /// kept as the answer (§5.2); the next fetch waits.
    pub(crate) fn of_documents() -> Self {
        let each = Pace { burst: 3, interval: Duration::from_secs(10) };
        let shared = Pace { burst: 60, interval: Duration::from_millis(200) };
        Self::new(each, shared, 256)
    }

    fn new(each: Pace, shared: Pace, max_targets: usize) -> Self {
        let used = Used { targets: BoundedCache::new(max_targets), shared: Timestamp::default() };
        Self { each, shared, used: Mutex::new(used) }
    }

    /// Counts a fetch at a target. True if it may be sent now. A fetch that one pace does not allow uses up neither.
    pub(crate) fn take(&self, target: &str, is_anonymous: bool, now: Timestamp) -> bool {
        let mut used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        let shared = match is_anonymous {
            true => self.shared.next(used.shared, now),
            false => Ok(used.shared),
        };
        let shared = match shared {
            Ok(shared) => shared,
            Err(unchanged) => {
                used.shared = unchanged;
                return false;
            }
        };
        let allows = used.targets.update(target, now, |used_until| self.each.take(used_until, now));
        if allows {
            used.shared = shared;
        }
        allows
    }

    /// As [`Self::take`], at the host of a URL.
    pub(crate) fn take_host(&self, url: &str, is_anonymous: bool, now: Timestamp) -> bool {
        self.take(url.split('/').nth(2).unwrap_or(url), is_anonymous, now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const T0: Timestamp = Timestamp::from_secs(1_800_000_000);

    fn allowed(pace: &FetchPace, urls: impl Iterator<Item = String>, is_open: bool, now: Timestamp) -> usize {
        urls.filter(|url| pace.take_host(url, is_open, now)).count()
    }

    #[test]
    fn a_host_is_asked_at_its_pace_whatever_the_paths() {
        let pace = FetchPace::of_hosts();
        let urls = |host: &str| (0..200).map(|index| format!("https://{host}/{index}")).collect::<Vec<_>>().into_iter();
        assert_eq!(allowed(&pace, urls("one.example"), false, T0), 50);
        assert_eq!(allowed(&pace, urls("one.example"), false, T0.after(Duration::from_secs(1))), 10);
        assert_eq!(allowed(&pace, urls("two.example"), false, T0), 50);
    }

    #[test]
    fn clients_that_registered_openly_share_one_pace() {
        let pace = FetchPace::of_hosts();
        let hosts = || (0..200).map(|index| format!("https://{index}.example/jwks"));
        assert_eq!(allowed(&pace, hosts(), true, T0), 25);
        assert_eq!(allowed(&pace, hosts(), true, T0.after(Duration::from_secs(1))), 5);
        assert_eq!(allowed(&pace, hosts(), false, T0), 200, "other clients are not concerned");
    }

    #[test]
    fn a_clock_that_is_set_back_stops_fetches_for_a_burst_at_most() {
        let pace = FetchPace::of_hosts();
        let url = || std::iter::once("https://one.example/".to_owned());
        assert_eq!(allowed(&pace, url(), false, T0.after(Duration::from_secs(3600))), 1);
        assert_eq!(allowed(&pace, url(), false, T0), 0);
        assert_eq!(allowed(&pace, url(), false, T0.after(Duration::from_secs(6))), 1);
    }

    /// A flood on one target must not stop the fetches of others, and one that the shared pace refuses must not use up a target.
    #[test]
    fn a_fetch_that_is_refused_uses_up_neither_pace() {
        let pace = FetchPace::of_documents();
        let one = || std::iter::repeat_n("https://one.example/client", 1000);
        assert_eq!(one().filter(|url| pace.take(url, true, T0)).count(), 3);
        let others = (0..1000).map(|index| format!("https://{index}.example/client"));
        assert_eq!(others.filter(|url| pace.take(url, true, T0)).count(), 57);
        let later = T0.after(Duration::from_secs(1));
        assert_eq!((0..9).filter(|_| pace.take("https://two.example/client", true, later)).count(), 3);
    }
}
