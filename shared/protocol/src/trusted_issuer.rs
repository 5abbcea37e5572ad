//! Issuers of assertions that a deployment trusts, and whom their assertions stand for here (RFC 7521 §4.1).

use crate::{Client, MAX_ASSERTION_LIFETIME, STANDARD_SCOPES};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::time::Duration;
use types::remote_url::{self, EgressPolicy};
use types::{Algorithm, Scope};

/// An issuer whose assertions are accepted as grants.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrustedIssuer {
    /// Its name, as its assertions have it: `iss` of a JWT, `Issuer` of a SAML assertion.
    pub issuer: String,
    /// Its public keys (RFC 7517 §5); for JWTs either these or `jwks_uri`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jwks: Option<Value>,
    /// Where its public keys are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jwks_uri: Option<String>,
    /// Its X.509 certificates, PEM or the base64 of the DER, for SAML. Their keys alone count.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub certificates: Vec<String>,
    /// How its assertions may be signed.
    #[serde(default = "all_algorithms")]
    pub algorithms: Vec<Algorithm>,
    /// Whom its assertions stand for.
    pub subject: SubjectMapping,
    /// The clients that may present them; any that is registered for the grant when it does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clients: Option<Vec<String>>,
    /// The most that its assertions are good for; what the client may ask for when it does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope: Option<Scope>,
    /// How long an assertion may be good for, in seconds; an hour when it does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_lifetime: Option<u64>,
}

fn all_algorithms() -> Vec<Algorithm> {
    Algorithm::ALL.to_vec()
}

/// Whom an assertion stands for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SubjectMapping {
    /// Its subject is the subject of a person here.
    Same,
    /// This claim is the subject of a person here.
    Claim(String),
    /// This claim is what a person here signs in as. An `email` that is said not to be verified is not one.
    Username(String),
    /// A table from its subjects to those of persons here.
    Map(BTreeMap<String, String>),
    /// Its subjects are machines, nobody's account: this prefix and its subject.
    Prefix(String),
}

/// Who that is here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MappedSubject {
    /// The person of this subject, if there is one.
    Person(String),
    /// Whoever signs in as this, if somebody does.
    Username(String),
    /// A machine of this subject.
    Machine(String),
}

impl SubjectMapping {
    /// Who the subject of an assertion with these claims is here; `None` when it is nobody.
    pub fn map(&self, subject: &str, claims: &Map<String, Value>) -> Option<MappedSubject> {
        let claim = |name: &str| claims.get(name).and_then(Value::as_str).filter(|value| !value.is_empty());
        match self {
            Self::Same => Some(MappedSubject::Person(subject.to_owned())),
            Self::Claim(name) => claim(name).map(|value| MappedSubject::Person(value.to_owned())),
            Self::Username(name) => {
                let is_unverified = name == "email"
                    && claims.get("email_verified").is_some_and(|verified| *verified != Value::Bool(true));
                claim(name).filter(|_| !is_unverified).map(|value| MappedSubject::Username(value.to_owned()))
            }
            Self::Map(table) => table.get(subject).map(|known| MappedSubject::Person(known.clone())),
            // At most what a subject may have (OpenID Connect Core §2).
            Self::Prefix(prefix) => Some(format!("{prefix}{subject}"))
                .filter(|machine| machine.len() <= 255 && machine.bytes().all(|byte| byte.is_ascii_graphic()))
                .map(MappedSubject::Machine),
        }
    }

    fn problem(&self) -> Option<&'static str> {
        match self {
            Self::Same => None,
            Self::Claim(name) | Self::Username(name) => name.is_empty().then_some("subject: name a claim"),
            Self::Map(table) => table.is_empty().then_some("subject: the map is empty"),
            Self::Prefix(prefix) => (!prefix.ends_with([':', '|', '/']))
                .then_some("subject: the prefix must end with : | or /, which no subject made here has"),
        }
    }
}

/// What is wrong with where somebody's keys are: either in the settings, or at a URL that this server may call.
pub fn key_source_problem(jwks: Option<&Value>, jwks_uri: Option<&str>, reach: EgressPolicy) -> Option<String> {
    match (jwks, jwks_uri) {
        (Some(_), None) => None,
        (None, Some(uri)) => remote_url::parse(uri, reach).err().map(|problem| format!("jwks_uri: {problem}")),
        _ => Some("jwks: give either jwks or jwks_uri".to_owned()),
    }
}

impl TrustedIssuer {
    /// How long one of its assertions may be good for.
    pub fn max_lifetime(&self) -> Duration {
        self.max_lifetime.map_or(MAX_ASSERTION_LIFETIME, Duration::from_secs)
    }

