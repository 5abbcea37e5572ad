//! The clock of the store, as its answers say it.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use types::Timestamp;

/// The clocks of the store and of this instance at the same moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClockReading {
    /// The clock of the store.
    pub store: Timestamp,
    /// The clock of this instance, when the answer of the store arrived.
    pub own: Timestamp,
}

impl ClockReading {
    /// Returns the difference of the clocks.
    pub fn difference(self) -> Duration {
        self.store.since(self.own).max(self.own.since(self.store))
    }
}

/// The last reading of the store's clock.
#[derive(Debug, Default)]
pub struct StoreClock(Mutex<Option<ClockReading>>);

impl StoreClock {
    /// Notes a reading.
    pub fn note(&self, reading: ClockReading) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(reading);
    }

    /// Returns the last reading; `None` if there was none.
    pub fn reading(&self) -> Option<ClockReading> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
