//! How often devices poll (RFC 8628 §3.5). Each instance remembers it for those that it serves: a device that reaches
//! another instance is not told to slow down.

use protocol::{DeviceDecisionId, PollInterval};
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use types::Timestamp;

/// How many devices an instance remembers.
const MOST: usize = 4096;

/// The paces of the devices that an instance serves.
#[derive(Default)]
pub struct Pacing(Mutex<HashMap<DeviceDecisionId, PollInterval>>);

impl Pacing {
    /// Whether a poll comes too early; from then on the device must wait longer.
    pub fn is_too_early(&self, device: DeviceDecisionId, now: Timestamp) -> bool {
        let mut paces = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(pace) = paces.get_mut(&device) else {
            if paces.len() >= MOST {
                paces.retain(|_, pace| !pace.is_over(now));
            }
            if paces.len() < MOST {
                paces.insert(device, PollInterval::first(now));
            }
            return false;
        };
        let (next, too_early) = pace.next(now);
        *pace = next;
        too_early
    }
}
