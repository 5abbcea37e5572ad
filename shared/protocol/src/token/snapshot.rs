//! The snapshot of a grant that tokens carry.

use crate::Mac;
use crate::token::bytes::Reader;
use crate::token::record_id::{GrantId, LENGTH};
use crate::token::sealed::{TokenError, check_epoch};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use types::Timestamp;

/// The state of an active grant when a token was issued from it. A refresh token carries it, so that a rotation writes the
/// next state without reading the record; access tokens and ID tokens carry it, so that a revocation does the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GrantSnapshot {
    /// The grant.
    pub grant: GrantId,
    /// The generation of the record.
    pub generation: u32,
    /// The generation of the refresh token that this one replaced; 0 for the first.
    pub previous: u32,
    /// Time of the redemption of the code; the absolute lifetime counts from here. Milliseconds.
    pub started_at: Timestamp,
    /// Start of this generation; the grace window counts from here. Milliseconds.
    pub rotated_at: Timestamp,
    /// Expiry of the refresh token of this generation. Whole seconds.
    pub refresh_expires_at: Timestamp,
    /// True if the stored state has revoked access tokens that this snapshot lacks: read the record before replacing it.
    pub must_read_first: bool,
}

impl GrantSnapshot {
    /// Length in a token, in bytes.
    pub(crate) const PACKED: usize = LENGTH + 4 + 4 + 8 + 8 + 8 + 1;

    /// Returns the snapshot as bytes of a token. The identifier of the grant is veiled.
    pub(crate) fn pack(&self, mac: &dyn Mac) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(Self::PACKED);
        bytes.extend_from_slice(&self.grant.veil(mac));
        bytes.extend_from_slice(&self.generation.to_be_bytes());
        bytes.extend_from_slice(&self.previous.to_be_bytes());
        bytes.extend_from_slice(&self.started_at.as_millis().to_be_bytes());
        bytes.extend_from_slice(&self.rotated_at.as_millis().to_be_bytes());
        bytes.extend_from_slice(&self.refresh_expires_at.as_secs().to_be_bytes());
        bytes.push(u8::from(self.must_read_first));
        bytes
    }

    /// Reads a snapshot from the bytes of a token.
    pub(crate) fn unpack(mac: &dyn Mac, key_id: [u8; 4], bytes: &[u8]) -> Option<Self> {
        let mut reader = Reader::new(bytes);
        let snapshot = Self {
            grant: GrantId::unveil(mac, key_id, reader.take()?)?,
            generation: u32::from_be_bytes(reader.take()?),
            previous: u32::from_be_bytes(reader.take()?),
            started_at: Timestamp::from_millis(u64::from_be_bytes(reader.take()?)),
            rotated_at: Timestamp::from_millis(u64::from_be_bytes(reader.take()?)),
            refresh_expires_at: Timestamp::from_secs(u64::from_be_bytes(reader.take()?)),
            must_read_first: match reader.take()? {
                [0] => false,
                [1] => true,
                [_] => return None,
            },
        };
        reader.is_empty().then_some(snapshot)
    }

    /// Returns the snapshot as a private claim of a token that others can read: base64url of the identifier of the key, the
    /// epoch, and the packed snapshot. The signature of the token protects it.
    pub fn to_claim(&self, mac: &dyn Mac) -> String {
        URL_SAFE_NO_PAD.encode([mac.key_id().as_slice(), &mac.epoch().to_be_bytes(), &self.pack(mac)].concat())
    }

    /// Reads a snapshot from such a claim. Errors: the claim is malformed, of another deployment, or of another epoch.
    pub fn from_claim(mac: &dyn Mac, claim: &str) -> Result<Self, TokenError> {
        let (snapshot, epoch) = Self::read_claim(mac, claim).ok_or(TokenError::Invalid)?;
        check_epoch(mac, epoch)?;
        Ok(snapshot)
    }

    fn read_claim(mac: &dyn Mac, claim: &str) -> Option<(Self, u16)> {
        let bytes = URL_SAFE_NO_PAD.decode(claim).ok()?;
        let (key_id, bytes) = bytes.split_first_chunk()?;
        let (epoch, packed) = bytes.split_first_chunk()?;
        Some((Self::unpack(mac, *key_id, packed)?, u16::from_be_bytes(*epoch)))
    }
}
