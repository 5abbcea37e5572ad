//! Trusted issuers of assertions, and the mapping of their subjects to subjects of this server (RFC 7521 §4.1).

use super::MAX_LIFETIME;
use crate::limits::{MAX_ASSERTION_NAME, MAX_ASSERTION_SECONDS};
use crate::shape::{Member, Shape};
use crate::{Client, Problem, STANDARD_SCOPES};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::time::Duration;
use types::remote_url::{self, EgressPolicy};
use types::{Algorithm, ClientId, Scope, Subject};

/// An issuer whose assertions are accepted as grants.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrustedIssuer {
    /// Identifier: `iss` of a JWT, `Issuer` of a SAML assertion.
    pub issuer: String,
    /// Public keys for JWTs (RFC 7517 §5); excludes `jwks_uri`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jwks: Option<Value>,
    /// URL of its public keys.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jwks_uri: Option<String>,
    /// X.509 certificates for SAML, PEM or the base64 of the DER. Only their keys are used.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub certificates: Vec<String>,
    /// Signature algorithms of its assertions.
    #[serde(default = "all_algorithms")]
    pub algorithms: Vec<Algorithm>,
    /// True if its assertions may have the `typ` `JWT` or none, as RFC 7523 has it. Its ID tokens look the same, so an
    /// issuer of ID tokens should not have this (RFC 8725 §3.11).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub plain_jwt: bool,
    /// Mapping of its subjects.
    pub subject: SubjectMapping,
    /// Clients that may present them; without it, every client that is registered for the grant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clients: Option<Vec<ClientId>>,
    /// Largest scope of tokens for its assertions; without it, the scope of the client.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope: Option<Scope>,
    /// Longest lifetime of an assertion, in seconds; an hour without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_lifetime: Option<u64>,
}

