//! Token exchange (RFC 8693): the request of a client, and the token that it gets.
//!
//! An exchange widens nothing. The issued token allows no more than the subject token, lives no longer, and is for an
//! audience that the client's policy names. It names the actor ([`ExchangeDecision::act`]) and each earlier actor.

use crate::{AuthorizationDetails, Client, ID_JAG_TOKEN_TYPE, Parameters, Resource, TokenExchangePolicy, resource};
use serde_json::{Map, Value, json};
use types::{Audience, ClientId, Error, ErrorCode, Issuer, Jti, Scope, Subject, Timestamp};

/// Maximum number of actors in a chain (RFC 8693 §4.1).
const MAX_ACTORS: usize = 4;
/// Maximum number of tokens that were exchanged one into the other.
const MAX_EXCHANGES: usize = 4;
/// Maximum number of resources and audiences in a request.
const MAX_TARGETS: usize = 8;

/// The types of token that can be exchanged (RFC 8693 §3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExchangedType {
    /// An access token of this server, a JWT or opaque.
    AccessToken,
    /// A refresh token of this server. It stays valid: an exchange does not rotate it.
    RefreshToken,
    /// An ID token of this server.
    IdToken,
    /// Any JWT of this server: an access token or an ID token.
    Jwt,
}

impl ExchangedType {
    /// Every value.
    pub const ALL: [Self; 4] = [Self::AccessToken, Self::RefreshToken, Self::IdToken, Self::Jwt];

    /// Returns the name on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::AccessToken => "urn:ietf:params:oauth:token-type:access_token",
            Self::RefreshToken => "urn:ietf:params:oauth:token-type:refresh_token",
            Self::IdToken => "urn:ietf:params:oauth:token-type:id_token",
            Self::Jwt => "urn:ietf:params:oauth:token-type:jwt",
        }
    }

    fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.as_str() == name)
    }
}

/// The types of token that an exchange issues (RFC 8693 §3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IssuedType {
    /// An access token of any format.
    AccessToken,
    /// An access token that is a JWT.
    Jwt,
    /// An ID-JAG (draft-ietf-oauth-identity-assertion-authz-grant §4.3).
    IdJag,
}

impl IssuedType {
    const ALL: [Self; 3] = [Self::AccessToken, Self::Jwt, Self::IdJag];

    /// Returns the name on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::AccessToken => ExchangedType::AccessToken.as_str(),
            Self::Jwt => ExchangedType::Jwt.as_str(),
            Self::IdJag => ID_JAG_TOKEN_TYPE,
        }
    }
}

/// A token in a request, and the type that the client states.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct PresentedToken<'a> {
    /// The token.
    pub token: &'a str,
    /// The stated type.
    pub kind: ExchangedType,
}

/// A request for an exchange (RFC 8693 §2.1).
#[derive(Clone)]
pub struct ExchangeRequest<'a> {
    /// The subject token: the user that the issued token is about.
    pub subject: PresentedToken<'a>,
    /// The actor token.
    pub actor: Option<PresentedToken<'a>>,
    /// The requested type.
    pub issue: IssuedType,
    /// The requested resources, each once.
    pub(crate) resources: Vec<String>,
    /// The requested audiences, each once.
    pub(crate) audiences: Vec<String>,
    pub(crate) scope: Option<Scope>,
}

