//! PRECIS (RFC 8264): one form for each username and each password, however it was typed.
//!
//! `infra/decisions/names-and-passwords.md` says which parts of RFC 8265 are here, and why there is no table of characters.

use crate::limits::{MAX_PASSWORD, MAX_USERNAME};
use std::fmt;

/// The properties of characters that the rules need. The platform has the tables.
#[derive(Clone, Copy, Debug)]
pub struct Unicode {
    /// Returns the Normalization Form C of a text.
    pub nfc: fn(&str) -> String,
    /// Returns the Normalization Form KC of a text.
    pub nfkc: fn(&str) -> String,
    /// True if the character is a letter, a mark or a decimal digit: General_Category L*, Mn, Mc or Nd.
    pub is_letter_mark_or_digit: fn(char) -> bool,
}

/// The sign-in name of a user in its one form: UsernameCaseMapped (RFC 8265 §3.3).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Username(String);

impl Username {
    /// Rule that a username must meet, for error messages.
    pub const RULE: &'static str = "must be 1 to 128 bytes of letters, digits and visible ASCII characters; single spaces may separate words, and right-to-left letters stand alone (RFC 8265)";

    /// Returns the one form of a username that a user typed or an operator sent: full-width characters become ordinary ones,
    /// letters become lower case, the text becomes Normalization Form C. Spaces around it are dropped. Returns `None` if it
    /// breaks [`Self::RULE`].
    pub fn prepare(typed: &str, unicode: &Unicode) -> Option<Self> {
        let typed = typed.trim();
        if typed.is_ascii() {
            return Self::prepare_ascii(typed);
        }
        // Normalization can make a text shorter, but not this much: longer ones are not worth the work.
        if typed.len() > MAX_USERNAME.saturating_mul(3) {
            return None;
        }
        let mapped: String = typed.chars().map(|character| half_width(character, unicode)).collect();
        let name = (unicode.nfc)(&mapped.to_lowercase());
        let is_allowed = |character: char| {
            character.is_ascii_graphic()
                || (unicode.is_letter_mark_or_digit)(character) && {
                    let text = character.to_string();
                    (unicode.nfkc)(&text) == text
                }
        };
        (name.len() <= MAX_USERNAME && is_made_of_parts(&name, is_allowed) && has_one_direction(&name))
            .then_some(Self(name))
    }

    /// Does the same as [`prepare`](Self::prepare) for a name of ASCII characters, which needs no tables.
    pub fn prepare_ascii(typed: &str) -> Option<Self> {
        let name = typed.trim().to_ascii_lowercase();
        (name.len() <= MAX_USERNAME && is_made_of_parts(&name, |character| character.is_ascii_graphic()))
            .then_some(Self(name))
    }

    /// Returns the name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Username {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A password in its one form: OpaqueString (RFC 8265 §4.2). Hidden from Debug.
#[derive(Clone, PartialEq, Eq)]
pub struct Password(String);

impl Password {
    /// Rule that a password must meet to be compared at all, for error messages.
    pub const RULE: &'static str = "must be 1 to 1024 bytes without control characters";

    /// Returns the one form of a password: each space is an ordinary one, the text is in Normalization Form C; case and width
    /// stay. Returns `None` if it breaks [`Self::RULE`].
    pub fn prepare(typed: &str, unicode: &Unicode) -> Option<Self> {
        if typed.len() > MAX_PASSWORD || typed.is_empty() || typed.chars().any(char::is_control) {
            return None;
        }
        if typed.is_ascii() {
            return Some(Self(typed.to_owned()));
        }
        let spaced: String = typed.chars().map(|c| if c.is_whitespace() { ' ' } else { c }).collect();
        Some(Self((unicode.nfc)(&spaced))).filter(|password| password.0.len() <= MAX_PASSWORD)
    }

    /// Returns the text, to hash it or to compare it with a hash.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Password").finish_non_exhaustive()
    }
}

/// Width mapping (RFC 8265 §3.3.2): the ordinary form of a full-width or half-width character.
fn half_width(character: char, unicode: &Unicode) -> char {
    match character {
        '\u{3000}' => ' ',
        '\u{FF00}'..='\u{FFEF}' => {
            let ordinary = (unicode.nfkc)(character.encode_utf8(&mut [0; 4]));
            let mut characters = ordinary.chars();
            match (characters.next(), characters.next()) {
                (Some(ordinary), None) => ordinary,
                _ => character,
            }
        }
        _ => character,
    }
}

/// True if the text is `userpart *(1*SP userpart)` with single spaces (RFC 8265 §3.1).
fn is_made_of_parts(name: &str, is_allowed: impl Fn(char) -> bool) -> bool {
    name.split(' ').all(|part| !part.is_empty() && part.chars().all(&is_allowed))
}

