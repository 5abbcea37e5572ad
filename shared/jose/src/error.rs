//! What can fail in cryptography, for the operator's log: none of it is the peer's fault.

/// A failure of our own keys or of the platform.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CryptoError {
    /// The key is malformed, or not of the kind that the algorithm needs.
    Key,
    /// The platform gave no random bytes.
    Random,
    /// The value could not be written as JSON.
    Encoding,
    /// The value could not be sealed.
    Seal,
    /// The stored key set is malformed, or sealed under a secret that is not configured.
    Stored,
    /// The platform refused the operation, for this reason.
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
