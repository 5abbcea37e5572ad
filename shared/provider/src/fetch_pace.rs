//! The pace of outgoing requests that requests of others cause.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use types::{BoundedCache, Timestamp};

/// The most hosts whose pace an instance remembers.
const MAX_HOSTS: usize = 1024;

/// A number of fetches that may follow at once, and the average time between more of them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pace {
    pub(crate) burst: u32,
    pub(crate) interval: Duration,
}

impl Pace {
    /// One host: many clients of one provider may have their keys there.
    const HOST: Self = Self { burst: 50, interval: Duration::from_millis(100) };
    /// All clients that registered openly: each of them can name a host that answers slowly, or another party's host.
    const OPEN_CLIENTS: Self = Self { burst: 25, interval: Duration::from_millis(200) };

    /// Counts a fetch, if the pace allows it. `used_until` is the time up to which earlier fetches used it up.
    pub(crate) fn take(self, used_until: &mut Timestamp, now: Timestamp) -> bool {
        let most = self.interval.saturating_mul(self.burst.saturating_sub(1));
        // A clock that was set back must not stop fetches for longer than a burst.
        let from = (*used_until).max(now).min(now.after(most.saturating_add(self.interval)));
        let allows = from.since(now) <= most;
        *used_until = if allows { from.after(self.interval) } else { from };
        allows
    }
}

/// The fetches of an instance, by host, and those for clients that registered openly.
pub(crate) struct FetchPace(Mutex<Used>);

struct Used {
    hosts: BoundedCache<String, Timestamp>,
    open_clients: Timestamp,
}

impl Default for FetchPace {
    fn default() -> Self {
        Self(Mutex::new(Used { hosts: BoundedCache::new(MAX_HOSTS), open_clients: Timestamp::default() }))
    }
}

impl FetchPace {
    /// Counts a fetch of a URL. True if it may be sent now.
    pub(crate) fn take(&self, url: &str, is_for_open_client: bool, now: Timestamp) -> bool {
        let mut used = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if is_for_open_client && !Pace::OPEN_CLIENTS.take(&mut used.open_clients, now) {
            return false;
        }
        let host = url.split('/').nth(2).unwrap_or(url);
        used.hosts.update(host, now, |used_until| Pace::HOST.take(used_until, now))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const T0: Timestamp = Timestamp::from_secs(1_800_000_000);

    fn allowed(pace: &FetchPace, urls: impl Iterator<Item = String>, is_open: bool, now: Timestamp) -> usize {
        urls.filter(|url| pace.take(url, is_open, now)).count()
    }

    #[test]
    fn a_host_is_asked_at_its_pace_whatever_the_paths() {
        let pace = FetchPace::default();
        let urls = |host: &str| (0..200).map(|index| format!("https://{host}/{index}")).collect::<Vec<_>>().into_iter();
        assert_eq!(allowed(&pace, urls("one.example"), false, T0), 50);
        assert_eq!(allowed(&pace, urls("one.example"), false, T0.after(Duration::from_secs(1))), 10);
        assert_eq!(allowed(&pace, urls("two.example"), false, T0), 50);
    }

    #[test]
    fn clients_that_registered_openly_share_one_pace() {
        let pace = FetchPace::default();
        let hosts = || (0..200).map(|index| format!("https://{index}.example/jwks"));
        assert_eq!(allowed(&pace, hosts(), true, T0), 25);
        assert_eq!(allowed(&pace, hosts(), true, T0.after(Duration::from_secs(1))), 5);
        assert_eq!(allowed(&pace, hosts(), false, T0), 200, "other clients are not concerned");
    }

    #[test]
    fn a_clock_that_is_set_back_stops_fetches_for_a_burst_at_most() {
        let pace = FetchPace::default();
        let url = || std::iter::once("https://one.example/".to_owned());
        assert_eq!(allowed(&pace, url(), false, T0.after(Duration::from_secs(3600))), 1);
        assert_eq!(allowed(&pace, url(), false, T0), 0);
        assert_eq!(allowed(&pace, url(), false, T0.after(Duration::from_secs(6))), 1);
    }
}
