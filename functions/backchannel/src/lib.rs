//! Backchannel authentication (OpenID Connect CIBA Core 1.0): the endpoint that a client calls, and the pages on which the user decides.

mod decide;
mod endpoint;
mod notification;
mod page;
mod request;
mod user;
mod user_code;

use latchkey_http::{Request, Response};
use provider::{Context, Function, HandlerError};

/// The function, as every platform calls it.
pub const FUNCTION: Function = Function::new(
    "backchannel",
    |request, context| Box::pin(handle(request, context)),
    |error, request, context| match request.path.as_str() {
        ENDPOINT => error.into_api_response(request, context),
        _ => error.into_page_response(request, context),
    },
);

/// Path of the backchannel authentication endpoint (CIBA Core §7); the other path is that of the pages.
const ENDPOINT: &str = "/bc-authorize";

/// Answers a client, or shows the pages and handles their forms.
pub async fn handle(request: &Request, context: &Context) -> Result<Response, HandlerError> {
    match request.path.as_str() {
        ENDPOINT => endpoint::respond(request, context).await,
        _ => page::handle(request, context).await,
    }
}

#[cfg(target_arch = "wasm32")]
#[worker::event(fetch)]
async fn fetch(request: worker::Request, env: worker::Env, _: worker::Context) -> worker::Result<worker::Response> {
    provider::worker::serve(FUNCTION, request, &env).await
}