impl<'a> ExchangeRequest<'a> {
    /// Parses the parameters. Errors: `invalid_request`, `invalid_scope`.
    pub fn parse(parameters: &'a Parameters) -> Result<Self, Error> {
        let presented = |token: &'a str, name: &'static str| {
            let kind = parameters.required(name)?;
            let kind = ExchangedType::parse(kind).ok_or_else(|| {
                Error::invalid_request(format!(
                    "{name} must be one of access_token, refresh_token, id_token and jwt, each with urn:ietf:params:oauth:token-type: before it"
                ))
            })?;
            Ok::<_, Error>(PresentedToken { token, kind })
        };
        let subject = presented(parameters.required("subject_token")?, "subject_token_type")?;
        let actor = match parameters.value("actor_token") {
            Some(token) => Some(presented(token, "actor_token_type")?),
            None if parameters.value("actor_token_type").is_some() => {
                return Err(Error::invalid_request("actor_token_type is sent without an actor_token"));
            }
            None => None,
        };
        let issue = match parameters.value("requested_token_type") {
            None => IssuedType::AccessToken,
            Some(name) => IssuedType::ALL.into_iter().find(|issue| issue.as_str() == name).ok_or_else(|| {
                Error::invalid_request(
                    "requested_token_type must be urn:ietf:params:oauth:token-type:access_token, :jwt or :id-jag; an exchange issues neither refresh tokens nor ID tokens",
                )
            })?,
        };
        // It would limit the ID-JAG (RFC 9396 §2), which must not be issued without the limit.
        if issue == IssuedType::IdJag && parameters.value("authorization_details").is_some() {
            return Err(Error::invalid_request("authorization_details is not supported"));
        }
        let each_once = |name: &str| {
            let mut targets: Vec<String> = Vec::new();
            for target in parameters.values(name) {
                if !targets.iter().any(|known| known == target) {
                    targets.push(target.to_owned());
                }
            }
            targets
        };
        let (resources, audiences) = (each_once("resource"), each_once("audience"));
        let scope = parameters.scope()?;
        let request = Self { subject, actor, issue, resources, audiences, scope };
        if request.targets().count() > MAX_TARGETS {
            return Err(Error::invalid_request("the request names more than 8 resources and audiences"));
        }
        Ok(request)
    }

    /// Returns the requested resources and audiences, each once.
    fn targets(&self) -> impl Iterator<Item = &String> {
        self.resources.iter().chain(self.audiences.iter().filter(|audience| !self.resources.contains(audience)))
    }
}

/// The content of a presented token that was verified.
#[derive(Clone, Debug, PartialEq)]
pub struct TokenInfo {
    /// `sub`: the user, as the client of the token knows them.
    pub subject: Subject,
    /// The client that it was issued to.
    pub client_id: ClientId,
    /// The scope.
    pub scope: Scope,
    /// The authorization details (RFC 9396); none for an ID token.
    pub authorization_details: AuthorizationDetails,
    /// Expiry.
    pub expires_at: Timestamp,
    /// True if its sender must possess a key.
    pub is_bound: bool,
    /// `act`: the current actor (RFC 8693 §4.1).
    pub act: Option<Value>,
    /// `may_act`: the only party that may act (RFC 8693 §4.4).
    pub may_act: Option<Value>,
    /// The `jti` of each token that must stay valid: this one, and those that it was exchanged from.
    pub parent_jtis: Vec<Jti>,
}

/// The content of the token that an exchange issues.
#[derive(Clone, Debug, PartialEq)]
pub struct ExchangeDecision {
    /// The audiences.
    pub audiences: Vec<String>,
    /// The scope.
    pub scope: Scope,
    /// `act`: the actor, and the earlier actors (RFC 8693 §4.1); none if the client impersonates the user.
    pub act: Option<Value>,
    /// `may_act` of the subject token, unchanged (RFC 8693 §4.4).
    pub may_act: Option<Value>,
    /// The latest expiry.
    pub expires_at: Timestamp,
}

/// Returns the policy of the client. Errors: `unauthorized_client` if it has none.
pub fn policy(client: &Client) -> Result<&TokenExchangePolicy, Error> {
    client.token_exchange.as_ref().filter(|_| client.is_confidential()).ok_or_else(|| {
        Error::new(ErrorCode::UnauthorizedClient, "the client is not registered to exchange tokens (token_exchange)")
    })
}

