//! The sections of the configuration: their members and their rules.

use crate::{Config, StatementIssuer};
use jose::{JwkSet, PublicKey};
use protocol::shape::{self, Member};
use protocol::{ClaimDefinition, ClaimDefinitions, Problem, Resource, TrustedIssuer, key_source_problem};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use std::fmt;
use types::remote_url::EgressPolicy;

/// Sections of the configuration. A section that is `None` is not set.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Sections {
    /// APIs that a request may name as `resource` (RFC 8707).
    #[serde(default)]
    pub resources: Option<Vec<Resource>>,
    /// Trusted issuers.
    #[serde(default)]
    pub issuers: Option<Issuers>,
    /// Claims that the operator defined.
    #[serde(default)]
    pub claims: Option<ClaimDefinitions>,
}

/// Trusted issuers, by what they sign.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Issuers {
    /// Issuers whose JWTs are accepted as grants (RFC 7523).
    #[serde(default)]
    pub jwt: Vec<TrustedIssuer>,
    /// Issuers whose SAML assertions are accepted as grants (RFC 7522).
    #[serde(default)]
    pub saml: Vec<TrustedIssuer>,
    /// Issuers of software statements (RFC 7591 §2.3).
    #[serde(default)]
    pub software_statements: Vec<StatementIssuer>,
}

impl Sections {
    /// Names of the sections.
    pub const NAMES: [&str; 3] = ["claims", "issuers", "resources"];

    /// Reads stored sections, which were checked when they were applied. Members and sections of later versions are ignored.
    /// `None` if a section has another form.
    pub fn of_store(sections: &Map<String, Value>) -> Option<Self> {
        types::json::typed(&Value::Object(sections.clone()))
    }

    /// Returns a problem for each resource whose access tokens would be signed by another algorithm than it demands: it would reject
    /// every one of them.
    pub fn signature_problems(&self, config: &Config) -> Vec<Problem> {
        let resources = self.resources.iter().flatten().enumerate();
        let problem = |(position, resource): (usize, &Resource)| {
            let problem = resource.signature_problem(config.signing.offered())?;
            let name = &resource.resource;
            let rule = format!(
                "[{position}] ({name}) {problem}; or take the key type out of LATCHKEY_OMITTED_KEY_TYPES first"
            );
            Some(Problem::new("resources", rule))
        };
        resources.filter_map(problem).collect()
    }

    /// Checks sections that an operator wrote. Errors: every problem, with the field of each.
    pub fn check(sections: Map<String, Value>, reach: EgressPolicy) -> Result<Self, Vec<Problem>> {
        let mut checks = SectionChecks::new(reach);
        let mut checked = Self::default();
        for (name, value) in sections {
            match name.as_str() {
                "resources" => checked.resources = Some(checks.resources("resources", value)),
                "claims" => checked.claims = Some(checks.claims("claims", value)),
                "issuers" => checked.issuers = Some(checks.issuers(value)),
                _ => {
                    let rule = format!("is no section; the sections are {}", Self::NAMES.join(", "));
                    checks.problem(name, rule);
                }
            }
        }
        checks.granted_to(&checked);
        if checks.problems.is_empty() { Ok(checked) } else { Err(checks.problems) }
    }
}

/// Checks of lists, with the problems so far. `name` is the name of a list: of a member of a section, or of a setting.
pub(crate) struct SectionChecks {
    pub(crate) problems: Vec<Problem>,
    reach: EgressPolicy,
}

impl SectionChecks {
    pub(crate) fn new(reach: EgressPolicy) -> Self {
        Self { problems: Vec::new(), reach }
    }

    fn problem(&mut self, name: impl Into<String>, rule: impl fmt::Display) {
        self.problems.push(Problem::new(name.into(), rule.to_string()));
    }

    fn issuers(&mut self, value: Value) -> Issuers {
        let mut issuers = Issuers::default();
        let Value::Object(lists) = value else {
            self.problem("issuers", "must be an object with the lists jwt, saml and software_statements");
            return issuers;
        };
        for (name, list) in lists {
            match name.as_str() {
                "jwt" => issuers.jwt = self.jwt_issuers("issuers.jwt", list),
                "saml" => issuers.saml = self.saml_issuers("issuers.saml", list),
                "software_statements" => {
                    issuers.software_statements = self.statement_issuers("issuers.software_statements", list);
                }
                _ => self.problem(
                    format!("issuers.{name}"),
                    "is no list of issuers; the lists are jwt, saml, software_statements",
                ),
            }
        }
        issuers
    }

    /// Checks that the claims which decide about scopes are defined.
    fn granted_to(&mut self, sections: &Sections) {
        let none = ClaimDefinitions::default();
        let defined = sections.claims.as_ref().unwrap_or(&none);
        for (position, resource) in sections.resources.iter().flatten().enumerate() {
            let claims = resource.granted_to.values().flat_map(|claims| claims.keys());
            for claim in claims.filter(|claim| !defined.is_text(claim)) {
                let rule = "granted_to: names a claim that the section claims does not define as string or strings";
                self.problem("resources", format_args!("[{position}] ({}) {rule}: {claim}", resource.resource));
            }
        }
    }

