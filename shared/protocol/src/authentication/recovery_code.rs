//! Recovery codes: each stands in for the second factor, once. A code has 65 random bits, so the store keeps a MAC of it and no slow hash
//! (NIST SP 800-63B-4 §3.1.2.2).

/// The digits: Crockford's base32, without letters that look like digits.
const DIGITS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// The digits of a code.
const LENGTH: usize = 13;

/// A recovery code in its one form: 13 capital digits. Hidden from Debug.
#[derive(Clone, PartialEq, Eq)]
pub struct RecoveryCode(String);

impl RecoveryCode {
    /// The codes of a set.
    pub const SET: usize = 10;

    /// Makes a code from fresh randomness.
    pub fn new(random: [u8; LENGTH]) -> Self {
        Self(random.iter().map(|byte| digit(*byte)).collect())
    }

    /// Reads a code that a user typed: case, spaces and hyphens do not matter, and letters that look like a digit are that digit.
    pub fn parse(typed: &str) -> Option<Self> {
        if typed.len() > 64 {
            return None;
        }
        let code: String = typed.chars().filter(|c| !c.is_whitespace() && *c != '-').map(normalized).collect();
        let is_code = code.len() == LENGTH && code.bytes().all(|byte| DIGITS.contains(&byte));
        is_code.then_some(Self(code))
    }

    /// Returns the digits, for the MAC. Never for a log.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Returns the code as a page shows it: `XXXX-XXXX-XXXXX`.
    pub fn shown(&self) -> String {
        let (first, rest) = self.0.split_at_checked(4).unwrap_or_default();
        let (second, third) = rest.split_at_checked(4).unwrap_or_default();
        format!("{first}-{second}-{third}")
    }
}

fn digit(byte: u8) -> char {
    char::from(DIGITS.get(usize::from(byte & 31)).copied().unwrap_or(b'0'))
}

const fn normalized(c: char) -> char {
    match c.to_ascii_uppercase() {
        'O' => '0',
        'I' | 'L' => '1',
        other => other,
    }
}

impl std::fmt::Debug for RecoveryCode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("RecoveryCode(hidden)")
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_read_as_users_type_it() {
        let code = RecoveryCode::new([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 31, 255]);
        assert_eq!((code.expose(), code.shown().as_str()), ("0123456789AZZ", "0123-4567-89AZZ"));
        for typed in ["0123-4567-89AZZ", "0123456789azz", " o123 4567 89azz ", "Oi23-4567-89AZZ", "0l23-4567-89AZZ"] {
            assert_eq!(RecoveryCode::parse(typed).as_ref(), Some(&code), "{typed}");
        }
        for typed in ["", "123456", "0123-4567-89AZU", "0123-4567-89AZ", "0123-4567-89AZZZ", &"0".repeat(100)] {
            assert_eq!(RecoveryCode::parse(typed), None, "{typed}");
        }
        assert_eq!(format!("{code:?}"), "RecoveryCode(hidden)");
    }
}
