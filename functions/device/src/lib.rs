//! Device authorization (RFC 8628): the endpoint that a device calls, and the page where a person says yes or no.

mod authorization;
mod decide;
mod page;

use jose::Purpose;
use protocol::device::UserCode;
use runtime::{Context, Fault, Refusal, Request, Response};

/// Answers a device, or shows and takes the page.
pub async fn handle(request: &Request, context: &Context) -> Result<Response, Fault> {
    if request.path == "/device_authorization" {
        authorization::respond(request, context).await.or_else(Refusal::into_json)
    } else {
        page::handle(request, context).await.or_else(|fault| fault.into_page(request))
    }
}

/// The name of the record that a user code leads to: a reader of the store learns no code from it.
pub(crate) fn record_name(context: &Context, code: &UserCode) -> String {
    let tag = context.secrets.mac(Purpose::UserCode, &[code.letters().as_bytes()]);
    tag.iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(target_arch = "wasm32")]
#[worker::event(fetch)]
async fn fetch(request: worker::Request, env: worker::Env, _: worker::Context) -> worker::Result<worker::Response> {
    runtime::worker::serve("device", request, &env, |request, context| Box::pin(handle(request, context))).await
}
