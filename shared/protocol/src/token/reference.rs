//! The payload of a token that names a record.

use crate::token::bytes::Reader;
use crate::token::record_id::LENGTH;
use types::Timestamp;

/// The payload of a token that names a record.
pub(crate) struct Reference {
    /// The identifier of the record, veiled.
    pub(crate) id: [u8; LENGTH],
    /// Time of issue. Milliseconds.
    pub(crate) issued_at: Timestamp,
    /// Expiry. Whole seconds.
    pub(crate) expires_at: Timestamp,
}

impl Reference {
    /// Returns the payload as bytes.
    pub(crate) fn pack(&self) -> Vec<u8> {
        let mut bytes = self.id.to_vec();
        bytes.extend_from_slice(&self.issued_at.as_millis().to_be_bytes());
        bytes.extend_from_slice(&self.expires_at.as_secs().to_be_bytes());
        bytes
    }

    /// Reads the payload.
    pub(crate) fn unpack(bytes: &[u8]) -> Option<Self> {
        let mut reader = Reader::new(bytes);
        let reference = Self {
            id: reader.take()?,
            issued_at: Timestamp::from_millis(u64::from_be_bytes(reader.take()?)),
            expires_at: Timestamp::from_secs(u64::from_be_bytes(reader.take()?)),
        };
        reader.is_empty().then_some(reference)
    }
}
