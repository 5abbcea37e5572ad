//! The token of an introspection request.

use protocol::introspection::{Introspection, may_see};
use protocol::{
    AccessTokenClaims, Grant, GrantSnapshot, RefreshToken, RefreshVerdict, RetryWindows, StoredClient, TokenError,
};
use provider::{Context, HandlerError};
use storage::grants;
use types::Timestamp;

/// The result that the caller may see.
pub(crate) enum Found {
    /// A valid access token.
    AccessToken(Box<AccessTokenClaims>),
    /// The current refresh token of a grant.
    RefreshToken(Box<Grant>, GrantSnapshot),
    /// A token that is not active or not visible to the caller.
    Nothing,
}

impl Found {
    /// Returns the members of the response.
    pub(crate) fn introspection<'a>(&'a self, context: &'a Context) -> Introspection<'a> {
        match self {
            Self::AccessToken(claims) => Introspection::of_access_token(claims),
            Self::RefreshToken(grant, token) => {
                Introspection::of_refresh_token(&context.config.issuer, grant, &grant.subject, token)
            }
            Self::Nothing => Introspection::INACTIVE,
        }
    }
}

/// Returns the result that `client` may see. The kind follows from the token itself, so `token_type_hint` is not
/// needed (RFC 7662 §2.1).
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
    Ok(match context.active_token(&claims, now).await? {
        Some(_) => Found::AccessToken(Box::new(claims)),
        None => Found::Nothing,
    })
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
