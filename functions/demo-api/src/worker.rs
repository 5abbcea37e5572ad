//! The sample API as a Cloudflare Worker without a route: only the gateway's service binding reaches it.

use crate::{Caller, respond};
use platform::worker::{log_start, read_body, read_head, write};
use worker::{Env, Error, event};

/// Maximum length of a body that is read, in bytes.
const BODY_LIMIT: usize = 10 * 1024 * 1024;

#[event(fetch)]
async fn fetch(request: worker::Request, _: Env, _: worker::Context) -> worker::Result<worker::Response> {
    log_start("demo-api");
    let failed = |error: platform::PlatformError| Error::RustError(error.reason);
    let head = read_head(&request).map_err(failed)?;
    let body = read_body(&request, BODY_LIMIT).await.map_err(failed)?;
    write(respond(&head.method, &head.headers, &Caller::of_headers(&head.headers), body.len()))
}
