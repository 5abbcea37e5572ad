//! Refresh tokens (RFC 6749 §1.5).

use crate::token::sealed::{Mac, SealedToken, TokenError, open, seal};
use crate::token::snapshot::GrantSnapshot;
use types::{ClientId, Timestamp};

/// A refresh token: the snapshot of its grant. It expires at the snapshot's `refresh_expires_at`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RefreshToken {
    /// The snapshot of the grant.
    pub snapshot: GrantSnapshot,
}

const PREFIX: &str = "lkr_";

impl RefreshToken {
    /// Makes the token, bound to its client (RFC 6749 §6). It follows from the snapshot, so a retry gets the same token.
    pub fn seal(&self, mac: &dyn Mac, client_id: &ClientId) -> SealedToken {
        seal(mac, PREFIX, &self.snapshot.pack(mac), &[client_id.as_str().as_bytes()])
    }

    /// Opens a token. Errors: it is forged, another client's, expired at `now`, or of another epoch.
    pub fn open(mac: &dyn Mac, token: &str, client_id: &ClientId, now: Timestamp) -> Result<Self, TokenError> {
        let opened = open(mac, PREFIX, token, &[client_id.as_str().as_bytes()])?;
        let snapshot = GrantSnapshot::unpack(mac, opened.key_id, &opened.payload);
        let snapshot = snapshot.filter(|snapshot| !snapshot.refresh_expires_at.is_past(now));
        snapshot.map(|snapshot| Self { snapshot }).ok_or(TokenError::Invalid)
    }

    /// True if the text has the prefix of a refresh token. Proves nothing.
    pub fn is_prefix_of(token: &str) -> bool {
        token.starts_with(PREFIX)
    }
}
