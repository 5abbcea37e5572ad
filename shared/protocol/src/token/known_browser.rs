//! The token of a browser in which an account signed in before (device cookie of OWASP's "Slow Down Online Guessing
//! Attacks with Device Cookies").

use crate::token::bytes::Reader;
use crate::token::sealed::{Mac, SealedToken, open_of_any_epoch, seal};
use types::Timestamp;

/// A browser in which an account signed in before. It has a limit of failed attempts of its own, so an attacker elsewhere cannot lock
/// the account out there. It proves nothing else, so it is valid in every epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KnownBrowser {
    /// The identifier under which the attempts of this browser are counted: 128 random bits.
    pub id: [u8; 16],
    /// Expiry. Whole seconds.
    pub expires_at: Timestamp,
}

const PREFIX: &str = "lkb_";

impl KnownBrowser {
    /// The accounts that one browser remembers.
    pub const MAX_ACCOUNTS: usize = 4;

    /// Makes the token. It is bound to the account: the normalized username.
    pub fn seal(&self, mac: &dyn Mac, account: &str) -> SealedToken {
        let mut payload = self.id.to_vec();
        payload.extend_from_slice(&self.expires_at.as_secs().to_be_bytes());
        seal(mac, PREFIX, &payload, &[account.as_bytes()])
    }

    /// Opens a token; `None` if it is forged, belongs to another account, or is expired at `now`.
    pub fn open(mac: &dyn Mac, token: &str, account: &str, now: Timestamp) -> Option<Self> {
        let opened = open_of_any_epoch(mac, PREFIX, token, &[account.as_bytes()])?;
        let mut reader = Reader::new(&opened.payload);
        let token = Self { id: reader.take()?, expires_at: Timestamp::from_secs(u64::from_be_bytes(reader.take()?)) };
        (reader.is_empty() && !token.expires_at.is_past(now)).then_some(token)
    }
}
