//! Polls of a client for a backchannel request (OpenID Connect CIBA Core §10.1, §11).

use crate::TokenRequest;
use crate::issue::{IdTokenUse, TokenResponse};
use protocol::AuthReqId;
use provider::HandlerError;
use storage::decisions::{self, Poll};
use types::{Error, ErrorCode};

/// Issues the tokens if the user approved, once. An `auth_req_id` that is forged, expired, another client's or of another epoch is
/// rejected without a storage call.
pub(crate) async fn poll(request: &TokenRequest<'_>) -> Result<TokenResponse, HandlerError> {
    let (context, now) = (request.context, request.now);
    let id = request.parameters.required("auth_req_id")?;
    let invalid = || refuse(ErrorCode::InvalidGrant, "the auth_req_id is unknown, or was issued to another client");
    let restored = "the auth_req_id was issued before the authorization server was restored from a backup; begin anew";
    let id = AuthReqId::open(&context.secrets, id, &request.client.client.client_id)
        .map_err(|reason| HandlerError::of_token(reason, invalid(), refuse(ErrorCode::ExpiredToken, restored)))?;
    if !request.client.existed_at(id.issued_at) {
        return Err(invalid());
    }
    if id.expires_at.is_past(now) {
        return Err(refuse(ErrorCode::ExpiredToken, "the auth_req_id has expired; begin anew"));
    }
    let is_too_early = context.polls.is_too_early(id.decision, now);
    request.check_decided_part(id.decision).await?;
    request.spend_assertion().await?;
    let update = request.issuer().grant_update()?;
    match decisions::poll_once(context.records.as_ref(), id.decision, id.expires_at, &update).await? {
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
        Poll::Race | Poll::Replayed => {
            Err(refuse(ErrorCode::InvalidGrant, "the auth_req_id was redeemed before; it is good once"))
        }
        Poll::Ended => Err(refuse(ErrorCode::InvalidGrant, "the grant was revoked or has ended")),
    }
}

fn refuse(code: ErrorCode, description: &'static str) -> HandlerError {
    Error::new(code, description).into()
}
