//! Authorization codes (RFC 6749 §1.3.1).

use crate::token::record_id::GrantId;
use crate::token::reference::Reference;
use crate::token::sealed::{Mac, Opened, SealedToken, TokenError, open, seal};
use types::{ClientId, Timestamp};

/// An authorization code: names the grant that its redemption activates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AuthorizationCode {
    /// The grant.
    pub grant: GrantId,
    /// Time of issue. Milliseconds.
    pub issued_at: Timestamp,
    /// Expiry. Whole seconds.
    pub expires_at: Timestamp,
}

/// The values that a code is bound to (RFC 6749 §4.1.3, RFC 7636 §4.6). An empty string for a value that was not sent.
#[derive(Clone, Copy, Debug)]
pub struct CodeBinding<'a> {
    /// The client.
    pub client_id: &'a ClientId,
    /// The redirect URI of the authorization request.
    pub redirect_uri: &'a str,
    /// The code challenge of the authorization request.
    pub code_challenge: &'a str,
}

impl<'a> CodeBinding<'a> {
    fn parts(&self) -> [&'a [u8]; 3] {
        [self.client_id.as_str().as_bytes(), self.redirect_uri.as_bytes(), self.code_challenge.as_bytes()]
    }
}

const PREFIX: &str = "lkc_";

impl AuthorizationCode {
    /// Makes the code.
    pub fn seal(&self, mac: &dyn Mac, binding: CodeBinding<'_>) -> SealedToken {
        let Self { grant, issued_at, expires_at } = *self;
        seal(mac, PREFIX, &Reference { id: grant.veil(mac), issued_at, expires_at }.pack(), &binding.parts())
    }

    /// Opens a code. Errors: it is forged, bound to other values, expired at `now`, or of another epoch.
    pub fn open(mac: &dyn Mac, code: &str, binding: CodeBinding<'_>, now: Timestamp) -> Result<Self, TokenError> {
        let opened = open(mac, PREFIX, code, &binding.parts())?;
        Self::read(mac, &opened).filter(|code| !code.expires_at.is_past(now)).ok_or(TokenError::Invalid)
    }

    fn read(mac: &dyn Mac, opened: &Opened) -> Option<Self> {
        let Reference { id, issued_at, expires_at } = Reference::unpack(&opened.payload)?;
        Some(Self { grant: GrantId::unveil(mac, opened.key_id, id)?, issued_at, expires_at })
    }
}
