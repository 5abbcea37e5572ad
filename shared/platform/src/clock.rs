//! The platform's clock. Rules never read it: `now` is an argument.

use std::time::Duration;
use types::Timestamp;

/// Returns the current time.
#[cfg(not(target_arch = "wasm32"))]
#[expect(clippy::disallowed_methods, reason = "this is the one place that reads the machine's clock")]
pub fn now() -> Timestamp {
    let since_epoch = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_millis(u64::try_from(since_epoch.as_millis()).unwrap_or(u64::MAX))
}

/// Returns the current time. A Worker's clock stands still between I/O.
#[cfg(target_arch = "wasm32")]
pub fn now() -> Timestamp {
    Timestamp::from_millis(worker::Date::now().as_millis())
}

/// Returns a function that is true once this time is over. A Worker's clock stands still between I/O.
pub fn time_limit(limit: Duration) -> impl Fn() -> bool + Send + Sync {
    let began = now();
    move || now().since(began) >= limit
}
