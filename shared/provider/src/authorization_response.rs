//! Delivery of an authorization response to the client, through the browser.

use crate::{HandlerError, responses};
use http::StatusCode;
use latchkey_http::Response;
use platform::entropy;
use protocol::{AuthorizationResponse, Delivery};

/// Returns the HTTP response that carries an authorization response: a redirect, or a page whose form the browser posts
/// (OAuth 2.0 Form Post Response Mode §2).
pub fn deliver(response: &AuthorizationResponse<'_>) -> Result<Response, HandlerError> {
    match response.delivery() {
        Delivery::Redirect(location) => Ok(Response::see_other(&location)),
        Delivery::FormPost { action, fields } => {
            let nonce = entropy::name()?;
            let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
            let page = pages::form_post(&pages::FormPost { nonce: &nonce, action: &action, fields: &fields });
            Ok(responses::page(StatusCode::OK, page))
        }
    }
}
