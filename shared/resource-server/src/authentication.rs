//! The sign-in that a request needs (RFC 9470).

use crate::Claims;
use std::time::Duration;
use types::Timestamp;
use types::json::numeric_date;

/// The sign-in that a request needs: its class, and its age. The default needs none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct RequiredAuthentication {
    /// `acr_values`: the authentication context classes of which the sign-in must have one; any suffices if the list is empty.
    pub acr_values: Vec<String>,
    /// `max_age`: the time since the sign-in, in seconds.
    pub max_age: Option<u64>,
}

impl RequiredAuthentication {
    /// Returns the requirement of one of these authentication context classes, and of a sign-in that is not older than this
    /// many seconds.
    pub fn new(acr_values: &[&str], max_age: Option<u64>) -> Self {
        Self { acr_values: acr_values.iter().map(|acr| (*acr).to_owned()).collect(), max_age }
    }

    /// Reads the words of a rule: `acr_values=CLASS`, any number of times, and `max_age=SECONDS`. `None` if another word is among
    /// them, or nothing is required.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let mut required = Self::default();
        for word in text.split_ascii_whitespace() {
            match word.split_once('=')? {
                // The challenge quotes it (RFC 9110 §5.6.4).
                ("acr_values", acr) if !acr.is_empty() && acr.bytes().all(is_plain) => {
                    required.acr_values.push(acr.to_owned());
                }
                ("max_age", seconds) if required.max_age.is_none() => required.max_age = Some(seconds.parse().ok()?),
                _ => return None,
            }
        }
        (required != Self::default()).then_some(required)
    }

    /// True if the sign-in of a token fulfils the requirement. A token without a user has none. Clocks may differ by `skew`.
    pub(crate) fn is_met(&self, claims: &Claims, skew: Duration, now: Timestamp) -> bool {
        let acr = claims.others.get("acr").and_then(|acr| acr.as_str());
        let has_class = self.acr_values.is_empty() || acr.is_some_and(|acr| self.acr_values.iter().any(|it| it == acr));
        let is_recent = self.max_age.is_none_or(|max_age| {
            let signed_in = numeric_date(&claims.others, "auth_time").ok().flatten();
            let age = Duration::from_secs(max_age).saturating_add(skew);
            signed_in.is_some_and(|at| now.since(at) <= age)
        });
        has_class && is_recent
    }

    /// Returns the parameters of the challenge (RFC 9470 §3).
    pub(crate) fn parameters(&self) -> String {
        let mut parameters = String::new();
        if !self.acr_values.is_empty() {
            parameters += &format!(", acr_values=\"{}\"", self.acr_values.join(" "));
        }
        if let Some(max_age) = self.max_age {
            parameters += &format!(", max_age=\"{max_age}\"");
        }
        parameters
    }
}

/// True for a visible ASCII character without a quote and a backslash.
fn is_plain(byte: u8) -> bool {
    byte.is_ascii_graphic() && byte != b'"' && byte != b'\\'
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    const NOW: Timestamp = Timestamp::from_secs(1_800_000_000);
    const SKEW: Duration = Duration::from_secs(30);

    fn is_met(rule: &str, acr: Value, age: u64) -> bool {
        let auth_time = NOW.as_secs().checked_sub(age).unwrap();
        let claims = json!({
            "sub": "ada", "client_id": "app", "aud": "x", "exp": 1, "acr": acr, "auth_time": auth_time,
        });
        let claims = serde_json::from_value(claims).unwrap();
        RequiredAuthentication::parse(rule).unwrap().is_met(&claims, SKEW, NOW)
    }

    #[test]
    fn class_and_age_of_the_sign_in_count() {
        for (rule, acr, age, met) in [
            ("acr_values=urn:a", json!("urn:a"), 99_999, true),
            ("acr_values=urn:a acr_values=urn:b", json!("urn:b"), 0, true),
            ("acr_values=urn:a", json!("urn:b"), 0, false),
            ("acr_values=urn:a", json!("urn:a urn:b"), 0, false),
            ("acr_values=urn:a", json!(["urn:a"]), 0, false),
            ("acr_values=urn:a", Value::Null, 0, false),
            ("max_age=60", Value::Null, 90, true),
            ("max_age=60", json!("urn:a"), 91, false),
            ("max_age=0", json!("urn:a"), 30, true),
            ("max_age=0", json!("urn:a"), 31, false),
            ("acr_values=urn:a max_age=60", json!("urn:a"), 91, false),
            ("max_age=60 acr_values=urn:a", json!("urn:b"), 1, false),
        ] {
            assert_eq!(is_met(rule, acr.clone(), age), met, "{rule} {acr} {age}");
        }
    }

    #[test]
    fn a_token_without_a_sign_in_fulfils_nothing() {
        let claims: Claims =
            serde_json::from_value(json!({ "sub": "app", "client_id": "app", "aud": "x", "exp": 1 })).unwrap();
        for rule in ["acr_values=urn:a", "max_age=600", "max_age=18446744073709551615"] {
            assert!(!RequiredAuthentication::parse(rule).unwrap().is_met(&claims, SKEW, NOW), "{rule}");
        }
        assert!(RequiredAuthentication::default().is_met(&claims, SKEW, NOW));
    }

    #[test]
    fn other_words_are_no_requirement() {
        for text in [
            "",
            "acr_values",
            "acr_values=",
            "acr=urn:a",
            "max_age=x",
            "max_age=-1",
            "max_age=1 max_age=2",
            "acr_values=\"",
            "write",
        ] {
            assert_eq!(RequiredAuthentication::parse(text), None, "{text}");
        }
        let both = RequiredAuthentication::new(&["urn:a", "urn:b"], Some(5));
        assert_eq!(RequiredAuthentication::parse("acr_values=urn:a max_age=5 acr_values=urn:b"), Some(both.clone()));
        assert_eq!(both.parameters(), r#", acr_values="urn:a urn:b", max_age="5""#);
    }
}
