//! A failure of the platform.

use std::fmt;

/// A failure of the platform: no randomness, or an event that cannot be read. The client is not at fault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlatformError {
    /// Reason, for the operator's log alone.
    pub reason: String,
}

impl PlatformError {
    /// Makes an error from its reason.
    pub fn new(reason: impl fmt::Display) -> Self {
        Self { reason: reason.to_string() }
    }
}

impl fmt::Display for PlatformError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.reason)
    }
}

impl std::error::Error for PlatformError {}
