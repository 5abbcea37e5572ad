//! The part that all identifiers share.

use std::fmt;

/// The error for a text that breaks the rule of an identifier. It does not show the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidIdentifier {
    /// The name of the identifier on the wire.
    pub name: &'static str,
    /// The rule that the text breaks.
    pub rule: &'static str,
}

impl fmt::Display for InvalidIdentifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.name, self.rule)
    }
}

impl std::error::Error for InvalidIdentifier {}

/// Implements parsing by the constants `NAME` and `RULE` and the function `is_valid` of a type, and the text of an
/// identifier.
macro_rules! identifier {
    ($name:ident) => {
        impl $name {
            /// Parses an identifier; `None` if the text breaks the rule.
            pub fn parse(text: &str) -> Option<Self> {
                Self::is_valid(text).then(|| Self(text.to_owned()))
            }

            /// Returns the identifier as it is on the wire.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = $crate::InvalidIdentifier;

            fn try_from(text: String) -> Result<Self, Self::Error> {
                let invalid = $crate::InvalidIdentifier { name: Self::NAME, rule: Self::RULE };
                if Self::is_valid(&text) { Ok(Self(text)) } else { Err(invalid) }
            }
        }

        impl From<$name> for String {
            fn from(identifier: $name) -> Self {
                identifier.0
            }
        }
    };
}

pub(crate) use identifier;
