//! The user's decision about a device.

use crate::page::Approval;
use pages::DeviceOutcome;
use platform::entropy;
use protocol::{DeviceDecisionId, Grant, GrantState, SessionGroup};
use provider::sessions::SignedIn;
use provider::{Context, HandlerError, TokenIssuer};
use storage::devices::{self, Decision};
use storage::grants::{self, Redemption};
use types::Timestamp;

/// Creates the grant, without the claims that the user refused, and stores it for the device's next poll. If the device was
/// decided about before, the grant is revoked before it has tokens, and the earlier outcome is returned.
pub(crate) async fn approve(
    context: &Context,
    approval: &Approval,
    refused: &[String],
    now: Timestamp,
) -> Result<DeviceOutcome, HandlerError> {
    let records = context.records.as_ref();
    let session = &approval.signed_in.session;
    let asked = &approval.pending.request;
    let client = &approval.client.client;
    let requested_claims = asked.claims.clone().without(refused);
    let claims =
        approval.signed_in.token_claims(context, client, &asked.scope, &asked.resources, &requested_claims).await?;
    let Some(claims) = claims else { return Ok(DeviceOutcome::Over) };
    let grant = Grant {
        client_id: asked.client_id.clone(),
        subject: session.subject.clone(),
        scope: asked.scope.clone(),
        nonce: None,
        created_at: Some(now),
        authentication: session.authentication.clone(),
        // A session of the device alone: signing out of this browser does not end it.
        session_group: Some(SessionGroup::new(entropy::bytes()?)),
        outlives_session: context.grant_outlives_session(&approval.client, &asked.resources),
        resources: asked.resources.clone(),
        claims: requested_claims,
        id_token_claims: claims.id_token,
        operator_claims: claims.of_operator,
    };
    let issuer = TokenIssuer { context, client, now };
    let id = grants::new_id(&session.subject, entropy::bytes()?);
    let state = GrantState::issued(entropy::name()?);
    let create = grants::create(records, id, &grant, &state, approval.pending.expires_at);
    let (created, ()) = futures::join!(create, context.note_grant(&session.subject, now));
    created?;
    let Redemption::Redeemed(live) = grants::redeem(records, id, &issuer.grant_update()?).await? else {
        return Err(HandlerError::unavailable("a new grant was redeemed by another request"));
    };
    let snapshot = live.snapshot();
    if devices::decide(records, &approval.name, &approval.pending, &Decision::Approved(live)).await? {
        return Ok(DeviceOutcome::Approved);
    }
    grants::revoke(records, &snapshot, &issuer.grant_update()?).await?;
    earlier_outcome(context, approval.pending.decision, &approval.signed_in).await
}

/// Stores for the device's next poll that the user denied the request.
pub(crate) async fn deny(context: &Context, approval: &Approval) -> Result<DeviceOutcome, HandlerError> {
    if devices::decide(context.records.as_ref(), &approval.name, &approval.pending, &Decision::Denied).await? {
        return Ok(DeviceOutcome::Denied);
    }
    earlier_outcome(context, approval.pending.decision, &approval.signed_in).await
}

/// Returns the outcome for a user who comes after the decision. The user who decided sees it again, because the response may
/// have been lost; for every other user the code is over. Round trips: 1.
pub(crate) async fn earlier_outcome(
    context: &Context,
    decision: DeviceDecisionId,
    signed_in: &SignedIn,
) -> Result<DeviceOutcome, HandlerError> {
    Ok(match devices::peek(context.records.as_ref(), decision).await? {
        Some(Decision::Approved(live)) if live.grant.subject == signed_in.session.subject => DeviceOutcome::Approved,
        Some(Decision::Denied) => DeviceOutcome::Denied,
        _ => DeviceOutcome::Over,
    })
}
