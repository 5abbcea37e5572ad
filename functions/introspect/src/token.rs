//! The token that is asked about.

use protocol::introspection::{Introspection, may_see};
use protocol::{AccessTokenClaims, Grant, RefreshVerdict, StoredClient, TokenContent, TokenKind};
use protocol::{judge_refresh, sealed_token};
use provider::{Context, HandlerError};
use std::time::Duration;
use storage::grants;
use types::Timestamp;

/// What the caller may know of it.
pub(crate) enum Found {
    /// It is an access token, and good.
    AccessToken(Box<AccessTokenClaims>),
    /// It is the live refresh token of a grant.
    RefreshToken(Box<Grant>, TokenContent),
    /// It is not active, or none of the caller's business.
    Nothing,
}

impl Found {
    /// What is told of it.
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

/// Finds what `client` may know of a token. The kind of the token is in the token; `token_type_hint` is not needed
/// (RFC 7662 §2.1).
pub(crate) async fn find(
    token: &str,
    caller: &StoredClient,
    context: &Context,
    now: Timestamp,
) -> Result<Found, HandlerError> {
    let client = &caller.client;
    if token.starts_with(TokenKind::RefreshToken.prefix()) {
        return refresh_token(token, caller, context, now).await;
    }
    let Some(claims) = context.access_token(token, now).await?.filter(|claims| may_see(client, claims)) else {
        return Ok(Found::Nothing);
    };
    Ok(match context.backing(&claims, now).await? {
        Some(_) => Found::AccessToken(Box::new(claims)),
        None => Found::Nothing,
    })
}

/// A refresh token is its client's alone: no other client's opens.
async fn refresh_token(
    token: &str,
    caller: &StoredClient,
    context: &Context,
    now: Timestamp,
) -> Result<Found, HandlerError> {
    let client = &caller.client;
    let binding = sealed_token::refresh_binding(&client.client_id);
    let opened = sealed_token::open(&context.secrets, TokenKind::RefreshToken, token, &binding, now);
    let Some(content) = opened.filter(|content| caller.may_have_got(content.standing.started_at)) else {
        return Ok(Found::Nothing);
    };
    let live = grants::find(context.records.as_ref(), content.standing.grant).await?;
    // One that was rotated is used up, however short ago.
    let is_live = |live: &grants::StoredGrant| {
        judge_refresh(&live.state, content.standing.generation, now, Duration::ZERO) == RefreshVerdict::Live
    };
    Ok(match live.filter(is_live) {
        Some(live) => {
            let subject = context.subject_for(client, &live.grant.subject);
            Found::RefreshToken(Box::new(Grant { subject, ..live.grant }), content)
        }
        None => Found::Nothing,
    })
}
