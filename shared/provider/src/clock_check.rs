//! The clock of this instance against that of the store.

use crate::{AuditEvent, Context, HandlerError};
use latchkey_http::Request;
use protocol::limits::MAX_CLOCK_ERROR;
use std::time::Duration;
use storage::clients;
use types::ClientId;

/// A client that does not exist. Reading it costs one call of the store, whose answer says the time.
const PROBE: &str = "clock";

impl Context {
    /// Returns the difference between the clock of this instance and the store's, if it is so great that the instance issues
    /// nothing. As of the last answer of the store.
    pub(crate) fn clock_error(&self) -> Option<Duration> {
        let difference = self.records.clock().map(storage::ClockReading::difference);
        difference.filter(|difference| *difference > MAX_CLOCK_ERROR)
    }

    /// Checks that the clock of this instance is right, before a code, a token or a session is issued: its expiry would be
    /// wrong. Round trips: 0; 1 while the clock is wrong, because the next answer of the store may show that it is right again.
    /// Errors: `temporarily_unavailable`.
    pub async fn check_clock(&self, request: &Request) -> Result<(), HandlerError> {
        if self.clock_error().is_none() {
            return Ok(());
        }
        let probe = ClientId::try_from(PROBE.to_owned()).map_err(HandlerError::unavailable)?;
        clients::find(self.records.as_ref(), &probe).await?;
        let Some(difference) = self.clock_error() else { return Ok(()) };
        let reason = wrong(difference);
        AuditEvent::ClockDiffers { reason: &reason }.record(request);
        Err(HandlerError::unavailable(reason))
    }
}

/// Returns the reason for the log and for `/health`.
pub(crate) fn wrong(difference: Duration) -> String {
    format!("the clock of this instance and that of the store differ by {} seconds", difference.as_secs())
}
