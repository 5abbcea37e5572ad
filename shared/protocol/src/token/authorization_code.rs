//! Authorization codes (RFC 6749 §1.3.1).

use crate::token::record_id::GrantId;
use crate::token::reference::Reference;
use crate::token::sealed::{Mac, Opened, SealedToken, TokenError, open, seal};
use sha2::{Digest, Sha256};
use types::{ClientId, Thumbprint, Timestamp};

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

/// The values that a code is bound to (RFC 6749 §4.1.3, RFC 7636 §4.6).
#[derive(Clone, Copy, Debug)]
pub struct CodeBinding<'a> {
    /// The client.
    pub client_id: &'a ClientId,
    /// The redirect URI of the response; `None` in a token request without one.
    pub redirect_uri: Option<&'a str>,
    /// The code challenge; empty if none was sent.
    pub code_challenge: &'a str,
    /// The key of the client's DPoP proofs (RFC 9449 §10). A code that names a key needs a proof of it; any proof fits another code.
    pub dpop_jkt: Option<&'a Thumbprint>,
}

/// Length of the digest of the redirect URI in a code, in bytes.
const REDIRECT_URI: usize = 16;

impl<'a> CodeBinding<'a> {
    fn parts(&self) -> [&'a [u8]; 3] {
        let key = self.dpop_jkt.map(Thumbprint::as_bytes);
        [self.client_id.as_str().as_bytes(), self.code_challenge.as_bytes(), key.map_or(&[], |key| key)]
    }

    /// Returns the digest of the redirect URI.
    fn redirect_uri(&self) -> Option<[u8; REDIRECT_URI]> {
        Sha256::digest(self.redirect_uri?).first_chunk().copied()
    }

    /// True if a token request with these values may redeem a code whose redirect URI has this digest. RFC 6749 §4.1.3 demands
    /// the redirect URI again; OAuth 2.1 §4.1.3 has no such parameter, because the code challenge has the same effect.
    fn accepts(&self, redirect_uri: [u8; REDIRECT_URI]) -> bool {
        self.redirect_uri().map_or(!self.code_challenge.is_empty(), |sent| sent == redirect_uri)
    }
}

const PREFIX: &str = "lkc_";

impl AuthorizationCode {
    /// Makes the code.
    pub fn seal(&self, mac: &dyn Mac, binding: CodeBinding<'_>) -> SealedToken {
        let Self { grant, issued_at, expires_at } = *self;
        let mut payload = Reference { id: grant.veil(mac), issued_at, expires_at }.pack();
        payload.extend(binding.redirect_uri().unwrap_or_default());
        seal(mac, PREFIX, &payload, &binding.parts())
    }

    /// Opens a code. Errors: it is forged, bound to other values, expired at `now`, or of another epoch.
    pub fn open(mac: &dyn Mac, code: &str, binding: CodeBinding<'_>, now: Timestamp) -> Result<Self, TokenError> {
        let opened = match open(mac, PREFIX, code, &binding.parts()) {
            Err(TokenError::Invalid) if binding.dpop_jkt.is_some() => {
                open(mac, PREFIX, code, &CodeBinding { dpop_jkt: None, ..binding }.parts())?
            }
            opened => opened?,
        };
        let code = Self::read(mac, &opened, &binding);
        code.filter(|code| !code.expires_at.is_past(now)).ok_or(TokenError::Invalid)
    }

    fn read(mac: &dyn Mac, opened: &Opened, binding: &CodeBinding<'_>) -> Option<Self> {
        let (reference, redirect_uri) = opened.payload.split_last_chunk()?;
        let Reference { id, issued_at, expires_at } =
            Reference::unpack(reference).filter(|_| binding.accepts(*redirect_uri))?;
        Some(Self { grant: GrantId::unveil(mac, opened.key_id, id)?, issued_at, expires_at })
    }
}
