//! ID-JAGs that this server issues as the identity provider, by a token exchange
//! (draft-ietf-oauth-identity-assertion-authz-grant §4.3): a client of a user's sign-in here may act for the user at another
//! authorization server.

use crate::limits::ID_JAG_LIFETIME;
use crate::shape::{Member, Shape};
use crate::token_exchange::{ExchangeRequest, ExchangedType, TokenInfo};
use crate::{Problem, TokenExchangePolicy, resource};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use types::{Audience, ClientId, Error, ErrorCode, Issuer, Jti, Scope, Subject, Timestamp};

/// An authorization server at which a client may act for its users.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IdJagTarget {
    /// Issuer identifier of that server: `aud`.
    pub audience: String,
    /// `client_id` of the client at that server.
    pub client_id: ClientId,
    /// Resources of that server that the client may name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub resources: Vec<String>,
    /// Largest scope at that server.
    pub scope: Scope,
    /// Client here as which that server signs users in: the ID-JAG has its `sub` of the user.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub relying_party: Option<ClientId>,
    /// True if the ID-JAG has the user's e-mail address.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub email: bool,
}

fn is_client_id(value: &Value) -> bool {
    types::json::typed::<ClientId>(value).is_some()
}

const CLIENT_ID: Shape = Shape::Decoded(is_client_id, "must be a client_id");

impl IdJagTarget {
    /// The members of a target in the settings of a client.
    pub const MEMBERS: &[Member] = &[
        Member::required("audience", Shape::Text),
        Member::required("client_id", CLIENT_ID),
        Member::optional("resources", Shape::Uris),
        Member::required("scope", Shape::Scopes),
        Member::optional("relying_party", CLIENT_ID),
        Member::optional("email", Shape::Flag),
    ];

    /// Returns the problem of the target, if it has one.
    pub fn problem(&self) -> Option<Problem> {
        if resource::identifier_problem(&self.audience).is_some() {
            let rule = "audience must be the issuer identifier of an authorization server";
            return Some(Problem::new("token_exchange.id_jags", rule).with_value(&self.audience));
        }
        let wrong = self.resources.iter().find(|uri| resource::identifier_problem(uri).is_some());
        if let Some(uri) = wrong {
            let rule = "resources must be absolute URIs without a fragment";
            return Some(Problem::new("token_exchange.id_jags", rule).with_value(uri));
        }
        self.scope.is_empty().then(|| Problem::new("token_exchange.id_jags", "scope must name a scope"))
    }
}

/// The content of an ID-JAG that the policy of the client allows.
#[derive(Clone, Debug, PartialEq)]
pub struct IdJagDecision<'a> {
    /// The target.
    pub target: &'a IdJagTarget,
    /// `resource`.
    pub resources: Vec<String>,
    /// `scope`.
    pub scope: Scope,
}

/// Decides on a request for an ID-JAG by the policy of the client, before any token is verified (§4.3.3). `audience` and `resource`
/// are a pair of the policy (MCP Enterprise-Managed Authorization §7.6.1). Errors: `invalid_request`, `invalid_target`,
/// `invalid_scope`.
pub fn decide<'a>(
    request: &ExchangeRequest<'_>,
    policy: &'a TokenExchangePolicy,
    issuer: &Issuer,
) -> Result<IdJagDecision<'a>, Error> {
    if request.actor.is_some() {
        return Err(Error::invalid_request("actor_token is not supported for an ID-JAG"));
    }
    if !matches!(request.subject.kind, ExchangedType::IdToken | ExchangedType::RefreshToken) {
        return Err(Error::invalid_request("subject_token_type must be id_token or refresh_token for an ID-JAG"));
    }
    let [audience] = request.audiences.as_slice() else {
        return Err(Error::invalid_request("audience must be the issuer identifier of one authorization server"));
    };
    // An ID-JAG is never for its own issuer (§9.3).
    let is_meant = |target: &&IdJagTarget| {
        resource::is_same(&target.audience, audience) && !resource::is_same(&target.audience, issuer.as_str())
    };
    let mut targets = policy.id_jags.iter().filter(is_meant).peekable();
    if targets.peek().is_none() {
        let description = "the client may not act at the authorization server that audience names";
        return Err(Error::new(ErrorCode::InvalidTarget, description));
    }
    let with_resources = targets.find_map(|target| Some((target, target.granted(&request.resources)?)));
    let (target, resources) = with_resources.ok_or_else(|| {
        let description = match request.resources.is_empty() {
            true => "name the resource: the authorization server has several",
            false => "the resource is not one of this client at the authorization server that audience names",
        };
        Error::new(ErrorCode::InvalidTarget, description)
    })?;
    let scope = request.scope.as_ref().map_or(target.scope.clone(), |asked| asked.within(&target.scope));
    if scope.is_empty() {
        let description = "the client may have none of these scopes at that authorization server";
        return Err(Error::new(ErrorCode::InvalidScope, description));
    }
    Ok(IdJagDecision { target, resources, scope })
}

