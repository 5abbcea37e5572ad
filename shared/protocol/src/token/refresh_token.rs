//! Refresh tokens (RFC 6749 §1.5).

use crate::RefreshSender;
use crate::token::sealed::{Mac, SealedToken, TokenError, open, seal};
use crate::token::snapshot::GrantSnapshot;
use types::{ClientId, Confirmation, Timestamp};

/// A refresh token: the snapshot of its grant, and its sender. It expires at the snapshot's `refresh_expires_at`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RefreshToken {
    /// The snapshot of the grant.
    pub snapshot: GrantSnapshot,
    /// The sender.
    pub sender: RefreshSender,
}

const PREFIX: &str = "lkr_";

/// The mark of a token whose sender is [`RefreshSender::ProvenClient`].
const PROVEN_CLIENT: u8 = b'p';

impl RefreshToken {
    /// Makes the token, bound to its client (RFC 6749 §6). It follows from snapshot and sender, so a retry gets the
    /// same token.
    pub fn seal(&self, mac: &dyn Mac, client_id: &ClientId) -> SealedToken {
        let mut payload = self.snapshot.pack(mac);
        match self.sender {
            RefreshSender::Client => {}
            RefreshSender::ProvenClient => payload.push(PROVEN_CLIENT),
            RefreshSender::Holder(key) => payload.extend(key.binding()),
        }
        seal(mac, PREFIX, &payload, &[client_id.as_str().as_bytes()])
    }

    /// Opens a token. Errors: it is forged, another client's, expired at `now`, or of another epoch.
    pub fn open(mac: &dyn Mac, token: &str, client_id: &ClientId, now: Timestamp) -> Result<Self, TokenError> {
        let opened = open(mac, PREFIX, token, &[client_id.as_str().as_bytes()])?;
        let token = Self::read(mac, opened.key_id, &opened.payload);
        token.filter(|token| !token.snapshot.refresh_expires_at.is_past(now)).ok_or(TokenError::Invalid)
    }

    fn read(mac: &dyn Mac, key_id: [u8; 4], payload: &[u8]) -> Option<Self> {
        let (snapshot, sender) = payload.split_at_checked(GrantSnapshot::PACKED)?;
        let sender = match sender {
            [] => RefreshSender::Client,
            [PROVEN_CLIENT] => RefreshSender::ProvenClient,
            key => RefreshSender::Holder(Confirmation::from_binding(key)?),
        };
        Some(Self { snapshot: GrantSnapshot::unpack(mac, key_id, snapshot)?, sender })
    }

    /// True if the text has the prefix of a refresh token. Proves nothing.
    pub fn is_prefix_of(token: &str) -> bool {
        token.starts_with(PREFIX)
    }
}
