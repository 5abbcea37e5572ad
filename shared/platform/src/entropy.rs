//! Randomness of the platform.

use crate::PlatformError;

/// Returns random bytes.
pub fn bytes<const N: usize>() -> Result<[u8; N], PlatformError> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|error| PlatformError::new(format!("no randomness: {error}")))?;
    Ok(bytes)
}

/// Returns a random name: 128 bits as 22 characters of base64url.
pub fn name() -> Result<String, PlatformError> {
    Ok(base64url(&bytes::<16>()?))
}

/// Returns a random secret: 256 bits as 43 characters of base64url.
pub fn secret() -> Result<String, PlatformError> {
    Ok(base64url(&bytes::<32>()?))
}

fn base64url(bytes: &[u8]) -> String {
    use base64::Engine;
    base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(bytes)
}
