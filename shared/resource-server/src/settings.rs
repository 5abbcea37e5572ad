//! The settings of the Lambda authorizer and the gateway Worker: names, defaults, meanings.

use crate::{
    Config, DpopNonces, NoncePolicy, RequiredAuthentication, ResourceMetadata, RouteAuthentication, RouteScopes,
    metadata,
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use std::time::Duration;
use types::Scope;
use url::Url;

/// One setting: an environment variable, or a variable or secret of a Worker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Setting {
    /// Name.
    pub name: &'static str,
    /// Default; `None` if the setting is required.
    pub default: Option<&'static str>,
    /// Meaning, with the unit.
    pub meaning: &'static str,
}

const fn setting(name: &'static str, default: Option<&'static str>, meaning: &'static str) -> Setting {
    Setting { name, default, meaning }
}

/// All settings of the guard of an API.
pub const SETTINGS: &[Setting] = &[
    setting("LATCHKEY_ISSUER", None, "the issuer whose tokens are accepted"),
    setting("LATCHKEY_RESOURCE", None, "the identifier of the API: the required audience of tokens"),
    setting(
        "LATCHKEY_PUBLIC_ORIGIN",
        Some("that of `LATCHKEY_RESOURCE`"),
        "the origin at which clients reach the API, which DPoP proofs name",
    ),
    setting(
        "LATCHKEY_DPOP",
        Some("accepted"),
        "`accepted`, or `required`: each access token must be bound to a key (RFC 9449)",
    ),
    setting(
        "LATCHKEY_MTLS",
        Some("accepted"),
        "`accepted`, or `required`: each access token must be bound to a client certificate (RFC 8705), which the platform asks clients for",
    ),
    setting(
        "LATCHKEY_DPOP_NONCE",
        Some("off"),
        "DPoP proofs that need a nonce: `off`, none; `when-skewed`, those of senders whose clock is wrong; `always`, all",
    ),
    setting(
        "LATCHKEY_DPOP_NONCE_KEY",
        Some("none"),
        "32 bytes as base64url, a secret: the key of the nonces, the same for all instances",
    ),
    setting(
        "LATCHKEY_DETAILS_TYPES",
        Some("none"),
        "the types of authorization details that the API understands, separated by spaces, for its metadata (RFC 9728 §2)",
    ),
    setting("LATCHKEY_RESOURCE_NAME", Some("none"), "the display name of the API"),
    setting(
        "LATCHKEY_ROUTE_SCOPES",
        Some("any valid token suffices"),
        "the required scope per request: rules such as `GET /orders orders:read; ANY /* api`. The first rule that matches decides. A request that no rule matches is rejected, and so is a path with `//`, `/../` or an encoded slash",
    ),
    setting(
        "LATCHKEY_ROUTE_AUTHENTICATION",
        Some("any sign-in suffices"),
        "the sign-in that requests need (RFC 9470): rules such as `POST /transfers acr_values=urn:latchkey:acr:password max_age=300`. `acr_values=` may be repeated: one of the classes suffices. The first rule that matches decides; a request that no rule matches needs no sign-in",
    ),
    setting("LATCHKEY_RESOURCE_CLIENT_ID", Some("none"), "the client_id of the API, for introspection"),
    setting("LATCHKEY_RESOURCE_CLIENT_SECRET", Some("none"), "the client secret of the API"),
    setting(
        "LATCHKEY_REVOCATION",
        Some("local"),
        "`local`: a revoked JWT is accepted until it expires. `checked`: JWTs are introspected",
    ),
    setting(
        "LATCHKEY_INTROSPECTION_AGE",
        Some("30"),
        "seconds for which an introspection response is cached, 0 to 300; a revocation is noticed after this time at the latest",
    ),
    setting(
        "LATCHKEY_AUTHORIZER_RESPONSE",
        Some("simple"),
        "Lambda authorizer only: `simple`, or `iam` for a policy; must match `EnableSimpleResponses` in API Gateway",
    ),
    setting(
        "LATCHKEY_ORIGIN",
        Some("the service binding `API`"),
        "Worker gateway only: the origin that receives the requests, without a path",
    ),
];

/// The configuration of an API and its guard.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Settings {
    /// The checks of tokens.
    pub config: Config,
    /// The scope that each request needs.
    pub routes: RouteScopes,
    /// The sign-in that each request needs.
    pub authentication: RouteAuthentication,
    /// The metadata of the API.
    pub metadata: ResourceMetadata,
    /// The path of the metadata.
    pub metadata_path: String,
}

