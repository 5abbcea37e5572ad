//! One-time codes of an authenticator app (RFC 6238): six digits, SHA-1, 30 seconds. Apps ignore any other parameters.

use hmac::{Hmac, KeyInit as _, Mac as _};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use sha1::Sha1;
use subtle::ConstantTimeEq;
use types::Timestamp;

/// `amr` of a code (RFC 8176 §2).
pub(super) const AMR: &[&str] = &["otp"];

/// The digits of a code.
const DIGITS: usize = 6;

/// The length of a time step, in seconds.
const STEP: u64 = 30;

/// Characters that the label of a URI has as they are.
const PLAIN: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// The secret that this server shares with an authenticator app: 160 bits (RFC 4226 §4, R6). Hidden from Debug.
#[derive(Clone, Copy)]
pub struct TotpSecret([u8; Self::LENGTH]);

/// A time step, counted from the epoch (RFC 6238 §4.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct TotpStep(u64);

impl TotpStep {
    /// Returns the step of this number.
    pub const fn from_number(number: u64) -> Self {
        Self(number)
    }

    /// Returns the number of the step.
    pub const fn number(self) -> u64 {
        self.0
    }
}

impl TotpSecret {
    /// Length in bytes.
    pub const LENGTH: usize = 20;

    /// Makes a secret from fresh randomness.
    pub const fn new(random: [u8; Self::LENGTH]) -> Self {
        Self(random)
    }

    /// Reads a secret from the bytes that were stored.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }

    /// Returns the bytes, to be sealed. Never for a log.
    pub const fn expose(&self) -> &[u8; Self::LENGTH] {
        &self.0
    }

    /// Returns the secret in base32 (RFC 4648 §6), for a user who types it into an app. Never for a log.
    pub fn base32(&self) -> String {
        const ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
        // Twenty bytes are 32 digits without padding: four times five bytes, which are eight digits.
        let digits = self.0.chunks(5).flat_map(|chunk| {
            let number = chunk.iter().fold(0_u64, |number, byte| number << 8 | u64::from(*byte));
            [35, 30, 25, 20, 15, 10, 5, 0].into_iter().map(move |shift| {
                let digit = usize::try_from(number.wrapping_shr(shift) & 31).unwrap_or(0);
                char::from(ALPHABET.get(digit).copied().unwrap_or(b'A'))
            })
        });
        digits.collect()
    }

    /// Returns the URI that an app reads from a QR code. `issuer` is the name of this server, `account` the sign-in name.
    pub fn uri(&self, issuer: &str, account: &str) -> String {
        let encode = |text: &str| utf8_percent_encode(text, PLAIN).to_string();
        let (issuer, account) = (encode(issuer), encode(account));
        format!("otpauth://totp/{issuer}:{account}?secret={}&issuer={issuer}", self.base32())
    }

    /// Checks a code that a user typed: of this step, the one before or the one after, because clocks differ. A code is accepted once: its
    /// step must come after `used`, that of the last code (RFC 6238 §5.2). Returns the step of the code.
    pub fn verify(&self, typed: &str, used: Option<TotpStep>, now: Timestamp) -> Option<TotpStep> {
        let digits: String = typed.chars().filter(|c| !c.is_whitespace()).collect();
        if digits.len() != DIGITS || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let current = now.as_secs().checked_div(STEP).unwrap_or(0);
        let mut found = None;
        // Every step is compared, so that the time does not depend on the code.
        for step in [current.saturating_sub(1), current, current.saturating_add(1)].map(TotpStep) {
            let is_equal: bool = self.code(step).as_bytes().ct_eq(digits.as_bytes()).into();
            if is_equal && used.is_none_or(|used| used < step) {
                found = Some(step);
            }
        }
        found
    }

    /// Returns the code of a step (RFC 4226 §5.3).
    fn code(&self, step: TotpStep) -> String {
        // A key of any length is accepted.
        let Ok(mut mac) = Hmac::<Sha1>::new_from_slice(&self.0) else { return String::new() };
        mac.update(&step.0.to_be_bytes());
        let digest: [u8; 20] = mac.finalize().into_bytes().into();
        let offset = usize::from(digest.last().copied().unwrap_or(0) & 0xf);
        let truncated = digest.get(offset..).and_then(|rest| rest.first_chunk::<4>()).copied().unwrap_or_default();
        let number = (u32::from_be_bytes(truncated) & 0x7fff_ffff).checked_rem(1_000_000).unwrap_or(0);
        format!("{number:06}")
    }
}

impl std::fmt::Debug for TotpSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("TotpSecret(hidden)")
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    /// The secret of the test vectors.
    fn secret() -> TotpSecret {
        TotpSecret::from_bytes(b"12345678901234567890").unwrap()
    }

    fn at(seconds: u64) -> Timestamp {
        Timestamp::from_secs(seconds)
    }

    /// RFC 4226 appendix D.
    #[test]
    fn codes_are_those_of_the_counter() {
        let expected =
            ["755224", "287082", "359152", "969429", "338314", "254676", "287922", "162583", "399871", "520489"];
        for (counter, code) in (0..).zip(expected) {
            assert_eq!(secret().code(TotpStep(counter)), code, "{counter}");
        }
    }

    /// RFC 6238 appendix B, the last six digits of each value for SHA-1.
    #[test]
    fn codes_are_those_of_the_time() {
        for (seconds, code) in [
            (59, "287082"),
            (1_111_111_109, "081804"),
            (1_111_111_111, "050471"),
            (1_234_567_890, "005924"),
            (2_000_000_000, "279037"),
            (20_000_000_000, "353130"),
        ] {
            assert_eq!(secret().verify(code, None, at(seconds)), Some(TotpStep(seconds / 30)), "{seconds}");
        }
    }

    #[test]
    fn a_code_is_accepted_once_and_within_one_step() {
        let (secret, code) = (secret(), "050471");
        let step = TotpStep(1_111_111_111 / 30);
        for (offset, accepted) in [(-32, false), (-31, true), (0, true), (58, true), (59, false)] {
            let now = at((1_111_111_111_i64 + offset).try_into().unwrap());
            assert_eq!(secret.verify(code, None, now).is_some(), accepted, "{offset}");
        }
        let now = at(1_111_111_111);
        assert_eq!(secret.verify(code, Some(step), now), None, "used before");
        assert_eq!(secret.verify(code, Some(TotpStep(step.0 + 1)), now), None, "a later one was used");
        assert_eq!(secret.verify(code, Some(TotpStep(step.0 - 1)), now), Some(step));
        for typed in ["050 471", " 050471\n"] {
            assert_eq!(secret.verify(typed, None, now), Some(step), "{typed}");
        }
        for typed in ["", "05047", "0504711", "05047a", "٠٥٠٤٧١"] {
            assert_eq!(secret.verify(typed, None, now), None, "{typed}");
        }
    }

    /// RFC 4648 §10, and the key URI format of authenticator apps.
    #[test]
    fn an_app_reads_the_secret() {
        assert_eq!(secret().base32(), "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ");
        let uri = secret().uri("Example Sign-in", "a:b@example.com");
        let expected = "otpauth://totp/Example%20Sign-in:a%3Ab%40example.com?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=Example%20Sign-in";
        assert_eq!(uri, expected);
        assert_eq!(format!("{:?}", secret()), "TotpSecret(hidden)");
    }
}
