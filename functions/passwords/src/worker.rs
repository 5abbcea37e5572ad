//! The function as a Cloudflare Worker.

use platform::worker::{log_start, read_body, write};
use provider::NewPassword;
use worker::{Context, Env, Error, event};

#[event(fetch)]
async fn fetch(request: worker::Request, _: Env, _: Context) -> worker::Result<worker::Response> {
    log_start("passwords");
    let message =
        read_body(&request, NewPassword::MAX_MESSAGE).await.map_err(|error| Error::RustError(error.reason))?;
    write(crate::respond(&message).await)
}
