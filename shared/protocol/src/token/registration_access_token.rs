//! Registration access tokens (RFC 7592 §1.2).

use crate::token::bytes::Reader;
use crate::token::record_id::RegistrationId;
use crate::token::sealed::{Mac, SealedToken, open_of_any_epoch, seal};
use types::ClientId;

/// A registration access token. It does not expire (RFC 7592 §5): a later generation replaces it. It is valid in every
/// epoch, because its client has no way to another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RegistrationAccessToken {
    /// The registration.
    pub registration: RegistrationId,
    /// The generation of the token.
    pub generation: u32,
}

const PREFIX: &str = "lkg_";

impl RegistrationAccessToken {
    /// Makes the token, bound to its client (RFC 7592 §2). It follows from its content, so a retry gets the same token.
    pub fn seal(&self, mac: &dyn Mac, client_id: &ClientId) -> SealedToken {
        let mut payload = self.registration.veil(mac).to_vec();
        payload.extend_from_slice(&self.generation.to_be_bytes());
        seal(mac, PREFIX, &payload, &[client_id.as_str().as_bytes()])
    }

    /// Opens a token; `None` if it is forged or another client's.
    pub fn open(mac: &dyn Mac, token: &str, client_id: &ClientId) -> Option<Self> {
        let opened = open_of_any_epoch(mac, PREFIX, token, &[client_id.as_str().as_bytes()])?;
        let mut reader = Reader::new(&opened.payload);
        let token = Self {
            registration: RegistrationId::unveil(mac, opened.key_id, reader.take()?)?,
            generation: u32::from_be_bytes(reader.take()?),
        };
        reader.is_empty().then_some(token)
    }
}
