//! Resource indicators (RFC 8707) and the audiences of tokens.

use crate::shape::{Member, Shape};
use crate::{AccessTokenFormat, Client, Parameters, Problem, STANDARD_SCOPES};
use serde::{Deserialize, Serialize};
use types::{Error, ErrorCode, Scope};

/// An API that the deployment issues access tokens for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resource {
    /// Identifier: an absolute URI without a fragment (RFC 8707 §2). It becomes the audience.
    pub resource: String,
    /// Scopes that tokens for it may have.
    #[serde(default)]
    pub scopes: Scope,
    /// Format of its access tokens; the client decides without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub access_token_format: Option<AccessTokenFormat>,
}

impl Resource {
    /// The members of a configured resource.
    pub const MEMBERS: &[Member] = &[
        Member::required("resource", Shape::Text),
        Member::optional("scopes", Shape::Scopes),
        Member::optional(
            "access_token_format",
            Shape::OneOf(|| AccessTokenFormat::ALL.iter().map(|format| format.as_str()).collect()),
        ),
    ];

    /// Returns a resource that does not list its scopes: tokens for it may have any.
    pub fn of_any_scope(resource: String) -> Self {
        Self { resource, scopes: Scope::default(), access_token_format: None }
    }

    /// Returns the problem of the resource, if it has one.
    pub fn validate(&self) -> Option<Problem> {
        identifier_problem(&self.resource).map(|rule| Problem::new("resource", rule).with_value(&self.resource))
    }
}

/// Returns the rule that a resource identifier breaks (RFC 8707 §2).
pub fn identifier_problem(uri: &str) -> Option<&'static str> {
    let is_absolute = url::Url::parse(uri).is_ok() && !uri.contains('#');
    (!is_absolute).then_some("must be an absolute URI without a fragment")
}

/// Returns the resources that a request names. Errors: `invalid_target` if one is unknown or not allowed to the client
/// (RFC 8707 §2).
pub fn requested(parameters: &Parameters, known: &[Resource], client: &Client) -> Result<Vec<String>, Error> {
    named(parameters, "the resource is unknown, or this client may not ask for it", |name| {
        let resource = known.iter().map(|resource| &resource.resource).find(|resource| is_same(resource, name))?;
        client.resources.as_ref().is_none_or(|own| own.iter().any(|own| is_same(own, resource))).then_some(resource)
    })
}

/// Returns the resources of a token: those that the request names of the granted ones, or all (RFC 8707 §2.2). Errors:
/// `invalid_target`.
pub fn narrowed(parameters: &Parameters, granted: &[String]) -> Result<Vec<String>, Error> {
    let resources = named(parameters, "the resource is not among those that were granted", |name| {
        granted.iter().find(|granted| is_same(granted, name))
    })?;
    Ok(if resources.is_empty() { granted.to_vec() } else { resources })
}

/// Returns the resources that a request names, each once and as `find` writes it. Errors: `invalid_target`.
fn named<'a>(
    parameters: &Parameters,
    refusal: &'static str,
    find: impl Fn(&str) -> Option<&'a String>,
) -> Result<Vec<String>, Error> {
    let mut resources: Vec<String> = Vec::new();
    for name in parameters.values("resource") {
        let resource = find(name).ok_or_else(|| Error::new(ErrorCode::InvalidTarget, refusal))?;
        if !resources.contains(resource) {
            resources.push(resource.clone());
        }
    }
    Ok(resources)
}

/// True if two identifiers name the same resource: the same text, or the same URL. Clients write an empty path as `/` or
/// leave it out (RFC 3986 §6.2.3).
fn is_same(one: &str, other: &str) -> bool {
    one == other || matches!((url::Url::parse(one), url::Url::parse(other)), (Ok(one), Ok(other)) if one == other)
}

/// Returns the part of a scope that applies to these resources: the standard scopes and the scopes of the resources.
/// Returns all of it if no resource is named, or if one of them does not list its scopes.
pub fn meaningful_scope(scope: &Scope, resources: &[String], known: &[Resource]) -> Scope {
    let named: Vec<&Resource> = known.iter().filter(|resource| resources.contains(&resource.resource)).collect();
    if named.is_empty() || named.iter().any(|resource| resource.scopes.is_empty()) {
        return scope.clone();
    }
    scope.filtered(|token| {
        STANDARD_SCOPES.contains(&token) || named.iter().any(|resource| resource.scopes.contains(token))
    })
}

/// Returns the format of access tokens of this client for these resources: opaque if any of the resources is.
pub fn format(client: &Client, resources: &[String], known: &[Resource]) -> AccessTokenFormat {
    let of_resources = known
        .iter()
        .filter(|resource| resources.contains(&resource.resource))
        .filter_map(|resource| resource.access_token_format);
    of_resources
        .reduce(|one, other| if one == AccessTokenFormat::Opaque { one } else { other })
        .or(client.access_token_format)
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

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
