//! Token introspection (RFC 7662, RFC 9701).

use http::StatusCode;
use runtime::{Context, Fault, Request, Response};

/// Not there yet.
pub async fn handle(_: &Request, _: &Context) -> Result<Response, Fault> {
    Ok(Response::new(StatusCode::NOT_IMPLEMENTED))
}

#[cfg(target_arch = "wasm32")]
#[worker::event(fetch)]
async fn fetch(request: worker::Request, env: worker::Env, _: worker::Context) -> worker::Result<worker::Response> {
    runtime::worker::serve("introspect", request, &env, |request, context| Box::pin(handle(request, context))).await
}
