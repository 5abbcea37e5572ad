//! The refresh token grant (RFC 6749 §6), with rotation and replay detection (RFC 9700 §4.14).

use crate::issue::{IdTokenUse, TokenResponse};
use crate::{GrantPart, TokenRequest, restored};
use protocol::{ClaimDestination, GrantId, RefreshToken, ScopeClaims, resource};
use provider::{AuditEvent, HandlerError};
use storage::grants::{self, LiveGrant, Rotation};
use storage::users::{self, User};
use types::{Audience, Error, ErrorCode, Scope};

/// Rotates a refresh token. A token that is forged, expired, another client's, or of another epoch is rejected without a
/// storage call.
pub(crate) async fn refresh(request: &TokenRequest<'_>) -> Result<TokenResponse, HandlerError> {
    let token = request.parameters.required("refresh_token")?;
    let invalid = || Error::invalid_grant("the refresh token is unknown or expired, or was issued to another client");
    let RefreshToken { snapshot: token, sender } =
        RefreshToken::open(&request.context.secrets, token, &request.client.client.client_id, request.now)
            .map_err(|reason| HandlerError::of_token(reason, invalid(), restored("the refresh token")))?;
    let request = &request.bound_to(sender.check(request.keys, request.confirmation)?);
    if !request.client.existed_at(token.started_at) {
        return Err(invalid().into());
    }
    let narrowed = narrowed(request, token.grant).await?;
    request.spend_assertion_or_proof().await?;
    let update = request.issuer().grant_update()?;
    match grants::rotate(request.context.records.as_ref(), &token, &update).await? {
        Rotation::Rotated(live) => {
            let (scope, part) = match narrowed {
                Some(narrowed) => narrowed,
                None => (live.grant.scope.clone(), request.narrowed(&live.grant)?),
            };
            let user = user_of(request, &live, &scope, &part.resources).await?;
            let granted = match &user {
                Some(user) => request.context.grantable_with(&user.claims, &scope, &part.resources),
                None => Ok(scope),
            };
            let Ok(scope) = granted else {
                // The client begins anew. Its old token is not taken for a replay later.
                grants::revoke(request.context.records.as_ref(), &live.snapshot(), &update).await?;
                return Err(Error::invalid_grant("the user may grant nothing of this scope any more").into());
            };
            Ok(request.tokens(&live, &scope, &part, IdTokenUse::Refresh(user.as_ref())).await?)
        }
        Rotation::Replayed => {
            let revoked = update.replay_revokes;
            AuditEvent::RefreshTokenReplayed { client: &request.client.client.client_id, revoked }.record(request.http);
            Err(Error::invalid_grant(if revoked {
                "the refresh token was used before; the grant and all its tokens are revoked now"
            } else {
                "the refresh token was used before; use the one that was issued last"
            })
            .into())
        }
        Rotation::Ended => Err(Error::invalid_grant("the grant was revoked or has ended").into()),
    }
}

/// Returns the user, as it is now, if the tokens hold its claims or only some users may grant the scope. A fault loses nothing: the
/// client repeats the refresh and gets the same successor. Errors: `invalid_grant` if the grants of the user have ended.
/// Round trips: 0 or 1.
async fn user_of(
    request: &TokenRequest<'_>,
    live: &LiveGrant,
    scope: &Scope,
    resources: &[String],
) -> Result<Option<User>, HandlerError> {
    let (client, definitions) = (&request.client.client, &request.context.configuration.claims);
    let scope = &scope.within(&client.scope);
    let audience = Audience::of(resources, &request.context.config.audience);
    let is_released =
        |destination, resources| definitions.released(destination, client, scope, resources).next().is_some();
    let in_id_token = client.scope_claims_in_id_token == ScopeClaims::Always
        && scope.contains("openid")
        && (live.grant.claims.wants_id_token_profile(scope)
            || is_released(ClaimDestination::IdToken, &[])
            || definitions.named(ClaimDestination::IdToken, client, &live.grant.claims).next().is_some());
    let is_restricted = resource::is_restricted(scope, resources, &request.context.configuration.resources);
    let is_held = is_restricted || in_id_token || is_released(ClaimDestination::AccessToken, audience.as_slice());
    if !is_held {
        return Ok(None);
    }
    let user = users::find(request.context.records.as_ref(), &live.grant.subject).await?;
    let user = user.filter(|user| user.admits(live.grant.authentication.auth_time));
    Ok(Some(user.ok_or_else(|| Error::invalid_grant("the grant was revoked or has ended"))?))
}

/// Returns the requested scope, resources and details, which must be within the grant (RFC 6749 §6, RFC 8707 §2.2, RFC 9396 §6);
/// `None` if the request names none of them. The check comes before the rotation, so a mistake does not cost the client its token.
async fn narrowed(request: &TokenRequest<'_>, grant: GrantId) -> Result<Option<(Scope, GrantPart)>, HandlerError> {
    let parameters = request.parameters;
    if parameters.value("scope").is_none() && !request.is_narrowing() {
        return Ok(None);
    }
    let scope = parameters.scope()?;
    let live = grants::find(request.context.records.as_ref(), grant).await?;
    let granted = live.ok_or_else(|| Error::invalid_grant("the grant was revoked or has ended"))?.grant;
    let scope = scope.unwrap_or_else(|| granted.scope.clone());
    if !scope.is_within(&granted.scope) {
        return Err(Error::new(ErrorCode::InvalidScope, "scope asks for more than was granted").into());
    }
    let part = request.narrowed(&granted)?;
    request.context.grantable(&granted.subject, &scope, &part.resources).await?;
    Ok(Some((scope, part)))
}
