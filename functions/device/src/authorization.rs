//! The device authorization endpoint (RFC 8628 §3.1, §3.2).

use crate::record_name;
use http::{StatusCode, header};
use latchkey_http::{Request, Response};
use platform::entropy;
use protocol::{DeviceRequest, PollInterval, Standing, TokenContent, TokenKind, UserCode, sealed_token};
use provider::authorization::check_length;
use provider::{ClientRequest, Context, HandlerError};
use serde::Serialize;
use storage::devices::{self, Pending};
use types::Timestamp;

/// Number of user codes that are tried until one is free.
const TRIES: u32 = 4;

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
    let opened = ClientRequest::open(request, context).await?;
    let asked = DeviceRequest::check(&opened.parameters, opened.client(), &context.config.resources)?;
    // The request travels through the sign-in of the user who approves it.
    check_length(&asked)?;
    let codes = begin(context, asked, opened.now).await?;
    Ok(Response::json(StatusCode::OK, &codes).with(header::PRAGMA, "no-cache"))
}

/// Creates both codes. Round trips: 1; one more for each user code that is taken.
async fn begin(context: &Context, asked: DeviceRequest, now: Timestamp) -> Result<Codes, HandlerError> {
    let lifetime = context.config.device_code_lifetime;
    let expires_at = now.after(lifetime);
    let id = devices::new_id(entropy::bytes()?);
    let content = TokenContent { standing: Standing::issued(id, now), expires_at };
    let binding = sealed_token::device_binding(&asked.client_id);
    let device_code = sealed_token::seal(&context.secrets, TokenKind::DeviceCode, &content, &binding);
    let pending = Pending { request: asked, decision: id.name(), expires_at };
    for _ in 0..TRIES {
        let user_code = UserCode::from_random(entropy::bytes()?);
        if devices::begin(context.records.as_ref(), &record_name(context, &user_code), &pending).await? {
            let verification_uri = format!("{}/device", context.config.issuer);
            return Ok(Codes {
                device_code: device_code.expose().to_owned(),
                verification_uri_complete: format!("{verification_uri}?user_code={user_code}"),
                user_code: user_code.to_string(),
                verification_uri,
                expires_in: lifetime.as_secs(),
                interval: PollInterval::INITIAL.as_secs(),
            });
        }
    }
    Err(HandlerError::unavailable("no user code is free"))
}
