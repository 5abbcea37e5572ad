//! Rules for claims of an assertion: each named claim has a value, or begins or ends like it.

use crate::Problem;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// Claims that other rules check, so that a rule for them would identify nothing.
const CHECKED: [&str; 6] = ["iss", "aud", "exp", "nbf", "iat", "jti"];

/// The values that claims must have, by name.
///
/// A text matches the same text. A `*` at its end or beginning matches one or more characters. `true` and `false` match
/// themselves. A claim that is missing, or of another JSON type, matches nothing: a list is not its only item.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ClaimRules(Map<String, Value>);

impl ClaimRules {
    /// True if there are no rules.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// True if there is a rule for the claim.
    pub fn names(&self, claim: &str) -> bool {
        self.0.contains_key(claim)
    }

    /// True if the claims keep each rule.
    pub fn accept(&self, claims: &Map<String, Value>) -> bool {
        self.0.iter().all(|(name, rule)| claims.get(name).is_some_and(|value| matches(rule, value)))
    }

    /// Returns the problem of the rules, if they have one.
    pub fn problem(&self) -> Option<Problem> {
        self.0.iter().find_map(|(name, rule)| {
            let rule = match rule {
                _ if CHECKED.contains(&name.as_str()) => Some("is checked anyway and identifies no workload or user"),
                Value::String(text) => pattern_problem(text),
                Value::Bool(_) => None,
                _ => Some("must be text, true or false"),
            };
            rule.map(|rule| Problem::new(format!("claims.{name}"), rule))
        })
    }
}

fn matches(rule: &Value, value: &Value) -> bool {
    let (Some(rule), Some(value)) = (rule.as_str(), value.as_str()) else { return rule.is_boolean() && rule == value };
    let rest = match (rule.strip_suffix('*'), rule.strip_prefix('*')) {
        (Some(begin), _) => value.strip_prefix(begin),
        (None, Some(end)) => value.strip_suffix(end),
        (None, None) => return rule == value,
    };
    rest.is_some_and(|rest| !rest.is_empty())
}

/// Returns the rule that a pattern breaks. The text beside `*` must have an end: `repo:octo/app*` also matches a repository
/// `app-of-another-team`, and `*example.com` a host of anyone.
fn pattern_problem(pattern: &str) -> Option<&'static str> {
    let is_boundary = |char: Option<char>| char.is_some_and(|char| !char.is_alphanumeric());
    let (literal, has_boundary) = match (pattern.strip_suffix('*'), pattern.strip_prefix('*')) {
        (Some(begin), _) => (begin, is_boundary(begin.chars().next_back())),
        (None, Some(end)) => (end, is_boundary(end.chars().next())),
        (None, None) => (pattern, true),
    };
    match literal {
        "" => Some("must have text besides *"),
        literal if literal.contains('*') => Some("may have one *, at the beginning or at the end"),
        _ if !has_boundary => Some("must have a separator such as : / or @ between the text and *"),
        _ => None,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;
    use serde_json::json;

    fn rules(value: Value) -> ClaimRules {
        serde_json::from_value(value).unwrap()
    }

    fn accepts(rule: Value, claim: Value) -> bool {
        rules(json!({ "x": rule })).accept(json!({ "x": claim }).as_object().unwrap())
    }

    #[test]
    fn a_claim_has_the_value_or_begins_or_ends_like_it() {
        assert!(accepts(json!("repo:octo/app"), json!("repo:octo/app")));
        assert!(accepts(json!("repo:octo/*"), json!("repo:octo/app:ref:refs/heads/main")));
        assert!(accepts(json!("*@acme.example"), json!("bot@acme.example")));
        assert!(accepts(json!(true), json!(true)));
        for (rule, claim) in [
            (json!("repo:octo/app"), json!("repo:octo/app2")),
            (json!("repo:octo/app"), json!("Repo:octo/app")),
            (json!("repo:octo/*"), json!("repo:octo/")),
            (json!("repo:octo/*"), json!("xrepo:octo/app")),
            (json!("repo:octo/*"), json!("repo:octopus/app")),
            (json!("*@acme.example"), json!("bot@acme.example.evil.example")),
            (json!("*@acme.example"), json!("@acme.example")),
            (json!("7"), json!(7)),
            (json!("true"), json!(true)),
            (json!(true), json!("true")),
            (json!("a"), json!(["a"])),
            (json!("a"), json!({ "a": "a" })),
            (json!("a"), json!(null)),
        ] {
            assert!(!accepts(rule.clone(), claim.clone()), "{rule} {claim}");
        }
    }

    #[test]
    fn each_rule_must_hold() {
        let both = rules(json!({ "x": "a", "y": "b" }));
        assert!(both.accept(json!({ "x": "a", "y": "b", "z": 1 }).as_object().unwrap()));
        assert!(!both.accept(json!({ "x": "a" }).as_object().unwrap()), "a claim is missing");
        assert!(!both.accept(json!({ "x": "a", "y": "c" }).as_object().unwrap()));
    }

    #[test]
    fn patterns_that_match_more_than_they_say_are_problems() {
        let problem = |rule: Value| rules(json!({ "sub": rule })).problem();
        for fine in [json!("a"), json!("repo:octo/*"), json!("app-*"), json!("*@acme.example"), json!(false)] {
            assert_eq!(problem(fine.clone()), None, "{fine}");
        }
        for wrong in
            [json!("*"), json!(""), json!("a*b"), json!("*a*"), json!("repo:octo*"), json!("*acme.example"), json!(7)]
        {
            assert!(problem(wrong.clone()).is_some(), "{wrong}");
        }
        assert!(rules(json!({ "aud": "https://id.example" })).problem().is_some(), "every assertion has it");
    }
}
