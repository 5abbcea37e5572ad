//! The user's decision about a device.

use crate::page::Approval;
use pages::DeviceOutcome;
use protocol::DecisionId;
use provider::sessions::SignedIn;
use provider::{Context, HandlerError, TokenIssuer};
use storage::decisions::{self, Decision};
use storage::{devices, grants};
use types::Timestamp;

/// Creates the grant, without the claims that the user refused, and stores it for the device's next poll. If the device was
/// decided about before, the grant is revoked before it has tokens, and the earlier outcome is returned.
pub(crate) async fn approve(
    context: &Context,
    approval: &Approval,
    refused: &[String],
    now: Timestamp,
) -> Result<DeviceOutcome, HandlerError> {
    let asked = &approval.pending.request;
    let approved = provider::Approval {
        client: &approval.client,
        signed_in: &approval.signed_in,
        scope: &asked.scope,
        resources: &asked.resources,
        authorization_details: &asked.authorization_details,
        acr_values: &[],
        claims: asked.claims.clone().without(refused),
        expires_at: approval.pending.expires_at,
    };
    let Some(live) = approved.create_grant(context, now).await? else { return Ok(DeviceOutcome::Over) };
    let records = context.records.as_ref();
    let issuer = TokenIssuer { context, client: &approval.client.client, now };
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
    decision: DecisionId,
    signed_in: &SignedIn,
) -> Result<DeviceOutcome, HandlerError> {
    Ok(match decisions::peek(context.records.as_ref(), decision).await? {
        Some(Decision::Approved(live)) if live.grant.subject == signed_in.session.subject => DeviceOutcome::Approved,
        Some(Decision::Denied) => DeviceOutcome::Denied,
        _ => DeviceOutcome::Over,
    })
}
