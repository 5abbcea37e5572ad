//! The sections of the configuration.

use super::rules;
use crate::{HandlerError, StatementIssuer};
use protocol::{AuthenticationClasses, AuthorizationDetailsTypes, ClaimDefinitions, Resource, TrustedIssuer, Workload};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};
use std::sync::OnceLock;
use types::ClientId;
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
    /// Types of authorization details (RFC 9396).
    #[serde(default)]
    pub authorization_details_types: Option<AuthorizationDetailsTypes>,
    /// Authentication context classes that the operator configured.
    #[serde(default)]
    pub acr: Option<AuthenticationClasses>,
}

impl Sections {
    /// Names of the sections.
    pub const NAMES: [&str; 5] = ["acr", "authorization_details_types", "claims", "issuers", "resources"];

    /// The setting with the section `resources`.
    pub(crate) const RESOURCES: &str = "LATCHKEY_RESOURCES";
    /// The settings with the lists of the section `issuers`.
    pub(crate) const JWT_ISSUERS: &str = "LATCHKEY_TRUSTED_ISSUERS";
    pub(crate) const SAML_ISSUERS: &str = "LATCHKEY_TRUSTED_SAML_ISSUERS";
    pub(crate) const STATEMENT_ISSUERS: &str = "LATCHKEY_SOFTWARE_STATEMENT_ISSUERS";

    /// Reads stored sections, which were checked when they were applied. Members and sections of later versions are ignored.
    /// `None` if a section has another form.
    pub fn of_store(sections: &Map<String, Value>) -> Option<Self> {
        types::json::typed(&Value::Object(sections.clone()))
    }

    /// Reads resources of the environment. Errors: the rule that they break.
    pub(crate) fn resources_of_environment(list: Value) -> Result<Vec<Resource>, String> {
        of_environment(&items(list)?, &Resource::NAMES, rules::resources)
    }
}

/// Trusted issuers, by what they sign.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Issuers {
    #[serde(default)]
    jwt: IssuerList<TrustedIssuer>,
    #[serde(default)]
    saml: IssuerList<TrustedIssuer>,
    #[serde(default)]
    software_statements: IssuerList<StatementIssuer>,
}

impl Issuers {
    /// Returns the issuers of the environment. Each list is checked when it is used first. Errors: the setting that is no list.
    pub(crate) fn of_environment(
        [jwt, saml, statements]: [Option<Value>; 3],
        reach: EgressPolicy,
    ) -> Result<Self, (&'static str, String)> {
        let list = |setting, list: Option<Value>| match list.map(items) {
            None => Ok(Vec::new()),
            Some(list) => list.map_err(|rule| (setting, rule)),
        };
        Ok(Self {
            jwt: IssuerList::new(list(Sections::JWT_ISSUERS, jwt)?, Some(reach)),
            saml: IssuerList::new(list(Sections::SAML_ISSUERS, saml)?, Some(reach)),
            software_statements: IssuerList::new(list(Sections::STATEMENT_ISSUERS, statements)?, Some(reach)),
        })
    }

    /// Returns the issuers whose JWTs are accepted as grants (RFC 7523). Errors: `temporarily_unavailable` if they cannot be read.
    pub fn jwt(&self) -> Result<&[TrustedIssuer], HandlerError> {
        let are_known = |item: &Value| match item.get("workloads") {
            Some(Value::Array(workloads)) => {
                workloads.iter().find_map(|workload| protocol::shape::unknown(&Workload::NAMES, workload))
            }
            _ => None,
        };
        self.jwt.get("jwt", |items, reach| {
            if let Some(unknown) = items.iter().find_map(are_known) {
                return Err(format!("workloads: {unknown}"));
            }
            of_environment(items, &TrustedIssuer::NAMES, |issuers| rules::jwt_issuers(issuers, reach))
        })
    }

    /// Returns the issuers whose SAML assertions are accepted as grants (RFC 7522). Errors: `temporarily_unavailable` if they cannot
    /// be read.
    pub fn saml(&self) -> Result<&[TrustedIssuer], HandlerError> {
        self.saml.get("saml", |items, _| of_environment(items, &TrustedIssuer::NAMES, rules::saml_issuers))
    }

