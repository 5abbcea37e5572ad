//! Counters for rate limits and quotas: one for each name and window of time.

use crate::{Key, Kind, Partition, Records, Unavailable};
use protocol::rate_limit::Window;
use std::time::Duration;

/// Time for which a counter outlives its window: clocks of instances may differ.
const GRACE: Duration = Duration::from_secs(60);

/// Adds to the counter of a name in a window. Returns the new total. Round trips: 1.
pub async fn add(records: &dyn Records, name: &str, window: Window, by: i64) -> Result<i64, Unavailable> {
    let key = Key::new(Kind::Counter, Partition::of(name), &format!("{name}#{}", window.number));
    records.count(&key, by, window.ends_at.after(GRACE)).await
}
