//! The mapping of subjects of trusted issuers to subjects of this server (RFC 7521 §4.1).

use super::workload::is_reserved;
use crate::Problem;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use types::Subject;

/// A mapping of the subject of an assertion to a subject of this server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SubjectMapping {
    /// The subject is the same.
    Same,
    /// This claim is the subject, if it is verified.
    Claim(String),
    /// This claim is the username, if it is verified.
    Username(String),
    /// A table of subjects.
    Map(BTreeMap<String, String>),
    /// The subjects are machines without an account here: this prefix and the subject.
    Prefix(String),
}

/// The result of a mapping.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MappedSubject {
    /// User of this subject, if there is one.
    User(Subject),
    /// User of this username, if there is one.
    Username(String),
    /// Machine of this subject.
    Machine(Subject),
}

impl SubjectMapping {
    /// Maps the subject of an assertion with these claims; `None` if it has no counterpart. The issuer vouches for the e-mail
    /// addresses of these domains.
    pub fn map(&self, subject: &str, claims: &Map<String, Value>, domains: &[String]) -> Option<MappedSubject> {
        let claim = |name: &str| {
            let value = claims.get(name).and_then(Value::as_str).filter(|value| !value.is_empty())?;
            let is_vouched_for = || name == "email" && is_of_domain(value, domains);
            is_verified(name, claims, is_vouched_for).then_some(value)
        };
        match self {
            Self::Same => Subject::parse(subject).map(MappedSubject::User),
            Self::Claim(name) => claim(name).and_then(Subject::parse).map(MappedSubject::User),
            Self::Username(name) => claim(name).map(|value| MappedSubject::Username(value.to_owned())),
            Self::Map(table) => table.get(subject).and_then(|known| Subject::parse(known)).map(MappedSubject::User),
            Self::Prefix(prefix) => Some(format!("{prefix}{subject}"))
                .filter(|machine| machine.bytes().all(|byte| byte.is_ascii_graphic()))
                .and_then(|machine| Subject::parse(&machine))
                .map(MappedSubject::Machine),
        }
    }

    pub(super) fn validate(&self) -> Option<Problem> {
        let rule = match self {
            Self::Same => None,
            Self::Claim(name) | Self::Username(name) => name.is_empty().then_some("name a claim"),
            Self::Map(table) => table.is_empty().then_some("the map is empty"),
            Self::Prefix(prefix) if is_reserved(prefix) => Some("the prefix workload: is kept for workloads"),
            Self::Prefix(prefix) => (!prefix.ends_with([':', '|', '/']))
                .then_some("the prefix must end with : | or /, which no subject made here has"),
        };
        rule.map(|rule| Problem::new("subject", rule))
    }
}

/// True if a claim may name a user. `email` and `phone_number` must be verified (OpenID Connect Core §5.1, §5.7): users of
/// the issuer may choose them. Any other claim must not be marked as unverified.
fn is_verified(name: &str, claims: &Map<String, Value>, is_vouched_for: impl Fn() -> bool) -> bool {
    match claims.get(&format!("{name}_verified")) {
        Some(verified) => *verified == Value::Bool(true),
        None => !matches!(name, "email" | "phone_number") || is_vouched_for(),
    }
}

/// True if the e-mail address is of one of these domains.
fn is_of_domain(address: &str, domains: &[String]) -> bool {
    let domain = address.rsplit_once('@').map(|(_, domain)| domain);
    domain.is_some_and(|domain| domains.iter().any(|known| known.eq_ignore_ascii_case(domain)))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;
    use serde_json::json;

    fn mapped(mapping: Value, claims: Value) -> Option<MappedSubject> {
        let mapping: SubjectMapping = serde_json::from_value(mapping).unwrap();
        mapping.map("ada", claims.as_object().unwrap(), &["acme.example".to_owned()])
    }

    #[test]
    fn subjects_are_mapped_as_configured() {
        let user = |subject: &str| Some(MappedSubject::User(Subject::parse(subject).unwrap()));
        assert_eq!(mapped(json!("same"), json!({})), user("ada"));
        assert_eq!(mapped(json!({ "claim": "uid" }), json!({ "uid": "u1" })), user("u1"));
        assert_eq!(mapped(json!({ "claim": "uid" }), json!({ "uid": 1 })), None);
        assert_eq!(mapped(json!({ "claim": "uid" }), json!({})), None);
        assert_eq!(mapped(json!({ "map": { "ada": "u2" } }), json!({})), user("u2"));
        assert_eq!(mapped(json!({ "map": { "bob": "u2" } }), json!({})), None);
        assert_eq!(
            mapped(json!({ "prefix": "ci:" }), json!({})),
            Some(MappedSubject::Machine(Subject::parse("ci:ada").unwrap()))
        );
        assert_eq!(
            mapped(json!({ "username": "login" }), json!({ "login": "ada" })),
            Some(MappedSubject::Username("ada".to_owned()))
        );
    }

    /// OpenID Connect Core §5.7: other claims than `sub` may be chosen by users of the issuer.
    #[test]
    fn a_claim_that_is_not_verified_names_no_user() {
        for name in ["email", "phone_number"] {
            for mapping in [json!({ "username": name }), json!({ "claim": name })] {
                let by = |verified: Value| {
                    let mut claims = json!({ name: "a@b" });
                    if !verified.is_null() {
                        claims[format!("{name}_verified")] = verified;
                    }
                    mapped(mapping.clone(), claims)
                };
                assert!(by(json!(true)).is_some(), "{mapping}");
                for verified in [json!(null), json!(false), json!("true"), json!(1)] {
                    assert_eq!(by(verified.clone()), None, "{mapping} {verified}");
                }
            }
        }
        let login = |verified: Value| {
            mapped(json!({ "username": "login" }), json!({ "login": "ada", "login_verified": verified }))
        };
        assert!(login(json!(true)).is_some() && login(json!(false)).is_none() && login(json!(null)).is_none());
    }

    #[test]
    fn machines_have_subjects_that_a_token_can_carry() {
        let mapping = SubjectMapping::Prefix("ci:".to_owned());
        for subject in ["two words", "tab\t", "\u{e9}", &"x".repeat(253)] {
            assert_eq!(mapping.map(subject, &Map::new(), &[]), None, "{subject:?}");
        }
    }

    /// OpenID Connect Core §5.7: an issuer is believed about addresses of its own domains alone.
    #[test]
    fn an_address_of_a_domain_of_the_issuer_needs_no_mark() {
        let by = |claims: Value| mapped(json!({ "username": "email" }), claims);
        assert!(by(json!({ "email": "ada@ACME.example" })).is_some());
        for claims in [
            json!({ "email": "ada@acme.example", "email_verified": false }),
            json!({ "email": "ada@acme.example.evil.example" }),
            json!({ "email": "ada@x.acme.example" }),
            json!({ "email": "acme.example" }),
            json!({ "email": "ada@acme.example@evil.example" }),
        ] {
            assert_eq!(by(claims.clone()), None, "{claims}");
        }
        assert_eq!(mapped(json!({ "username": "phone_number" }), json!({ "phone_number": "1@acme.example" })), None);
    }
}
