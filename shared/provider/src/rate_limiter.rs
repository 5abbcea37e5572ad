//! Rate limits per account, network and browser, and quotas.

use crate::{Context, HandlerError};
use futures::future::join_all;
use keys::Purpose;
use protocol::rate_limit::{ATTEMPT, CARRIED, FAILURE, Limit, Quota, Window};
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use storage::counters;
use types::{BoundedCache, Timestamp};

/// The most counters whose uses an instance remembers.
const MAX_REMEMBERED: usize = 1024;

/// A counter in the store. Its name is a MAC, which tells a reader of the store nothing.
struct Counter<'a> {
    context: &'a Context,
    name: String,
    now: Timestamp,
    length: Duration,
}

impl<'a> Counter<'a> {
    fn new(context: &'a Context, now: Timestamp, length: Duration, kind: &str, of: &[&str]) -> Self {
        let parts: Vec<&[u8]> = std::iter::once(kind).chain(of.iter().copied()).map(str::as_bytes).collect();
        let tag = context.secrets.mac(Purpose::Counter, &parts);
        let name = tag.iter().map(|byte| format!("{byte:02x}")).collect();
        Self { context, name, now, length }
    }

    /// Returns the name among the counters that this instance remembers.
    fn remembered_as(&self) -> String {
        format!("{}#{}", self.name, Window::at(self.now, self.length).number)
    }

    /// Adds to the uses that this instance saw in the window. Returns the new number. Round trips: 0.
    fn remember(&self, by: i64) -> i64 {
        self.context.counted_here.add(self.remembered_as(), by, self.now)
    }

    async fn add(&self, by: i64) -> Result<i64, HandlerError> {
        let window = Window::at(self.now, self.length);
        Ok(counters::add(self.context.records.as_ref(), &self.name, window, by).await?)
    }

    async fn add_to_next(&self, by: i64) -> Result<i64, HandlerError> {
        let next = Window::at(Window::at(self.now, self.length).ends_at, self.length);
        Ok(counters::add(self.context.records.as_ref(), &self.name, next, by).await?)
    }

    /// Subtracts what an attempt added. A fault of the store does not fail the request: the count ends with its window.
    async fn subtract(&self, by: i64) {
        if let Err(error) = self.add(by.saturating_neg()).await {
            (self.context.log)(&format!("a rate limit was not released: {error:?}"));
        }
    }
}

/// The uses that this instance counted, or saw as used up, by counter and window. A counter that is evicted costs a call again.
pub(crate) struct CountedHere(Mutex<BoundedCache<String, i64>>);

impl Default for CountedHere {
    fn default() -> Self {
        Self(Mutex::new(BoundedCache::new(MAX_REMEMBERED)))
    }
}

impl CountedHere {
    fn add(&self, key: String, by: i64, now: Timestamp) -> i64 {
        let mut counted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match counted.get_mut(key.as_str()) {
            Some(total) => {
                *total = total.saturating_add(by);
                *total
            }
            None if by == 0 => 0,
            None => {
                counted.insert(key, by, now);
                by
            }
        }
    }
}

/// A limit of failed attempts. Each attempt ends with [`release`](Self::release) or [`fail`](Self::fail).
pub struct RateLimiter<'a> {
    counter: Counter<'a>,
    /// The attempts in progress, if they are counted by themselves.
    progress: Option<Counter<'a>>,
    limit: Limit,
}

impl<'a> RateLimiter<'a> {
    /// Returns the limiter `kind` of these names, such as an account and a network.
    pub fn new(context: &'a Context, now: Timestamp, limit: Limit, kind: &str, of: &[&str]) -> Self {
        let counter = Counter::new(context, now, limit.window, kind, of);
        let progress = limit.progress.map(|length| Counter { name: format!("{}p", counter.name), length, ..counter });
        Self { counter, progress, limit }
    }

