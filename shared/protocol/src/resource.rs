//! Resource indicators (RFC 8707) and the audiences of tokens.

use crate::parameters::printable;
use crate::shape::{self, Member, Shape};
use crate::{
    AccessTokenFormat, AuthenticationClasses, AuthorizationDetails, AuthorizationDetailsTypes, ClaimDefinitions,
    Client, GrantType, Parameters, Problem, STANDARD_SCOPES, signing,
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use types::{ACCESS_TOKEN_TYPE, Algorithm, Error, ErrorCode, Scope};

/// An API that the deployment issues access tokens for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resource {
    /// Identifier: an absolute URI without a fragment (RFC 8707 §2). It becomes the audience.
    pub resource: String,
    /// Name that users see.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Scopes that tokens for it may have.
    #[serde(default)]
    pub scopes: Scope,
    /// Words for users by scope, such as "Read your notes".
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub scope_descriptions: BTreeMap<String, String>,
    /// Users who may grant a scope, by scope: those who have one of these values in one of these claims. Every user may grant the
    /// other scopes.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub granted_to: BTreeMap<String, BTreeMap<String, Vec<String>>>,
    /// True if clients that the operator did not register may request it, with all of its scopes.
    #[serde(default)]
    pub registered_clients: bool,
    /// True if grants for it outlive the session of the sign-in without `offline_access`.
    #[serde(default)]
    pub grants_outlive_session: bool,
    /// Format of its access tokens; the client decides without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub access_token_format: Option<AccessTokenFormat>,
    /// Signature of its access tokens; the client decides without it (RFC 9068 §2.1).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub access_token_signed_response_alg: Option<Algorithm>,
    /// `typ` of its access tokens that are JWTs.
    #[serde(default)]
    pub access_token_type: AccessTokenType,
}

/// `typ` of an access token that is a JWT.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum AccessTokenType {
    /// RFC 9068 §2.1.
    #[default]
    #[serde(rename = "at+jwt")]
    AccessToken,
    /// For resource servers that reject `at+jwt`, although RFC 9068 §4 makes them accept it.
    #[serde(rename = "JWT")]
    Jwt,
}

impl AccessTokenType {
    /// Every value.
    pub const ALL: &[Self] = &[Self::AccessToken, Self::Jwt];

    /// Returns the name on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::AccessToken => ACCESS_TOKEN_TYPE,
            Self::Jwt => "JWT",
        }
    }
}

impl Resource {
    /// The names of the members.
    pub const NAMES: [&str; Self::MEMBERS.len()] = shape::names(Self::MEMBERS);

    /// The members of a configured resource.
    pub const MEMBERS: &[Member] = &[
        Member::required("resource", Shape::Text),
        Member::optional("name", Shape::Text),
        Member::optional("scopes", Shape::Scopes),
        Member::optional("scope_descriptions", Shape::TextMap("object: `{\"scope\": \"words\"}`")),
        Member::optional(
            "granted_to",
            Shape::Decoded(
                |value| types::json::typed::<BTreeMap<String, BTreeMap<String, Vec<String>>>>(value).is_some(),
                "must be an object: `{\"scope\": {\"groups\": [\"value\"]}}`",
            ),
        ),
        Member::optional("registered_clients", Shape::Flag),
        Member::optional("grants_outlive_session", Shape::Flag),
        Member::optional(
            "access_token_format",
            Shape::OneOf(|| AccessTokenFormat::ALL.iter().map(|format| format.as_str()).collect()),
        ),
        Member::optional(
            "access_token_signed_response_alg",
            Shape::OneOf(|| Algorithm::ALL.iter().map(|alg| alg.as_str()).collect()),
        ),
        Member::optional(
            "access_token_type",
            Shape::OneOf(|| AccessTokenType::ALL.iter().map(|kind| kind.as_str()).collect()),
        ),
    ];

    /// Returns a resource that does not list its scopes: tokens for it may have any.
    pub fn of_any_scope(resource: String) -> Self {
        Self {
            resource,
            name: None,
            scopes: Scope::default(),
            scope_descriptions: BTreeMap::new(),
            granted_to: BTreeMap::new(),
            registered_clients: true,
            grants_outlive_session: false,
            access_token_format: None,
            access_token_signed_response_alg: None,
            access_token_type: AccessTokenType::AccessToken,
        }
    }

