//! Delivery of an authorization response to the client, through the browser.

use crate::{Context, HandlerError, responses};
use http::StatusCode;
use latchkey_http::{Request, Response};
use pages::{ReturnOffer, ReturnWay};
use platform::entropy;
use protocol::{AuthorizationResponse, Delivery, ResponseTarget};
use types::Error;

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

/// Returns the page that names the host of the redirect URI and offers to continue there with the error response. An error
/// leads to a client that registered openly only this way: otherwise an attacker could make a link to this server that redirects
/// to any page (RFC 9700 §4.11.2).
pub fn offer(
    target: &ResponseTarget,
    error: &Error,
    request: &Request,
    context: &Context,
) -> Result<Response, HandlerError> {
    request.log.error(error.code.as_str(), &error.description);
    let nonce = entropy::name()?;
    let hint = format!("{}: {}", error.code.as_str(), error.description);
    let delivery = target.error_response(error, &context.config.issuer).delivery();
    let fields: Vec<(&str, &str)>;
    let way = match &delivery {
        Delivery::Redirect(location) => ReturnWay::Link(location),
        Delivery::FormPost { fields: all, .. } => {
            fields = all.iter().map(|(name, value)| (*name, value.as_str())).collect();
            ReturnWay::Form(&fields)
        }
    };
    let redirect_uri = target.redirect_uri().as_str();
    let page =
        pages::return_offer(&ReturnOffer { nonce: &nonce, redirect_uri, way, hint: &hint, request_id: &request.id });
    Ok(responses::page(StatusCode::BAD_REQUEST, page))
}
