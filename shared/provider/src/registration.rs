//! The policy and the tokens of dynamic client registration.

use crate::{Context, HandlerError};
use keys::Secrets;
use protocol::registration::{Limits, Registration};
use protocol::shape::{self, Member, Shape};
use protocol::{
    AuthorizationDetailsTypes, Client, GrantType, InitialAccessToken, InitialAccessTokenId, MutualTls, Profile,
    RedirectUri, RegistrationAccessToken, StoredClient,
};
use serde::Deserialize;
use serde_json::Value;
use std::time::Duration;
use types::remote_url::EgressPolicy;
use types::{Algorithm, ClientId, Scope, Timestamp};

/// The registration policy (RFC 7591 §3).
#[derive(Debug, Default)]
pub struct RegistrationPolicy {
    /// True if registration needs no credential.
    pub open: bool,
    /// True if an initial access token is accepted.
    pub token: bool,
    /// True if the software statement of a trusted issuer is accepted.
    pub statement: bool,
    /// Scopes that registered clients may have, besides those of the resources that are marked for them.
    pub scopes: Scope,
    /// Grants that registered clients may use.
    pub grants: Vec<GrantType>,
    /// Private-use schemes without a dot that their redirect URIs may have.
    pub schemes: Vec<String>,
    /// True if a client that does not authenticate by its own keys becomes public.
    pub public: bool,
    /// Redirect hosts of hosted clients, which have a limit of their own.
    pub hosts: Vec<String>,
    /// Registrations of one of these hosts, or of one software with a statement, in an hour.
    pub per_software: u32,
    /// True if clients registered with neither token nor statement may pass requests by URL.
    pub request_uris: bool,
    /// Registrations of one address in an hour, with neither token nor statement.
    pub per_address: u32,
    /// Registrations of all addresses in an hour, with neither token nor statement.
    pub in_total: u32,
    /// Time until a client registered without token or statement expires, unless it receives a code or a token.
    pub unused_lifetime: Duration,
}

/// Redirect hosts of well-known hosted MCP clients: Claude, ChatGPT, the agents of Cursor.
pub(crate) const KNOWN_HOSTS: [&str; 4] = ["chatgpt.com", "claude.ai", "claude.com", "www.cursor.com"];

/// A trusted issuer of software statements.
#[derive(Clone, Debug, Deserialize)]
pub struct StatementIssuer {
    /// `iss` of its statements.
    pub issuer: String,
    /// Public keys; excludes `jwks_uri`.
    #[serde(default)]
    pub jwks: Option<Value>,
    /// URL of its public keys.
    #[serde(default)]
    pub jwks_uri: Option<String>,
}

impl StatementIssuer {
    /// The names of the members.
    pub const NAMES: [&str; Self::MEMBERS.len()] = shape::names(Self::MEMBERS);

    /// The members of a configured issuer.
    pub const MEMBERS: &[Member] = &[
        Member::required("issuer", Shape::Text),
        Member::optional("jwks", Shape::Any("JWK Set")),
        Member::optional("jwks_uri", Shape::Url),
    ];
}

impl RegistrationPolicy {
    /// Returns the limits of the metadata that a client may register, with these scopes and types of authorization details, under the
    /// security profile of the deployment. `signing` are the algorithms of this server's signatures.
    pub fn limits<'a>(
        &'a self,
        scopes: &'a Scope,
        details_types: &'a AuthorizationDetailsTypes,
        profile: Option<Profile>,
        signing: &'a [Algorithm],
        mutual_tls: Option<&'a MutualTls>,
        reach: EgressPolicy,
    ) -> Limits<'a> {
        let Self { grants, schemes, public, .. } = self;
        Limits { scopes, grants, details_types, schemes, public: *public, profile, signing, mutual_tls, reach }
    }

    /// Returns the listed host of a client whose redirect URIs are all there.
    pub fn hosted_at(&self, client: &Client) -> Option<&str> {
        let is_at = |host: &str| {
            let is_there = |uri: &RedirectUri| {
                uri.url().is_some_and(|url| url.scheme() == "https" && url.host_str() == Some(host))
            };
            !client.redirect_uris.is_empty() && client.redirect_uris.iter().all(is_there)
        };
        self.hosts.iter().map(String::as_str).find(|host| is_at(host))
    }

    /// True if clients can register themselves.
    pub const fn is_offered(&self) -> bool {
        self.open || self.token || self.statement
    }
}

/// Returns an initial access token (RFC 7591 §1.2) for a number of registrations until it expires. Round trips: none;
/// its use is stored.
pub fn initial_access_token(secrets: &Secrets, random: [u8; 16], uses: u32, expires_at: Timestamp) -> String {
    let id = InitialAccessTokenId::new([0, 0], random);
    InitialAccessToken { id, max_uses: uses, expires_at }.seal(secrets).into_exposed()
}

impl Context {
    /// Returns the registration access token of a generation. It is derived, so that a retry gets the same.
    pub fn registration_access_token(
        &self,
        client_id: &ClientId,
        registration: &Registration,
        generation: u32,
    ) -> String {
        let token = RegistrationAccessToken { registration: registration.id, generation };
        token.seal(&self.secrets, client_id).into_exposed()
    }

    /// Extends the lifetime of a client that identical registrations share, because it received a code or a token. It stays at
    /// least as long as the refresh tokens of the grant. Round trips: 2 if less than half of the lifetime is left, else 0.
    pub async fn extend_shared(&self, stored: &StoredClient, now: Timestamp) -> Result<(), HandlerError> {
        let lifetime = self.shared_client_lifetime(&stored.client);
        if stored.lives_by_use() && stored.extension(lifetime, now).is_some() {
            let client_id = &stored.client.client_id;
            storage::clients::extend(self.records.as_ref(), client_id, lifetime, now).await?;
            self.forget_client(client_id);
        }
        Ok(())
    }

    /// Returns the lifetime of a shared client after its use: twice that of its grants, because it is extended only if half of
    /// it is over.
    fn shared_client_lifetime(&self, client: &Client) -> Duration {
        let grants = client.lifetimes(&self.config.lifetimes).refresh.absolute;
        grants.max(self.config.registration.unused_lifetime).saturating_mul(2)
    }

    /// Keeps a client that registered itself, because it received a token. Round trips: 0 for every other client; 4, or those
    /// of [`Self::extend_shared`].
    pub async fn note_use(&self, stored: &StoredClient, now: Timestamp) -> Result<(), HandlerError> {
        if stored.lives_by_use() {
            return self.extend_shared(stored, now).await;
        }
        if stored.unused_until.is_none() {
            return Ok(());
        }
        let client_id = &stored.client.client_id;
        storage::registrations::keep(self.records.as_ref(), client_id).await?;
        storage::clients::keep(self.records.as_ref(), client_id).await?;
        self.forget_client(client_id);
        Ok(())
    }
}