    /// Whether a client may present its assertions.
    pub fn serves(&self, client: &Client) -> bool {
        self.clients.as_ref().is_none_or(|clients| clients.contains(&client.client_id))
    }

    /// The most that a client gets for one of its assertions. No scope that asks for an ID token, for claims of a
    /// profile or for a refresh token: nobody signed in here (RFC 7521 §4.1).
    pub fn allowed_scope(&self, client: &Client) -> Scope {
        let allowed = self.scope.as_ref().map_or_else(|| client.scope.clone(), |scope| client.scope.within(scope));
        STANDARD_SCOPES.iter().fold(allowed, |scope, token| scope.without(token))
    }

    /// All that is wrong with one whose assertions are JWTs, each with the name of the member; its keys themselves are
    /// not looked at.
    pub fn jwt_problems(&self, reach: EgressPolicy) -> Vec<String> {
        let mut problems = self.problems();
        problems.extend(key_source_problem(self.jwks.as_ref(), self.jwks_uri.as_deref(), reach));
        if !self.certificates.is_empty() {
            problems.push("certificates: are for LATCHKEY_TRUSTED_SAML_ISSUERS; give jwks or jwks_uri".to_owned());
        }
        problems
    }

    /// All that is wrong with one whose assertions are SAML, each with the name of the member.
    pub fn saml_problems(&self) -> Vec<String> {
        let mut problems = self.problems();
        if self.certificates.is_empty() {
            problems.push("certificates: at least one is needed, PEM or base64".to_owned());
        }
        if self.jwks.is_some() || self.jwks_uri.is_some() {
            problems.push("jwks: is for LATCHKEY_TRUSTED_ISSUERS; give certificates".to_owned());
        }
        problems
    }

    fn problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        if self.issuer.is_empty() || self.issuer.len() > 512 {
            problems.push("issuer: must be 1 to 512 bytes".to_owned());
        }
        if self.algorithms.is_empty() {
            problems.push("algorithms: the list is empty; leave it out for all".to_owned());
        }
        if self.max_lifetime.is_some_and(|seconds| !(1..=86_400).contains(&seconds)) {
            problems.push("max_lifetime: must be 1 to 86400 seconds".to_owned());
        }
        problems.extend(self.subject.problem().map(str::to_owned));
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
        let person = |subject: &str| Some(MappedSubject::Person(subject.to_owned()));
        assert_eq!(mapped(json!("same"), json!({})), person("ada"));
        assert_eq!(mapped(json!({ "claim": "uid" }), json!({ "uid": "u1" })), person("u1"));
        assert_eq!(mapped(json!({ "claim": "uid" }), json!({ "uid": 1 })), None);
        assert_eq!(mapped(json!({ "claim": "uid" }), json!({})), None);
        assert_eq!(mapped(json!({ "map": { "ada": "u2" } }), json!({})), person("u2"));
        assert_eq!(mapped(json!({ "map": { "bob": "u2" } }), json!({})), None);
        assert_eq!(mapped(json!({ "prefix": "ci:" }), json!({})), Some(MappedSubject::Machine("ci:ada".to_owned())));
        assert_eq!(
            mapped(json!({ "username": "email" }), json!({ "email": "a@b" })),
            Some(MappedSubject::Username("a@b".to_owned()))
        );
        for verified in [json!(false), json!("true"), json!(null)] {
            assert_eq!(
                mapped(json!({ "username": "email" }), json!({ "email": "a@b", "email_verified": verified })),
                None
            );
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
        assert_eq!(issuer(json!({})).jwt_problems(EgressPolicy::Public), Vec::<String>::new());
        let wrong = issuer(json!({
            "issuer": "", "jwks_uri": "http://example.com", "certificates": ["x"], "algorithms": [],
            "max_lifetime": 0, "subject": { "prefix": "ci" },
        }));
        let members = |problems: Vec<String>| -> Vec<String> {
            problems.iter().map(|problem| problem.split(':').next().unwrap().to_owned()).collect()
        };
        assert_eq!(
            members(wrong.jwt_problems(EgressPolicy::Public)),
            ["issuer", "algorithms", "max_lifetime", "subject", "jwks", "certificates"]
        );
        assert_eq!(members(issuer(json!({})).saml_problems()), ["certificates", "jwks"]);
    }

    #[test]
    fn keys_are_in_the_settings_or_where_they_can_be_fetched() {
        let problem = |jwks_uri, reach| key_source_problem(None, Some(jwks_uri), reach);
        for uri in ["nonsense", "http://idp.example/jwks", "https://10.0.0.1/jwks", "https://u:p@idp.example/jwks"] {
            for reach in [EgressPolicy::Public, EgressPolicy::Loopback] {
                assert!(problem(uri, reach).is_some_and(|problem| problem.starts_with("jwks_uri: ")), "{uri}");
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
