//! The full check of the configuration: every problem, with the field of each. The function `configuration` has it, and what starts
//! outside of Workers; another Worker trusts what that function stored (infra/decisions/worker-bundle-weight.md).

use super::{Sections, rules};
use crate::{Config, StatementIssuer};
use protocol::shape::{self, Member};
use protocol::{
    AuthenticationClass, AuthorizationDetailsType, ClaimDefinition, ClaimDefinitions, Problem, Resource, TrustedIssuer,
};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use std::fmt;
use types::remote_url::EgressPolicy;

/// A check of a list that a setting holds: the name of the setting, and the list.
pub type ListCheck = fn(&'static str, &Value, EgressPolicy) -> Vec<Problem>;

/// Returns every problem of a list that a setting holds.
pub fn list_problems(setting: &'static str, list: &Value, reach: EgressPolicy) -> Vec<Problem> {
    let mut checks = SectionChecks { problems: Vec::new(), reach };
    match setting {
        Sections::RESOURCES => checks.resources(setting, list),
        Sections::JWT_ISSUERS => checks.jwt_issuers(setting, list),
        Sections::SAML_ISSUERS => checks.saml_issuers(setting, list),
        _ => checks.statement_issuers(setting, list),
    }
    checks.problems
}

impl Sections {
    /// Checks sections that an operator wrote. Errors: every problem, with the field of each.
    pub fn check(sections: &Map<String, Value>, reach: EgressPolicy) -> Result<Self, Vec<Problem>> {
        let mut checks = SectionChecks { problems: Vec::new(), reach };
        for (name, value) in sections {
            match name.as_str() {
                "resources" => checks.resources("resources", value),
                "claims" => checks.claims("claims", value),
                "authorization_details_types" => {
                    checks.authorization_details_types("authorization_details_types", value)
                }
                "acr" => checks.classes("acr", value),
                "issuers" => checks.issuers(value),
                _ => {
                    let rule = format!("is no section; the sections are {}", Self::NAMES.join(", "));
                    checks.problem(name.clone(), rule);
                }
            }
        }
        let checked = Self::of_store(sections);
        checked.iter().for_each(|checked| checks.granted_to(checked));
        match checked {
            Some(checked) if checks.problems.is_empty() => Ok(checked),
            _ => Err(checks.problems),
        }
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
}

/// Checks of lists, with the problems so far. `name` is the name of a list: of a member of a section, or of a setting.
struct SectionChecks {
    problems: Vec<Problem>,
    reach: EgressPolicy,
}

impl SectionChecks {
    fn problem(&mut self, name: impl Into<String>, rule: impl fmt::Display) {
        self.problems.push(Problem::new(name.into(), rule.to_string()));
    }

    fn issuers(&mut self, value: &Value) {
        let Value::Object(lists) = value else {
            self.problem("issuers", "must be an object with the lists jwt, saml and software_statements");
            return;
        };
        for (name, list) in lists {
            match name.as_str() {
                "jwt" => self.jwt_issuers("issuers.jwt", list),
                "saml" => self.saml_issuers("issuers.saml", list),
                "software_statements" => self.statement_issuers("issuers.software_statements", list),
                _ => self.problem(
                    format!("issuers.{name}"),
                    "is no list of issuers; the lists are jwt, saml, software_statements",
                ),
            }
        }
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

    fn classes(&mut self, name: &'static str, value: &Value) {
        self.list(name, value, AuthenticationClass::MEMBERS, rules::classes);
    }

    fn claims(&mut self, name: &'static str, value: &Value) {
        self.list(name, value, ClaimDefinition::MEMBERS, rules::claims);
    }

    fn authorization_details_types(&mut self, name: &'static str, value: &Value) {
        self.list(name, value, AuthorizationDetailsType::MEMBERS, rules::authorization_details_types);
    }

    fn resources(&mut self, name: &'static str, value: &Value) {
        self.list(name, value, Resource::MEMBERS, rules::resources);
    }

    fn jwt_issuers(&mut self, name: &'static str, value: &Value) {
        let reach = self.reach;
        self.list(name, value, TrustedIssuer::MEMBERS, |issuers| rules::jwt_issuers(issuers, reach));
    }

    fn saml_issuers(&mut self, name: &'static str, value: &Value) {
        self.list(name, value, TrustedIssuer::MEMBERS, rules::saml_issuers);
    }

    fn statement_issuers(&mut self, name: &'static str, value: &Value) {
        let reach = self.reach;
        self.list(name, value, StatementIssuer::MEMBERS, |issuers| rules::statement_issuers(issuers, reach));
    }

    /// Checks the items of a list of objects by their table, then by the rules. An item with a problem ends the check before the
    /// rules, which name positions.
    fn list<T: DeserializeOwned>(
        &mut self,
        name: &'static str,
        value: &Value,
        members: &[Member],
        rules: impl Fn(&[T]) -> Vec<String>,
    ) {
        let before = self.problems.len();
        let Value::Array(items) = value else {
            self.problem(name, "must be a list of objects");
            return;
        };
        let mut list = Vec::new();
        for (position, item) in items.iter().enumerate() {
            let Value::Object(item) = item else {
                self.problem(name, format_args!("[{position}] must be an object"));
                continue;
            };
            let (decoded, problems) = shape::decode(members, item.clone());
            for problem in &problems {
                self.problem(name, format_args!("[{position}] {problem}"));
            }
            list.extend(decoded);
        }
        if self.problems.len() == before {
            rules(&list).into_iter().for_each(|rule| self.problem(name, rule));
        }
    }
}
