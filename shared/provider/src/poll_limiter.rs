//! The polling frequency of devices (RFC 8628 §3.5). Each instance counts the polls that it serves: a device that reaches
//! another instance does not get `slow_down`.

use protocol::{DecisionId, PollInterval};
use std::sync::{Mutex, PoisonError};
use types::{BoundedCache, Timestamp};

/// Maximum number of devices whose polls an instance counts.
const MAX_DEVICES: usize = 4096;

/// The polls of the devices that an instance serves.
pub struct PollLimiter(Mutex<BoundedCache<DecisionId, PollInterval>>);

impl Default for PollLimiter {
    fn default() -> Self {
        Self(Mutex::new(BoundedCache::new(MAX_DEVICES)))
    }
}

impl PollLimiter {
    /// Counts a poll. True if it comes too early; the device must then wait longer between polls.
    pub fn is_too_early(&self, device: DecisionId, now: Timestamp) -> bool {
        let mut intervals = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match intervals.get_mut(&device) {
            Some(interval) => {
                let (next, too_early) = interval.next(now);
                *interval = next;
                too_early
            }
            None => {
                intervals.insert(device, PollInterval::first(now), now);
                false
            }
        }
    }
}