impl Settings {
    /// Reads the settings. The error lists every problem, each with the setting's name.
    pub fn read(lookup: &dyn Fn(&str) -> Option<String>) -> Result<Self, Vec<String>> {
        let text = |name: &str| {
            debug_assert!(SETTINGS.iter().any(|setting| setting.name == name), "{name} is not in the table");
            lookup(name).map(|value| value.trim().to_owned()).filter(|value| !value.is_empty())
        };
        let mut problems = Vec::new();
        let mut url = |name: &str, remedy: &str| {
            let value = text(name).unwrap_or_default();
            let is_url = Url::parse(&value).is_ok_and(|url| url.has_host() && url.fragment().is_none());
            if !is_url {
                problems.push(format!("{name}: '{value}' is not a URL; set it to {remedy}"));
            }
            value
        };
        let issuer = url("LATCHKEY_ISSUER", "the issuer, such as https://auth.example.com");
        let resource = url("LATCHKEY_RESOURCE", "the identifier of the API, such as https://api.example.com");
        let routes = RouteScopes::parse(&text("LATCHKEY_ROUTE_SCOPES").unwrap_or_default()).unwrap_or_else(|problem| {
            problems.push(format!("LATCHKEY_ROUTE_SCOPES: {problem}"));
            RouteScopes::default()
        });
        let authentication = text("LATCHKEY_ROUTE_AUTHENTICATION").unwrap_or_default();
        let authentication = RouteAuthentication::parse(&authentication).unwrap_or_else(|problem| {
            problems.push(format!("LATCHKEY_ROUTE_AUTHENTICATION: {problem}"));
            RouteAuthentication::default()
        });
        let age = text("LATCHKEY_INTROSPECTION_AGE").map_or(Ok(30), |age| age.parse::<u64>());
        let age = age.ok().filter(|age| *age <= 300).unwrap_or_else(|| {
            problems.push("LATCHKEY_INTROSPECTION_AGE: is not a whole number of seconds from 0 to 300".to_owned());
            0
        });
        let checks_jwts = match text("LATCHKEY_REVOCATION").as_deref() {
            None | Some("local") => false,
            Some("checked") => true,
            Some(other) => {
                problems.push(format!("LATCHKEY_REVOCATION: '{other}' is neither local nor checked"));
                false
            }
        };
        let mut config = Config::new(&issuer, &resource);
        match (text("LATCHKEY_RESOURCE_CLIENT_ID"), text("LATCHKEY_RESOURCE_CLIENT_SECRET")) {
            (Some(id), Some(secret)) => {
                config = config.with_introspection(&id, &secret, Duration::from_secs(age));
                config.introspection.iter_mut().for_each(|introspection| introspection.checks_jwts = checks_jwts);
            }
            (None, None) if !checks_jwts => {}
            _ => problems.push(
                "LATCHKEY_RESOURCE_CLIENT_ID, LATCHKEY_RESOURCE_CLIENT_SECRET: introspection needs both; set both, or neither and LATCHKEY_REVOCATION=local"
                    .to_owned(),
            ),
        }
        config.origin = text("LATCHKEY_PUBLIC_ORIGIN");
        if let Some(origin) = &config.origin {
            let is_origin = Url::parse(origin).is_ok_and(|url| url.origin().ascii_serialization() == *origin);
            if !is_origin {
                problems.push(format!(
                    "LATCHKEY_PUBLIC_ORIGIN: '{origin}' is not an origin, such as https://api.example.com"
                ));
            }
        }
        let mut is_required = |name: &str| match text(name).as_deref() {
            None | Some("accepted") => false,
            Some("required") => true,
            Some(other) => {
                problems.push(format!("{name}: '{other}' is neither accepted nor required"));
                false
            }
        };
        config.requires_dpop = is_required("LATCHKEY_DPOP");
        config.requires_certificate = is_required("LATCHKEY_MTLS");
        if config.requires_dpop && config.requires_certificate {
            problems.push("LATCHKEY_MTLS: a token is bound to one key; do not require DPoP, too".to_owned());
        }
        match dpop_nonces(text("LATCHKEY_DPOP_NONCE").as_deref(), text("LATCHKEY_DPOP_NONCE_KEY").as_deref()) {
            Ok(nonces) => config.dpop_nonces = nonces,
            Err(problem) => problems.push(problem.to_owned()),
        }
        if !problems.is_empty() {
            return Err(problems);
        }
        let mut metadata = ResourceMetadata::new(&resource, &issuer);
        metadata.resource_name = text("LATCHKEY_RESOURCE_NAME");
        let details_types = text("LATCHKEY_DETAILS_TYPES").unwrap_or_default();
        metadata.authorization_details_types_supported =
            details_types.split_ascii_whitespace().map(str::to_owned).collect();
        metadata.scopes_supported = routes.scopes();
        metadata.dpop_bound_access_tokens_required = config.requires_dpop;
        metadata.tls_client_certificate_bound_access_tokens = config.requires_certificate;
        let metadata_path = metadata::path(&resource).unwrap_or_default();
        Ok(Self { config, routes, authentication, metadata, metadata_path })
    }

