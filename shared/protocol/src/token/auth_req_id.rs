//! `auth_req_id` (OpenID Connect CIBA Core §7.3).

use crate::token::record_id::DecisionId;
use crate::token::reference::Reference;
use crate::token::sealed::{Mac, Opened, SealedToken, TokenError, open, seal};
use types::{ClientId, Timestamp};

/// `auth_req_id`: names the decision of the user about a backchannel authentication request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AuthReqId {
    /// The decision, whose record exists once the user decided.
    pub decision: DecisionId,
    /// Time of issue. Milliseconds.
    pub issued_at: Timestamp,
    /// Expiry. Whole seconds.
    pub expires_at: Timestamp,
}

const PREFIX: &str = "lkq_";

impl AuthReqId {
    /// Makes the identifier, bound to its client (CIBA Core §7.3: characters `A-Z a-z 0-9 . - _`).
    pub fn seal(&self, mac: &dyn Mac, client_id: &ClientId) -> SealedToken {
        let Self { decision, issued_at, expires_at } = *self;
        let reference = Reference { id: decision.veil(mac), issued_at, expires_at };
        seal(mac, PREFIX, &reference.pack(), &[client_id.as_str().as_bytes()])
    }

    /// Opens an identifier, expired or not: an expired one has an error code of its own (§11). Errors: it is forged, another
    /// client's, or of another epoch.
    pub fn open(mac: &dyn Mac, id: &str, client_id: &ClientId) -> Result<Self, TokenError> {
        let opened = open(mac, PREFIX, id, &[client_id.as_str().as_bytes()])?;
        Self::read(mac, &opened).ok_or(TokenError::Invalid)
    }

    fn read(mac: &dyn Mac, opened: &Opened) -> Option<Self> {
        let Reference { id, issued_at, expires_at } = Reference::unpack(&opened.payload)?;
        Some(Self { decision: DecisionId::unveil(mac, opened.key_id, id)?, issued_at, expires_at })
    }
}
