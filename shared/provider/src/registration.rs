//! The policy and the tokens of dynamic client registration.

use crate::{Context, HandlerError};
use keys::Secrets;
use protocol::registration::Registration;
use protocol::shape::{Member, Shape};
use protocol::{GrantType, InitialAccessToken, InitialAccessTokenId, RegistrationAccessToken, StoredClient};
use serde::Deserialize;
use serde_json::Value;
use std::time::Duration;
use types::{ClientId, Scope, Timestamp};

/// The registration policy (RFC 7591 §3).
#[derive(Debug, Default)]
pub struct RegistrationPolicy {
    /// True if registration needs no credential.
    pub open: bool,
    /// True if an initial access token is accepted.
    pub token: bool,
    /// True if the software statement of a trusted issuer is accepted.
    pub statement: bool,
    /// Scopes that registered clients may have.
    pub scopes: Scope,
    /// Grants that registered clients may use.
    pub grants: Vec<GrantType>,
    /// Trusted issuers of software statements (RFC 7591 §2.3).
    pub statement_issuers: Vec<StatementIssuer>,
    /// Registrations of one address in an hour, with neither token nor statement.
    pub per_address: u32,
    /// Registrations of all addresses in an hour, with neither token nor statement.
    pub in_total: u32,
    /// Time until a client registered without token or statement expires, unless it receives a token.
    pub unused_lifetime: Duration,
}

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
    /// The members of a configured issuer.
    pub const MEMBERS: &[Member] = &[
        Member::required("issuer", Shape::Text),
        Member::optional("jwks", Shape::Any("JWK Set")),
        Member::optional("jwks_uri", Shape::Url),
    ];
}

impl RegistrationPolicy {
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

    /// Keeps a client that registered itself, because it received a token. Round trips: none for every other client.
    pub async fn note_use(&self, stored: &StoredClient) -> Result<(), HandlerError> {
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
