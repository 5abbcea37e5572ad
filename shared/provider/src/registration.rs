//! How clients may register themselves: the settings, and the tokens of registration.

use crate::{Context, HandlerError};
use keys::Secrets;
use protocol::registration::Registration;
use protocol::{
    GrantType, InitialAccessToken, InitialAccessTokenId, RegistrationAccessToken, RegistrationId, StoredClient,
};
use serde::Deserialize;
use serde_json::Value;
use std::time::Duration;
use types::{Scope, Timestamp};

/// Who may register a client (RFC 7591 §3).
#[derive(Debug, Default)]
pub struct RegistrationPolicy {
    /// Anybody.
    pub open: bool,
    /// Who has an initial access token.
    pub token: bool,
    /// Whose software a trusted issuer vouches for.
    pub statement: bool,
    /// The scopes that such clients may have.
    pub scopes: Scope,
    /// The grants that such clients may use.
    pub grants: Vec<GrantType>,
    /// Who may vouch for software (RFC 7591 §2.3).
    pub statement_issuers: Vec<StatementIssuer>,
    /// How many clients one address may register in an hour, and how many all may that show neither token nor statement.
    pub per_address: u32,
    /// See `per_address`.
    pub in_total: u32,
    /// How long a client that anybody registered is kept without being used.
    pub unused_lifetime: Duration,
}

/// Who may vouch for software.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StatementIssuer {
    /// `iss` of its statements.
    pub issuer: String,
    /// Its public keys; either these or `jwks_uri`.
    #[serde(default)]
    pub jwks: Option<Value>,
    /// Where its public keys are.
    #[serde(default)]
    pub jwks_uri: Option<String>,
}

impl RegistrationPolicy {
    /// Whether clients can register themselves at all.
    pub const fn is_offered(&self) -> bool {
        self.open || self.token || self.statement
    }
}

/// Makes an initial access token (RFC 7591 §1.2): good for so many registrations until it expires. Nothing is stored
/// before it is used.
pub fn initial_access_token(secrets: &Secrets, random: [u8; 16], uses: u32, expires_at: Timestamp) -> String {
    let id = InitialAccessTokenId::new([0, 0], random);
    InitialAccessToken { id, max_uses: uses, expires_at }.seal(secrets).into_exposed()
}

impl Context {
    /// The registration access token of a generation: derived, so that a retry gets the very same.
    pub fn registration_access_token(
        &self,
        client_id: &str,
        registration: &Registration,
        generation: u32,
    ) -> Result<String, HandlerError> {
        let registration = RegistrationId::from_name(&registration.id)
            .ok_or_else(|| HandlerError::unavailable("a registration has no identifier"))?;
        let token = RegistrationAccessToken { registration, generation };
        Ok(token.seal(&self.secrets, client_id).into_exposed())
    }

    /// Notes that a client got a token: one that registered itself is kept from now on. No round trip for any other.
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