    /// Checks definitions of claims.
    fn claims(&mut self, name: &'static str, value: Value) -> ClaimDefinitions {
        let claims: Vec<ClaimDefinition> = self.list(name, value, ClaimDefinition::MEMBERS);
        for (position, claim) in claims.iter().enumerate() {
            for problem in claim.validate() {
                self.problem(name, format_args!("[{position}] ({}) {problem}", claim.name));
            }
            if claims.iter().take(position).any(|before| before.name == claim.name) {
                self.problem(name, format_args!("[{position}] ({}) name: is there twice", claim.name));
            }
        }
        ClaimDefinitions(claims)
    }

    /// Checks resources.
    pub(crate) fn resources(&mut self, name: &'static str, value: Value) -> Vec<Resource> {
        let resources: Vec<Resource> = self.list(name, value, Resource::MEMBERS);
        for (position, resource) in resources.iter().enumerate() {
            if let Some(problem) = resource.validate() {
                self.problem(name, format_args!("[{position}] {problem}"));
            }
            if resources.iter().take(position).any(|before| before.resource == resource.resource) {
                self.problem(name, format_args!("[{position}] ({}) resource: is there twice", resource.resource));
            }
        }
        resources
    }

    /// Checks issuers of JWTs, and their keys.
    pub(crate) fn jwt_issuers(&mut self, name: &'static str, value: Value) -> Vec<TrustedIssuer> {
        let reach = self.reach;
        self.trusted_issuers(name, value, |trusted| {
            let mut problems = trusted.validate_jwt(reach);
            problems.extend(key_set_problem(trusted.jwks.as_ref()));
            problems
        })
    }

    /// Checks issuers of SAML assertions, and their certificates.
    pub(crate) fn saml_issuers(&mut self, name: &'static str, value: Value) -> Vec<TrustedIssuer> {
        self.trusted_issuers(name, value, |trusted| {
            let mut problems = trusted.validate_saml();
            for (position, _) in
                trusted.certificates.iter().enumerate().filter(|(_, text)| PublicKey::from_certificate(text).is_none())
            {
                let rule = "is no X.509 certificate with an RSA or P-256 key";
                problems.push(Problem::new(format!("certificates[{position}]"), rule));
            }
            problems
        })
    }

    /// Checks issuers of software statements, and their keys.
    pub(crate) fn statement_issuers(&mut self, name: &'static str, value: Value) -> Vec<StatementIssuer> {
        let issuers: Vec<StatementIssuer> = self.list(name, value, StatementIssuer::MEMBERS);
        for (position, trusted) in issuers.iter().enumerate() {
            let no_name = trusted.issuer.is_empty().then(|| Problem::new("issuer", "must not be empty"));
            let no_source = key_source_problem(trusted.jwks.as_ref(), trusted.jwks_uri.as_deref(), self.reach);
            for problem in no_name.into_iter().chain(no_source).chain(key_set_problem(trusted.jwks.as_ref())) {
                self.problem(name, format_args!("[{position}] ({}) {problem}", trusted.issuer));
            }
        }
        issuers
    }

    fn trusted_issuers(
        &mut self,
        name: &'static str,
        value: Value,
        problems: impl Fn(&TrustedIssuer) -> Vec<Problem>,
    ) -> Vec<TrustedIssuer> {
        let issuers: Vec<TrustedIssuer> = self.list(name, value, TrustedIssuer::MEMBERS);
        for (position, trusted) in issuers.iter().enumerate() {
            for problem in problems(trusted) {
                self.problem(name, format_args!("[{position}] ({}) {problem}", trusted.issuer));
            }
            if issuers.iter().take(position).any(|before| before.issuer == trusted.issuer) {
                self.problem(name, format_args!("[{position}] ({}) issuer: is there twice", trusted.issuer));
            }
            let before = issuers.iter().take(position).flat_map(|before| &before.workloads);
            for workload in before.filter(|before| trusted.workloads.iter().any(|own| own.name == before.name)) {
                let name_of_rule = &workload.name;
                self.problem(
                    name,
                    format_args!("[{position}] ({}) workloads: another issuer has '{name_of_rule}'", trusted.issuer),
                );
            }
        }
        issuers
    }

    /// Returns the items of a list of objects; none if one of them has a problem, because later problems name positions.
    fn list<T: DeserializeOwned>(&mut self, name: &'static str, value: Value, members: &[Member]) -> Vec<T> {
        let before = self.problems.len();
        let Value::Array(items) = value else {
            self.problem(name, "must be a list of objects");
            return Vec::new();
        };
        let mut list = Vec::new();
        for (position, item) in items.into_iter().enumerate() {
            let Value::Object(item) = item else {
                self.problem(name, format_args!("[{position}] must be an object"));
                continue;
            };
            let (decoded, problems) = shape::decode(members, item);
            for problem in &problems {
                self.problem(name, format_args!("[{position}] {problem}"));
            }
            list.extend(decoded);
        }
        if self.problems.len() == before { list } else { Vec::new() }
    }
}

/// Returns the problem of keys that are in the configuration.
fn key_set_problem(jwks: Option<&Value>) -> Option<Problem> {
    let has_keys = JwkSet::from_value(jwks?).is_some_and(|set| !set.keys.is_empty());
    let rule = "must be a JWK Set with a public key for ES256, RS256, PS256 or EdDSA";
    (!has_keys).then(|| Problem::new("jwks", rule))
}