impl IdJagTarget {
    /// Returns the requested resources as the policy writes them; the only one of the target if none is requested. `None` if one is
    /// not of the target.
    fn granted(&self, requested: &[String]) -> Option<Vec<String>> {
        if requested.is_empty() {
            return (self.resources.len() <= 1).then(|| self.resources.clone());
        }
        let known = |name: &String| self.resources.iter().find(|own| resource::is_same(own, name)).cloned();
        requested.iter().map(known).collect()
    }
}

/// The claims of an ID-JAG (§3.1).
#[derive(Clone, Debug, Serialize)]
pub struct IdJagClaims<'a> {
    iss: &'a Issuer,
    sub: &'a Subject,
    aud: &'a str,
    client_id: &'a ClientId,
    jti: Jti,
    iat: u64,
    exp: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    resource: Option<Audience>,
    scope: &'a Scope,
    auth_time: u64,
    acr: &'a str,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    amr: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<&'a Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    email_verified: Option<&'a Value>,
}

/// The facts about the user of an ID-JAG.
#[derive(Clone, Copy, Debug)]
pub struct IdJagUser<'a> {
    /// `sub`, as that authorization server knows the user.
    pub subject: &'a Subject,
    /// Method and time of the sign-in here.
    pub authentication: &'a crate::AuthenticationContext,
    /// Claims about the user, of which the ID-JAG has the e-mail address; none if the target has no `email`.
    pub profile: Option<&'a serde_json::Map<String, Value>>,
}

impl<'a> IdJagClaims<'a> {
    /// Returns the claims. The ID-JAG lives for minutes, and no longer than the token that it is exchanged for.
    pub fn new(
        decision: &'a IdJagDecision<'_>,
        user: IdJagUser<'a>,
        subject_token: &TokenInfo,
        issuer: &'a Issuer,
        jti: Jti,
        now: Timestamp,
    ) -> Self {
        let claim = |name: &str| user.profile.and_then(|profile| profile.get(name));
        Self {
            iss: issuer,
            sub: user.subject,
            aud: &decision.target.audience,
            client_id: &decision.target.client_id,
            jti,
            iat: now.as_secs(),
            exp: now.after(ID_JAG_LIFETIME).min(subject_token.expires_at).as_secs(),
            resource: (!decision.resources.is_empty()).then(|| Audience::of(&decision.resources, "")),
            scope: &decision.scope,
            auth_time: user.authentication.auth_time.as_secs(),
            acr: &user.authentication.acr,
            amr: &user.authentication.amr,
            email: claim("email"),
            email_verified: claim("email_verified"),
        }
    }