    /// Returns the problem of the resource, if it has one.
    pub fn validate(&self) -> Option<Problem> {
        if let Some(rule) = identifier_problem(&self.resource) {
            return Some(Problem::new("resource", rule).with_value(&self.resource));
        }
        if let Some(other) = self.granted_to.keys().find(|scope| !self.scopes.contains(scope)) {
            return Some(Problem::new("granted_to", "names a scope that is not in scopes").with_value(other));
        }
        let is_empty = |claims: &BTreeMap<String, Vec<String>>| claims.values().all(Vec::is_empty);
        if let Some((scope, _)) = self.granted_to.iter().find(|(_, claims)| is_empty(claims)) {
            return Some(
                Problem::new("granted_to", "names no value, so that no user may grant the scope").with_value(scope),
            );
        }
        let other = self.scope_descriptions.keys().find(|scope| !self.scopes.contains(scope))?;
        Some(Problem::new("scope_descriptions", "describes a scope that is not in scopes").with_value(other))
    }

    /// Returns the problem of the signature of its access tokens, if this server does not sign by it.
    pub fn signature_problem(&self, offered: &[Algorithm]) -> Option<Problem> {
        signing::problem("access_token_signed_response_alg", self.access_token_signed_response_alg, offered)
    }
}

/// Returns the rule that a resource identifier breaks (RFC 8707 §2).
pub fn identifier_problem(uri: &str) -> Option<&'static str> {
    let is_absolute = url::Url::parse(uri).is_ok() && !uri.contains('#');
    (!is_absolute).then_some("must be an absolute URI without a fragment")
}

/// The resources, scopes, claims and classes that a client may request.
#[derive(Clone, Copy, Debug)]
pub struct Targets<'a> {
    /// Resources of the deployment that are open to the client.
    pub resources: &'a [Resource],
    /// Scopes of the deployment that no resource lists.
    pub scopes: &'a [String],
    /// Scopes that release claims which the operator defined. Like the standard ones they are for claims about the user.
    pub claim_scopes: &'a [String],
    /// Claims that the operator defined.
    pub claims: &'a ClaimDefinitions,
    /// Types of authorization details that are open to the client.
    pub details_types: &'a AuthorizationDetailsTypes,
    /// Authentication context classes.
    pub classes: &'a AuthenticationClasses,
}

/// The access that a request asks for (RFC 6749 §3.3, RFC 8707 §2, RFC 9396 §3).
#[derive(Clone, Debug, PartialEq)]
pub struct RequestedAccess {
    /// `scope`, without the scopes that the client may not request.
    pub scope: Scope,
    /// The resources: those of `resource`, of the scope, and of the details.
    pub resources: Vec<String>,
    /// `authorization_details`.
    pub authorization_details: AuthorizationDetails,
}

