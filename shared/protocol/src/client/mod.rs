//! Clients: the settings of RFC 7591 §2 and OpenID Connect Registration §2, and those of this server.

mod encryption;
pub(crate) mod human;
mod kinds;
mod logo;
pub mod metadata_document;
mod mutual_tls;
mod origin;
mod redirect_uri;
pub mod registration;
mod registration_state;
mod secrets;
mod sector;
pub mod settings;
pub(crate) mod software;
pub mod software_statement;
mod validation;

use crate::{MAX_TOKEN_LIFETIME, Profile, RefreshLifetimes};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::time::Duration;
use types::{Algorithm, ClientId, ContentEncryption, Issuer, KeyManagementAlgorithm, RequestObjectAlgorithm, Scope};
use url::Url;

pub use kinds::{
    AccessTokenFormat, ApplicationType, BackchannelDelivery, ClientAuthenticationMethod, GrantType, RefreshTokenReplay,
    ResponseType, ScopeClaims, SubjectType, TokenExchangePolicy,
};
pub use logo::{Logo, LogoFormat, LogoName};
pub use mutual_tls::MutualTls;
pub use origin::ClientOrigin;
pub use redirect_uri::{RedirectUri, is_secure_url};
pub use secrets::{SecretRotation, SecretVerifier, StoredClient, chosen_secret_problem};
pub(crate) use validation::is_bidi_control;

