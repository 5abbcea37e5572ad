//! Polls of a device (RFC 8628 §3.4, §3.5).

use crate::Exchange;
use crate::issue::{Nonce, TokenResponse};
use protocol::{GrantId, TokenKind, resource, sealed_token};
use provider::HandlerError;
use storage::devices::{self, Decision, Poll};
use types::{Error, ErrorCode, Timestamp};

/// Hands the device its tokens when a person approved. A code that is forged, expired or another client's is refused
/// before any storage is asked.
pub(crate) async fn poll(exchange: &Exchange<'_>) -> Result<TokenResponse, HandlerError> {
    let (context, now) = (exchange.context, exchange.now);
    let code = exchange.parameters.required("device_code")?;
    let binding = sealed_token::device_binding(&exchange.client.client.client_id);
    // Whether it has expired is looked at next: the device must be told (§3.5).
    let opened = sealed_token::open(&context.secrets, TokenKind::DeviceCode, code, &binding, Timestamp::default());
    let Some(code) = opened.filter(|code| exchange.client.may_have_got(code.standing.started_at)) else {
        return Err(refuse(ErrorCode::InvalidGrant, "the device code is unknown, or was issued to another client"));
    };
    if code.expires_at.is_past(now) {
        return Err(refuse(ErrorCode::ExpiredToken, "the device code has expired; begin anew"));
    }
    let id = code.standing.grant;
    let is_too_early = context.pacing.is_too_early(id, now);
    check_resources(exchange, id).await?;
    match devices::poll(context.records.as_ref(), id, code.expires_at, &exchange.issuer().step()?).await? {
        Poll::Approved(live) => {
            let resources = resource::narrowed(exchange.parameters, &live.grant.resources)?;
            Ok(exchange.tokens(&live, &live.grant.scope, &resources, Nonce::LeftOut).await?)
        }
        // What was decided is told to whoever asks, early or not.
        Poll::Pending if is_too_early => {
            Err(refuse(ErrorCode::SlowDown, "too many polls; wait 5 seconds longer between them from now on"))
        }
        Poll::Pending => Err(refuse(ErrorCode::AuthorizationPending, "the person has not decided yet")),
        Poll::Denied => Err(refuse(ErrorCode::AccessDenied, "the person refused the request")),
        Poll::Race => Err(refuse(ErrorCode::SlowDown, "another poll got the tokens a moment ago")),
        Poll::Replayed => Err(refuse(
            ErrorCode::InvalidGrant,
            "the device code was redeemed before; the tokens that it was redeemed for are revoked now",
        )),
        Poll::Ended => {
            Err(refuse(ErrorCode::InvalidGrant, "the device code was redeemed before, and the grant revoked"))
        }
    }
}

/// Whether the resources that the poll names are among those that were granted (RFC 8707 §2.2). Checked before the tokens
/// are taken, so that a mistake costs the device nothing; no round trip when it names none.
async fn check_resources(exchange: &Exchange<'_>, id: GrantId) -> Result<(), HandlerError> {
    if exchange.parameters.value("resource").is_none() {
        return Ok(());
    }
    if let Some(Decision::Approved(live)) = devices::peek(exchange.context.records.as_ref(), id).await? {
        resource::narrowed(exchange.parameters, &live.grant.resources)?;
    }
    Ok(())
}

fn refuse(code: ErrorCode, description: &'static str) -> HandlerError {
    Error::new(code, description).into()
}
