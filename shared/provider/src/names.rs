//! Usernames and passwords in their one form, with the tables of the platform.

use platform::unicode::{is_letter_mark_or_digit, nfc, nfkc};
use protocol::{Unicode, Username};

/// The tables of characters of the platform.
pub const PLATFORM_UNICODE: Unicode = Unicode { nfc, nfkc, is_letter_mark_or_digit };

/// Returns the one form of a username, or `None` if no user can have it (RFC 8265 §3.3).
pub fn username(typed: &str) -> Option<Username> {
    Username::prepare(typed, &PLATFORM_UNICODE)
}
