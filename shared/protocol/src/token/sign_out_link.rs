//! Sealed sign-out links.

use crate::token::bytes::Reader;
use crate::token::sealed::{Mac, SealedToken, TokenError, open, seal};
use types::Timestamp;

/// A client's logout request on its way through the browser (OpenID Connect RP-Initiated Logout §2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignOutLink {
    /// The request, encrypted: no URL shows the parameters that the client posted.
    pub request: String,
    /// Expiry. Whole seconds.
    pub expires_at: Timestamp,
}

const PREFIX: &str = "lkl_";

impl SignOutLink {
    /// Makes the link. It is bound to the browser; without one to no browser, for a request that another site posted without
    /// cookies.
    pub fn seal(&self, mac: &dyn Mac, browser: Option<&str>) -> SealedToken {
        let mut payload = self.expires_at.as_secs().to_be_bytes().to_vec();
        payload.extend_from_slice(self.request.as_bytes());
        seal(mac, PREFIX, &payload, &[browser.unwrap_or_default().as_bytes()])
    }

    /// Opens a link. Errors: it is forged, another browser's, expired at `now`, or of another epoch.
    pub fn open(mac: &dyn Mac, link: &str, browser: Option<&str>, now: Timestamp) -> Result<Self, TokenError> {
        let opened = open(mac, PREFIX, link, &[browser.unwrap_or_default().as_bytes()])?;
        Self::read(&opened.payload).filter(|link| !link.expires_at.is_past(now)).ok_or(TokenError::Invalid)
    }

    fn read(payload: &[u8]) -> Option<Self> {
        let mut reader = Reader::new(payload);
        let expires_at = Timestamp::from_secs(u64::from_be_bytes(reader.take()?));
        Some(Self { request: String::from_utf8(reader.rest().to_vec()).ok()?, expires_at })
    }
}