/// Checks the targets and the presence of an actor, before any token is verified. Returns the audiences of the token to
/// issue: the policy's only one if the request names none. Errors: `invalid_request`, `invalid_target`.
pub fn targets(request: &ExchangeRequest<'_>, policy: &TokenExchangePolicy) -> Result<Vec<String>, Error> {
    if request.actor.is_none() && !policy.impersonation {
        return Err(Error::invalid_request("the client may not impersonate: an actor_token must say who acts"));
    }
    if request.targets().next().is_none() {
        return match policy.audiences.as_slice() {
            [only] => Ok(vec![only.clone()]),
            _ => Err(Error::new(ErrorCode::InvalidTarget, "name the resource or audience that the token shall be for")),
        };
    }
    if !request.targets().all(|target| policy.audiences.contains(target)) {
        let description = "the client may not exchange tokens for this resource or audience";
        return Err(Error::new(ErrorCode::InvalidTarget, description));
    }
    Ok(request.targets().cloned().collect())
}

/// The properties of a token that decide whether a client may exchange it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Origin<'a> {
    /// The type of the token: never [`ExchangedType::Jwt`].
    pub kind: ExchangedType,
    /// The client that the token was issued to.
    pub issued_to: &'a ClientId,
    /// `aud` of an access token. The audience of each other token is its client.
    pub audience: Option<&'a Audience>,
}

/// True if the policy accepts a token of this origin: its type, its client, and its audience. An actor token may also be the
/// exchanging client's own access token, which proves who acts, for any audience.
pub fn admits(policy: &TokenExchangePolicy, client: &Client, origin: Origin<'_>, is_actor: bool) -> bool {
    if is_actor && origin.kind == ExchangedType::AccessToken && *origin.issued_to == client.client_id {
        return true;
    }
    let accepts = |audience: &Audience| match &policy.subject_audiences {
        Some(accepted) => accepted.iter().any(|accepted| audience.contains(accepted)),
        None => {
            let own = std::iter::once(client.client_id.as_str());
            own.chain(client.introspects.iter().map(String::as_str)).any(|own| audience.contains(own))
        }
    };
    policy.subject_token_types.iter().any(|accepted| accepted == origin.kind.as_str())
        && policy.subject_clients.contains(origin.issued_to)
        && origin.audience.is_none_or(accepts)
}

/// Decides on tokens that are verified and valid and that [`admits`] accepts. Errors: `invalid_request`, `invalid_scope`.
pub fn decide(
    request: &ExchangeRequest<'_>,
    audiences: Vec<String>,
    subject: &TokenInfo,
    actor: Option<&TokenInfo>,
    client: &Client,
    resources: &[Resource],
    issuer: &Issuer,
) -> Result<ExchangeDecision, Error> {
    if subject.parent_jtis.len() > MAX_EXCHANGES {
        return Err(Error::invalid_request("the subject_token was exchanged too often already"));
    }
    if actor.is_some_and(|actor| actor.act.is_some()) {
        return Err(Error::invalid_request("the actor_token was delegated itself; an actor acts in its own name"));
    }
    let (acting, acting_client) = actor
        .map_or((client.client_id.as_str(), &client.client_id), |actor| (actor.subject.as_str(), &actor.client_id));
    if subject.may_act.as_ref().is_some_and(|may_act| !allows(may_act, issuer, acting, acting_client)) {
        return Err(Error::invalid_request("may_act of the subject_token names another party (RFC 8693 section 4.4)"));
    }
    let act = match actor {
        None => subject.act.clone(),
        Some(actor) => Some(chained(actor.subject.as_str(), &actor.client_id, subject.act.as_ref())),
    };
    if act.as_ref().is_some_and(|act| depth(act) > MAX_ACTORS) {
        return Err(Error::invalid_request("too many actors have acted for the subject of this token already"));
    }
    let allowed = subject.scope.within(&client.scope).without("offline_access");
    let allowed = resource::meaningful_scope(&allowed, &audiences, resources);
    let scope = match &request.scope {
        None => allowed,
        Some(asked) if asked.is_within(&allowed) => asked.clone(),
        Some(_) => {
            return Err(invalid_scope("scope asks for more than the subject_token, the client and the audience allow"));
        }
    };
    let expires_at = actor.map_or(subject.expires_at, |actor| subject.expires_at.min(actor.expires_at));
    Ok(ExchangeDecision { audiences, scope, act, may_act: subject.may_act.clone(), expires_at })
}

