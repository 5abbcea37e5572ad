//! Device authorization (RFC 8628): the endpoint that a device calls, and the page on which the user approves it.

mod authorization;
mod decide;
mod page;

use keys::Purpose;
use latchkey_http::{Request, Response};
use protocol::UserCode;
use provider::{Context, Function, HandlerError};
use storage::devices::{self, Pending};
use types::Timestamp;

/// The function, as every platform calls it.
pub const FUNCTION: Function = Function::new(
    "device",
    |request, context| Box::pin(handle(request, context)),
    |error, request, context| match request.path.as_str() {
        AUTHORIZATION_PATH => error.into_api_response(request, context),
        _ => error.into_page_response(request, context),
    },
);

/// Path of the device authorization endpoint (RFC 8628 §3.1); the other path is the verification page.
const AUTHORIZATION_PATH: &str = "/device_authorization";

/// Answers a device, or shows the verification page and handles its forms.
pub async fn handle(request: &Request, context: &Context) -> Result<Response, HandlerError> {
    match request.path.as_str() {
        AUTHORIZATION_PATH => authorization::respond(request, context).await,
        _ => page::handle(request, context).await,
    }
}

/// Returns the name of a user code's record. The name does not reveal the code.
pub(crate) fn record_name(context: &Context, code: &UserCode) -> String {
    name(context.secrets.mac(Purpose::UserCode, &[code.letters().as_bytes()]))
}

/// Returns the device that shows this code, and the name of its record. A code that was issued under the previous secret is
/// found too. Round trips: 1; 2 for a code that is not found while there is a previous secret.
pub(crate) async fn find(
    context: &Context,
    code: &UserCode,
    now: Timestamp,
) -> Result<Option<(String, Pending)>, HandlerError> {
    let records = context.records.as_ref();
    let current = record_name(context, code);
    if let Some(pending) = devices::find(records, &current, now).await? {
        return Ok(Some((current, pending)));
    }
    let Some(tag) = context.secrets.mac_previous(Purpose::UserCode, &[code.letters().as_bytes()]) else {
        return Ok(None);
    };
    let previous = name(tag);
    Ok(devices::find(records, &previous, now).await?.map(|pending| (previous, pending)))
}

fn name(tag: [u8; 32]) -> String {
    tag.iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(target_arch = "wasm32")]
#[worker::event(fetch)]
async fn fetch(request: worker::Request, env: worker::Env, _: worker::Context) -> worker::Result<worker::Response> {
    provider::worker::serve(FUNCTION, request, &env).await
}
