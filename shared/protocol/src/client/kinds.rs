//! Values of client settings.

use crate::id_jag_issue::IdJagTarget;
use crate::token_exchange::ExchangedType;
use serde::{Deserialize, Serialize};
use types::ClientId;

/// A grant type.
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
    /// OpenID Connect CIBA Core §10.1.
    #[serde(rename = "urn:openid:params:grant-type:ciba")]
    Ciba,
}

impl GrantType {
    /// Every value.
    pub const ALL: &[Self] = &[
        Self::AuthorizationCode,
        Self::RefreshToken,
        Self::ClientCredentials,
        Self::DeviceCode,
        Self::JwtBearer,
        Self::Saml2Bearer,
        Self::TokenExchange,
        Self::Ciba,
    ];

    /// Returns the name on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::AuthorizationCode => "authorization_code",
            Self::RefreshToken => "refresh_token",
            Self::ClientCredentials => "client_credentials",
            Self::DeviceCode => "urn:ietf:params:oauth:grant-type:device_code",
            Self::JwtBearer => "urn:ietf:params:oauth:grant-type:jwt-bearer",
            Self::Saml2Bearer => "urn:ietf:params:oauth:grant-type:saml2-bearer",
            Self::TokenExchange => "urn:ietf:params:oauth:grant-type:token-exchange",
            Self::Ciba => "urn:openid:params:grant-type:ciba",
        }
    }
}

/// A client authentication method, as a client registers it (RFC 6749 §2.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClientAuthenticationMethod {
    /// None: a public client, which cannot keep a secret (RFC 6749 §2.1).
    None,
    /// RFC 6749 §2.3.1. A client with a secret may also send it in the body.
    ClientSecretBasic,
    /// RFC 6749 §2.3.1. A client with a secret may also send it in the header.
    ClientSecretPost,
    /// A JWT signed with the client's key (RFC 7523 §2.2, OpenID Connect Core §9).
    PrivateKeyJwt,
    /// A certificate that a trusted CA issued (RFC 8705 §2.1).
    TlsClientAuth,
    /// A certificate that the client registered (RFC 8705 §2.2).
    SelfSignedTlsClientAuth,
}

impl ClientAuthenticationMethod {
    /// Every method, in the order of the metadata. `client_secret_jwt` is not supported: the server would have to store
    /// secrets in a form that can be read.
    pub const ALL: &[Self] = &[
        Self::ClientSecretBasic,
        Self::ClientSecretPost,
        Self::PrivateKeyJwt,
        Self::TlsClientAuth,
        Self::SelfSignedTlsClientAuth,
        Self::None,
    ];

    /// Returns the name on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::ClientSecretBasic => "client_secret_basic",
            Self::ClientSecretPost => "client_secret_post",
            Self::PrivateKeyJwt => "private_key_jwt",
            Self::TlsClientAuth => "tls_client_auth",
            Self::SelfSignedTlsClientAuth => "self_signed_tls_client_auth",
        }
    }

    /// True if the client has a secret.
    pub const fn has_secret(self) -> bool {
        match self {
            Self::ClientSecretBasic | Self::ClientSecretPost => true,
            Self::None | Self::PrivateKeyJwt | Self::TlsClientAuth | Self::SelfSignedTlsClientAuth => false,
        }
    }

    /// True if the client authenticates by the certificate of its TLS connection.
    pub const fn needs_certificate(self) -> bool {
        match self {
            Self::TlsClientAuth | Self::SelfSignedTlsClientAuth => true,
            Self::None | Self::ClientSecretBasic | Self::ClientSecretPost | Self::PrivateKeyJwt => false,
        }
    }

    /// True if the client must have public keys.
    pub const fn needs_keys(self) -> bool {
        match self {
            Self::PrivateKeyJwt | Self::SelfSignedTlsClientAuth => true,
            Self::None | Self::ClientSecretBasic | Self::ClientSecretPost | Self::TlsClientAuth => false,
        }
    }
}

/// A mode in which a client learns of the decision about a backchannel request (OpenID Connect CIBA Core §5).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BackchannelDelivery {
    /// The client polls the token endpoint.
    Poll,
    /// The server calls the client, which then asks the token endpoint.
    Ping,
}

impl BackchannelDelivery {
    /// Every value. Tokens are not pushed: they would be sent to a client that does not authenticate.
    pub const ALL: &[Self] = &[Self::Poll, Self::Ping];

    /// Returns the name on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Poll => "poll",
            Self::Ping => "ping",
        }
    }
}

/// A kind of application (OpenID Connect Registration §2).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ApplicationType {
    /// Runs on a server or in a browser.
    #[default]
    Web,
    /// Installed on the user's device.
    Native,
}

