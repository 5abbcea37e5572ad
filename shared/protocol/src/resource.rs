//! Resources that tokens are for (RFC 8707), and the audiences that come of them.

use crate::{AccessTokenFormat, Client, Parameters, STANDARD_SCOPES};
use serde::{Deserialize, Serialize};
use types::{Error, ErrorCode, Scope};

/// An API that tokens can be asked for, as the deployment configures it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Resource {
    /// Its identifier: an absolute URI without a fragment (RFC 8707 §2). It becomes the audience.
    pub resource: String,
    /// What tokens for it may allow.
    #[serde(default)]
    pub scopes: Scope,
    /// What tokens for it look like; the client decides when it does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub access_token_format: Option<AccessTokenFormat>,
}

impl Resource {
    /// One that does not list its scopes: tokens for it may have any.
    pub fn of_any_scope(resource: String) -> Self {
        Self { resource, scopes: Scope::default(), access_token_format: None }
    }

    /// Why it cannot be one; `None` when it can.
    pub fn problem(&self) -> Option<String> {
        let problem = identifier_problem(&self.resource)?;
        Some(format!("resource '{}' {problem}", self.resource))
    }
}

/// Why a URI identifies no resource (RFC 8707 §2); `None` when it can.
pub fn identifier_problem(uri: &str) -> Option<&'static str> {
    let is_absolute = url::Url::parse(uri).is_ok() && !uri.contains('#');
    (!is_absolute).then_some("must be an absolute URI without a fragment")
}

/// The resources that a request asks for, each known and allowed to the client (RFC 8707 §2: else `invalid_target`).
pub fn requested(parameters: &Parameters, known: &[Resource], client: &Client) -> Result<Vec<String>, Error> {
    named(parameters, "the resource is unknown, or this client may not ask for it", |name| {
        let resource = known.iter().map(|resource| &resource.resource).find(|resource| is_same(resource, name))?;
        client.resources.as_ref().is_none_or(|own| own.iter().any(|own| is_same(own, resource))).then_some(resource)
    })
}

/// The resources of a token, of those that were granted (RFC 8707 §2.2: a subset; all when none is named).
pub fn narrowed(parameters: &Parameters, granted: &[String]) -> Result<Vec<String>, Error> {
    let resources = named(parameters, "the resource is not among those that were granted", |name| {
        granted.iter().find(|granted| is_same(granted, name))
    })?;
    Ok(if resources.is_empty() { granted.to_vec() } else { resources })
}

/// What a request names, each once and as `find` writes it, if all of it may be named.
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

/// Whether two identifiers are one: the same text, or the same URL (RFC 3986 §6.2.3: an empty path is `/`; clients write
/// both).
fn is_same(one: &str, other: &str) -> bool {
    one == other || matches!((url::Url::parse(one), url::Url::parse(other)), (Ok(one), Ok(other)) if one == other)
}

/// Of a scope, what tokens for these resources can mean: the standard scopes and the resources' own. All of it, when
/// no resource is named or one of them does not list its scopes.
pub fn meaningful_scope(scope: &Scope, resources: &[String], known: &[Resource]) -> Scope {
    let named: Vec<&Resource> = known.iter().filter(|resource| resources.contains(&resource.resource)).collect();
    if named.is_empty() || named.iter().any(|resource| resource.scopes.is_empty()) {
        return scope.clone();
    }
    scope.filtered(|token| {
        STANDARD_SCOPES.contains(&token) || named.iter().any(|resource| resource.scopes.contains(token))
    })
}

/// What tokens of this client for these resources look like: opaque if any of the resources says so.
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

    /// RFC 3986 §6.2: clients that build URLs write `/` where there is no path, and hosts in small letters.
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