/// The directionality rule (RFC 8265 §3.3.2, RFC 5893 §2), narrowed: a name with a right-to-left letter starts with one, ends
/// with one or with a digit, and has no left-to-right letter. Otherwise two names could look the same.
fn has_one_direction(name: &str) -> bool {
    if !name.chars().any(is_right_to_left) {
        return true;
    }
    let is_digit = |character: char| character.is_ascii_digit();
    name.chars().next().is_some_and(is_right_to_left)
        && name.chars().next_back().is_some_and(|last| is_right_to_left(last) || is_digit(last))
        && !name.chars().any(|character| character.is_alphabetic() && !is_right_to_left(character))
}

/// True for the characters of blocks whose default direction is right to left (UAX #9, DerivedBidiClass).
const fn is_right_to_left(character: char) -> bool {
    matches!(
        character,
        '\u{0590}'..='\u{08FF}' | '\u{FB1D}'..='\u{FDFF}' | '\u{FE70}'..='\u{FEFF}' | '\u{10800}'..='\u{10FFF}' | '\u{1E800}'..='\u{1EFFF}'
    )
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// The tables of the platform.
    pub(in crate::authentication) const TABLES: Unicode = {
        use platform::unicode::{is_letter_mark_or_digit, nfc, nfkc};
        Unicode { nfc, nfkc, is_letter_mark_or_digit }
    };

    fn name(typed: &str) -> Option<String> {
        Username::prepare(typed, &TABLES).map(|name| name.to_string())
    }

    fn password(typed: &str) -> Option<String> {
        Password::prepare(typed, &TABLES).map(|password| password.expose().to_owned())
    }

    /// RFC 8265 §3.5, and what users type.
    #[test]
    fn a_name_has_one_form() {
        for (typed, prepared) in [
            ("Juliet@example.com", "juliet@example.com"),
            (" ADA ", "ada"),
            ("Zo\u{eb}", "zo\u{eb}"),
            ("Zoe\u{308}", "zo\u{eb}"),
            ("\u{ff21}\u{ff44}\u{ff41}", "ada"),
            ("\u{ff76}\u{ff9e}", "\u{30ac}"),
            ("fu\u{df}ball", "fu\u{df}ball"),
            ("\u{3c0}", "\u{3c0}"),
            ("\u{3a3}", "\u{3c3}"),
            ("foo bar", "foo bar"),
            ("\u{645}\u{631}\u{64a}\u{645}7", "\u{645}\u{631}\u{64a}\u{645}7"),
            ("\u{928}\u{92e}\u{938}\u{94d}\u{924}\u{947}", "\u{928}\u{92e}\u{938}\u{94d}\u{924}\u{947}"),
        ] {
            assert_eq!(name(typed).as_deref(), Some(prepared), "{typed}");
            assert_eq!(name(prepared).as_deref(), Some(prepared), "the form of the form: {typed}");
        }
    }

    /// RFC 8265 §3.5: symbols, compatibility characters, invisible characters and mixed directions.
    #[test]
    fn names_that_could_be_mistaken_are_refused() {
        let long = "a".repeat(129);
        for typed in [
            "",
            "  ",
            "a  b",
            "a\u{0}b",
            "\u{265a}",
            "henry\u{2163}",
            "a\u{200d}b",
            "\u{202e}ada",
            "a\u{ad}b",
            "\u{1f511}",
            "ada\u{5d0}",
            "\u{5d0}ada",
            "\u{5d0}.",
            "\u{e000}",
            long.as_str(),
        ] {
            assert_eq!(name(typed), None, "{typed:?}");
        }
    }

    /// RFC 8265 §4.3.
    #[test]
    fn a_password_has_one_form() {
        for (typed, prepared) in [
            ("correct horse battery staple", "correct horse battery staple"),
            ("Correct Horse", "Correct Horse"),
            ("\u{3c0}\u{df}\u{e5}", "\u{3c0}\u{df}\u{e5}"),
            ("Jack of \u{2666}s", "Jack of \u{2666}s"),
            ("foo\u{1680}bar\u{a0}x", "foo bar x"),
            ("e\u{301}", "\u{e9}"),
            ("\u{ff21}", "\u{ff21}"),
        ] {
            assert_eq!(password(typed).as_deref(), Some(prepared), "{typed}");
        }
        for typed in ["", "my cat is a \u{9}by", "a\nb", "\u{85}", &"x".repeat(1025)] {
            assert_eq!(password(typed), None, "{typed:?}");
        }
        assert_eq!(password(&"x".repeat(1024)).map(|text| text.len()), Some(1024));
        assert_eq!(format!("{:?}", Password::prepare("secret", &TABLES)), "Some(Password { .. })");
    }
}
