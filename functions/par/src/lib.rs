//! Pushed authorization requests (RFC 9126).

use http::StatusCode;
use latchkey_http::{Request, Response};
use platform::entropy;
use protocol::rate_limit::Quota;
use protocol::{PUSHED_REQUEST_PREFIX, PushedRequestId, RequestUri};
use provider::{ClientRequest, Context, Function, HandlerError, NonceRole, SentProof};
use serde::Serialize;
use storage::pushed::{self, PushedRequest};

/// A pushed authorization response (RFC 9126 §2.2).
#[derive(Serialize)]
struct Answer {
    request_uri: String,
    /// In seconds.
    expires_in: u64,
}

/// The function `par`.
pub const FUNCTION: Function = Function::api("par", |request, context| Box::pin(handle(request, context)));

/// Stores a request that passes every check of the authorization endpoint. Returns a reference to it, which this client
/// may use once within a short time. Requests of clients that do not authenticate are limited per client and network. Round
/// trips: 1; 1 more at the same time for a client that does not authenticate.
pub async fn handle(request: &Request, context: &Context) -> Result<Response, HandlerError> {
    let proof = SentProof::of(request);
    context.with_dpop_nonce(&proof, NonceRole::AuthorizationServer, answer(request, context, &proof)).await
}

async fn answer(request: &Request, context: &Context, proof: &SentProof<'_>) -> Result<Response, HandlerError> {
    let asked = ClientRequest::open_first(request, context, proof).await?;
    context.check_clock(request).await?;
    let (client, now) = (asked.client(), asked.now);
    let limit = asked.limit(Quota::PUSHED_REQUESTS, "pushed requests")?;
    let mut checked = context.check_pushed(&asked.parameters, &asked.stored, now).await?;
    if let Some(sender) = &asked.sender {
        checked.request.bind_to(sender.key)?;
    }
    let id = PushedRequestId::new(entropy::bytes()?, entropy::bytes()?);
    let expires_at = now.after(context.config.pushed_request_lifetime);
    let reference = RequestUri { request: id, issued_at: now, expires_at };
    let reference = reference.seal(&context.secrets, &client.client_id);
    let request = PushedRequest { request: checked.request, expected_subject: checked.expected_subject };
    // The record outlives its reference: a user who starts in time has the usual time to sign in.
    let forgotten_at = expires_at.after(context.config.interaction_lifetime);
    limit.count(async { Ok(pushed::create(context.records.as_ref(), id, &request, forgotten_at).await?) }).await?;
    let answer = Answer {
        request_uri: format!("{PUSHED_REQUEST_PREFIX}{}", reference.expose()),
        expires_in: context.config.pushed_request_lifetime.as_secs(),
    };
    Ok(Response::json(StatusCode::CREATED, &answer))
}

#[cfg(target_arch = "wasm32")]
#[worker::event(fetch)]
async fn fetch(request: worker::Request, env: worker::Env, _: worker::Context) -> worker::Result<worker::Response> {
    provider::worker::serve(FUNCTION, request, &env).await
}
