//! Session cookies.

use crate::token::record_id::SessionId;
use crate::token::reference::Reference;
use crate::token::sealed::{Mac, Opened, SealedToken, TokenError, open, seal};
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

    /// Opens a token. Errors: it is forged, expired at `now`, or of another epoch.
    pub fn open(mac: &dyn Mac, token: &str, now: Timestamp) -> Result<Self, TokenError> {
        let opened = open(mac, PREFIX, token, &[])?;
        Self::read(mac, &opened).filter(|token| !token.expires_at.is_past(now)).ok_or(TokenError::Invalid)
    }

    fn read(mac: &dyn Mac, opened: &Opened) -> Option<Self> {
        let Reference { id, issued_at, expires_at } = Reference::unpack(&opened.payload)?;
        Some(Self { session: SessionId::unveil(mac, opened.key_id, id)?, issued_at, expires_at })
    }
}
