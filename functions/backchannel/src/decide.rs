//! The user's decision about a backchannel request.

use crate::page::Opened;
use pages::RequestOutcome;
use protocol::{BackchannelRequest, ClaimsRequest, DecisionId};
use provider::back_channel;
use provider::sessions::SignedIn;
use provider::{Approval, Context, HandlerError, TokenIssuer};
use storage::decisions::{self, Decision};
use storage::{grants, waiting};
use types::Timestamp;

/// Creates the grant and stores it for the client's next poll. If the request was decided before, the grant is revoked before it has
/// tokens, and the earlier outcome is returned.
pub(crate) async fn approve(
    context: &Context,
    opened: &Opened,
    now: Timestamp,
) -> Result<RequestOutcome, HandlerError> {
    let asked = &opened.waiting.request;
    let approval = Approval {
        client: &opened.client,
        signed_in: &opened.signed_in,
        scope: &asked.scope,
        resources: &asked.resources,
        authorization_details: &asked.authorization_details,
        acr_values: &asked.acr_values,
        claims: ClaimsRequest::default(),
        expires_at: opened.waiting.expires_at,
    };
    let Some(live) = approval.create_grant(context, now).await? else { return Ok(RequestOutcome::Over) };
    let snapshot = live.snapshot();
    if store(context, opened, Decision::Approved(live), None, now).await? {
        return Ok(RequestOutcome::Approved);
    }
    let issuer = TokenIssuer { context, client: &opened.client.client, now };
    grants::revoke(context.records.as_ref(), &snapshot, &issuer.grant_update()?).await?;
    earlier_outcome(context, opened.waiting.decision, &opened.signed_in).await
}

/// Stores for the client's next poll that the user denied the request. A client whose request the user did not expect is muted.
pub(crate) async fn deny(
    context: &Context,
    opened: &Opened,
    outcome: RequestOutcome,
    now: Timestamp,
) -> Result<RequestOutcome, HandlerError> {
    let muted = (outcome == RequestOutcome::Unexpected).then(|| now.after(BackchannelRequest::MUTED));
    if store(context, opened, Decision::Denied, muted, now).await? {
        return Ok(outcome);
    }
    earlier_outcome(context, opened.waiting.decision, &opened.signed_in).await
}

/// Stores a decision, and notifies the client. Returns false if there is one already.
async fn store(
    context: &Context,
    opened: &Opened,
    decision: Decision,
    muted: Option<Timestamp>,
    now: Timestamp,
) -> Result<bool, HandlerError> {
    let (records, subject) = (context.records.as_ref(), &opened.signed_in.session.subject);
    let is_first = waiting::decide(records, subject, &opened.waiting, &decision, muted, now).await?;
    if is_first {
        back_channel::ping(context, &opened.waiting, now).await?;
    }
    Ok(is_first)
}

/// Returns the outcome for a user who comes after the decision. Round trips: 1.
pub(crate) async fn earlier_outcome(
    context: &Context,
    decision: DecisionId,
    signed_in: &SignedIn,
) -> Result<RequestOutcome, HandlerError> {
    Ok(match decisions::peek(context.records.as_ref(), decision).await? {
        Some(Decision::Approved(live)) if live.grant.subject == signed_in.session.subject => RequestOutcome::Approved,
        Some(Decision::Denied) => RequestOutcome::Denied,
        _ => RequestOutcome::Over,
    })
}
