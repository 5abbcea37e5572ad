//! Clients, in the words of RFC 7591 §2 and OpenID Connect Registration §2, and this server's own settings.

mod encryption;
pub(crate) mod human;
mod kinds;
mod members;
mod problems;
mod secret;
mod sector;

use crate::{MAX_TOKEN_LIFETIME, RefreshLifetimes};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::time::Duration;
use types::{Algorithm, ContentEncryption, KeyManagementAlgorithm, RequestObjectAlgorithm, Scope};

pub use kinds::{
    AccessTokenFormat, ApplicationType, ClientAuthenticationMethod, GrantType, ResponseType, SubjectType,
    TokenExchangePolicy,
};
pub use secret::{SecretVerifier, StoredClient};

/// A client. Durations are in seconds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Client {
    /// Its name on the wire.
    pub client_id: String,
    /// Its name for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_name: Option<String>,
    /// Its home page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_uri: Option<String>,
    /// Its picture, https.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub logo_uri: Option<String>,
    /// How it uses what it learns about people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy_uri: Option<String>,
    /// Its terms of service.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tos_uri: Option<String>,
    /// What kind of application it is.
    #[serde(default)]
    pub application_type: ApplicationType,
    /// Where answers may be sent.
    #[serde(default)]
    pub redirect_uris: Vec<String>,
    /// Where a browser may be sent after sign-out.
    #[serde(default)]
    pub post_logout_redirect_uris: Vec<String>,
    /// What it may use.
    #[serde(default = "default_grant_types")]
    pub grant_types: Vec<GrantType>,
    /// How it authenticates.
    #[serde(default = "default_authentication_method")]
    pub token_endpoint_auth_method: ClientAuthenticationMethod,
    /// What it may ask for.
    #[serde(default = "default_scope")]
    pub scope: Scope,
    /// How its ID tokens are signed (OpenID Connect Registration §2: RS256 unless it says otherwise).
    #[serde(default = "default_id_token_algorithm")]
    pub id_token_signed_response_alg: Algorithm,
    /// How its UserInfo responses are signed; plain JSON when it does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub userinfo_signed_response_alg: Option<Algorithm>,
    /// What its authorization requests may ask for.
    #[serde(default = "default_response_types")]
    pub response_types: Vec<ResponseType>,
    /// Names and URLs in other languages: `client_name#de` and the like (RFC 7591 §2.2).
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub localized: BTreeMap<String, String>,
    /// How to reach those who answer for it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub contacts: Vec<String>,
    /// Names its software, the same for every installation (RFC 7591 §2).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub software_id: Option<String>,
    /// The version of its software (RFC 7591 §2).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub software_version: Option<String>,
    /// Its public keys (RFC 7517 §5); either these or `jwks_uri`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jwks: Option<serde_json::Value>,
    /// Where its public keys are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jwks_uri: Option<String>,
    /// The one algorithm of its assertions, when it authenticates by `private_key_jwt`; any when it does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token_endpoint_auth_signing_alg: Option<Algorithm>,
    /// Whether it knows people by names of its sector's own.
    #[serde(default)]
    pub subject_type: SubjectType,
    /// Names its sector: a list of the redirect URIs that share it (OpenID Connect Core §8.1).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sector_identifier_uri: Option<String>,
    /// How the key of its encrypted ID tokens travels; they are not encrypted when it does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id_token_encrypted_response_alg: Option<KeyManagementAlgorithm>,
    /// How its ID tokens are encrypted; A128CBC-HS256 when it does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id_token_encrypted_response_enc: Option<ContentEncryption>,
    /// As for ID tokens, for UserInfo responses.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub userinfo_encrypted_response_alg: Option<KeyManagementAlgorithm>,
    /// As for ID tokens, for UserInfo responses.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub userinfo_encrypted_response_enc: Option<ContentEncryption>,
    /// How its introspection responses are signed when it asks for JWTs (RFC 9701 §6); RS256 when it does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub introspection_signed_response_alg: Option<Algorithm>,
    /// As for ID tokens, for introspection responses (RFC 9701 §6).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub introspection_encrypted_response_alg: Option<KeyManagementAlgorithm>,
    /// As for ID tokens, for introspection responses (RFC 9701 §6).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub introspection_encrypted_response_enc: Option<ContentEncryption>,
    /// The one algorithm of its request objects (RFC 9101 §10.5); any signed one when it does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_object_signing_alg: Option<RequestObjectAlgorithm>,
    /// Whether its requests must be signed request objects (RFC 9101 §10.5).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub require_signed_request_object: bool,
    /// Where its request objects may be fetched from (OpenID Connect Registration §2).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub request_uris: Vec<String>,
    /// Whether its requests must be pushed (RFC 9126 §6).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub require_pushed_authorization_requests: bool,
    /// Whether it insists on `auth_time`; ID tokens always have it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub require_auth_time: bool,
    /// `acr_values` when a request has none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub default_acr_values: Vec<String>,
    /// Where others may send a browser to begin a sign-in (OpenID Connect Core §4).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub initiate_login_uri: Option<String>,
    /// Told when a session ends (OpenID Connect Back-Channel Logout §2.2).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backchannel_logout_uri: Option<String>,
    /// Whether logout tokens must name the session; they always do.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub backchannel_logout_session_required: bool,
    /// Shown in a frame when a session ends (OpenID Connect Front-Channel Logout §2).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub frontchannel_logout_uri: Option<String>,
    /// Whether that frame must be told issuer and session.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub frontchannel_logout_session_required: bool,
    /// `max_age` when a request has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default_max_age: Option<u64>,
    /// Whether it must use PKCE. A public client always must (RFC 9700 §2.1.1).
    #[serde(default = "yes")]
    pub require_pkce: bool,
    /// What its access tokens look like, when the resource does not decide.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub access_token_format: Option<AccessTokenFormat>,
    /// The resources that it may ask for (RFC 8707); any of the deployment's when it does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resources: Option<Vec<String>>,
    /// The audiences whose tokens it may introspect: for resource servers (RFC 7662 §4).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub introspects: Vec<String>,
    /// What it may exchange (RFC 8693).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token_exchange: Option<TokenExchangePolicy>,
    /// Whether people are not asked for consent: for the operator's own applications.
    #[serde(default)]
    pub skip_consent: bool,
    /// Lifetime of its access tokens, when not the deployment's; a day at most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub access_token_lifetime: Option<u64>,
    /// Lifetime of its ID tokens, when not the deployment's; a day at most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id_token_lifetime: Option<u64>,
    /// Lifetime of a family of refresh tokens, when not the deployment's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refresh_token_lifetime: Option<u64>,
    /// How long a refresh token may go unused, when not the deployment's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refresh_token_idle_lifetime: Option<u64>,
}

