//! The values that settings of a client can have.

use serde::{Deserialize, Serialize};

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
    /// RFC 8628 §3.4.
    #[serde(rename = "urn:ietf:params:oauth:grant-type:device_code")]
    DeviceCode,
    /// RFC 7523 §2.1.
    #[serde(rename = "urn:ietf:params:oauth:grant-type:jwt-bearer")]
    JwtBearer,
    /// RFC 7522 §2.1.
    #[serde(rename = "urn:ietf:params:oauth:grant-type:saml2-bearer")]
    Saml2Bearer,
    /// RFC 8693 §2.1.
    #[serde(rename = "urn:ietf:params:oauth:grant-type:token-exchange")]
    TokenExchange,
}

impl GrantType {
    /// All of them.
    pub const ALL: &[Self] = &[
        Self::AuthorizationCode,
        Self::RefreshToken,
        Self::ClientCredentials,
        Self::DeviceCode,
        Self::JwtBearer,
        Self::Saml2Bearer,
        Self::TokenExchange,
    ];

    /// The name on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::AuthorizationCode => "authorization_code",
            Self::RefreshToken => "refresh_token",
            Self::ClientCredentials => "client_credentials",
            Self::DeviceCode => "urn:ietf:params:oauth:grant-type:device_code",
            Self::JwtBearer => "urn:ietf:params:oauth:grant-type:jwt-bearer",
            Self::Saml2Bearer => "urn:ietf:params:oauth:grant-type:saml2-bearer",
            Self::TokenExchange => "urn:ietf:params:oauth:grant-type:token-exchange",
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
    /// A JWT signed with the client's key (RFC 7523 §2.2, OpenID Connect Core §9).
    PrivateKeyJwt,
}

impl ClientAuthenticationMethod {
    /// All of them, as metadata lists them. `client_secret_jwt` is none: it would need secrets that can be read.
    pub const ALL: &[Self] = &[Self::ClientSecretBasic, Self::ClientSecretPost, Self::PrivateKeyJwt, Self::None];

    /// Whether there is a secret in it.
    pub const fn has_secret(self) -> bool {
        matches!(self, Self::ClientSecretBasic | Self::ClientSecretPost)
    }
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

/// What an authorization response may carry (OAuth 2.0 Multiple Response Types §3, §5).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ResponseType {
    /// RFC 6749 §4.1.1.
    #[serde(rename = "code")]
    Code,
    /// The hybrid flow (OpenID Connect Core §3.3): the ID token proves the response; no access token in the front channel.
    #[serde(rename = "code id_token")]
    CodeIdToken,
}

impl ResponseType {
    /// All of them.
    pub const ALL: &[Self] = &[Self::Code, Self::CodeIdToken];

    /// The name on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Code => "code",
            Self::CodeIdToken => "code id_token",
        }
    }

    /// From the wire, where the order of the words is free.
    pub fn parse(text: &str) -> Option<Self> {
        let is_same = |known: &Self| {
            let mut words = known.as_str().split(' ');
            words.clone().count() == text.split(' ').count() && words.all(|word| text.split(' ').any(|one| one == word))
        };
        Self::ALL.iter().copied().find(is_same)
    }
}

/// Whether every client knows a person by the same name (OpenID Connect Core §8).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SubjectType {
    /// The same name for all.
    #[default]
    Public,
    /// A name for each sector.
    Pairwise,
}

/// What an access token looks like.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AccessTokenFormat {
    /// A JWT (RFC 9068), which any resource server can check by itself.
    #[default]
    Jwt,
    /// Nothing to read for anybody but this server (RFC 7662).
    Opaque,
}

/// What a client may exchange (RFC 8693).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenExchangePolicy {
    /// The clients whose tokens it may exchange.
    #[serde(default)]
    pub subject_clients: Vec<String>,
    /// The audiences that it may exchange them for.
    #[serde(default)]
    pub audiences: Vec<String>,
    /// Whether it may act as the person without saying who acts; else an actor token is demanded (§1.1).
    #[serde(default)]
    pub impersonation: bool,
}
