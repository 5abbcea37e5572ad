//! Device codes (RFC 8628 §3.2).

use crate::token::record_id::DecisionId;
use crate::token::reference::Reference;
use crate::token::sealed::{Mac, Opened, SealedToken, TokenError, open, seal};
use types::{ClientId, Timestamp};

/// A device code: names the decision of the user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DeviceCode {
    /// The decision, whose record exists once the user decided.
    pub decision: DecisionId,
    /// Time of issue. Milliseconds.
    pub issued_at: Timestamp,
    /// Expiry. Whole seconds.
    pub expires_at: Timestamp,
}

const PREFIX: &str = "lkd_";

impl DeviceCode {
    /// Makes the code, bound to its client (RFC 8628 §3.4).
    pub fn seal(&self, mac: &dyn Mac, client_id: &ClientId) -> SealedToken {
        let Self { decision, issued_at, expires_at } = *self;
        let reference = Reference { id: decision.veil(mac), issued_at, expires_at };
        seal(mac, PREFIX, &reference.pack(), &[client_id.as_str().as_bytes()])
    }

    /// Opens a code, expired or not: an expired one has an error code of its own (RFC 8628 §3.5). Errors: it is forged,
    /// another client's, or of another epoch.
    pub fn open(mac: &dyn Mac, code: &str, client_id: &ClientId) -> Result<Self, TokenError> {
        let opened = open(mac, PREFIX, code, &[client_id.as_str().as_bytes()])?;
        Self::read(mac, &opened).ok_or(TokenError::Invalid)
    }

    fn read(mac: &dyn Mac, opened: &Opened) -> Option<Self> {
        let Reference { id, issued_at, expires_at } = Reference::unpack(&opened.payload)?;
        Some(Self { decision: DecisionId::unveil(mac, opened.key_id, id)?, issued_at, expires_at })
    }
}
