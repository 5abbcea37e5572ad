//! The answer to the client, by the response mode that it asked for.

use crate::Issued;
use http::StatusCode;
use protocol::{AuthorizationResponse, Error, ErrorCode, ResponseTarget};
use runtime::{Context, Fault, Response, entropy};

/// Hands the client its code, and in the hybrid flow the ID token that vouches for it.
pub(crate) fn code(context: &Context, target: &ResponseTarget, issued: Issued) -> Result<Response, Fault> {
    send(&target.code_response(issued.code.expose(), issued.id_token, &context.config.issuer))
}

/// Tells the client what is wrong.
pub(crate) fn error(context: &Context, target: &ResponseTarget, error: &Error) -> Result<Response, Fault> {
    debug_assert!(error.code != ErrorCode::InvalidClient, "no error of the front channel");
    Ok(send(&target.error_response(error, &context.config.issuer))?.failed(error))
}

fn send(response: &AuthorizationResponse) -> Result<Response, Fault> {
    match response {
        AuthorizationResponse::Redirect(location) => Ok(Response::see_other(location)),
        AuthorizationResponse::FormPost { action, fields } => {
            let nonce = entropy::name()?;
            let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
            let page = pages::form_post(&pages::FormPost { nonce: &nonce, action, fields: &fields });
            Ok(Response::page(StatusCode::OK, page))
        }
    }
}
