//! The device authorization endpoint (RFC 8628 §3.1, §3.2).

use crate::record_name;
use http::{StatusCode, header};
use protocol::device::{DeviceRequest, INTERVAL, UserCode};
use protocol::{Standing, Timestamp, TokenContent, TokenKind, sealed_token};
use runtime::authorization::too_long;
use runtime::{Context, Fault, Refusal, Request, Response, entropy};
use serde::Serialize;
use storage::devices::{self, Pending};

/// How many user codes are tried until one is free.
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

pub(crate) async fn respond(request: &Request, context: &Context) -> Result<Response, Refusal> {
    let parameters = request.form()?;
    parameters.refuse_repeated()?;
    let client = context.authenticate(request, &parameters).await?;
    let asked = DeviceRequest::check(&parameters, &client.client, &context.config.resources);
    // The person who approves it signs in with it.
    let asked = asked.and_then(|asked| {
        match too_long(&asked.to_authorization_request(&format!("{}/device", context.config.issuer))) {
            Some(error) => Err(error),
            None => Ok(asked),
        }
    });
    let response = match asked {
        Ok(asked) => {
            let codes = begin(context, asked, request.received_at).await?;
            Response::json(StatusCode::OK, &codes).with(header::PRAGMA, "no-cache")
        }
        Err(error) => Response::error(&error),
    };
    Ok(response.of_client(&client.client.client_id))
}

/// Makes both codes. One round trip, unless a user code is taken.
async fn begin(context: &Context, asked: DeviceRequest, now: Timestamp) -> Result<Codes, Fault> {
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
                interval: INTERVAL.as_secs(),
            });
        }
    }
    Err(Fault::new("no user code is free"))
}
