//! Session cookies.

use crate::token::record_id::SessionId;
use crate::token::reference::Reference;
use crate::token::sealed::{Mac, SealedToken, open, seal};
use types::Timestamp;

/// The value of a session cookie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SessionToken {
    /// The session.
    pub session: SessionId,
    /// Time of sign-in. Milliseconds.
    pub issued_at: Timestamp,
    /// Expiry. Whole seconds.
    pub expires_at: Timestamp,
}

const PREFIX: &str = "lks_";

impl SessionToken {
    /// Makes the token.
    pub fn seal(&self, mac: &dyn Mac) -> SealedToken {
        let Self { session, issued_at, expires_at } = *self;
        seal(mac, PREFIX, &Reference { id: session.veil(mac), issued_at, expires_at }.pack(), &[])
    }

    /// Opens a token; `None` if it is forged, or expired at `now`.
    pub fn open(mac: &dyn Mac, token: &str, now: Timestamp) -> Option<Self> {
        let opened = open(mac, PREFIX, token, &[])?;
        let Reference { id, issued_at, expires_at } = Reference::unpack(&opened.payload)?;
        let token = Self { session: SessionId::unveil(mac, opened.key_id, id)?, issued_at, expires_at };
        (!expires_at.is_past(now)).then_some(token)
    }
}
