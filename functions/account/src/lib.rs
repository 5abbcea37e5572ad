//! The account page: the user sees what applications may do and where sessions are, ends both, changes
//! the password, downloads the own data, and deletes the account.

mod application;
mod data;
mod deletion;
mod overview;
mod password;
mod session;
mod visit;

use latchkey_http::{Request, Response};
use provider::browser::Browser;
use provider::{Context, Function, HandlerError};
use visit::Visit;

/// The function, as every platform calls it.
pub const FUNCTION: Function = Function::page("account", |request, context| Box::pin(handle(request, context)));

/// The path at which browsers and password managers look for the form (W3C, A Well-Known URL for Changing Passwords).
const CHANGE_PASSWORD: &str = "/.well-known/change-password";

/// Shows a page of the account, or handles its form. A user who is not signed in signs in first.
pub async fn handle(request: &Request, context: &Context) -> Result<Response, HandlerError> {
    let browser = Browser::of(request, context)?;
    let response = match respond(request, context, &browser).await {
        Ok(response) => response,
        Err(HandlerError::Respond(response)) => *response,
        Err(error) => return Err(error),
    };
    Ok(browser.remember(response, context))
}

async fn respond(request: &Request, context: &Context, browser: &Browser) -> Result<Response, HandlerError> {
    if request.path == CHANGE_PASSWORD {
        return Ok(Response::see_other(&format!("{}{}", context.config.issuer, password::PATH)));
    }
    let visit = Visit::open(request, context, browser).await?;
    match request.path.as_str() {
        application::PATH => application::respond(&visit).await,
        data::PATH => data::respond(&visit).await,
        deletion::PATH => deletion::respond(&visit).await,
        password::PATH => password::respond(&visit).await,
        session::PATH => session::respond(&visit).await,
        _ => overview::respond(&visit).await,
    }
}

#[cfg(target_arch = "wasm32")]
#[worker::event(fetch)]
async fn fetch(request: worker::Request, env: worker::Env, _: worker::Context) -> worker::Result<worker::Response> {
    provider::bind_passwords(&env);
    provider::worker::serve(FUNCTION, request, &env).await
}
