//! A grant: one record for an authorization code, each refresh token after it, and their revocation.
//!
//! ```text
//! Issued --redeem--> Active --rotate--> Active … --revoke--> Revoked
//! ```
//!
//! The generation of the record arbitrates: each transition names the generation that it starts from, and the store lets
//! exactly one caller win. A caller that loses receives the current record; [`GrantState::judge_code`] or
//! [`GrantState::judge_refresh`] decides what that means.

mod excess;
mod lifetimes;
mod state;
mod verdict;

use crate::{AuthenticationContext, AuthorizationDetails, ClaimsRequest, SessionGroup};
use serde::{Deserialize, Serialize};
use types::{ClientId, Nonce, Scope, Subject, Timestamp};

pub use excess::{excess as excess_grants, is_counted as grants_are_counted};
pub use lifetimes::{RefreshLifetimes, RetryWindows};
pub use state::{ActiveGrant, GrantState, RevokedToken};
pub use verdict::{CodeVerdict, RACE, RefreshVerdict};

/// The part of a grant that never changes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Grant {
    /// The client.
    pub client_id: ClientId,
    /// The user.
    pub subject: Subject,
    /// The granted scope. A refresh may request less, never more (RFC 6749 §6).
    pub scope: Scope,
    /// `nonce` for the ID token of the code exchange (OpenID Connect Core §3.1.2.1).
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub nonce: Option<Nonce>,
    /// The time at which the grant was created, with its code if it has one. `None` if a version before this one did it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub created_at: Option<Timestamp>,
    /// Method and time of the user's sign-in.
    pub authentication: AuthenticationContext,
    /// The sessions of the sign-in; `None` if the user did not sign in here.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub session_group: Option<SessionGroup>,
    /// True if it outlives its session without `offline_access`.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub outlives_session: bool,
    /// The requested resources (RFC 8707); empty for the deployment's own audience.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub resources: Vec<String>,
    /// The granted authorization details (RFC 9396 §7). A refresh may request less, never more.
    #[serde(skip_serializing_if = "AuthorizationDetails::is_empty", default)]
    pub authorization_details: AuthorizationDetails,
    /// The claims requested by name (OpenID Connect Core §5.5).
    #[serde(skip_serializing_if = "ClaimsRequest::is_empty", default)]
    pub claims: ClaimsRequest,
    /// The claims about the user for ID tokens, as of the time of the grant: those requested by name, and those of the scope
    /// if the client's ID tokens hold them.
    #[serde(skip_serializing_if = "serde_json::Map::is_empty", default)]
    pub id_token_claims: serde_json::Map<String, serde_json::Value>,
    /// The claims that the operator defined for ID tokens and access tokens of the grant, as of the time of the grant.
    #[serde(skip_serializing_if = "serde_json::Map::is_empty", default)]
    pub operator_claims: serde_json::Map<String, serde_json::Value>,
}

impl Grant {
    /// True if the grant outlives its session: with `offline_access` (OpenID Connect Core §11), or because the operator set so.
    pub fn is_for_offline_use(&self) -> bool {
        self.scope.contains("offline_access") || self.outlives_session
    }
}