    /// Returns what is probably not meant: for the log at start.
    pub fn warnings(&self) -> Vec<&'static str> {
        let warning = "LATCHKEY_ROUTE_SCOPES is not set: every valid token may send every request";
        if self.routes.scopes().is_empty() { vec![warning] } else { Vec::new() }
    }

    /// Returns the scope that a request needs, for [`ResourceServer::check`](crate::ResourceServer::check). Errors: no scope
    /// allows the request.
    pub fn needed(&self, method: &http::Method, path: &str) -> Result<Scope, crate::AccessError> {
        self.routes.needed(method, path).ok_or_else(|| crate::AccessError::InsufficientScope(Scope::default()))
    }

    /// Returns the sign-in that a request needs, for [`ResourceServer::check_sign_in`](crate::ResourceServer::check_sign_in). Errors: an
    /// API may read the path as another one, to which a rule applies.
    pub fn needed_sign_in(
        &self,
        method: &http::Method,
        path: &str,
    ) -> Result<RequiredAuthentication, crate::AccessError> {
        let refused = |_| crate::AccessError::InsufficientScope(Scope::default());
        self.authentication.needed(method, path).map_err(refused)
    }
}

/// Reads policy and key of nonces. Errors: the problem, with the name of its setting.
fn dpop_nonces(policy: Option<&str>, key: Option<&str>) -> Result<Option<DpopNonces>, &'static str> {
    let named = |word: &str| NoncePolicy::ALL.into_iter().find(|policy| policy.as_str() == word);
    let policy = policy.map_or(Some(NoncePolicy::Off), named);
    let policy = policy.ok_or("LATCHKEY_DPOP_NONCE: is none of off, when-skewed and always")?;
    let key: Option<[u8; 32]> =
        key.map(|text| URL_SAFE_NO_PAD.decode(text).unwrap_or_default()).and_then(|key| key.try_into().ok());
    match (policy, key) {
        (NoncePolicy::Off, _) => Ok(None),
        (policy, Some(key)) => Ok(Some(DpopNonces::new(policy, key))),
        (_, None) => Err("LATCHKEY_DPOP_NONCE_KEY: nonces need a key of 32 bytes as base64url"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pairs: &[(&str, &str)]) -> Result<Settings, Vec<String>> {
        let lookup = |name: &str| pairs.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned());
        Settings::read(&lookup)
    }

    const ISSUER: (&str, &str) = ("LATCHKEY_ISSUER", "https://id.example");
    const RESOURCE: (&str, &str) = ("LATCHKEY_RESOURCE", "https://api.example/v1");

    #[test]
    fn little_is_needed() {
        let settings = read(&[ISSUER, RESOURCE]).unwrap();
        assert!(settings.config.introspection.is_none());
        assert_eq!(settings.metadata_path, "/.well-known/oauth-protected-resource/v1");
        let settings = read(&[
            ISSUER,
            RESOURCE,
            ("LATCHKEY_RESOURCE_CLIENT_ID", "api"),
            ("LATCHKEY_RESOURCE_CLIENT_SECRET", "s"),
            ("LATCHKEY_REVOCATION", "checked"),
            ("LATCHKEY_INTROSPECTION_AGE", "5"),
            ("LATCHKEY_ROUTE_SCOPES", "GET /v1 read; POST /v1 write read"),
            ("LATCHKEY_DETAILS_TYPES", "payment  account"),
        ])
        .unwrap();
        let introspection = settings.config.introspection.unwrap();
        assert!(introspection.checks_jwts && introspection.age == Duration::from_secs(5));
        assert_eq!(settings.metadata.scopes_supported, ["read", "write"]);
        assert_eq!(settings.metadata.authorization_details_types_supported, ["payment", "account"]);
    }

    #[test]
    fn all_that_is_wrong_is_said() {
        let problems = read(&[
            ("LATCHKEY_ISSUER", "id.example"),
            ("LATCHKEY_ROUTE_SCOPES", "x"),
            ("LATCHKEY_ROUTE_AUTHENTICATION", "POST /x strong"),
            ("LATCHKEY_INTROSPECTION_AGE", "301"),
            ("LATCHKEY_REVOCATION", "soon"),
            ("LATCHKEY_RESOURCE_CLIENT_ID", "api"),
            ("LATCHKEY_PUBLIC_ORIGIN", "https://api.example/"),
            ("LATCHKEY_DPOP", "yes"),
            ("LATCHKEY_MTLS", "yes"),
            ("LATCHKEY_DPOP_NONCE", "always"),
        ])
        .unwrap_err();
        assert_eq!(problems.len(), 11, "{problems:?}");
        let both = [ISSUER, RESOURCE, ("LATCHKEY_DPOP", "required"), ("LATCHKEY_MTLS", "required")];
        assert_eq!(read(&both).unwrap_err().len(), 1);
        assert_eq!(read(&[ISSUER, RESOURCE, ("LATCHKEY_REVOCATION", "checked")]).unwrap_err().len(), 1);
    }
}
