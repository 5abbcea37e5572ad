//! The account page: the user sees what applications may do and where sessions are, ends both, changes
//! the password, makes passkeys, downloads the own data, and deletes the account.

mod application;
mod authenticator;
mod data;
mod deletion;
mod email;
mod new_passkey;
mod overview;
mod passkey;
mod password;
mod recovery_codes;
mod session;
mod sign_in;
mod visit;

use http::StatusCode;
use latchkey_http::{Request, Response};
use provider::browser::Browser;
use provider::{Context, Function, HandlerError};
use serde_json::json;
use visit::Visit;

/// The function, as every platform calls it.
pub const FUNCTION: Function = Function::page("account", |request, context| Box::pin(handle(request, context)));

/// The path at which browsers and password managers look for the form (W3C, A Well-Known URL for Changing Passwords).
const CHANGE_PASSWORD: &str = "/.well-known/change-password";

/// The path at which password managers look for the pages of passkeys (W3C, Passkey Endpoints).
const PASSKEY_ENDPOINTS: &str = "/.well-known/passkey-endpoints";

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
    if request.path == PASSKEY_ENDPOINTS {
        return Ok(passkey_endpoints(context));
    }
    let visit = Visit::open(request, context, browser).await?;
    match request.path.as_str() {
        application::PATH => application::respond(&visit).await,
        authenticator::PATH => authenticator::respond(&visit).await,
        data::PATH => data::respond(&visit).await,
        deletion::PATH => deletion::respond(&visit).await,
        email::PATH => email::respond(&visit).await,
        new_passkey::PATH => new_passkey::respond(&visit).await,
        passkey::PATH => passkey::respond(&visit).await,
        password::PATH => password::respond(&visit).await,
        recovery_codes::PATH => recovery_codes::respond(&visit).await,
        session::PATH => session::respond(&visit).await,
        sign_in::PATH => sign_in::respond(&visit).await,
        _ => overview::respond(&visit).await,
    }
}

/// Returns the document with the pages of passkeys; 404 without passkeys.
fn passkey_endpoints(context: &Context) -> Response {
    let issuer = &context.config.issuer;
    match context.config.passkeys {
        Some(_) => {
            let (enroll, manage) = (issuer.endpoint(new_passkey::PATH), issuer.endpoint(sign_in::PATH));
            Response::json(StatusCode::OK, &json!({ "enroll": enroll, "manage": manage }))
        }
        None => Response::json(StatusCode::NOT_FOUND, &json!({ "error": "not_found" })),
    }
}

#[cfg(target_arch = "wasm32")]
#[worker::event(fetch)]
async fn fetch(
    request: worker::Request,
    env: worker::Env,
    invocation: worker::Context,
) -> worker::Result<worker::Response> {
    provider::bind_passwords(&env);
    provider::worker::serve_with_mail(FUNCTION, request, &env, &invocation).await
}
