//! A mail as a sender takes it.

use crate::EmailAddress;
use std::fmt;
use types::Jti;

/// A text that may stand in a header field of a mail: a subject, a display name. It has no control character and no line break,
/// so it cannot begin another field.
#[derive(Clone, PartialEq, Eq)]
pub struct HeaderText(String);

impl HeaderText {
    /// The longest text, in characters.
    pub const MAX_LENGTH: usize = 200;

    /// The rule, for a setting.
    pub const RULE: &str = "must have 1 to 200 characters and no line break or other control character";

    /// Parses a text; `None` if it is empty, too long, or has a character that may not stand in a header field.
    pub fn parse(text: &str) -> Option<Self> {
        let is_line_break = |character| matches!(character, '\u{85}' | '\u{2028}' | '\u{2029}');
        let is_fine = !text.trim().is_empty()
            && text.chars().count() <= Self::MAX_LENGTH
            && !text.chars().any(|character| character.is_control() || is_line_break(character));
        is_fine.then(|| Self(text.to_owned()))
    }

    /// Returns the text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for HeaderText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

/// The words of a mail.
#[derive(Clone, PartialEq, Eq)]
pub struct MailBody {
    /// The subject: fixed words and the name of the product, never one that a user or a client chose.
    pub subject: HeaderText,
    /// The plain text.
    pub text: String,
    /// The same as HTML, without images and scripts.
    pub html: String,
}

/// A mail as a sender takes it.
#[derive(Clone, PartialEq, Eq)]
pub struct Message {
    /// Identifier of the mail, the same for each attempt.
    pub id: Jti,
    /// Name of the kind.
    pub kind: &'static str,
    /// The address of the server.
    pub from: EmailAddress,
    /// The display name of the server.
    pub name: HeaderText,
    /// The recipient.
    pub to: EmailAddress,
    /// The words.
    pub body: MailBody,
}

impl fmt::Debug for Message {
    /// Shows neither the recipient nor a link.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Message").field("id", &self.id).field("kind", &self.kind).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::HeaderText;

    #[test]
    fn no_text_begins_another_header_field() {
        for good in ["Reset your password", "Zürich – 銀行", "a: b"] {
            assert_eq!(HeaderText::parse(good).unwrap().as_str(), good);
        }
        let long = "a".repeat(201);
        for bad in [
            "",
            " ",
            "a\r\nBcc: x@y.example",
            "a\nb",
            "a\rb",
            "a\0b",
            "a\tb",
            "a\u{2028}b",
            "a\u{85}b",
            "a\u{7f}",
            &long,
        ] {
            assert!(HeaderText::parse(bad).is_none(), "{bad:?}");
        }
    }
}