/// Returns `act` with the actor outside the earlier actors (RFC 8693 §4.1: the outermost is the current one).
fn chained(subject: &str, client_id: &ClientId, before: Option<&Value>) -> Value {
    let mut act = Map::new();
    act.insert("sub".to_owned(), json!(subject));
    if client_id.as_str() != subject {
        act.insert("client_id".to_owned(), json!(client_id));
    }
    act.extend(before.map(|before| ("act".to_owned(), before.clone())));
    Value::Object(act)
}

fn depth(act: &Value) -> usize {
    std::iter::successors(Some(act), |act| act.get("act")).take(MAX_ACTORS.saturating_add(1)).count()
}

/// True if `may_act` names this actor (RFC 8693 §4.4): it has members, and each of them matches.
fn allows(may_act: &Value, issuer: &Issuer, subject: &str, client_id: &ClientId) -> bool {
    let Some(members) = may_act.as_object().filter(|members| !members.is_empty()) else { return false };
    members.iter().all(|(name, value)| match name.as_str() {
        "iss" => value == issuer.as_str(),
        "sub" => value == subject,
        "client_id" => value == client_id.as_str(),
        _ => false,
    })
}

fn invalid_scope(description: &'static str) -> Error {
    Error::new(ErrorCode::InvalidScope, description)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    const API: &str = "https://api.example";
    const HERE: &str = "https://id.example.com";
    const TYPE: &str = "urn:ietf:params:oauth:token-type:";

    fn id(text: &str) -> ClientId {
        ClientId::parse(text).unwrap()
    }

    fn client(impersonation: bool) -> Client {
        serde_json::from_value(json!({
            "client_id": "gateway",
            "scope": "read write openid",
            "token_exchange": { "subject_clients": ["spa"], "audiences": [API, "https://b.example"], "impersonation": impersonation },
        }))
        .unwrap()
    }

    fn sub(text: &str) -> Subject {
        Subject::parse(text).unwrap()
    }

    fn facts(subject: &str, client_id: &ClientId, scope: &str) -> TokenInfo {
        TokenInfo {
            subject: sub(subject),
            client_id: client_id.to_owned(),
            scope: Scope::parse(scope).unwrap(),
            authorization_details: AuthorizationDetails::default(),
            expires_at: Timestamp::from_secs(1000),
            is_bound: false,
            act: None,
            may_act: None,
            parent_jtis: vec![Jti::from_random([1; 16])],
        }
    }

    fn parameters(more: &str) -> Parameters {
        let text = format!("subject_token=s&subject_token_type={TYPE}access_token{more}");
        Parameters::parse(text.as_bytes()).unwrap()
    }

    fn decided(more: &str, subject: &TokenInfo, actor: Option<&TokenInfo>) -> Result<ExchangeDecision, ErrorCode> {
        let parameters = parameters(more);
        let request = ExchangeRequest::parse(&parameters).map_err(|error| error.code)?;
        decide(&request, vec![API.to_owned()], subject, actor, &client(true), &[], &Issuer::new(HERE))
            .map_err(|error| error.code)
    }

    #[test]
    fn requests_are_read_or_refused() {
        let read =
            |more: &str| ExchangeRequest::parse(&parameters(more)).map(|request| request.issue).map_err(|e| e.code);
        assert_eq!(read(""), Ok(IssuedType::AccessToken));
        assert_eq!(read(&format!("&requested_token_type={TYPE}jwt")), Ok(IssuedType::Jwt));
        assert_eq!(read(&format!("&requested_token_type={TYPE}id-jag")), Ok(IssuedType::IdJag));
        for wrong in
            ["&actor_token=a", "&actor_token_type=x", "&actor_token=a&actor_token_type=x", "&requested_token_type=x"]
        {
            assert_eq!(read(wrong), Err(ErrorCode::InvalidRequest), "{wrong}");
        }
        for issue in ["refresh_token", "id_token", "saml2"] {
            assert_eq!(read(&format!("&requested_token_type={TYPE}{issue}")), Err(ErrorCode::InvalidRequest));
        }
        for wrong in
            ["", "subject_token=s", "subject_token=s&subject_token_type=urn:ietf:params:oauth:token-type:saml2"]
        {
            let parameters = Parameters::parse(wrong.as_bytes()).unwrap();
            assert!(ExchangeRequest::parse(&parameters).is_err_and(|error| error.code == ErrorCode::InvalidRequest));
        }
    }

    fn admitted(client: &Client, kind: ExchangedType, issued_to: &str, audience: Option<&str>, is_actor: bool) -> bool {
        let audience = audience.map(|audience| Audience::of(&[audience.to_owned()], ""));
        let origin = Origin { kind, issued_to: &id(issued_to), audience: audience.as_ref() };
        admits(policy(client).unwrap(), client, origin, is_actor)
    }

    #[test]
    fn the_policy_decides_on_type_client_and_audience() {
        use ExchangedType::{AccessToken, IdToken, RefreshToken};
        let mut client = client(true);
        assert!(admitted(&client, AccessToken, "spa", Some("gateway"), false));
        assert!(!admitted(&client, AccessToken, "spa", Some(API), false), "a token for another API");
        assert!(!admitted(&client, AccessToken, "other", Some("gateway"), false));
        for kind in [IdToken, RefreshToken] {
            assert!(!admitted(&client, kind, "spa", None, false), "{kind:?} is not named");
            assert!(!admitted(&client, kind, "gateway", None, true), "{kind:?} is not named");
        }
        assert!(!admitted(&client, AccessToken, "gateway", Some(API), false));
        assert!(admitted(&client, AccessToken, "gateway", Some(API), true), "its own token proves who acts");
        assert!(!admitted(&client, AccessToken, "web", Some("gateway"), true));
        client.introspects = vec![API.to_owned()];
        assert!(admitted(&client, AccessToken, "spa", Some(API), false), "a token for its own API");

        let exchange = client.token_exchange.as_mut().unwrap();
        exchange.subject_audiences = Some(vec!["https://c.example".to_owned()]);
        assert!(!admitted(&client, AccessToken, "spa", Some(API), false), "the list replaces the default");
        assert!(admitted(&client, AccessToken, "spa", Some("https://c.example"), false));
        client.token_exchange.as_mut().unwrap().subject_token_types = vec![IdToken.as_str().to_owned()];
        assert!(admitted(&client, IdToken, "spa", None, false));
        assert!(!admitted(&client, AccessToken, "spa", Some("https://c.example"), false), "the type is not named");
    }

    #[test]
    fn the_policy_decides_on_targets_and_actors() {
        let ask = |more: &str, impersonation| {
            let (parameters, client) = (parameters(more), client(impersonation));
            targets(&ExchangeRequest::parse(&parameters).unwrap(), policy(&client).unwrap()).map_err(|error| error.code)
        };
        assert_eq!(ask(&format!("&audience={API}"), true), Ok(vec![API.to_owned()]));
        assert_eq!(ask(&format!("&resource={API}&audience={API}"), true), Ok(vec![API.to_owned()]));
        assert_eq!(ask("", true), Err(ErrorCode::InvalidTarget), "there are two");
        assert_eq!(ask("&audience=https://c.example", true), Err(ErrorCode::InvalidTarget));
        assert_eq!(ask(&format!("&audience={API}&resource=https://c.example"), true), Err(ErrorCode::InvalidTarget));
        assert_eq!(ask(&format!("&audience={API}"), false), Err(ErrorCode::InvalidRequest), "nobody acts");
        assert!(ask(&format!("&audience={API}&actor_token=a&actor_token_type={TYPE}jwt"), false).is_ok());
        let public = Client { token_endpoint_auth_method: crate::ClientAuthenticationMethod::None, ..client(true) };
        assert_eq!(policy(&public).unwrap_err().code, ErrorCode::UnauthorizedClient);
    }

    #[test]
    fn nothing_is_widened() {
        let subject = facts("ada", &id("spa"), "openid read delete offline_access");
        let scope = |more: &str| decided(more, &subject, None).map(|decision| decision.scope.to_string());
        assert_eq!(scope("").as_deref(), Ok("openid read"), "what the subject and the client have");
        assert_eq!(scope("&scope=read").as_deref(), Ok("read"));
        for wider in ["write", "delete", "read write", "offline_access"] {
            assert_eq!(scope(&format!("&scope={wider}")), Err(ErrorCode::InvalidScope), "{wider}");
        }
        let short = TokenInfo { expires_at: Timestamp::from_secs(500), ..facts("helper", &id("gateway"), "") };
        assert_eq!(decided("", &subject, Some(&short)).unwrap().expires_at, Timestamp::from_secs(500));
        assert_eq!(decided("", &subject, None).unwrap().expires_at, Timestamp::from_secs(1000));
    }

    #[test]
    fn actors_are_chained_and_bounded() {
        let (mut subject, actor) = (facts("ada", &id("spa"), "read"), facts("gateway", &id("gateway"), ""));
        for depth in 1..=MAX_ACTORS {
            let act = decided("", &subject, Some(&actor)).unwrap().act.unwrap();
            assert_eq!((&act["sub"], super::depth(&act)), (&json!("gateway"), depth));
            assert_eq!(act.get("act"), subject.act.as_ref());
            subject.act = Some(act);
        }
        assert_eq!(decided("", &subject, Some(&actor)), Err(ErrorCode::InvalidRequest));
        let kept = decided("", &subject, None).unwrap();
        assert_eq!(kept.act, subject.act, "impersonation hides nobody who acted before");
        let helper = facts("helper", &id("desk"), "");
        let act = decided("", &facts("ada", &id("spa"), "read"), Some(&helper)).unwrap().act.unwrap();
        assert_eq!(act, json!({ "sub": "helper", "client_id": "desk" }));
        let delegated = TokenInfo { act: Some(json!({ "sub": "x" })), ..helper };
        assert_eq!(decided("", &facts("ada", &id("spa"), "read"), Some(&delegated)), Err(ErrorCode::InvalidRequest));
        let often = TokenInfo {
            parent_jtis: vec![Jti::from_random([1; 16]); MAX_EXCHANGES + 1],
            ..facts("ada", &id("spa"), "read")
        };
        assert_eq!(decided("", &often, None), Err(ErrorCode::InvalidRequest));
    }

    #[test]
    fn may_act_names_who_may() {
        let actor = facts("helper", &id("desk"), "");
        let act = |may_act: Value, actor| {
            let subject = TokenInfo { may_act: Some(may_act), ..facts("ada", &id("spa"), "read") };
            decided("", &subject, actor)
        };
        for allowed in [
            json!({ "sub": "helper" }),
            json!({ "sub": "helper", "client_id": "desk", "iss": HERE }),
            json!({ "client_id": "desk" }),
        ] {
            let decision = act(allowed.clone(), Some(&actor)).unwrap();
            assert_eq!(decision.may_act, Some(allowed), "it binds what is issued, too");
        }
        for refused in [
            json!({ "sub": "gateway" }),
            json!({ "sub": "helper", "iss": "https://other.example" }),
            json!({ "sub": "helper", "email": "a@b" }),
            json!({ "sub": ["helper"] }),
            json!({}),
            json!("helper"),
            json!(null),
        ] {
            assert_eq!(act(refused.clone(), Some(&actor)), Err(ErrorCode::InvalidRequest), "{refused}");
        }
        // Without an actor token the client itself acts.
        assert!(act(json!({ "client_id": "gateway" }), None).is_ok());
        assert_eq!(act(json!({ "sub": "helper" }), None), Err(ErrorCode::InvalidRequest));
    }
}