impl ApplicationType {
    /// Every value.
    pub const ALL: &[Self] = &[Self::Web, Self::Native];

    /// Returns the name on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Web => "web",
            Self::Native => "native",
        }
    }
}

/// A response type (OAuth 2.0 Multiple Response Type Encoding Practices §3, §5).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ResponseType {
    /// RFC 6749 §4.1.1.
    #[serde(rename = "code")]
    Code,
    /// The hybrid flow (OpenID Connect Core §3.3): the ID token authenticates the response. The front channel carries no
    /// access token.
    #[serde(rename = "code id_token")]
    CodeIdToken,
}

impl ResponseType {
    /// Every value.
    pub const ALL: &[Self] = &[Self::Code, Self::CodeIdToken];

    /// Returns the name on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Code => "code",
            Self::CodeIdToken => "code id_token",
        }
    }

    /// Parses a response type. The words may be in any order.
    pub fn parse(text: &str) -> Option<Self> {
        let is_same = |known: &Self| {
            let mut words = known.as_str().split(' ');
            words.clone().count() == text.split(' ').count() && words.all(|word| text.split(' ').any(|one| one == word))
        };
        Self::ALL.iter().copied().find(is_same)
    }
}

/// A subject identifier type (OpenID Connect Core §8).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SubjectType {
    /// The same `sub` for every client.
    #[default]
    Public,
    /// Another `sub` for each sector.
    Pairwise,
}

impl SubjectType {
    /// Every value.
    pub const ALL: &[Self] = &[Self::Public, Self::Pairwise];

    /// Returns the name on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Public => "public",
            Self::Pairwise => "pairwise",
        }
    }
}

/// A format of access tokens.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AccessTokenFormat {
    /// JWT (RFC 9068), which a resource server can verify by itself.
    #[default]
    Jwt,
    /// Opaque: resource servers introspect it (RFC 7662).
    Opaque,
}

impl AccessTokenFormat {
    /// Every value.
    pub const ALL: &[Self] = &[Self::Jwt, Self::Opaque];

    /// Returns the name on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Jwt => "jwt",
            Self::Opaque => "opaque",
        }
    }
}

/// The consequence of a refresh token that was used before (RFC 9700 §4.14.2).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RefreshTokenReplay {
    /// The grant is revoked.
    #[default]
    Revoke,
    /// The token is rejected, and the grant lives: for a client at loopback redirect URIs whose processes share one store of
    /// tokens.
    Reject,
}

impl RefreshTokenReplay {
    /// Every value.
    pub const ALL: &[Self] = &[Self::Revoke, Self::Reject];

    /// Returns the name on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Revoke => "revoke",
            Self::Reject => "reject",
        }
    }

    /// True for the default value.
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

/// The ID tokens of the token endpoint that hold the claims of the granted scopes (OpenID Connect Core §5.4). The UserInfo
/// response always holds them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ScopeClaims {
    /// No ID token.
    Never,
    /// The first one: of a code exchange, or of the poll of a device.
    #[default]
    Code,
    /// Each one, those of refreshes included.
    Always,
}

impl ScopeClaims {
    /// Every value.
    pub const ALL: &[Self] = &[Self::Never, Self::Code, Self::Always];

    /// Returns the name on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Never => "never",
            Self::Code => "code",
            Self::Always => "always",
        }
    }
}

/// The tokens that a client may exchange (RFC 8693).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenExchangePolicy {
    /// Clients whose tokens it may exchange.
    #[serde(default)]
    pub subject_clients: Vec<ClientId>,
    /// Types of the tokens that it may exchange (RFC 8693 §3). ID tokens and refresh tokens only where this names them.
    #[serde(default = "TokenExchangePolicy::default_types")]
    pub subject_token_types: Vec<String>,
    /// Audiences of the access tokens that it may exchange: one of them must be in the token. Without it, the client's own:
    /// its `client_id`, and the audiences that it introspects.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject_audiences: Option<Vec<String>>,
    /// Audiences that it may request.
    #[serde(default)]
    pub audiences: Vec<String>,
    /// True if the client may impersonate the user. Otherwise it must send an actor token (§1.1).
    #[serde(default)]
    pub impersonation: bool,
    /// Authorization servers for which it may exchange the ID tokens and refresh tokens of its own users for ID-JAGs.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub id_jags: Vec<IdJagTarget>,
}

impl TokenExchangePolicy {
    fn default_types() -> Vec<String> {
        vec![ExchangedType::AccessToken.as_str().to_owned()]
    }
}
