//! The user's decision about a device.

use crate::page::Visit;
use pages::DeviceOutcome;
use platform::entropy;
use protocol::{DeviceDecisionId, Grant, GrantState};
use provider::TokenIssuer;
use provider::browser::SignedIn;
use provider::{Context, HandlerError};
use storage::devices::{self, Decision};
use storage::grants::{self, Redemption};
use types::Timestamp;

/// Creates an active grant and stores the approval for the device's next poll. If another decision came first,
/// revokes the grant, whose tokens were never issued; see [`decided`].
pub(crate) async fn approve(context: &Context, visit: &Visit, now: Timestamp) -> Result<DeviceOutcome, HandlerError> {
    let records = context.records.as_ref();
    let session = &visit.signed_in.session;
    let asked = &visit.pending.request;
    let grant = Grant {
        client_id: asked.client_id.clone(),
        subject: session.subject.clone(),
        scope: asked.scope.clone(),
        nonce: None,
        authentication: session.authentication.clone(),
        // The device gets its own session, so that signing out of this browser does not end it.
        sid: entropy::name()?,
        resources: asked.resources.clone(),
        claims: protocol::ClaimsRequest::default(),
        id_token_claims: serde_json::Map::new(),
    };
    let issuer = TokenIssuer { context, client: &visit.client.client, now };
    let id = grants::new_id(&session.subject, entropy::bytes()?);
    grants::create(records, id, &grant, &GrantState::issued(entropy::name()?), visit.pending.expires_at).await?;
    let Redemption::Redeemed(live) = grants::redeem(records, id, &issuer.grant_update()?).await? else {
        return Err(HandlerError::unavailable("a grant just made was redeemed by somebody else"));
    };
    let snapshot = live.snapshot();
    if devices::decide(records, &visit.name, &visit.pending, &Decision::Approved(live)).await? {
        return Ok(DeviceOutcome::Approved);
    }
    grants::revoke(records, &snapshot, &issuer.grant_update()?).await?;
    decided(context, &visit.pending.decision, &visit.signed_in).await
}

/// Stores the refusal for the device's next poll.
pub(crate) async fn deny(context: &Context, visit: &Visit) -> Result<DeviceOutcome, HandlerError> {
    if devices::decide(context.records.as_ref(), &visit.name, &visit.pending, &Decision::Denied).await? {
        return Ok(DeviceOutcome::Denied);
    }
    decided(context, &visit.pending.decision, &visit.signed_in).await
}

/// Returns the outcome for a user who comes after the decision: the decision itself for the user who made it, because
/// that response may have been lost; otherwise that the request is closed. Round trips: 1.
pub(crate) async fn decided(
    context: &Context,
    name: &str,
    signed_in: &SignedIn,
) -> Result<DeviceOutcome, HandlerError> {
    let Some(id) = DeviceDecisionId::from_name(name) else { return Ok(DeviceOutcome::Over) };
    Ok(match devices::peek(context.records.as_ref(), id).await? {
        Some(Decision::Approved(live)) if live.grant.subject == signed_in.session.subject => DeviceOutcome::Approved,
        Some(Decision::Denied) => DeviceOutcome::Denied,
        _ => DeviceOutcome::Over,
    })
}