fn all_algorithms() -> Vec<Algorithm> {
    Algorithm::ALL.to_vec()
}

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
    /// Maps the subject of an assertion with these claims; `None` if it has no counterpart.
    pub fn map(&self, subject: &str, claims: &Map<String, Value>) -> Option<MappedSubject> {
        let claim = |name: &str| {
            let value = claims.get(name).and_then(Value::as_str).filter(|value| !value.is_empty())?;
            is_verified(name, claims).then_some(value)
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

    fn validate(&self) -> Option<Problem> {
        let rule = match self {
            Self::Same => None,
            Self::Claim(name) | Self::Username(name) => name.is_empty().then_some("name a claim"),
            Self::Map(table) => table.is_empty().then_some("the map is empty"),
            Self::Prefix(prefix) => (!prefix.ends_with([':', '|', '/']))
                .then_some("the prefix must end with : | or /, which no subject made here has"),
        };
        rule.map(|rule| Problem::new("subject", rule))
    }
}

/// True if a claim may name a user. `email` and `phone_number` must be verified (OpenID Connect Core §5.1, §5.7): users of
/// the issuer may choose them. Any other claim must not be marked as unverified.
fn is_verified(name: &str, claims: &Map<String, Value>) -> bool {
    match claims.get(&format!("{name}_verified")) {
        Some(verified) => *verified == Value::Bool(true),
        None => !matches!(name, "email" | "phone_number"),
    }
}

/// The `typ` of JWT assertions (draft-ietf-oauth-rfc7523bis).
const ASSERTION_TYPE: &str = "authorization-grant+jwt";

/// True if `typ` is `expected`, ignoring case and the prefix `application/` (RFC 7515 §4.1.9).
fn is_media_type(typ: &str, expected: &str) -> bool {
    let subtype = match typ.split_once('/') {
        Some((kind, subtype)) if kind.eq_ignore_ascii_case("application") => subtype,
        _ => typ,
    };
    subtype.eq_ignore_ascii_case(expected)
}

/// Returns the problem of a pair of `jwks` and `jwks_uri`: exactly one is given, and this server may call the URL.
pub fn key_source_problem(jwks: Option<&Value>, jwks_uri: Option<&str>, reach: EgressPolicy) -> Option<Problem> {
    match (jwks, jwks_uri) {
        (Some(_), None) => None,
        (None, Some(uri)) => {
            remote_url::parse(uri, reach).err().map(|error| Problem::new("jwks_uri", error.to_string()))
        }
        _ => Some(Problem::new("jwks", "give either jwks or jwks_uri")),
    }
}

impl TrustedIssuer {
    /// The members of a configured issuer.
    pub const MEMBERS: &[Member] = &[
        Member::required("issuer", Shape::Text),
        Member::optional("jwks", Shape::Any("JWK Set")),
        Member::optional("jwks_uri", Shape::Url),
        Member::optional("certificates", Shape::Texts),
        Member::optional("algorithms", Shape::ListOf(|| Algorithm::ALL.iter().map(|alg| alg.as_str()).collect())),
        Member::optional("plain_jwt", Shape::Flag),
        Member::required(
            "subject",
            Shape::Decoded(
                |value| types::json::typed::<SubjectMapping>(value).is_some(),
                "must be \"same\", or an object with one of claim, username, map, prefix",
            ),
        ),
        Member::optional(
            "clients",
            Shape::Decoded(|value| Vec::<ClientId>::deserialize(value).is_ok(), "must be a list of client_ids"),
        ),
        Member::optional("scope", Shape::Scopes),
        Member::optional("max_lifetime", Shape::Seconds),
    ];

    /// Returns the longest lifetime of its assertions.
    pub fn max_lifetime(&self) -> Duration {
        self.max_lifetime.map_or(MAX_LIFETIME, Duration::from_secs)
    }

    /// True if a JWT of this `typ` is an assertion of the issuer, and not an ID token, access token or logout token of it
    /// (RFC 8725 §3.11, draft-ietf-oauth-rfc7523bis).
    pub fn accepts_type(&self, typ: Option<&str>) -> bool {
        let Some(typ) = typ else { return self.plain_jwt };
        is_media_type(typ, ASSERTION_TYPE) || (self.plain_jwt && is_media_type(typ, "JWT"))
    }

    /// True if the client may present its assertions.
    pub fn serves(&self, client: &Client) -> bool {
        self.clients.as_ref().is_none_or(|clients| clients.contains(&client.client_id))
    }

    /// Returns the largest scope that a client gets for one of its assertions. It has none of the standard scopes, which
    /// request an ID token, profile claims or a refresh token: no user signed in here (RFC 7521 §4.1).
    pub fn allowed_scope(&self, client: &Client) -> Scope {
        let allowed = self.scope.as_ref().map_or_else(|| client.scope.clone(), |scope| client.scope.within(scope));
        STANDARD_SCOPES.iter().fold(allowed, |scope, token| scope.without(token))
    }

    /// Returns the problems of an issuer of JWTs. The keys themselves are not checked.
    pub fn validate_jwt(&self, reach: EgressPolicy) -> Vec<Problem> {
        let mut problems = self.validate();
        problems.extend(key_source_problem(self.jwks.as_ref(), self.jwks_uri.as_deref(), reach));
        if !self.certificates.is_empty() {
            problems.push(Problem::new("certificates", "are for issuers of SAML assertions; give jwks or jwks_uri"));
        }
        problems
    }

    /// Returns the problems of an issuer of SAML assertions. The certificates themselves are not checked.
    pub fn validate_saml(&self) -> Vec<Problem> {
        let mut problems = self.validate();
        if self.certificates.is_empty() {
            problems.push(Problem::new("certificates", "at least one is needed, PEM or base64"));
        }
        if self.jwks.is_some() || self.jwks_uri.is_some() {
            problems.push(Problem::new("jwks", "is for issuers of JWTs; give certificates"));
        }
        if self.plain_jwt {
            problems.push(Problem::new("plain_jwt", "is for issuers of JWTs"));
        }
        problems
    }

    fn validate(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        if !(1..=MAX_ASSERTION_NAME).contains(&self.issuer.len()) {
            problems.push(Problem::new("issuer", format!("must be 1 to {MAX_ASSERTION_NAME} bytes")));
        }
        if self.algorithms.is_empty() {
            problems.push(Problem::new("algorithms", "the list is empty; leave it out for all"));
        }
        if self.max_lifetime.is_some_and(|seconds| !(1..=MAX_ASSERTION_SECONDS).contains(&seconds)) {
            problems.push(Problem::new("max_lifetime", format!("must be 1 to {MAX_ASSERTION_SECONDS} seconds")));
        }
        problems.extend(self.subject.validate());
        problems
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;
    use serde_json::json;

    fn issuer(changes: Value) -> TrustedIssuer {
        let mut issuer = json!({ "issuer": "https://idp.example", "jwks": { "keys": [] }, "subject": "same" });
        issuer.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
        serde_json::from_value(issuer).unwrap()
    }

    fn mapped(mapping: Value, claims: Value) -> Option<MappedSubject> {
        let mapping: SubjectMapping = serde_json::from_value(mapping).unwrap();
        mapping.map("ada", claims.as_object().unwrap())
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

    /// RFC 8725 §3.11: an ID token has `typ` `JWT`, or none.
    #[test]
    fn a_plain_jwt_is_an_assertion_only_where_the_operator_says_so() {
        for (changes, accepts_plain) in [(json!({}), false), (json!({ "plain_jwt": true }), true)] {
            let issuer = issuer(changes);
            for typ in ["authorization-grant+jwt", "application/Authorization-Grant+JWT"] {
                assert!(issuer.accepts_type(Some(typ)), "{typ}");
            }
            for typ in [None, Some("JWT"), Some("jwt"), Some("application/jwt")] {
                assert_eq!(issuer.accepts_type(typ), accepts_plain, "{typ:?}");
            }
            for typ in ["at+jwt", "logout+jwt", "", "x/authorization-grant+jwt"] {
                assert!(!issuer.accepts_type(Some(typ)), "{typ}");
            }
        }
    }

    #[test]
    fn machines_have_subjects_that_a_token_can_carry() {
        let mapping = SubjectMapping::Prefix("ci:".to_owned());
        for subject in ["two words", "tab\t", "\u{e9}", &"x".repeat(253)] {
            assert_eq!(mapping.map(subject, &Map::new()), None, "{subject:?}");
        }
    }

    #[test]
    fn all_that_is_wrong_is_said() {
        assert_eq!(issuer(json!({})).validate_jwt(EgressPolicy::Public), []);
        let wrong = issuer(json!({
            "issuer": "", "jwks_uri": "http://example.com", "certificates": ["x"], "algorithms": [],
            "max_lifetime": 0, "subject": { "prefix": "ci" },
        }));
        let members = |problems: Vec<Problem>| -> Vec<String> {
            problems.iter().map(|problem| problem.field().to_owned()).collect()
        };
        assert_eq!(
            members(wrong.validate_jwt(EgressPolicy::Public)),
            ["issuer", "algorithms", "max_lifetime", "subject", "jwks", "certificates"]
        );
        assert_eq!(
            members(issuer(json!({ "plain_jwt": true })).validate_saml()),
            ["certificates", "jwks", "plain_jwt"]
        );
    }

    #[test]
    fn keys_are_in_the_settings_or_where_they_can_be_fetched() {
        let problem = |jwks_uri, reach| key_source_problem(None, Some(jwks_uri), reach);
        for uri in ["nonsense", "http://idp.example/jwks", "https://10.0.0.1/jwks", "https://u:p@idp.example/jwks"] {
            for reach in [EgressPolicy::Public, EgressPolicy::Loopback] {
                assert!(problem(uri, reach).is_some_and(|problem| problem.field() == "jwks_uri"), "{uri}");
            }
        }
        assert_eq!(problem("https://idp.example/jwks", EgressPolicy::Public), None);
        assert_eq!(problem("http://localhost:8080/jwks", EgressPolicy::Loopback), None);
        assert!(problem("http://localhost:8080/jwks", EgressPolicy::Public).is_some());
        assert_eq!(key_source_problem(Some(&json!({})), None, EgressPolicy::Public), None);
        assert!(key_source_problem(None, None, EgressPolicy::Public).is_some());
        assert!(key_source_problem(Some(&json!({})), Some("https://idp.example/"), EgressPolicy::Public).is_some());
    }
}