impl Targets<'_> {
    /// Returns the access to a user's data that a request asks for (RFC 6749 §3.3, RFC 8707 §2.1, RFC 9396 §3). The scope has what
    /// the client may request and a token can hold. `offline_access` of a client without refresh tokens is left out (OpenID Connect
    /// Core §11).
    ///
    /// A request without `scope` asks for the scopes of its resources, never for claims about the user; with authorization details it
    /// asks for the details alone. A request without `resource` whose scopes all belong to one resource is for that one. Errors:
    /// `invalid_target`; `invalid_scope` for an unknown scope, or if no scope remains; `invalid_authorization_details`.
    pub fn of_request(&self, parameters: &Parameters, client: &Client) -> Result<RequestedAccess, Error> {
        let named = self.named(parameters, client)?;
        let authorization_details = self.details(parameters, client)?;
        let scope = match parameters.scope()? {
            None if !authorization_details.is_empty() => Scope::default(),
            _ => self.scope(parameters, client, &named)?,
        };
        let resources = self.or_implied(named, &scope, client);
        let resources = self.with_locations(resources, &authorization_details, client)?;
        let held = scope.filtered(|token| self.is_about_user(token) || may_hold(token, &resources, self.resources));
        if held.is_empty() && parameters.scope()?.is_some() {
            return Err(no_scope());
        }
        Ok(RequestedAccess { scope: held, resources, authorization_details })
    }

    fn scope(&self, parameters: &Parameters, client: &Client, resources: &[String]) -> Result<Scope, Error> {
        let usual = || {
            let usual = client.default_scope.as_ref().unwrap_or(&client.scope);
            usual.within(&client.scope).without("openid").without("offline_access")
        };
        let Some(requested) = parameters.scope()? else {
            if resources.is_empty() {
                return Ok(usual());
            }
            let of_resources = |token: &str| !self.is_about_user(token) && may_hold(token, resources, self.resources);
            let scope = client.scope.filtered(of_resources);
            return if scope.is_empty() { Err(no_scope()) } else { Ok(scope) };
        };
        if let Some(unknown) = requested.iter().find(|token| !self.knows(token, client)) {
            let names = self.names().collect::<Vec<_>>().join(" ");
            let description = format!("the scope '{}' is unknown; the scopes are: {names}", printable(unknown));
            return Err(Error::new(ErrorCode::InvalidScope, description));
        }
        let allowed = requested.within(&client.scope);
        let allowed = if client.may_use(GrantType::RefreshToken) { allowed } else { allowed.without("offline_access") };
        if allowed.is_empty() { Err(no_scope()) } else { Ok(allowed) }
    }

    /// True if the scope releases claims about the user, or is of the protocol.
    fn is_about_user(&self, token: &str) -> bool {
        STANDARD_SCOPES.contains(&token) || self.claim_scopes.iter().any(|scope| scope == token)
    }

    /// True if the deployment or the client has the scope.
    fn knows(&self, token: &str, client: &Client) -> bool {
        client.scope.contains(token) || self.names().any(|name| name == token)
    }

    fn names(&self) -> impl Iterator<Item = &str> {
        let of_resources = self.resources.iter().flat_map(|resource| resource.scopes.iter());
        let of_deployment = self.scopes.iter().chain(self.claim_scopes).map(String::as_str);
        of_resources.chain(of_deployment).chain(STANDARD_SCOPES.iter().copied())
    }

    /// Returns the resources that a request names. Errors: `invalid_target` if one is unknown or not allowed to the client
    /// (RFC 8707 §2).
    pub fn named(&self, parameters: &Parameters, client: &Client) -> Result<Vec<String>, Error> {
        let refusal = || {
            let names: Vec<&str> = self.of_client(client).map(|resource| resource.resource.as_str()).collect();
            format!(
                "the resource is unknown, or this client may not ask for it; its resources are: {}",
                names.join(" ")
            )
        };
        named(parameters, refusal, |name| {
            self.of_client(client).map(|resource| &resource.resource).find(|resource| is_same(resource, name))
        })
    }

    /// Returns these resources as the deployment writes them, each once; `None` if one is unknown or not allowed to the client.
    pub fn known(&self, names: &[String], client: &Client) -> Option<Vec<String>> {
        let mut known: Vec<String> = Vec::new();
        for name in names {
            let resource = self.of_client(client).find(|resource| is_same(&resource.resource, name))?;
            if !known.contains(&resource.resource) {
                known.push(resource.resource.clone());
            }
        }
        Some(known)
    }

    /// Returns the named resources, or in their absence the one resource that all scopes belong to.
    pub fn or_implied(&self, named: Vec<String>, scope: &Scope, client: &Client) -> Vec<String> {
        let scope = scope.without("offline_access");
        if !named.is_empty() || scope.is_empty() {
            return named;
        }
        let has_all = |resource: &&Resource| !resource.scopes.is_empty() && scope.is_within(&resource.scopes);
        let mut candidates = self.of_client(client).filter(has_all);
        match (candidates.next(), candidates.next()) {
            (Some(only), None) => vec![only.resource.clone()],
            _ => Vec::new(),
        }
    }

    fn of_client<'s>(&'s self, client: &'s Client) -> impl Iterator<Item = &'s Resource> {
        self.resources.iter().filter(|resource| {
            client.resources.as_ref().is_none_or(|own| own.iter().any(|own| is_same(own, &resource.resource)))
        })
    }
}

/// True if only some users may grant a part of the scope, for these resources; for every known resource if none is named.
pub fn is_restricted(scope: &Scope, resources: &[String], known: &[Resource]) -> bool {
    restrictions(resources, known).any(|(token, _)| scope.contains(token))
}

