//! Access tokens (RFC 9068). An opaque access token is the same claims, sealed.

use crate::AuthorizationDetails;
use crate::token::sealed::{Mac, TokenError};
use crate::token::snapshot::GrantSnapshot;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::time::Duration;
use types::{Audience, ClientId, Confirmation, Issuer, Jti, Scope, Subject, Timestamp};

/// Maximum lifetime of an access token or an ID token: 1 day. No setting exceeds it, because a retired signing key is
/// published for that long.
pub const MAX_TOKEN_LIFETIME: Duration = Duration::from_secs(86_400);

/// The claims of an access token (RFC 9068 §2.2).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AccessTokenClaims {
    /// `iss`: the issuer.
    pub iss: Issuer,
    /// `sub`: the user; the client itself if no user is involved.
    pub sub: Subject,
    /// `aud`: the resource servers that accept the token.
    pub aud: Audience,
    /// `client_id`: the client that the token was issued to.
    pub client_id: ClientId,
    /// `iat`: time of issue, in seconds since the epoch.
    pub iat: u64,
    /// `exp`: expiry, in seconds since the epoch.
    pub exp: u64,
    /// `jti`: identifier of the token.
    pub jti: Jti,
    /// `scope`: what the token allows.
    #[serde(skip_serializing_if = "Scope::is_empty", default)]
    pub scope: Scope,
    /// `auth_time`: time of the user's sign-in, in seconds since the epoch.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub auth_time: Option<u64>,
    /// `acr`: authentication context class.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub acr: Option<String>,
    /// `amr`: authentication method references (RFC 8176).
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub amr: Vec<String>,
    /// `cnf`: the key that the sender of the token must possess (RFC 7800 §3.1).
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub cnf: Option<Confirmation>,
    /// `act`: the actor, and the actor that it acts for in turn (RFC 8693 §4.1).
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub act: Option<Value>,
    /// `may_act`: the party that may become the actor (RFC 8693 §4.4).
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub may_act: Option<Value>,
    /// `authorization_details`: those of the grant that are for the audience (RFC 9396 §9.1).
    #[serde(skip_serializing_if = "AuthorizationDetails::is_empty", default)]
    pub authorization_details: AuthorizationDetails,
    /// `parent_jtis`: the `jti` of each token that this one was exchanged from, the last one last. Private: revoking one of
    /// them revokes this token.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub parent_jtis: Vec<Jti>,
    /// `introspection_claims`: the claims that the operator defined for introspection responses about this token. Private.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub introspection_claims: Vec<String>,
    /// `grant`: the snapshot of the grant ([`GrantSnapshot::to_claim`]). Private.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub grant: Option<String>,
    /// Claims that the operator defined for access tokens. Their names are none of the above.
    #[serde(flatten)]
    pub user: Map<String, Value>,
}

impl AccessTokenClaims {
    /// Returns the snapshot of the grant; `None` if the token has none. Errors: it is malformed, of another deployment, or
    /// of another epoch.
    pub fn snapshot(&self, mac: &dyn Mac) -> Result<Option<GrantSnapshot>, TokenError> {
        self.grant.as_deref().map(|claim| GrantSnapshot::from_claim(mac, claim)).transpose()
    }

    /// True if the token is of this issuer and has not expired (RFC 9068 §4).
    pub fn is_current(&self, issuer: &Issuer, now: Timestamp) -> bool {
        self.iss == *issuer && !Timestamp::from_secs(self.exp).is_past(now)
    }
}
