//! The token of an introspection request.

use protocol::introspection::{Introspection, is_audience, may_see};
use protocol::{
    AccessTokenClaims, AuthorizationDetails, Grant, GrantSnapshot, RefreshToken, RefreshVerdict, RetryWindows,
    StoredClient, TokenError,
};
use provider::{ActiveToken, Context, HandlerError};
use serde_json::{Map, Value};
use storage::{grants, users};
use types::Timestamp;

/// The result that the caller may see.
pub(crate) enum Found {
    /// A valid access token, its details that are for the caller, and the claims about the user that the operator defined for the
    /// caller.
    AccessToken(Box<AccessTokenClaims>, AuthorizationDetails, Map<String, Value>),
    /// The current refresh token of a grant.
    RefreshToken(Box<Grant>, GrantSnapshot),
    /// A token that is not active or not visible to the caller.
    Nothing,
}

impl Found {
    /// Returns the members of the response.
    pub(crate) fn introspection<'a>(&'a self, context: &'a Context) -> Introspection<'a> {
        match self {
            Self::AccessToken(claims, details, of_operator) => {
                Introspection::of_access_token(claims, details, of_operator)
            }
            Self::RefreshToken(grant, token) => {
                Introspection::of_refresh_token(&context.config.issuer, grant, &grant.subject, token)
            }
            Self::Nothing => Introspection::INACTIVE,
        }
    }
}

/// Returns the result that `client` may see. The kind follows from the token itself, so `token_type_hint` is not
/// needed (RFC 7662 §2.1). Round trips: 1; 1 more if the operator defined claims for the response.
pub(crate) async fn find(
    token: &str,
    caller: &StoredClient,
    context: &Context,
    now: Timestamp,
) -> Result<Found, HandlerError> {
    let client = &caller.client;
    if RefreshToken::is_prefix_of(token) {
        return refresh_token(token, caller, context, now).await;
    }
    let Some(claims) = context.access_token(token, now).await?.filter(|claims| may_see(client, claims)) else {
        return Ok(Found::Nothing);
    };
    let of_operator = match context.active_token(&claims, now).await? {
        None => return Ok(Found::Nothing),
        Some(ActiveToken::OfGrant(live)) if !claims.introspection_claims.is_empty() && is_audience(client, &claims) => {
            // The user who is signed out or removed since has no claims: the grant ends soon.
            let user = users::find(context.records.as_ref(), &live.grant.subject).await?;
            let user = user.filter(|user| user.admits(live.grant.authentication.auth_time));
            let names = claims.introspection_claims.iter().map(String::as_str);
            user.map(|user| context.configuration.claims.select(names, &user.claims)).unwrap_or_default()
        }
        Some(_) => Map::new(),
    };
    let details = match claims.client_id == client.client_id {
        true => claims.authorization_details.clone(),
        // RFC 9396 §9.2: those for the resource server.
        false => claims.authorization_details.for_audiences(&context.configuration.details_types, &client.introspects),
    };
    Ok(Found::AccessToken(Box::new(claims), details, of_operator))
}

/// Opens a refresh token, which is visible to its own client only.
async fn refresh_token(
    token: &str,
    caller: &StoredClient,
    context: &Context,
    now: Timestamp,
) -> Result<Found, HandlerError> {
    let client = &caller.client;
    let snapshot = match RefreshToken::open(&context.secrets, token, &client.client_id, now) {
        Ok(token) if caller.existed_at(token.snapshot.started_at) => token.snapshot,
        Ok(_) | Err(TokenError::Invalid | TokenError::OlderEpoch) => return Ok(Found::Nothing),
        Err(TokenError::NewerEpoch) => return Err(HandlerError::newer_epoch()),
    };
    let live = grants::find(context.records.as_ref(), snapshot.grant).await?;
    // A rotated token is not active, not even within the grace window.
    let is_live = |live: &grants::StoredGrant| {
        live.state.judge_refresh(snapshot.generation, now, RetryWindows::NONE) == RefreshVerdict::Live
    };
    Ok(match live.filter(is_live) {
        Some(live) => {
            let subject = context.subject_for(client, &live.grant.subject);
            Found::RefreshToken(Box::new(Grant { subject, ..live.grant }), snapshot)
        }
        None => Found::Nothing,
    })
}