/// Returns the part of a scope that a user with these claims may grant. Errors: `invalid_scope` if that is none.
pub fn grantable(
    scope: &Scope,
    resources: &[String],
    known: &[Resource],
    user: &Map<String, Value>,
) -> Result<Scope, Error> {
    let has_one = |claims: &BTreeMap<String, Vec<String>>| {
        claims.iter().any(|(claim, values)| match user.get(claim) {
            Some(Value::String(value)) => values.contains(value),
            Some(Value::Array(list)) => {
                list.iter().filter_map(Value::as_str).any(|value| values.iter().any(|one| one == value))
            }
            _ => false,
        })
    };
    let part = scope.filtered(|token| {
        restrictions(resources, known).filter(|(name, _)| *name == token).all(|(_, claims)| has_one(claims))
    });
    if part.is_empty() && !scope.is_empty() {
        return Err(Error::new(ErrorCode::InvalidScope, "the user may grant none of these scopes"));
    }
    Ok(part)
}

fn restrictions<'a>(
    resources: &'a [String],
    known: &'a [Resource],
) -> impl Iterator<Item = (&'a str, &'a BTreeMap<String, Vec<String>>)> {
    let is_meant = move |resource: &&Resource| resources.is_empty() || resources.contains(&resource.resource);
    let of = |resource: &'a Resource| resource.granted_to.iter().map(|(scope, claims)| (scope.as_str(), claims));
    known.iter().filter(is_meant).flat_map(of)
}

fn no_scope() -> Error {
    Error::new(ErrorCode::InvalidScope, "the client may ask for none of these scopes")
}

/// Returns the resources of a token: those that the request names of the granted ones, or all (RFC 8707 §2.2). A request may
/// name the audience that a token has without a resource. Errors: `invalid_target`.
pub fn narrowed(parameters: &Parameters, granted: &[String], audience: &str) -> Result<Vec<String>, Error> {
    if granted.is_empty() && parameters.values("resource").all(|name| is_same(name, audience)) {
        return Ok(Vec::new());
    }
    let refusal = || {
        let granted = if granted.is_empty() { audience.to_owned() } else { granted.join(" ") };
        format!("the resource is not among those that were granted: {granted}")
    };
    let resources = named(parameters, refusal, |name| granted.iter().find(|granted| is_same(granted, name)))?;
    Ok(if resources.is_empty() { granted.to_vec() } else { resources })
}

/// Returns the resources that a request names, each once and as `find` writes it. Errors: `invalid_target`.
fn named<'a>(
    parameters: &Parameters,
    refusal: impl Fn() -> String,
    find: impl Fn(&str) -> Option<&'a String>,
) -> Result<Vec<String>, Error> {
    let mut resources: Vec<String> = Vec::new();
    for name in parameters.values("resource") {
        let resource = find(name).ok_or_else(|| Error::new(ErrorCode::InvalidTarget, refusal()))?;
        if !resources.contains(resource) {
            resources.push(resource.clone());
        }
    }
    Ok(resources)
}

/// True if two identifiers name the same resource: the same text, or the same URL. Clients write an empty path as `/` or
/// leave it out (RFC 3986 §6.2.3).
pub fn is_same(one: &str, other: &str) -> bool {
    one == other || matches!((url::Url::parse(one), url::Url::parse(other)), (Ok(one), Ok(other)) if one == other)
}

/// Returns the part of a scope that tokens for these resources hold: the scopes of the resources. Returns all of it if no
/// resource is named, or if one of them does not list its scopes.
pub fn meaningful_scope(scope: &Scope, resources: &[String], known: &[Resource]) -> Scope {
    scope.filtered(|token| may_hold(token, resources, known))
}

/// True if a token for these resources may hold the scope.
fn may_hold(token: &str, resources: &[String], known: &[Resource]) -> bool {
    let named = || named_ones(resources, known);
    let lists_all = || named().all(|resource| !resource.scopes.is_empty());
    named().next().is_none() || !lists_all() || named().any(|resource| resource.scopes.contains(token))
}

/// Returns the signature of access tokens of this client for these resources (RFC 9068 §2.1).
pub fn signature(client: &Client, resources: &[String], known: &[Resource]) -> Algorithm {
    let of_resources = named_ones(resources, known).find_map(|resource| resource.access_token_signed_response_alg);
    of_resources.or(client.access_token_signed_response_alg).unwrap_or(Algorithm::ES256)
}

