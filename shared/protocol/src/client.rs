//! Clients, in the words of RFC 7591 §2 and OpenID Connect Registration §2, and this server's own settings.

use crate::{Algorithm, RefreshLifetimes, Scope, redirect_uri};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::time::Duration;
use subtle::ConstantTimeEq;

/// Grants that a client may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GrantType {
    /// RFC 6749 §4.1.
    AuthorizationCode,
    /// RFC 6749 §6.
    RefreshToken,
    /// RFC 6749 §4.4.
    ClientCredentials,
}

impl GrantType {
    /// All of them, as metadata lists them.
    pub const ALL: &[Self] = &[Self::AuthorizationCode, Self::RefreshToken, Self::ClientCredentials];

    /// The name on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::AuthorizationCode => "authorization_code",
            Self::RefreshToken => "refresh_token",
            Self::ClientCredentials => "client_credentials",
        }
    }
}

/// How a client authenticates at the token endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClientAuthenticationMethod {
    /// A public client: it cannot keep a secret (RFC 6749 §2.1).
    None,
    /// RFC 6749 §2.3.1. A client with a secret may also send it in the body.
    ClientSecretBasic,
    /// RFC 6749 §2.3.1. A client with a secret may also send it in the header.
    ClientSecretPost,
}

/// What kind of application it is (OpenID Connect Registration §2).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ApplicationType {
    /// Runs on a server or in a browser.
    #[default]
    Web,
    /// Installed on the person's device.
    Native,
}

/// A client. Durations are in seconds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
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
    /// `max_age` when a request has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default_max_age: Option<u64>,
    /// Whether it must use PKCE. A public client always must (RFC 9700 §2.1.1).
    #[serde(default = "yes")]
    pub require_pkce: bool,
    /// Whether people are not asked for consent: for the operator's own applications.
    #[serde(default)]
    pub skip_consent: bool,
    /// Lifetime of its access tokens, when not the deployment's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub access_token_lifetime: Option<u64>,
    /// Lifetime of its ID tokens, when not the deployment's.
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

    /// Whether it may use a grant.
    pub fn may_use(&self, grant_type: GrantType) -> bool {
        self.grant_types.contains(&grant_type)
    }

    /// Whether its authorization requests must have a code challenge (RFC 9700 §2.1.1).
    pub fn must_use_pkce(&self) -> bool {
        self.require_pkce || !self.is_confidential()
    }

    /// Its name for people; its identifier when it has none.
    pub fn display_name(&self) -> &str {
        self.client_name.as_deref().unwrap_or(&self.client_id)
    }

    /// The lifetimes of its tokens.
    pub fn lifetimes(&self, defaults: &Lifetimes) -> Lifetimes {
        let or = |own: Option<u64>, default| own.map_or(default, Duration::from_secs);
        Lifetimes {
            access_token: or(self.access_token_lifetime, defaults.access_token),
            id_token: or(self.id_token_lifetime, defaults.id_token),
            refresh: RefreshLifetimes {
                absolute: or(self.refresh_token_lifetime, defaults.refresh.absolute),
                idle: or(self.refresh_token_idle_lifetime, defaults.refresh.idle),
            },
        }
    }

    /// All that is wrong with it, each with the name of the field.
    pub fn problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        let id_allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~');
        if self.client_id.is_empty() || self.client_id.len() > 128 || !self.client_id.bytes().all(id_allowed) {
            problems.push("client_id: must be 1 to 128 of the characters A-Z a-z 0-9 - . _ ~".to_owned());
        }
        for (field, uris) in
            [("redirect_uris", &self.redirect_uris), ("post_logout_redirect_uris", &self.post_logout_redirect_uris)]
        {
            problems.extend(
                uris.iter()
                    .filter_map(|uri| redirect_uri::problem(uri).map(|problem| format!("{field}: '{uri}' {problem}"))),
            );
        }
        if self.may_use(GrantType::AuthorizationCode) && self.redirect_uris.is_empty() {
            problems.push("redirect_uris: the authorization_code grant needs at least one".to_owned());
        }
        if self.may_use(GrantType::RefreshToken) && !self.may_use(GrantType::AuthorizationCode) {
            problems.push("grant_types: refresh_token needs authorization_code".to_owned());
        }
        if self.may_use(GrantType::ClientCredentials) && !self.is_confidential() {
            problems.push(
                "grant_types: client_credentials needs a client that authenticates (RFC 6749 section 4.4)".to_owned(),
            );
        }
        for (field, uri) in [
            ("logo_uri", &self.logo_uri),
            ("client_uri", &self.client_uri),
            ("policy_uri", &self.policy_uri),
            ("tos_uri", &self.tos_uri),
        ] {
            if uri.as_deref().is_some_and(|uri| {
                !url::Url::parse(uri).is_ok_and(|url| {
                    url.scheme() == "https" || (url.scheme() == "http" && redirect_uri::is_loopback(&url))
                })
            }) {
                problems.push(format!("{field}: must be an https URL"));
            }
        }
        for (field, seconds) in [
            ("access_token_lifetime", self.access_token_lifetime),
            ("id_token_lifetime", self.id_token_lifetime),
            ("refresh_token_lifetime", self.refresh_token_lifetime),
            ("refresh_token_idle_lifetime", self.refresh_token_idle_lifetime),
        ] {
            if seconds.is_some_and(|seconds| seconds == 0 || seconds > 10 * 366 * 86_400) {
                problems.push(format!("{field}: must be 1 second to 10 years"));
            }
        }
        problems
    }
}

/// A client as it is stored: with what its secrets are checked against.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredClient {
    /// The client.
    pub client: Client,
    /// Its secrets' verifiers; any of them is good, so that a secret can be replaced without a gap.
    #[serde(default)]
    pub secrets: Vec<SecretVerifier>,
}

impl StoredClient {
    /// Whether a secret is one of the client's, in constant time.
    pub fn accepts(&self, secret: &str) -> bool {
        self.secrets.iter().fold(false, |found, verifier| found | verifier.accepts(secret))
    }
}

/// What a client's secret is checked against: a salted SHA-256. Client secrets are random, 256 bits, made here, so a
/// reader of the store cannot find them by trying; passwords, which people choose, are never stored this way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SecretVerifier {
    salt: String,
    hash: String,
}

impl SecretVerifier {
    /// Of a secret, with a fresh salt.
    pub fn new(secret: &str, salt: [u8; 16]) -> Self {
        let salt = URL_SAFE_NO_PAD.encode(salt);
        let hash = Self::hash(&salt, secret);
        Self { salt, hash }
    }

    /// Whether this is the secret, in constant time.
    pub fn accepts(&self, secret: &str) -> bool {
        Self::hash(&self.salt, secret).as_bytes().ct_eq(self.hash.as_bytes()).into()
    }

    fn hash(salt: &str, secret: &str) -> String {
        URL_SAFE_NO_PAD.encode(Sha256::new().chain_update(salt).chain_update(b"\0").chain_update(secret).finalize())
    }
}
