//! Refresh tokens (RFC 6749 §1.5).

use crate::RefreshSender;
use crate::token::sealed::{Mac, SealedToken, TokenError, open, seal};
use crate::token::snapshot::GrantSnapshot;
use types::{ClientId, Confirmation, Thumbprint, Timestamp};

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

/// The mark before the thumbprint of a [`Confirmation::Dpop`].
const DPOP_KEY: u8 = b'd';

/// The mark before the thumbprint of a [`Confirmation::Certificate`].
const CERTIFICATE: u8 = b'c';

impl RefreshToken {
    /// Makes the token, bound to its client (RFC 6749 §6). It follows from snapshot and sender, so a retry gets the
    /// same token.
    pub fn seal(&self, mac: &dyn Mac, client_id: &ClientId) -> SealedToken {
        let mut payload = self.snapshot.pack(mac);
        pack(self.sender, &mut payload);
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
        Some(Self { snapshot: GrantSnapshot::unpack(mac, key_id, snapshot)?, sender: unpack(sender)? })
    }

    /// True if the text has the prefix of a refresh token. Proves nothing.
    pub fn is_prefix_of(token: &str) -> bool {
        token.starts_with(PREFIX)
    }
}

/// Appends the sender: a mark, and the thumbprint of its key, if the token is bound to one.
fn pack(sender: RefreshSender, payload: &mut Vec<u8>) {
    let (mark, key) = match sender {
        RefreshSender::Client => return,
        RefreshSender::ProvenClient => (PROVEN_CLIENT, None),
        RefreshSender::Holder(Confirmation::Dpop(key)) => (DPOP_KEY, Some(key)),
        RefreshSender::Holder(Confirmation::Certificate(key)) => (CERTIFICATE, Some(key)),
    };
    payload.push(mark);
    payload.extend(key.iter().flat_map(Thumbprint::as_bytes));
}

/// Reads the bytes of [`pack`].
fn unpack(sender: &[u8]) -> Option<RefreshSender> {
    let thumbprint = |digest: &[u8]| Some(Thumbprint::from_digest(digest.try_into().ok()?));
    Some(match sender {
        [] => RefreshSender::Client,
        [PROVEN_CLIENT] => RefreshSender::ProvenClient,
        [DPOP_KEY, key @ ..] => RefreshSender::Holder(Confirmation::Dpop(thumbprint(key)?)),
        [CERTIFICATE, key @ ..] => RefreshSender::Holder(Confirmation::Certificate(thumbprint(key)?)),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sender_is_read_as_it_was_packed() {
        let key = Thumbprint::from_digest([7; 32]);
        for sender in [
            RefreshSender::Client,
            RefreshSender::ProvenClient,
            RefreshSender::Holder(Confirmation::Dpop(key)),
            RefreshSender::Holder(Confirmation::Certificate(key)),
        ] {
            let mut payload = Vec::new();
            pack(sender, &mut payload);
            assert_eq!(unpack(&payload), Some(sender));
            payload.push(b'd');
            assert_eq!(unpack(&payload), None, "{sender:?}");
        }
        assert_eq!(unpack(&[b'x'; 33]), None);
        assert_eq!(unpack(b"d"), None);
    }
}
