//! The device authorization endpoint (RFC 8628 §3.1, §3.2).

use crate::record_name;
use http::{StatusCode, header};
use latchkey_http::{Request, Response};
use platform::entropy;
use protocol::rate_limit::Quota;
use protocol::{AskingDevice, DeviceCode, DeviceRequest, PollInterval, UserCode};
use provider::authorization::check_length;
use provider::{ClientRequest, Context, HandlerError, NonceRole, SentProof};
use serde::Serialize;
use storage::decisions;
use storage::devices::{self, Pending};
use types::Timestamp;

/// User codes that are drawn for one request. The first that is free is used.
const CANDIDATES: u32 = 4;

/// A device authorization response (RFC 8628 §3.2).
#[derive(Serialize)]
struct Codes {
    device_code: String,
    user_code: String,
    verification_uri: String,
    verification_uri_complete: String,
    expires_in: u64,
    interval: u64,
}

pub(crate) async fn respond(request: &Request, context: &Context) -> Result<Response, HandlerError> {
    let proof = SentProof::of(request);
    context.with_dpop_nonce(&proof, NonceRole::AuthorizationServer, answer(request, context, &proof)).await
}

async fn answer(request: &Request, context: &Context, proof: &SentProof<'_>) -> Result<Response, HandlerError> {
    let opened = ClientRequest::open_first(request, context, proof).await?;
    context.check_clock(request).await?;
    let limit = opened.limit(Quota::DEVICE_REQUESTS, "device requests")?;
    let mut asked =
        DeviceRequest::check(&opened.parameters, opened.client(), context.configuration.targets(&opened.stored))?;
    let user_agent = request.header(&header::USER_AGENT);
    asked.asked_by =
        Some(Box::new(AskingDevice::of(user_agent, request.place.as_deref(), request.address, opened.now)));
    // The request travels through the sign-in of the user who approves it; its details stay in the store.
    check_length(&asked.clone().without_details())?;
    let codes = limit.count(begin(context, asked, opened.now)).await?;
    Ok(Response::json(StatusCode::OK, &codes).with(header::PRAGMA, "no-cache"))
}

/// Creates both codes. Round trips: 1; one more for each user code that is taken.
async fn begin(context: &Context, asked: DeviceRequest, now: Timestamp) -> Result<Codes, HandlerError> {
    let lifetime = context.config.device_code_lifetime;
    let expires_at = now.after(lifetime);
    let id = decisions::new_id(entropy::bytes()?);
    let device_code = DeviceCode { decision: id, issued_at: now, expires_at };
    let device_code = device_code.seal(&context.secrets, &asked.client_id);
    let pending = Pending { request: asked, decision: id, expires_at };
    let draw = |_| Ok::<_, HandlerError>(UserCode::from_random(entropy::bytes()?));
    let user_codes: Vec<UserCode> = (0..CANDIDATES).map(draw).collect::<Result<_, _>>()?;
    let names: Vec<String> = user_codes.iter().map(|user_code| record_name(context, user_code)).collect();
    let free = devices::begin(context.records.as_ref(), &names, &pending).await?;
    let user_code = user_codes.get(free).ok_or_else(|| HandlerError::unavailable("no user code is free"))?;
    let verification_uri = format!("{}/device", context.config.issuer);
    Ok(Codes {
        device_code: device_code.expose().to_owned(),
        verification_uri_complete: format!("{verification_uri}?user_code={user_code}"),
        user_code: user_code.to_string(),
        verification_uri,
        expires_in: lifetime.as_secs(),
        interval: PollInterval::INITIAL.as_secs(),
    })
}