    /// Counts an attempt before it is judged. Errors: the time until the next attempt; nothing stays counted then. Round
    /// trips: 1, or 2 at the same time if attempts in progress are counted by themselves; 1 more if the attempt is refused; 0 if
    /// this instance saw the limit used up.
    pub async fn acquire(&self) -> Result<Result<(), Duration>, HandlerError> {
        if let Err(wait) = self.check() {
            return Ok(Err(wait));
        }
        let total = match &self.progress {
            None => self.counter.add(ATTEMPT).await?,
            Some(progress) => {
                let (in_progress, failures) = futures::join!(progress.add(ATTEMPT), self.counter.add(0));
                in_progress?.max(0).saturating_add(failures?)
            }
        };
        let judged = self.limit.judge(total, self.counter.now);
        if judged.is_err() {
            if self.limit.is_used_up(total) {
                self.counter.remember(USED_UP);
            }
            self.release().await;
        }
        Ok(judged)
    }

    /// Judges an attempt by what this instance saw. Errors: the time until the next attempt, if the limit is used up. Round
    /// trips: 0.
    pub fn check(&self) -> Result<(), Duration> {
        match self.counter.remember(0) {
            0 => Ok(()),
            _ => self.limit.judge(USED_UP, self.counter.now),
        }
    }

    /// Subtracts an attempt that succeeded, or that another limit refused. Round trips: 1.
    pub async fn release(&self) {
        self.progress.as_ref().unwrap_or(&self.counter).subtract(ATTEMPT).await;
    }

    /// Counts an attempt as failed, in this window and by half in the next. Round trips: 2, at the same time; 1 more, after
    /// them, if attempts in progress are counted by themselves.
    pub async fn fail(&self) -> Result<(), HandlerError> {
        let by = if self.progress.is_some() { FAILURE } else { FAILURE.saturating_sub(ATTEMPT) };
        let (this, next) = futures::join!(self.counter.add(by), self.counter.add_to_next(CARRIED));
        if let Some(progress) = &self.progress {
            progress.subtract(ATTEMPT).await;
        }
        this.and(next).map(|_| ())
    }
}