/// A client. [`settings::SETTINGS`] has the meaning of each member; durations are in seconds.
///
/// Decoding ignores unknown members, because a newer version may have stored them. [`Client::parse`] is the strict way
/// for settings that an operator or a client sends.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Client {
    /// Identifier on the wire.
    pub client_id: ClientId,
    /// Name that users see.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_name: Option<String>,
    /// Home page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_uri: Option<String>,
    /// Logo, https.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub logo_uri: Option<String>,
    /// Privacy policy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy_uri: Option<String>,
    /// Terms of service.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tos_uri: Option<String>,
    /// Security profile that narrows the settings of the client and the rules of its requests.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub profile: Option<Profile>,
    /// Kind of application.
    #[serde(default)]
    pub application_type: ApplicationType,
    /// Redirect URIs.
    #[serde(default)]
    pub redirect_uris: Vec<RedirectUri>,
    /// URIs that a browser may be sent to after sign-out.
    #[serde(default)]
    pub post_logout_redirect_uris: Vec<RedirectUri>,
    /// Grants that it may use.
    #[serde(default = "default_grant_types")]
    pub grant_types: Vec<GrantType>,
    /// Client authentication method.
    #[serde(default = "default_authentication_method")]
    pub token_endpoint_auth_method: ClientAuthenticationMethod,
    /// Scopes that it may request.
    #[serde(default = "default_scope")]
    pub scope: Scope,
    /// Signature of its ID tokens (OpenID Connect Registration §2: RS256 by default).
    #[serde(default = "default_id_token_algorithm")]
    pub id_token_signed_response_alg: Algorithm,
    /// ID tokens that hold the claims of the granted scopes.
    #[serde(default)]
    pub scope_claims_in_id_token: ScopeClaims,
    /// Signature of its UserInfo responses; plain JSON without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub userinfo_signed_response_alg: Option<Algorithm>,
    /// Response types of its authorization requests.
    #[serde(default = "default_response_types")]
    pub response_types: Vec<ResponseType>,
    /// Names and URLs in other languages, by `client_name#de` and the like (RFC 7591 §2.2).
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub localized: BTreeMap<String, String>,
    /// Addresses of the developers who are responsible.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub contacts: Vec<String>,
    /// Identifier of the software, the same for every installation (RFC 7591 §2).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub software_id: Option<String>,
    /// Version of the software (RFC 7591 §2).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub software_version: Option<String>,
    /// Public keys (RFC 7517 §5); excludes `jwks_uri`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jwks: Option<serde_json::Value>,
    /// URL of its public keys.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jwks_uri: Option<String>,
    /// The one algorithm of its client assertions (`private_key_jwt`); any without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token_endpoint_auth_signing_alg: Option<Algorithm>,
    /// The subject of its certificate (RFC 8705 §2.1.2).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tls_client_auth_subject_dn: Option<String>,
    /// A DNS name of its certificate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tls_client_auth_san_dns: Option<String>,
    /// A URI of its certificate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tls_client_auth_san_uri: Option<String>,
    /// An IP address of its certificate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tls_client_auth_san_ip: Option<String>,
    /// An e-mail address of its certificate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tls_client_auth_san_email: Option<String>,
    /// Subject identifiers that it receives (OpenID Connect Core §8).
    #[serde(default)]
    pub subject_type: SubjectType,
    /// URL of a list of the redirect URIs that share its sector (OpenID Connect Core §8.1).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sector_identifier_uri: Option<String>,
    /// Key management of its encrypted ID tokens; they are not encrypted without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id_token_encrypted_response_alg: Option<KeyManagementAlgorithm>,
    /// Content encryption of its encrypted ID tokens; A128CBC-HS256 without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id_token_encrypted_response_enc: Option<ContentEncryption>,
    /// Key management of its encrypted UserInfo responses; they are not encrypted without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub userinfo_encrypted_response_alg: Option<KeyManagementAlgorithm>,
    /// Content encryption of its encrypted UserInfo responses; A128CBC-HS256 without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub userinfo_encrypted_response_enc: Option<ContentEncryption>,
    /// Signature of authorization responses that are JWTs (JARM §3); RS256 without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authorization_signed_response_alg: Option<Algorithm>,
    /// Key management of encrypted authorization responses (JARM §3).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authorization_encrypted_response_alg: Option<KeyManagementAlgorithm>,
    /// Content encryption of encrypted authorization responses (JARM §3).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authorization_encrypted_response_enc: Option<ContentEncryption>,
    /// Signature of introspection responses that are JWTs (RFC 9701 §6); RS256 without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub introspection_signed_response_alg: Option<Algorithm>,
    /// Key management of encrypted introspection responses (RFC 9701 §6).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub introspection_encrypted_response_alg: Option<KeyManagementAlgorithm>,
    /// Content encryption of encrypted introspection responses (RFC 9701 §6).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub introspection_encrypted_response_enc: Option<ContentEncryption>,
    /// The one algorithm of its request objects (RFC 9101 §10.5); any signature without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_object_signing_alg: Option<RequestObjectAlgorithm>,
    /// Key management of its request objects (OpenID Connect Registration §2): all must be encrypted by it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_object_encryption_alg: Option<KeyManagementAlgorithm>,
    /// Content encryption of its encrypted request objects; A128CBC-HS256 without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_object_encryption_enc: Option<ContentEncryption>,
    /// True if its authorization requests must be signed request objects (RFC 9101 §10.5).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub require_signed_request_object: bool,
    /// URLs that its request objects may be fetched from (OpenID Connect Registration §2).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub request_uris: Vec<String>,
    /// True if its authorization requests must be pushed (RFC 9126 §6).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub require_pushed_authorization_requests: bool,
    /// True if ID tokens must have `auth_time`; they always do.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub require_auth_time: bool,
    /// `acr_values` of a request that has none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub default_acr_values: Vec<String>,
    /// URL at which another party may start a sign-in (OpenID Connect Core §4).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub initiate_login_uri: Option<String>,
    /// Receives a logout token when a session ends (OpenID Connect Back-Channel Logout §2.2).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backchannel_logout_uri: Option<String>,
    /// True if logout tokens must have `sid`; they always do.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub backchannel_logout_session_required: bool,
    /// Opened in a frame when a session ends (OpenID Connect Front-Channel Logout §2).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub frontchannel_logout_uri: Option<String>,
    /// True if that frame must receive `iss` and `sid`; it always does.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub frontchannel_logout_session_required: bool,
    /// Mode in which it learns of the decision about a backchannel request (CIBA Core §4).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backchannel_token_delivery_mode: Option<BackchannelDelivery>,
    /// URL that learns of the decision in ping mode.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backchannel_client_notification_endpoint: Option<String>,
    /// The one algorithm of its signed backchannel requests, which then must be signed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backchannel_authentication_request_signing_alg: Option<Algorithm>,
    /// True if it sends the user code of a user who has one (CIBA Core §4).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub backchannel_user_code_parameter: bool,
    /// `max_age` of a request that has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default_max_age: Option<u64>,
    /// True if PKCE is required. For a public client it always is; a confidential client may use a `nonce` in its place
    /// (RFC 9700 §2.1.1).
    #[serde(default)]
    pub require_pkce: bool,
    /// True if a request without PKCE must have a `nonce` (RFC 9700 §2.1.1).
    #[serde(default = "yes")]
    pub require_nonce: bool,
    /// Format of its access tokens, unless the resource decides.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub access_token_format: Option<AccessTokenFormat>,
    /// Signature of its access tokens that are JWTs, unless the resource decides; ES256 without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub access_token_signed_response_alg: Option<Algorithm>,
    /// Scopes of a request that names none; those that it may request, without `openid`, without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default_scope: Option<Scope>,
    /// Resources that it may request (RFC 8707); any of the deployment without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resources: Option<Vec<String>>,
    /// Types of authorization details that its requests may have (RFC 9396 §10).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub authorization_details_types: Vec<String>,
    /// Audiences whose tokens it may introspect, for a resource server (RFC 7662 §4).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub introspects: Vec<String>,
    /// Tokens that it may exchange (RFC 8693).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token_exchange: Option<TokenExchangePolicy>,
    /// True if its access tokens must be bound to the key of a DPoP proof (RFC 9449 §5.2).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub dpop_bound_access_tokens: bool,
    /// True if its access tokens must be bound to the certificate of its TLS connection (RFC 8705 §3.4).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub tls_client_certificate_bound_access_tokens: bool,
    /// True if users are not asked for consent: for the operator's own applications.
    #[serde(default)]
    pub skip_consent: bool,
    /// True if authorization error responses have no `iss` (RFC 9207 §2).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub omit_iss_in_errors: bool,
    /// True if its grants outlive the session of the sign-in without `offline_access`.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub grants_outlive_session: bool,
    /// Lifetime of its access tokens; the deployment's without it; at most a day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub access_token_lifetime: Option<u64>,
    /// Lifetime of its ID tokens; the deployment's without it; at most a day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id_token_lifetime: Option<u64>,
    /// Time from a grant to the end of its refresh tokens; the deployment's without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refresh_token_lifetime: Option<u64>,
    /// Time after which an unused refresh token expires; the deployment's without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refresh_token_idle_lifetime: Option<u64>,
    /// True if each refresh yields a new refresh token (RFC 9700 §4.14.2). For a public client it always does.
    #[serde(default = "yes", skip_serializing_if = "is_true")]
    pub refresh_token_rotation: bool,
    /// Consequence of a refresh token that was used before.
    #[serde(default, skip_serializing_if = "RefreshTokenReplay::is_default")]
    pub refresh_token_replay: RefreshTokenReplay,
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

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_true(value: &bool) -> bool {
    *value
}

