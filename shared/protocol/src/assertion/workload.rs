//! Workloads: programs that a platform identifies by a JWT of its own (MCP Workload Identity Federation). They have no client
//! here; a rule of the platform's settings says what they get.

use super::ClaimRules;
use crate::limits::MAX_WORKLOAD_NAME;
use crate::shape::{self, Member, Shape};
use crate::{Client, GrantType, Problem, StoredClient, resource};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use types::{ClientId, Scope, Subject};

/// The beginning of the `client_id` and `sub` of every workload. No client and no user can have one that begins so.
const NAMESPACE: &str = "workload:";

/// A rule: the tokens of a platform that it accepts, and the access tokens that these workloads get.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Workload {
    /// Name of the rule. Access tokens have the `client_id` `workload:NAME`.
    pub name: String,
    /// Claims of the token that identify the workload.
    pub claims: ClaimRules,
    /// Claim whose value is added to the `sub` of access tokens, as `workload:NAME:VALUE`; without it, `sub` is the `client_id`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject_claim: Option<String>,
    /// Largest scope.
    pub scope: Scope,
    /// Resources that it may request.
    pub resources: Vec<String>,
}

impl Workload {
    /// The names of the members.
    pub const NAMES: [&str; Self::MEMBERS.len()] = shape::names(Self::MEMBERS);

    /// The members of a configured rule.
    pub const MEMBERS: &[Member] = &[
        Member::required("name", Shape::Text),
        Member::required("claims", Shape::Decoded(Value::is_object, "must be an object of claims and their values")),
        Member::optional("subject_claim", Shape::Text),
        Member::required("scope", Shape::Scopes),
        Member::required("resources", Shape::Uris),
    ];

    /// Returns the `client_id` of its access tokens.
    pub fn client_id(&self) -> Option<ClientId> {
        ClientId::parse(&format!("{NAMESPACE}{}", self.name))
    }

    /// Returns the name of the rule of access tokens with this `client_id`.
    pub fn name_of(client_id: &ClientId) -> Option<&str> {
        client_id.as_str().strip_prefix(NAMESPACE)
    }

    /// True if it allows all of these resources.
    pub fn allows<'a>(&self, mut resources: impl Iterator<Item = &'a str>) -> bool {
        resources.all(|requested| self.resources.iter().any(|allowed| resource::is_same(allowed, requested)))
    }

    /// Returns the `sub` of the access token for a token with these claims; `None` if the claim of the setting is missing, or
    /// is no text that a `sub` may have.
    pub fn subject(&self, claims: &Map<String, Value>) -> Option<Subject> {
        let client_id = self.client_id()?;
        let Some(claim) = &self.subject_claim else { return Some(Subject::from(&client_id)) };
        let value = claims.get(claim)?.as_str().filter(|value| !value.is_empty())?;
        let is_visible = value.bytes().all(|byte| byte.is_ascii_graphic());
        Subject::parse(&format!("{client_id}:{value}")).filter(|_| is_visible)
    }

    /// Returns the client that a workload acts as. The store has no such client.
    pub fn as_client(&self) -> Option<StoredClient> {
        let client: Client = types::json::typed(&json!({
            "client_id": self.client_id()?,
            "grant_types": [GrantType::JwtBearer],
            "scope": self.scope,
            "resources": self.resources,
        }))?;
        Some(StoredClient::new(client, Vec::new()))
    }

    /// Returns the problem of the rule, if it has one.
    pub(super) fn problem(&self) -> Option<Problem> {
        let is_name = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
        if !(1..=MAX_WORKLOAD_NAME).contains(&self.name.len()) || !self.name.bytes().all(is_name) {
            let rule = format!("must be 1 to {MAX_WORKLOAD_NAME} of A-Z a-z 0-9 - . _");
            return Some(Problem::new("name", rule).with_value(&self.name));
        }
        if self.claims.is_empty() {
            return Some(Problem::new("claims", "must name a claim that identifies the workload"));
        }
        let wrong = self.resources.iter().find_map(|uri| Some((uri, resource::identifier_problem(uri)?)));
        match wrong {
            Some((uri, rule)) => Some(Problem::new("resources", rule).with_value(uri)),
            None if self.resources.is_empty() => Some(Problem::new("resources", "must name a resource")),
            None => self.claims.problem(),
        }
    }
}

/// True if a `client_id` or `sub` is kept for workloads: no client and no user may have it.
pub fn is_reserved(name: &str) -> bool {
    name.get(..NAMESPACE.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(NAMESPACE))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    fn workload(changes: Value) -> Workload {
        let mut rule = json!({ "name": "deploy", "claims": { "sub": "repo:octo/app" }, "scope": "read", "resources": ["https://mcp.example"] });
        rule.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
        serde_json::from_value(rule).unwrap()
    }

    #[test]
    fn names_are_in_a_space_of_their_own() {
        let claims = json!({ "sub": "repo:octo/app", "n": 7, "space": "a b", "long": "x".repeat(255), "": "" });
        let subject = |changes: Value| workload(changes).subject(claims.as_object().unwrap());
        let sub = |text: &str| Some(Subject::parse(text).unwrap());
        assert_eq!(subject(json!({})), sub("workload:deploy"));
        assert_eq!(subject(json!({ "subject_claim": "sub" })), sub("workload:deploy:repo:octo/app"));
        for claim in ["n", "space", "long", "missing", ""] {
            assert_eq!(subject(json!({ "subject_claim": claim })), None, "{claim}");
        }
        let client = workload(json!({})).as_client().unwrap();
        assert_eq!(client.client.client_id.as_str(), "workload:deploy");
        assert_eq!(Workload::name_of(&client.client.client_id), Some("deploy"));
        assert!(is_reserved("workload:deploy") && is_reserved("WORKLOAD:x"));
        assert!(!is_reserved("workload") && !is_reserved("my-workload:x") && !is_reserved("\u{e9}workload:"));
        assert!(!client.client.validate().is_empty(), "nobody can register it");
    }

    #[test]
    fn rules_that_identify_nothing_are_problems() {
        assert_eq!(workload(json!({})).problem(), None);
        for (field, changes) in [
            ("name", json!({ "name": "" })),
            ("name", json!({ "name": "a:b" })),
            ("name", json!({ "name": "x".repeat(65) })),
            ("claims", json!({ "claims": {} })),
            ("claims.iss", json!({ "claims": { "iss": "https://idp.example" } })),
            ("claims.sub", json!({ "claims": { "sub": "*" } })),
            ("resources", json!({ "resources": [] })),
            ("resources", json!({ "resources": ["mcp"] })),
        ] {
            assert_eq!(workload(changes).problem().unwrap().field(), field);
        }
    }
}
