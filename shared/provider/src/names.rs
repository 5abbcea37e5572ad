//! Usernames and passwords in their one form, with the tables of the platform.

use protocol::{Unicode, Username};

/// The tables of characters of the platform.
#[derive(Clone, Copy, Debug, Default)]
pub struct PlatformUnicode;

impl Unicode for PlatformUnicode {
    fn nfc(&self, text: &str) -> String {
        platform::unicode::nfc(text)
    }

    fn nfkc(&self, text: &str) -> String {
        platform::unicode::nfkc(text)
    }

    fn is_letter_mark_or_digit(&self, character: char) -> bool {
        platform::unicode::is_letter_mark_or_digit(character)
    }
}

/// Returns the one form of a username, or `None` if no user can have it (RFC 8265 §3.3).
pub fn username(typed: &str) -> Option<Username> {
    Username::prepare(typed, &PlatformUnicode)
}
