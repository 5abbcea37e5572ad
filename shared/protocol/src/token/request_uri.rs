//! References of pushed authorization requests (RFC 9126 §2.2).

use crate::token::record_id::PushedRequestId;
use crate::token::reference::Reference;
use crate::token::sealed::{Mac, Opened, SealedToken, TokenError, open, seal};
use types::{ClientId, Timestamp};

/// The reference in a `request_uri` that this server issued.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RequestUri {
    /// The pushed request.
    pub request: PushedRequestId,
    /// Time of issue. Milliseconds.
    pub issued_at: Timestamp,
    /// Expiry. Whole seconds.
    pub expires_at: Timestamp,
}

const PREFIX: &str = "lkp_";

impl RequestUri {
    /// Makes the reference, bound to its client (RFC 9126 §4).
    pub fn seal(&self, mac: &dyn Mac, client_id: &ClientId) -> SealedToken {
        let Self { request, issued_at, expires_at } = *self;
        let reference = Reference { id: request.veil(mac), issued_at, expires_at };
        seal(mac, PREFIX, &reference.pack(), &[client_id.as_str().as_bytes()])
    }

    /// Opens a reference. Errors: it is forged, another client's, expired at `now`, or of another epoch.
    pub fn open(mac: &dyn Mac, reference: &str, client_id: &ClientId, now: Timestamp) -> Result<Self, TokenError> {
        let opened = open(mac, PREFIX, reference, &[client_id.as_str().as_bytes()])?;
        Self::read(mac, &opened).filter(|reference| !reference.expires_at.is_past(now)).ok_or(TokenError::Invalid)
    }

    fn read(mac: &dyn Mac, opened: &Opened) -> Option<Self> {
        let Reference { id, issued_at, expires_at } = Reference::unpack(&opened.payload)?;
        Some(Self { request: PushedRequestId::unveil(mac, opened.key_id, id)?, issued_at, expires_at })
    }
}