/// Counts an attempt in several limits at the same time. Errors: the longest time until the next attempt; nothing stays
/// counted then.
pub async fn acquire_all(limiters: &[RateLimiter<'_>]) -> Result<Result<(), Duration>, HandlerError> {
    let acquired = join_all(limiters.iter().map(RateLimiter::acquire)).await;
    let refused = acquired.iter().filter_map(|acquired| acquired.as_ref().ok()?.err()).max();
    if refused.is_some() || acquired.iter().any(Result::is_err) {
        let granted = limiters.iter().zip(&acquired).filter(|(_, acquired)| matches!(acquired, Ok(Ok(()))));
        join_all(granted.map(|(limiter, _)| limiter.release())).await;
    }
    for acquired in acquired {
        let _ = acquired?;
    }
    Ok(refused.map_or(Ok(()), Err))
}

/// Subtracts an attempt that succeeded from each limit.
pub async fn release_all(limiters: &[RateLimiter<'_>]) {
    join_all(limiters.iter().map(RateLimiter::release)).await;
}

/// Counts an attempt as failed in each limit.
pub async fn fail_all(limiters: &[RateLimiter<'_>]) -> Result<(), HandlerError> {
    join_all(limiters.iter().map(RateLimiter::fail)).await.into_iter().collect()
}

/// A quota: a number of uses, whether they succeed or not.
pub struct QuotaCounter<'a> {
    counter: Counter<'a>,
    quota: Quota,
}

/// A use that was counted.
#[derive(Clone, Copy, Debug)]
pub struct Used {
    /// The uses in this window, with this one.
    pub total: i64,
    /// The time until the next use, if the quota is exceeded.
    pub exceeded: Option<Duration>,
}

impl<'a> QuotaCounter<'a> {
    /// Returns the quota `kind` of these names.
    pub fn new(context: &'a Context, now: Timestamp, quota: Quota, kind: &str, of: &[&str]) -> Self {
        Self { counter: Counter::new(context, now, quota.window, kind, of), quota }
    }

    /// Counts a use. It stays counted even if the quota is exceeded. Round trips: 1.
    pub async fn add(&self) -> Result<Used, HandlerError> {
        let total = self.counter.add(ATTEMPT).await?;
        Ok(Used { total, exceeded: self.quota.judge(total, self.counter.now).err() })
    }

    /// Subtracts a use that was refused. Round trips: 1.
    pub async fn release(&self) {
        self.counter.subtract(ATTEMPT).await;
    }
}

/// A number that no counter reaches by uses.
const USED_UP: i64 = i64::MAX;

/// A quota whose uses stay counted: failures, or requests of clients that do not authenticate.
///
/// Once an instance saw that the allowance is used up, it refuses without a call until the window ends. Requests that arrive at
/// the same moment are counted by the instance before any call, so that they cannot evade it.
pub struct Allowance<'a> {
    counter: Counter<'a>,
    quota: Quota,
}

impl<'a> Allowance<'a> {
    /// Returns the allowance `kind` of these names.
    pub fn new(context: &'a Context, now: Timestamp, quota: Quota, kind: &str, of: &[&str]) -> Self {
        Self { counter: Counter::new(context, now, quota.window, kind, of), quota }
    }

    /// Judges the next use by what this instance saw. Errors: the time until the next use. Round trips: 0.
    pub fn check(&self) -> Result<(), Duration> {
        self.quota.judge(self.counter.remember(0), self.counter.now)
    }

    /// Counts a use. Errors: the time until the next use, if the allowance is used up. Round trips: 1; 0 if this instance saw
    /// that it is used up.
    pub async fn add(&self) -> Result<Result<(), Duration>, HandlerError> {
        let here = self.quota.judge(self.counter.remember(ATTEMPT), self.counter.now);
        if here.is_err() {
            return Ok(here);
        }
        let judged = self.quota.judge(self.counter.add(ATTEMPT).await?, self.counter.now);
        if judged.is_err() {
            self.counter.remember(USED_UP);
        }
        Ok(judged)
    }
}

/// Returns the network of one subscriber: an IPv4 address, or a /64 of IPv6. All unknown addresses are one network.
pub fn network(address: Option<IpAddr>) -> String {
    match address.map(|address| address.to_canonical()) {
        None => "unknown".to_owned(),
        Some(IpAddr::V4(address)) => prefix(address.to_ipv6_mapped().segments(), 8),
        Some(IpAddr::V6(address)) => prefix(address.segments(), 4),
    }
}

/// Returns the site of an IPv6 address, a /48; `None` for other addresses.
pub fn site(address: Option<IpAddr>) -> Option<String> {
    match address?.to_canonical() {
        IpAddr::V4(_) => None,
        IpAddr::V6(address) => Some(prefix(address.segments(), 3)),
    }
}

fn prefix(segments: [u16; 8], length: usize) -> String {
    segments.iter().take(length).map(|segment| format!("{segment:x}:")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_subscriber_is_one_however_the_address_is_written() {
        let of = |text: &str| network(Some(text.parse().unwrap()));
        assert_eq!(of("::ffff:192.0.2.1"), of("192.0.2.1"));
        assert_ne!(of("::ffff:192.0.2.1"), of("::ffff:192.0.2.2"));
        assert_eq!(of("2001:db8:1:2::1"), of("2001:db8:1:2:ffff::9"));
        assert_ne!(of("2001:db8:1:2::1"), of("2001:db8:1:3::1"));
        assert_eq!(network(None), "unknown");
    }

    #[test]
    fn a_site_has_many_subscribers() {
        let of = |text: &str| site(Some(text.parse().unwrap()));
        assert_eq!(of("2001:db8:1:2::1"), of("2001:db8:1:3::1"));
        assert_ne!(of("2001:db8:1:2::1"), of("2001:db8:2:2::1"));
        assert_eq!((of("192.0.2.1"), of("::ffff:192.0.2.1"), site(None)), (None, None, None));
    }
}