fn default_grant_types() -> Vec<GrantType> {
    vec![GrantType::AuthorizationCode]
}

fn default_response_types() -> Vec<ResponseType> {
    vec![ResponseType::Code]
}

fn default_authentication_method() -> ClientAuthenticationMethod {
    ClientAuthenticationMethod::ClientSecretBasic
}

fn default_scope() -> Scope {
    Scope::parse("openid profile email offline_access").unwrap_or_default()
}

fn default_id_token_algorithm() -> Algorithm {
    Algorithm::RS256
}

fn yes() -> bool {
    true
}

/// Lifetimes of tokens, when a client has none of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lifetimes {
    /// Access tokens.
    pub access_token: Duration,
    /// ID tokens.
    pub id_token: Duration,
    /// Refresh tokens.
    pub refresh: RefreshLifetimes,
}

impl Client {
    /// Whether it can keep a secret (RFC 6749 §2.1).
    pub fn is_confidential(&self) -> bool {
        self.token_endpoint_auth_method != ClientAuthenticationMethod::None
    }

    /// Whether it proves itself with a secret.
    pub fn has_secret(&self) -> bool {
        self.token_endpoint_auth_method.has_secret()
    }

    /// Whether it may use a grant.
    pub fn may_use(&self, grant_type: GrantType) -> bool {
        self.grant_types.contains(&grant_type)
    }

    /// Whether its authorization requests must have a code challenge (RFC 9700 §2.1.1).
    pub fn must_use_pkce(&self) -> bool {
        self.require_pkce || !self.is_confidential()
    }

    /// Returns the members that no client can have, each with the reason. Each member is read alone, so that all wrong
    /// members are found. Strict parsing is for requests: a stored client may have members of a later version.
    pub fn wrong_members(members: &Map<String, Value>) -> impl Iterator<Item = (&str, String)> {
        let settings = members::names::<Self>();
        let policy = members::names::<TokenExchangePolicy>();
        members.iter().filter_map(move |(name, value)| {
            let mut inner = value.as_object().into_iter().flat_map(Map::keys);
            let is_unknown = !settings.contains(&name.as_str())
                || (name == "token_exchange" && inner.any(|member| !policy.contains(&member.as_str())));
            if is_unknown {
                return Some((name.as_str(), "unknown field".to_owned()));
            }
            let alone = json!({ "client_id": "x", name.as_str(): value });
            serde_json::from_value::<Self>(alone).err().map(|error| (name.as_str(), error.to_string()))
        })
    }

    /// Its name for people; its identifier when it has none.
    pub fn display_name(&self) -> &str {
        self.client_name.as_deref().unwrap_or(&self.client_id)
    }

    /// The lifetimes of its tokens. A client that was stored before there was a limit is held to it.
    pub fn lifetimes(&self, defaults: &Lifetimes) -> Lifetimes {
        let or = |own: Option<u64>, default| own.map_or(default, Duration::from_secs);
        Lifetimes {
            access_token: or(self.access_token_lifetime, defaults.access_token).min(MAX_TOKEN_LIFETIME),
            id_token: or(self.id_token_lifetime, defaults.id_token).min(MAX_TOKEN_LIFETIME),
            refresh: RefreshLifetimes {
                absolute: or(self.refresh_token_lifetime, defaults.refresh.absolute),
                idle: or(self.refresh_token_idle_lifetime, defaults.refresh.idle),
            },
        }
    }
}
