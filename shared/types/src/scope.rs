//! Scopes (RFC 6749 §3.3).

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;

/// Greatest number of scope tokens: no request needs as many, and sets are compared token by token.
const MAX_TOKENS: usize = 256;

/// A set of scope tokens in their original order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scope(Vec<String>);

impl Scope {
    /// Parses a space-separated list; `None` if it has a character that is not allowed (RFC 6749 §3.3) or more than
    /// 256 tokens.
    pub fn parse(text: &str) -> Option<Self> {
        Self::read(text, MAX_TOKENS)
    }

    /// Reads a stored union of several scopes, which may have more than 256 tokens.
    pub fn recall(text: &str) -> Option<Self> {
        Self::read(text, usize::MAX)
    }

    fn read(text: &str, most: usize) -> Option<Self> {
        let mut tokens: Vec<String> = Vec::new();
        for token in text.split(' ').filter(|token| !token.is_empty()) {
            if !token.bytes().all(|byte| matches!(byte, 0x21 | 0x23..=0x5B | 0x5D..=0x7E)) {
                return None;
            }
            if !tokens.iter().any(|known| known == token) {
                if tokens.len() == most {
                    return None;
                }
                tokens.push(token.to_owned());
            }
        }
        Some(Self(tokens))
    }

    /// True if there is no token.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// True if the scope contains this token.
    pub fn contains(&self, token: &str) -> bool {
        self.0.iter().any(|known| known == token)
    }

    /// True if `other` contains each of its tokens.
    pub fn is_within(&self, other: &Self) -> bool {
        self.0.iter().all(|token| other.contains(token))
    }

    /// Returns the intersection, in the order of this scope.
    #[must_use]
    pub fn within(&self, other: &Self) -> Self {
        self.filtered(|token| other.contains(token))
    }

    /// Returns the union.
    #[must_use]
    pub fn with(&self, other: &Self) -> Self {
        let mut all = self.0.clone();
        all.extend(other.0.iter().filter(|token| !self.contains(token)).cloned());
        Self(all)
    }

    /// Returns the scope without this token.
    #[must_use]
    pub fn without(&self, token: &str) -> Self {
        self.filtered(|known| known != token)
    }

    /// Returns the tokens for which `keep` is true.
    #[must_use]
    pub fn filtered(&self, keep: impl Fn(&str) -> bool) -> Self {
        Self(self.0.iter().filter(|token| keep(token)).cloned().collect())
    }

    /// Returns the tokens.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join(" "))
    }
}

impl Serialize for Scope {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Scope {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| {
            serde::de::Error::custom("scope must be at most 256 names separated by spaces (RFC 6749 section 3.3)")
        })
    }
}