    /// Returns the lifetime, in seconds.
    pub const fn lifetime(&self) -> u64 {
        self.exp.saturating_sub(self.iat)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;
    use crate::Parameters;
    use serde_json::json;

    const HERE: &str = "https://id.example";
    const CHAT: &str = "https://auth.chat.example";

    fn policy() -> TokenExchangePolicy {
        serde_json::from_value(json!({ "id_jags": [
            { "audience": HERE, "client_id": "own", "scope": "read" },
            { "audience": CHAT, "client_id": "c1", "resources": ["https://a.example/mcp"], "scope": "read write" },
            { "audience": CHAT, "client_id": "c2", "resources": ["https://b.example", "https://c.example"], "scope": "list" },
            { "audience": "https://many.example", "client_id": "c3", "resources": ["https://d.example", "https://e.example"], "scope": "x" },
            { "audience": "https://bare.example", "client_id": "c4", "scope": "x" },
        ] }))
        .unwrap()
    }

    fn decided(more: &str) -> Result<(String, Vec<String>, String), ErrorCode> {
        const TYPE: &str = "urn:ietf:params:oauth:token-type:";
        let kind = if more.contains("subject_token_type") {
            String::new()
        } else {
            format!("&subject_token_type={TYPE}id_token")
        };
        let text = format!("subject_token=s&requested_token_type={TYPE}id-jag{kind}{more}");
        let (parameters, policy) = (Parameters::parse(text.as_bytes()).unwrap(), policy());
        let request = ExchangeRequest::parse(&parameters).map_err(|error| error.code)?;
        let decision = decide(&request, &policy, &Issuer::new(HERE)).map_err(|error| error.code)?;
        Ok((decision.target.client_id.to_string(), decision.resources, decision.scope.to_string()))
    }

    #[test]
    fn audience_and_resource_are_a_pair_of_the_policy() {
        let target = |more: &str| decided(more).map(|(client, resources, _)| (client, resources));
        let is = |client: &str, resources: &[&str]| {
            Ok((client.to_owned(), resources.iter().map(|uri| (*uri).to_owned()).collect::<Vec<_>>()))
        };
        let chat = format!("&audience={CHAT}");
        assert_eq!(target(&chat), is("c1", &["https://a.example/mcp"]), "the target with one resource");
        assert_eq!(target(&format!("{chat}/")), is("c1", &["https://a.example/mcp"]));
        assert_eq!(target(&format!("{chat}&resource=https://b.example/")), is("c2", &["https://b.example"]));
        assert_eq!(target("&audience=https://bare.example"), is("c4", &[]));
        for wrong in [
            format!("{chat}&resource=https://d.example"),
            format!("{chat}&resource=https://a.example/mcp&resource=https://b.example"),
            "&audience=https://many.example".to_owned(),
            "&audience=https://bare.example&resource=https://a.example/mcp".to_owned(),
            "&audience=https://unknown.example".to_owned(),
            format!("&audience={HERE}"),
        ] {
            assert_eq!(target(&wrong), Err(ErrorCode::InvalidTarget), "{wrong}");
        }
        for wrong in [
            String::new(),
            "&resource=https://a.example/mcp".to_owned(),
            format!("{chat}&audience=https://bare.example"),
        ] {
            assert_eq!(target(&wrong), Err(ErrorCode::InvalidRequest), "{wrong}");
        }
    }

    #[test]
    fn the_scope_is_within_the_policy() {
        let scope = |more: &str| decided(&format!("&audience={CHAT}{more}")).map(|(_, _, scope)| scope);
        assert_eq!(scope("").as_deref(), Ok("read write"));
        assert_eq!(scope("&scope=read+delete").as_deref(), Ok("read"));
        assert_eq!(scope("&scope=delete"), Err(ErrorCode::InvalidScope));
    }

    #[test]
    fn the_subject_is_an_identity_assertion() {
        let kind = |name: &str| {
            decided(&format!("&audience={CHAT}&subject_token_type=urn:ietf:params:oauth:token-type:{name}"))
        };
        assert!(kind("id_token").is_ok() && kind("refresh_token").is_ok());
        for wrong in ["access_token", "jwt", "saml2", "id-jag"] {
            assert_eq!(kind(wrong), Err(ErrorCode::InvalidRequest), "{wrong}");
        }
        let actor = "&actor_token=a&actor_token_type=urn:ietf:params:oauth:token-type:access_token";
        assert_eq!(decided(&format!("&audience={CHAT}{actor}")), Err(ErrorCode::InvalidRequest));
    }

    #[test]
    fn targets_are_validated() {
        let problem = |target: Value| types::json::typed::<IdJagTarget>(&target).unwrap().problem();
        assert_eq!(problem(json!({ "audience": CHAT, "client_id": "c", "scope": "x" })), None);
        for wrong in [
            json!({ "audience": "chat", "client_id": "c", "scope": "x" }),
            json!({ "audience": CHAT, "client_id": "c", "scope": "" }),
            json!({ "audience": CHAT, "client_id": "c", "scope": "x", "resources": ["mcp"] }),
        ] {
            assert!(problem(wrong.clone()).is_some(), "{wrong}");
        }
    }
}