/// Lifetimes of tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lifetimes {
    /// Lifetime of access tokens.
    pub access_token: Duration,
    /// Lifetime of ID tokens.
    pub id_token: Duration,
    /// Lifetimes of refresh tokens.
    pub refresh: RefreshLifetimes,
}

impl Client {
    /// True if the client authenticates (RFC 6749 §2.1).
    pub fn is_confidential(&self) -> bool {
        self.token_endpoint_auth_method != ClientAuthenticationMethod::None
    }

    /// True if the client authenticates with a secret.
    pub fn has_secret(&self) -> bool {
        self.token_endpoint_auth_method.has_secret()
    }

    /// True if the client may use the grant.
    pub fn may_use(&self, grant_type: GrantType) -> bool {
        self.grant_types.contains(&grant_type)
    }

    /// True if its authorization requests must have a code challenge (RFC 9700 §2.1.1).
    pub fn must_use_pkce(&self) -> bool {
        self.require_pkce || !self.is_confidential()
    }

    /// Returns the name that users see: `client_name`, or else `client_id`.
    pub fn display_name(&self) -> &str {
        self.client_name.as_deref().unwrap_or(self.client_id.as_str())
    }

    /// Returns the URI at which a user starts again at the client: `initiate_login_uri` with the issuer (OpenID Connect Core §4), or
    /// else `client_uri`.
    pub fn start_uri(&self, issuer: &Issuer) -> Option<String> {
        let Some(uri) = &self.initiate_login_uri else { return self.client_uri.clone() };
        let mut url = Url::parse(uri).ok()?;
        url.query_pairs_mut().append_pair("iss", issuer.as_str());
        Some(url.into())
    }

    /// Returns the client as its profile or that of the deployment narrows it, whichever is stricter.
    #[must_use]
    pub fn narrowed(mut self, of_deployment: Option<Profile>) -> Self {
        if let Some(profile) = self.profile.max(of_deployment) {
            profile.narrow(&mut self);
        }
        self
    }

    /// True if the client may sign by this algorithm, as its profile says.
    pub fn may_sign_by(&self, algorithm: Algorithm) -> bool {
        self.profile.is_none_or(|profile| profile.allows(algorithm))
    }

    /// Returns the lifetime of its codes.
    pub fn code_lifetime(&self, configured: Duration) -> Duration {
        self.profile.map_or(configured, |profile| profile.code_lifetime(configured))
    }

    /// True if each refresh yields a new refresh token.
    pub fn rotates_refresh_tokens(&self) -> bool {
        self.refresh_token_rotation || !self.is_confidential()
    }

    /// Returns the lifetimes of its tokens. The limit also applies to clients that were stored before it existed. A refresh token that
    /// does not rotate has no successor with a later end, so it may stay unused for its whole lifetime.
    pub fn lifetimes(&self, defaults: &Lifetimes) -> Lifetimes {
        let or = |own: Option<u64>, default| own.map_or(default, Duration::from_secs);
        let absolute = or(self.refresh_token_lifetime, defaults.refresh.absolute);
        let idle = match self.rotates_refresh_tokens() {
            true => or(self.refresh_token_idle_lifetime, defaults.refresh.idle),
            false => absolute,
        };
        Lifetimes {
            access_token: or(self.access_token_lifetime, defaults.access_token).min(MAX_TOKEN_LIFETIME),
            id_token: or(self.id_token_lifetime, defaults.id_token).min(MAX_TOKEN_LIFETIME),
            refresh: RefreshLifetimes { absolute, idle },
        }
    }
}
