//! The function as a Cloudflare Worker.

use latchkey_saml::MAX_MESSAGE;
use platform::worker::{log_start, read_body, write};
use worker::{Context, Env, Error, event};

#[event(fetch)]
async fn fetch(request: worker::Request, _: Env, _: Context) -> worker::Result<worker::Response> {
    log_start("saml");
    let message = read_body(&request, MAX_MESSAGE).await.map_err(|error| Error::RustError(error.reason))?;
    write(crate::respond(&message).await)
}
