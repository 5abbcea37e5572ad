//! Polls of a device (RFC 8628 §3.4, §3.5).

use crate::TokenRequest;
use crate::issue::{IdTokenUse, TokenResponse};
use protocol::DeviceCode;
use provider::HandlerError;
use storage::decisions::{self, Poll};
use types::{Error, ErrorCode};

/// Issues the tokens if a user approved. A device code that is forged, expired, another client's or of another epoch is
/// rejected without a storage call. An earlier epoch counts as expiry, because devices then begin anew (RFC 8628 §3.5).
pub(crate) async fn poll(request: &TokenRequest<'_>) -> Result<TokenResponse, HandlerError> {
    let (context, now) = (request.context, request.now);
    let code = request.parameters.required("device_code")?;
    let invalid = || refuse(ErrorCode::InvalidGrant, "the device code is unknown, or was issued to another client");
    let restored = "the device code was issued before the authorization server was restored from a backup; begin anew";
    let code = DeviceCode::open(&context.secrets, code, &request.client.client.client_id)
        .map_err(|reason| HandlerError::of_token(reason, invalid(), refuse(ErrorCode::ExpiredToken, restored)))?;
    if !request.client.existed_at(code.issued_at) {
        return Err(invalid());
    }
    if code.expires_at.is_past(now) {
        return Err(refuse(ErrorCode::ExpiredToken, "the device code has expired; begin anew"));
    }
    let id = code.decision;
    let is_too_early = context.polls.is_too_early(id, now);
    request.check_decided_part(id).await?;
    request.spend_assertion().await?;
    match decisions::poll(context.records.as_ref(), id, code.expires_at, &request.issuer().grant_update()?).await? {
        Poll::Approved(live) => {
            let part = request.narrowed(&live.grant)?;
            Ok(request.tokens(&live, &live.grant.scope, &part, IdTokenUse::First).await?)
        }
        // A decision is reported even to a poll that came too early.
        Poll::Pending if is_too_early => {
            Err(refuse(ErrorCode::SlowDown, "too many polls; wait 5 seconds longer between them from now on"))
        }
        Poll::Pending => Err(refuse(ErrorCode::AuthorizationPending, "the user has not decided yet")),
        Poll::Denied => Err(refuse(ErrorCode::AccessDenied, "the user denied the request")),
        Poll::Race => Err(refuse(ErrorCode::SlowDown, "another poll got the tokens a moment ago")),
        Poll::Replayed => {
            request.record_code_replay();
            let description =
                "the device code was redeemed before; the tokens that it was redeemed for are revoked now";
            Err(refuse(ErrorCode::InvalidGrant, description))
        }
        Poll::Ended => Err(refuse(ErrorCode::InvalidGrant, "the grant of the device code was revoked or has ended")),
    }
}

fn refuse(code: ErrorCode, description: &'static str) -> HandlerError {
    Error::new(code, description).into()
}
