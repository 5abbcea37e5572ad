//! The backchannel authentication endpoint (CIBA Core §7).

use crate::page::RequestReference;
use crate::{notification, request, user, user_code};
use http::{StatusCode, header};
use latchkey_http::{Request, Response};
use platform::entropy;
use protocol::client_authentication::invalid_client;
use protocol::{AuthReqId, BackchannelRequest, PollInterval, UserHint};
use provider::authorization::check_length;
use provider::back_channel::seal_ping;
use provider::{ClientRequest, Context, HandlerError, responses};
use serde::Serialize;
use storage::decisions;
use storage::waiting::{self, Begun, WaitingRequest};
use types::{Error, ErrorCode};

/// An authentication request acknowledgement (CIBA Core §7.3).
#[derive(Serialize)]
struct Acknowledgement {
    auth_req_id: String,
    /// In seconds.
    expires_in: u64,
    /// In seconds.
    interval: u64,
}

/// Stores a request for the decision of the user whom the client names. Requests that the user does not approve are limited for each client,
/// and few wait at a time, so that no one approves one to end a flood. Round trips: 3 to 5, of which 2 store the request; 1 more for a user code.
pub(crate) async fn respond(request: &Request, context: &Context) -> Result<Response, HandlerError> {
    let opened = ClientRequest::open(request, context).await?;
    context.check_clock(request).await?;
    let (stored, now) = (&opened.stored, opened.now);
    if !stored.client.is_confidential() {
        return Err(
            invalid_client("backchannel requests are for clients that authenticate (CIBA Core section 7.1)").into()
        );
    }
    let parameters = request::parameters(&opened.parameters, stored, context, now).await?;
    parameters.refuse_repeated()?;
    // Hints first: a request with two of them is `invalid_request`, also if its binding_message is unacceptable (CIBA Core §13).
    let hint = UserHint::of(&parameters)?;
    let asked = BackchannelRequest::check(&parameters, &stored.client, context.configuration.targets(stored))?;
    // The request travels through the sign-in of the user who approves it; its details stay in the store.
    check_length(&asked.clone().without_details())?;
    let lifetime = BackchannelRequest::lifetime(&parameters)?;
    let token = BackchannelRequest::notification_token(&parameters, &stored.client)?;
    let user = user::find(hint, stored, context, now).await?;

    user_code::check(&parameters, &opened, &user, request, context).await?;
    let decision = decisions::new_id(entropy::bytes()?);
    let expires_at = now.after(lifetime);
    let id = AuthReqId { decision, issued_at: now, expires_at };
    let id = id.seal(&context.secrets, &stored.client.client_id).into_exposed();
    let ping = token.map(|token| seal_ping(context, &id, token)).transpose()?;
    let waiting = WaitingRequest { request: asked, decision, asked_at: now, expires_at, ping };
    match waiting::begin(context.records.as_ref(), &user.subject, &waiting, now).await? {
        Begun::Waiting => {}
        Begun::TooOften(wait) => {
            let description = "the client asked this user too often without an approval; try again later";
            return Err(responses::too_many(request, wait, description).into());
        }
        Begun::TooMany => return Err(denied("as many requests wait for this user as may; try again later")),
        Begun::Muted => {
            return Err(denied("the user did not expect an earlier request of this client; try again later"));
        }
    }
    let page = RequestReference { subject: user.subject.clone(), decision }.location(context)?;
    notification::send(context, stored, &user.subject, &waiting, &page).await?;
    let answer =
        Acknowledgement { auth_req_id: id, expires_in: lifetime.as_secs(), interval: PollInterval::INITIAL.as_secs() };
    Ok(Response::json(StatusCode::OK, &answer).with(header::PRAGMA, "no-cache"))
}

/// Returns `access_denied`, with the status that CIBA Core §13 gives it.
fn denied(description: &'static str) -> HandlerError {
    let error = Error::new(ErrorCode::AccessDenied, description);
    Response::json(StatusCode::FORBIDDEN, &error.to_body()).into()
}
