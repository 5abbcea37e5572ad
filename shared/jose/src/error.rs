//! Failures of cryptography, for the operator's log. The peer is not at fault.

/// A failure of the own keys or of the platform.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CryptoError {
    /// The key is malformed, or not of the type that the algorithm needs.
    Key,
    /// The platform returned no random bytes.
    Random,
    /// The value cannot be serialized as JSON.
    Encoding,
    /// The value cannot be sealed.
    Seal,
    /// The stored key set is malformed, or sealed under a secret that is not configured.
    Stored,
    /// The platform rejected the operation, for this reason.
    Platform(String),
}

impl std::fmt::Display for CryptoError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Key => f.write_str("the key is malformed or does not fit the algorithm"),
            Self::Random => f.write_str("the platform gave no random bytes"),
            Self::Encoding => f.write_str("the value cannot be written as JSON"),
            Self::Seal => f.write_str("the value cannot be sealed"),
            Self::Stored => f.write_str("the stored key set is malformed, or sealed under an unknown secret"),
            Self::Platform(reason) => write!(f, "the platform refused a cryptographic operation: {reason}"),
        }
    }
}

impl std::error::Error for CryptoError {}
