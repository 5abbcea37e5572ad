//! Identity Assertion JWT Authorization Grant, ID-JAG (draft-ietf-oauth-identity-assertion-authz-grant §3, §4.4): an identity
//! provider lets a client act for a user at another authorization server. MCP calls it enterprise-managed authorization.

use super::{Assertion, AssertionProblem, TrustedIssuer};
use serde_json::{Map, Value};
use std::time::Duration;
use types::{ClientId, Scope};

/// `typ` of an ID-JAG (§3.1).
pub const ID_JAG_TYPE: &str = "oauth-id-jag+jwt";
/// Name of the token type (§4.3).
pub const ID_JAG_TOKEN_TYPE: &str = "urn:ietf:params:oauth:token-type:id-jag";
/// Name of the grant profile (§7.2).
pub const ID_JAG_PROFILE: &str = "urn:ietf:params:oauth:grant-profile:id-jag";
/// The longest lifetime of an ID-JAG that is accepted, unless the settings of its issuer have another.
pub(super) const MAX_ID_JAG_LIFETIME: Duration = Duration::from_secs(600);

/// Claims that limit the grant in a way which this server does not know. An ID-JAG with one of them is rejected.
const UNSUPPORTED: [&str; 2] = ["cnf", "authorization_details"];
/// Claims that name a tenant. Two tenants may give one `sub` to two users, so the settings of the issuer must name the tenant.
const TENANTS: [&str; 2] = ["tenant", "aud_tenant"];

/// The limits that an ID-JAG sets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdJag {
    /// `resource`: the only resources; empty if it names none.
    pub resources: Vec<String>,
    /// `scope`: the largest scope.
    pub scope: Option<Scope>,
}

impl IdJag {
    /// Checks the claims that an ID-JAG has beside those of other assertions (§4.4.1). `client_id` is the client of the request.
    pub fn check(
        assertion: &Assertion,
        client_id: &ClientId,
        issuer: &TrustedIssuer,
    ) -> Result<Self, AssertionProblem> {
        use AssertionProblem as Problem;
        let claims = &assertion.claims;
        if !claims.contains_key("jti") {
            return Err(Problem::NoName);
        }
        if assertion.issued_at.is_none() {
            return Err(Problem::NoIssueTime);
        }
        if claims.get("client_id").and_then(Value::as_str) != Some(client_id.as_str()) {
            return Err(Problem::Client);
        }
        if UNSUPPORTED.iter().any(|claim| claims.contains_key(*claim)) {
            return Err(Problem::Unsupported);
        }
        if TENANTS.iter().any(|claim| claims.contains_key(*claim) && !issuer.claims.names(claim)) {
            return Err(Problem::Claims);
        }
        Ok(Self { resources: resources(claims)?, scope: scope(claims)? })
    }
}

/// Reads `resource`: a text, or a list of texts.
fn resources(claims: &Map<String, Value>) -> Result<Vec<String>, AssertionProblem> {
    let text = |value: &Value| value.as_str().filter(|text| !text.is_empty()).map(str::to_owned);
    let resources = match claims.get("resource") {
        None => Some(Vec::new()),
        Some(Value::Array(several)) => {
            several.iter().map(text).collect::<Option<_>>().filter(|all: &Vec<_>| !all.is_empty())
        }
        Some(one) => text(one).map(|one| vec![one]),
    };
    resources.ok_or(AssertionProblem::Limits)
}

/// Reads `scope`. An empty one is malformed (RFC 6749 §3.3): it must not count as none, which sets no limit.
fn scope(claims: &Map<String, Value>) -> Result<Option<Scope>, AssertionProblem> {
    let Some(scope) = claims.get("scope") else { return Ok(None) };
    let scope = scope.as_str().and_then(Scope::parse).filter(|scope| !scope.is_empty());
    scope.map(Some).ok_or(AssertionProblem::Limits)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;
    use serde_json::json;
    use types::{Jti, Timestamp};

    fn check(changes: Value) -> Result<IdJag, AssertionProblem> {
        let mut claims = json!({ "client_id": "app", "jti": "a", "resource": "https://mcp.example", "scope": "read" });
        for (name, value) in changes.as_object().unwrap() {
            claims[name] = value.clone();
        }
        claims.as_object_mut().unwrap().retain(|_, value| !value.is_null());
        let issued_at = claims.get("iat").is_none().then_some(Timestamp::from_secs(1));
        let issuer = json!({ "issuer": "https://idp.example", "subject": "same", "id_jag": true, "claims": { "tenant": "acme" } });
        let assertion = Assertion {
            issuer: "https://idp.example".to_owned(),
            subject: "ada".to_owned(),
            jti: Jti::parse("a").unwrap(),
            expires_at: Timestamp::from_secs(9),
            issued_at,
            claims: claims.as_object().unwrap().clone(),
        };
        IdJag::check(&assertion, &ClientId::parse("app").unwrap(), &serde_json::from_value(issuer).unwrap())
    }

    #[test]
    fn limits_are_read() {
        let read = check(json!({})).unwrap();
        assert_eq!(read.resources, ["https://mcp.example"]);
        assert_eq!(read.scope, Scope::parse("read"));
        assert_eq!(check(json!({ "resource": ["https://a", "https://b"] })).unwrap().resources.len(), 2);
        let open = check(json!({ "resource": null, "scope": null })).unwrap();
        assert_eq!((open.resources.len(), open.scope), (0, None));
        assert!(check(json!({ "tenant": "acme" })).is_ok(), "the rules of the issuer name it");
    }

    #[test]
    fn each_binding_refuses() {
        use AssertionProblem as Problem;
        for (changes, problem) in [
            (json!({ "client_id": null }), Problem::Client),
            (json!({ "client_id": "other" }), Problem::Client),
            (json!({ "client_id": ["app"] }), Problem::Client),
            (json!({ "jti": null }), Problem::NoName),
            (json!({ "iat": 1 }), Problem::NoIssueTime),
            (json!({ "cnf": { "jkt": "x" } }), Problem::Unsupported),
            (json!({ "authorization_details": [] }), Problem::Unsupported),
            (json!({ "aud_tenant": "t" }), Problem::Claims),
            (json!({ "resource": "" }), Problem::Limits),
            (json!({ "resource": [] }), Problem::Limits),
            (json!({ "resource": ["https://a", 1] }), Problem::Limits),
            (json!({ "resource": {} }), Problem::Limits),
            (json!({ "scope": "" }), Problem::Limits),
            (json!({ "scope": ["read"] }), Problem::Limits),
            (json!({ "scope": "re\"ad" }), Problem::Limits),
        ] {
            assert_eq!(check(changes.clone()).err(), Some(problem), "{changes}");
        }
    }
}