    /// Returns the issuers of software statements (RFC 7591 §2.3). Errors: `temporarily_unavailable` if they cannot be read.
    pub fn software_statements(&self) -> Result<&[StatementIssuer], HandlerError> {
        self.software_statements.get("software_statements", |items, reach| {
            of_environment(items, &StatementIssuer::NAMES, |issuers| rules::statement_issuers(issuers, reach))
        })
    }

    /// True if there is a rule for the workload with this `client_id`. Decodes no issuer.
    pub(super) fn have_workload(&self, client_id: &ClientId) -> bool {
        let named = Workload::name_of(client_id);
        let workloads = self.jwt.items.iter().filter_map(|issuer| issuer.get("workloads")?.as_array()).flatten();
        let mut names = workloads.filter_map(|workload| workload.get("name")?.as_str());
        names.any(|name| Some(name) == named)
    }

    /// True if an issuer has ID-JAGs. Decodes no issuer.
    pub(super) fn have_id_jags(&self) -> bool {
        self.jwt.items.iter().any(|issuer| issuer.get("id_jag").and_then(Value::as_bool) == Some(true))
    }

    /// True if there is an issuer of SAML assertions. Decodes no issuer.
    pub(super) const fn have_saml(&self) -> bool {
        !self.saml.items.is_empty()
    }
}

/// A list of issuers. It is decoded when it is used first: a Worker that does not use it has no code for its items.
#[derive(Clone, Debug)]
struct IssuerList<T> {
    items: Vec<Value>,
    /// The addresses that this server may call, if the list is of the environment. It was not checked before, then.
    of_environment: Option<EgressPolicy>,
    decoded: OnceLock<Result<Vec<T>, String>>,
}

impl<T> IssuerList<T> {
    const fn new(items: Vec<Value>, of_environment: Option<EgressPolicy>) -> Self {
        Self { items, of_environment, decoded: OnceLock::new() }
    }
}

impl<T> Default for IssuerList<T> {
    fn default() -> Self {
        Self::new(Vec::new(), None)
    }
}

impl<'de, T> Deserialize<'de> for IssuerList<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Vec::deserialize(deserializer).map(|items| Self::new(items, None))
    }
}

impl<T: DeserializeOwned> IssuerList<T> {
    fn get(
        &self,
        name: &str,
        of_environment: impl Fn(&[Value], EgressPolicy) -> Result<Vec<T>, String>,
    ) -> Result<&[T], HandlerError> {
        let decoded = self.decoded.get_or_init(|| match self.of_environment {
            None => decoded(&self.items),
            Some(reach) => of_environment(&self.items, reach),
        });
        let decoded = decoded.as_deref();
        decoded.map_err(|reason| HandlerError::unavailable(format!("configuration: issuers.{name}: {reason}")))
    }
}

/// Returns the items of a list.
fn items(list: Value) -> Result<Vec<Value>, String> {
    if let Value::Array(items) = list { Ok(items) } else { Err("must be a list of objects".to_owned()) }
}

/// Decodes a list of the environment. Errors: the first problem. The function `configuration` writes every problem to its log when it
/// starts.
fn of_environment<T: DeserializeOwned>(
    items: &[Value],
    names: &[&str],
    rules: impl Fn(&[T]) -> Vec<String>,
) -> Result<Vec<T>, String> {
    if let Some(unknown) = items.iter().find_map(|item| protocol::shape::unknown(names, item)) {
        return Err(unknown.to_string());
    }
    let list = decoded(items)?;
    match rules(&list).into_iter().next() {
        None => Ok(list),
        Some(rule) => Err(rule),
    }
}

fn decoded<T: DeserializeOwned>(items: &[Value]) -> Result<Vec<T>, String> {
    let json = serde_json::to_vec(items).map_err(|_| "is no JSON".to_owned())?;
    types::json::decode(&json).map_err(|error| error.to_string())
}
