//! Initial access tokens (RFC 7591 §1.2).

use crate::token::bytes::Reader;
use crate::token::record_id::InitialAccessTokenId;
use crate::token::sealed::{Mac, SealedToken, open, seal};
use types::Timestamp;

/// An initial access token: allows a number of registrations. Nothing is stored before its first use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InitialAccessToken {
    /// The identifier under which its uses are counted.
    pub id: InitialAccessTokenId,
    /// Number of registrations that it allows.
    pub max_uses: u32,
    /// Expiry. Whole seconds.
    pub expires_at: Timestamp,
}

const PREFIX: &str = "lki_";

impl InitialAccessToken {
    /// Makes the token.
    pub fn seal(&self, mac: &dyn Mac) -> SealedToken {
        let mut payload = self.id.veil(mac).to_vec();
        payload.extend_from_slice(&self.max_uses.to_be_bytes());
        payload.extend_from_slice(&self.expires_at.as_secs().to_be_bytes());
        seal(mac, PREFIX, &payload, &[])
    }

    /// Opens a token; `None` if it is forged, or expired at `now`. The store counts its uses.
    pub fn open(mac: &dyn Mac, token: &str, now: Timestamp) -> Option<Self> {
        let opened = open(mac, PREFIX, token, &[])?;
        let mut reader = Reader::new(&opened.payload);
        let token = Self {
            id: InitialAccessTokenId::unveil(mac, opened.key_id, reader.take()?)?,
            max_uses: u32::from_be_bytes(reader.take()?),
            expires_at: Timestamp::from_secs(u64::from_be_bytes(reader.take()?)),
        };
        (reader.is_empty() && !token.expires_at.is_past(now)).then_some(token)
    }
}
