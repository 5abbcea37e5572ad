//! The bearer token of an administrator. It is derived from the deployment secret.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jose::constant_time_eq;
use keys::{Purpose, Secrets};
use std::time::Duration;
use types::Timestamp;

/// Lifetime of a token that is made here: enough for a slow network and for clocks that differ a little.
pub const LIFETIME: Duration = Duration::from_secs(120);
/// The longest accepted time until the expiry of a token.
pub const MAX_LIFETIME: Duration = Duration::from_secs(300);

const CONTEXT: &[u8] = b"bearer";

/// Makes a token that is valid for [`LIFETIME`]: base64url of the key id (4 bytes), the expiry (8 bytes, seconds) and
/// an HMAC-SHA-256 tag (32 bytes).
pub fn mint(secrets: &Secrets, now: Timestamp) -> String {
    mint_until(secrets, now.after(LIFETIME))
}

fn mint_until(secrets: &Secrets, expires_at: Timestamp) -> String {
    let expiry = expires_at.as_secs().to_be_bytes();
    let tag = secrets.mac(Purpose::Admin, &[CONTEXT, &expiry]);
    URL_SAFE_NO_PAD.encode([secrets.key_id().as_slice(), &expiry, &tag].concat())
}

/// True if a token is valid at `now`. Takes the same time for every forgery.
pub fn verify(secrets: &Secrets, token: &str, now: Timestamp) -> bool {
    checked(secrets, token, now).unwrap_or(false)
}

fn checked(secrets: &Secrets, token: &str, now: Timestamp) -> Option<bool> {
    if token.len() > 100 {
        return None;
    }
    let bytes = URL_SAFE_NO_PAD.decode(token).ok()?;
    let (key_id, rest) = bytes.split_first_chunk::<4>()?;
    let (expiry, tag) = rest.split_first_chunk::<8>()?;
    let expected = secrets.mac_with(*key_id, Purpose::Admin, &[CONTEXT, expiry])?;
    let expires_at = Timestamp::from_secs(u64::from_be_bytes(*expiry));
    Some(constant_time_eq(&expected, tag) && !expires_at.is_past(now) && expires_at <= now.after(MAX_LIFETIME))
}

#[cfg(test)]
mod tests {
    use super::*;
    use keys::Secret;

    fn secrets(byte: u8) -> Secrets {
        Secrets::new(Secret::from_bytes([byte; 32]), None)
    }

    #[test]
    fn a_token_is_good_until_its_expiry_and_under_its_secret_alone() {
        let now = Timestamp::from_secs(1_800_000_000);
        let token = mint(&secrets(1), now);
        assert!(verify(&secrets(1), &token, now));
        assert!(verify(&secrets(1), &token, now.after(Duration::from_secs(119))));
        assert!(!verify(&secrets(1), &token, now.after(Duration::from_secs(120))));
        assert!(!verify(&secrets(2), &token, now));
        assert!(verify(&Secrets::new(Secret::from_bytes([2; 32]), Some(Secret::from_bytes([1; 32]))), &token, now));
    }

    #[test]
    fn a_token_that_lasts_too_long_or_is_altered_is_refused() {
        let now = Timestamp::from_secs(1_800_000_000);
        assert!(!verify(&secrets(1), &mint_until(&secrets(1), now.after(Duration::from_secs(301))), now));
        let token = mint(&secrets(1), now);
        let mut bytes = URL_SAFE_NO_PAD.decode(&token).unwrap();
        for index in 0..bytes.len() {
            bytes[index] ^= 1;
            assert!(!verify(&secrets(1), &URL_SAFE_NO_PAD.encode(&bytes), now), "byte {index}");
            bytes[index] ^= 1;
        }
        for bad in ["", "a", "====", &format!("{token}A"), &"A".repeat(10_000)] {
            assert!(!verify(&secrets(1), bad, now));
        }
    }
}