/// Returns `typ` of access tokens for these resources.
pub fn token_type(resources: &[String], known: &[Resource]) -> &'static str {
    let mut types = named_ones(resources, known).map(|resource| resource.access_token_type);
    types.find(|kind| *kind == AccessTokenType::Jwt).unwrap_or_default().as_str()
}

fn named_ones<'a>(resources: &'a [String], known: &'a [Resource]) -> impl Iterator<Item = &'a Resource> {
    known.iter().filter(|resource| resources.contains(&resource.resource))
}

/// Returns the format of access tokens of this client for these resources: opaque if any of the resources is.
pub fn format(client: &Client, resources: &[String], known: &[Resource]) -> AccessTokenFormat {
    let of_resources = named_ones(resources, known).filter_map(|resource| resource.access_token_format);
    of_resources
        .reduce(|one, other| if one == AccessTokenFormat::Opaque { one } else { other })
        .or(client.access_token_format)
        .unwrap_or_default()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    /// A scope without a rule is everyone's; one with a rule needs one of the values in one of the claims.
    #[test]
    fn a_restricted_scope_is_for_some_users() {
        let rule = |claim: &str, values: &[&str]| {
            (claim.to_owned(), values.iter().map(|value| (*value).to_owned()).collect::<Vec<_>>())
        };
        let claims = BTreeMap::from([rule("groups", &["admins", "staff"]), rule("role", &["owner"])]);
        let api = Resource {
            scopes: Scope::parse("read delete").unwrap_or_default(),
            granted_to: BTreeMap::from([("delete".to_owned(), claims)]),
            ..Resource::of_any_scope("https://api.example".to_owned())
        };
        let known = [api, Resource::of_any_scope("https://other.example".to_owned())];
        let scope = Scope::parse("openid read delete").unwrap_or_default();
        let of = |user: Value, resources: &[String]| {
            grantable(&scope, resources, &known, user.as_object().unwrap_or(&Map::new())).unwrap().to_string()
        };
        use serde_json::json;
        for (user, expected) in [
            (json!({}), "openid read"),
            (json!({ "groups": [] }), "openid read"),
            (json!({ "groups": ["guests"], "role": "guest" }), "openid read"),
            (json!({ "groups": { "admins": true } }), "openid read"),
            (json!({ "groups": ["guests", "staff"] }), "openid read delete"),
            (json!({ "groups": "admins" }), "openid read delete"),
            (json!({ "role": "owner" }), "openid read delete"),
        ] {
            assert_eq!(of(user.clone(), &[]), expected, "{user}");
            assert_eq!(of(user.clone(), &["https://api.example".to_owned()]), expected, "{user}");
            assert_eq!(of(user, &["https://other.example".to_owned()]), "openid read delete");
        }
        let delete = Scope::parse("delete").unwrap_or_default();
        let nothing = grantable(&delete, &[], &known, &Map::new()).unwrap_err();
        assert_eq!(nothing.code, ErrorCode::InvalidScope);
        assert_eq!(grantable(&Scope::default(), &[], &known, &Map::new()), Ok(Scope::default()));
        assert!(is_restricted(&scope, &[], &known));
        assert!(!is_restricted(&scope.without("delete"), &[], &known));
    }

    /// RFC 3986 §6.2: libraries that build URLs write `/` for an empty path, and hosts in lower case.
    #[test]
    fn one_url_in_two_ways_is_one_resource() {
        for (one, other) in [
            ("https://api.example", "https://api.example/"),
            ("https://api.example", "HTTPS://API.example:443"),
            ("https://api.example/v1", "https://api.example/v1"),
            ("urn:example:api", "urn:example:api"),
        ] {
            assert!(is_same(one, other) && is_same(other, one), "{one} {other}");
        }
        for (one, other) in [
            ("https://api.example/v1", "https://api.example/v1/"),
            ("https://api.example/v1", "https://api.example/V1"),
            ("https://api.example", "http://api.example"),
            ("https://api.example", "https://api.example#"),
            ("https://api.example", "https://api.example?"),
            ("https://api.example", "https://x@api.example"),
            ("https://api.example", "https://api.example.evil.example"),
            ("urn:example:api", "urn:example:API"),
            ("x", "y"),
        ] {
            assert!(!is_same(one, other), "{one} {other}");
        }
    }
}
