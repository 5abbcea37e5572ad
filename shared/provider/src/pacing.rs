//! The polling frequency of devices (RFC 8628 §3.5). Each instance counts the polls that it serves: a device that reaches
//! another instance does not get `slow_down`.

use protocol::{DeviceDecisionId, PollInterval};
use std::sync::{Mutex, PoisonError};
use types::{BoundedCache, Timestamp};

/// Maximum number of devices whose polls an instance counts.
const MAX_DEVICES: usize = 4096;

/// The polls of the devices that an instance serves.
pub struct Pacing(Mutex<BoundedCache<DeviceDecisionId, PollInterval>>);

impl Default for Pacing {
    fn default() -> Self {
        Self(Mutex::new(BoundedCache::new(MAX_DEVICES)))
    }
}

impl Pacing {
    /// Counts a poll. True if it comes too early; the device must then wait longer between polls.
    pub fn is_too_early(&self, device: DeviceDecisionId, now: Timestamp) -> bool {
        let mut paces = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match paces.get_mut(&device) {
            Some(pace) => {
                let (next, too_early) = pace.next(now);
                *pace = next;
                too_early
            }
            None => {
                paces.insert(device, PollInterval::first(now), now);
                false
            }
        }
    }
}
