//! Identifiers by which a user is found, beside the sign-in name.

use crate::limits::{MAX_EMAIL_ADDRESS, MAX_EXTERNAL_ID};
use serde::{Deserialize, Serialize};

/// One e-mail address (RFC 5321 §4.1.2, dot-string form), as it was typed. Two addresses are equal if they differ in case alone.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct EmailAddress(String);

impl EmailAddress {
    /// Rule that an address must meet, for error messages.
    pub const RULE: &'static str = "must be one e-mail address of at most 254 ASCII characters, such as ada@example.com; \
                                    an international domain is written in its xn-- form";

    /// Parses an address. `None` if it breaks [`Self::RULE`]: quotes, comments, spaces, control characters, an IP address as domain.
    pub fn parse(text: &str) -> Option<Self> {
        let (local, domain) = text.split_once('@')?;
        let is_valid = text.len() <= MAX_EMAIL_ADDRESS && is_local_part(local) && is_domain(domain);
        is_valid.then(|| Self(text.to_owned()))
    }

    /// Returns the address as it was typed: mail goes there.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the form that identifies the address: all of it in lower case. Dots and `+tags` stay.
    pub fn lower_cased(&self) -> String {
        self.0.to_ascii_lowercase()
    }

    /// Returns the domain, in lower case.
    pub fn domain(&self) -> String {
        self.0.split_once('@').map_or("", |(_, domain)| domain).to_ascii_lowercase()
    }
}

impl PartialEq for EmailAddress {
    fn eq(&self, other: &Self) -> bool {
        self.0.eq_ignore_ascii_case(&other.0)
    }
}

impl Eq for EmailAddress {}

impl TryFrom<String> for EmailAddress {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text).ok_or(Self::RULE)
    }
}

impl From<EmailAddress> for String {
    fn from(address: EmailAddress) -> Self {
        address.0
    }
}

/// True for atoms (RFC 5322 §3.2.3) with single dots between them, of at most 64 bytes (RFC 5321 §4.5.3.1.1).
fn is_local_part(local: &str) -> bool {
    let is_atom = |atom: &str| {
        !atom.is_empty()
            && atom.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~".contains(&byte))
    };
    local.len() <= 64 && local.split('.').all(is_atom)
}

/// True for a host name (RFC 1123 §2.1). The last label has a letter, so an IP address is none.
fn is_domain(domain: &str) -> bool {
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let has_letter = |label: &str| label.bytes().any(|byte| byte.is_ascii_alphabetic());
    domain.len() <= 253 && domain.split('.').all(is_label) && domain.rsplit('.').next().is_some_and(has_letter)
}

/// `externalId`: the identifier of a user, or of a group, in the directory that provisions it (RFC 7643 §3.1). Case matters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExternalId(String);

impl ExternalId {
    /// Rule that an identifier must meet, for error messages.
    pub const RULE: &'static str = "must be 1 to 255 bytes without control characters";

    /// Parses an identifier. `None` if it breaks [`Self::RULE`].
    pub fn parse(text: &str) -> Option<Self> {
        let is_valid = (1..=MAX_EXTERNAL_ID).contains(&text.len()) && !text.chars().any(char::is_control);
        is_valid.then(|| Self(text.to_owned()))
    }

    /// Returns the identifier.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_kept_as_typed_and_compared_in_lower_case() {
        let address = EmailAddress::parse("Ada.Lovelace+notes@Example.COM").unwrap();
        assert_eq!(address.as_str(), "Ada.Lovelace+notes@Example.COM");
        assert_eq!(address.lower_cased(), "ada.lovelace+notes@example.com");
        assert_eq!(address.domain(), "example.com");
        assert_eq!(Some(address), EmailAddress::parse("ada.lovelace+notes@example.com"));
        assert_ne!(EmailAddress::parse("a.da@example.com"), EmailAddress::parse("ada@example.com"));
    }

    #[test]
    fn an_address_is_one_address() {
        let labels = format!("a@{}", vec!["b"; 126].join("."));
        for right in ["a@b", "o'neil@example.com", "a@xn--bcher-kva.example", "a_b@1x.example", &labels] {
            assert!(EmailAddress::parse(right).is_some(), "{right}");
        }
        let (long, host) = (format!("{}@example.com", "a".repeat(65)), format!("a@{}.example", "b".repeat(64)));
        let longer = format!("{}@{}.example", "a".repeat(64), vec!["b"; 95].join("."));
        for wrong in [
            "",
            "@",
            "a",
            "a@",
            "@b",
            "a@b@c",
            "a b@c",
            " a@b",
            "a@b ",
            "a@b\r\nBcc: c@d",
            "a\0@b",
            "a@b\n",
            "a,b@c",
            "a@b,c@d",
            "<a@b>",
            "\"a\"@b",
            "a.@b",
            ".a@b",
            "a..a@b",
            "a@b.",
            "a@.b",
            "a@-b",
            "a@b-",
            "a@127.0.0.1",
            "a@[127.0.0.1]",
            "a@b_c",
            "\u{e4}@b",
            "a@b\u{fc}cher.example",
            "a@b;c",
            "a(b)@c",
            &long,
            &host,
            &longer,
        ] {
            assert!(EmailAddress::parse(wrong).is_none(), "{wrong:?}");
        }
    }

    #[test]
    fn an_external_id_is_bounded() {
        for right in ["x", "00u1ab", "B\u{e4}r 7", &"a".repeat(255)] {
            assert_eq!(ExternalId::parse(right).unwrap().as_str(), right);
        }
        for wrong in ["", "a\nb", "a\0", &"a".repeat(256)] {
            assert_eq!(ExternalId::parse(wrong), None, "{wrong:?}");
        }
    }
}
