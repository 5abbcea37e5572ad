//! What is our fault, never the client's.

use std::fmt;

/// Something of ours failed: the store, a key, the platform. The client is told 503 `temporarily_unavailable` and
/// when to come back; the operator's log says why.
#[derive(Clone, Debug)]
pub struct Fault {
    /// What went wrong, for the log alone.
    pub reason: String,
}

impl Fault {
    /// A fault, with its reason for the log.
    pub fn new(reason: impl fmt::Display) -> Self {
        Self { reason: reason.to_string() }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.reason)
    }
}

impl std::error::Error for Fault {}

impl From<storage::Unavailable> for Fault {
    fn from(unavailable: storage::Unavailable) -> Self {
        Self::new(unavailable)
    }
}
