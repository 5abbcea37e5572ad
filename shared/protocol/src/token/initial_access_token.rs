//! Initial access tokens (RFC 7591 §1.2).

use crate::token::bytes::Reader;
use crate::token::record_id::InitialAccessTokenId;
use crate::token::sealed::{Mac, Opened, SealedToken, TokenError, open, seal};
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

    /// Opens a token. The store counts its uses. Errors: it is forged, expired at `now`, or of another epoch.
    pub fn open(mac: &dyn Mac, token: &str, now: Timestamp) -> Result<Self, TokenError> {
        let opened = open(mac, PREFIX, token, &[])?;
        Self::read(mac, &opened).filter(|token| !token.expires_at.is_past(now)).ok_or(TokenError::Invalid)
    }

    fn read(mac: &dyn Mac, opened: &Opened) -> Option<Self> {
        let mut reader = Reader::new(&opened.payload);
        let token = Self {
            id: InitialAccessTokenId::unveil(mac, opened.key_id, reader.take()?)?,
            max_uses: u32::from_be_bytes(reader.take()?),
            expires_at: Timestamp::from_secs(u64::from_be_bytes(reader.take()?)),
        };
        reader.is_empty().then_some(token)
    }
}
