//! Delivery of an authorization response to the client, through the browser.

use crate::{Context, HandlerError, encrypted, responses};
use http::StatusCode;
use latchkey_http::{Request, Response};
use pages::{Leave, LeaveReason, ReturnOffer, ReturnWay};
use protocol::{AuthorizationResponse, Delivery, PlainResponse, ResponseTarget};
use types::{Algorithm, Error, Timestamp};

/// The message that a response answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answers {
    /// A request of the client: a redirect leads back to it.
    Client,
    /// A form of this server, directly or after redirects within this server: a page leads to the client by a navigation
    /// (`infra/decisions/forms-are-answered-here.md`).
    Form,
}

/// Returns the HTTP response that carries an authorization response: a redirect, a page that navigates, or a page whose form
/// the browser posts (OAuth 2.0 Form Post Response Mode §2).
pub async fn deliver(
    response: AuthorizationResponse<'_>,
    answers: Answers,
    request: &Request,
    context: &Context,
) -> Result<Response, HandlerError> {
    match plain(response, context, request.received_at).await?.delivery() {
        Delivery::Redirect(location) => match answers {
            Answers::Client => Ok(Response::see_other(&location)),
            Answers::Form => leave(&location, LeaveReason::Answered, request, context),
        },
        Delivery::FormPost { action, fields } => {
            let frame = responses::frame(request, context)?;
            let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
            let page = pages::form_post(&pages::FormPost { frame: &frame, action: &action, fields: &fields });
            Ok(responses::page(StatusCode::OK, page))
        }
    }
}

/// Returns the response in the form in which it travels: signed, and encrypted if the client is registered so (JARM §2.2). Round trips:
/// 0; 1 if the client is not cached.
async fn plain<'a>(
    response: AuthorizationResponse<'a>,
    context: &'a Context,
    now: Timestamp,
) -> Result<PlainResponse<'a>, HandlerError> {
    let unsigned = match response {
        AuthorizationResponse::Plain(plain) => return Ok(plain),
        AuthorizationResponse::Jwt(unsigned) => unsigned,
    };
    let client = context.client(unsigned.client_id(), now).await?;
    let client = client.ok_or_else(|| HandlerError::unavailable("the client of a response was removed"))?;
    let client = &client.client;
    // Without a key of the client the user sees an error page: a response that is not encrypted would show what must not be seen.
    let recipient = context.authorization_recipient(client, now).await?;
    let algorithm = client.authorization_signed_response_alg.unwrap_or(Algorithm::RS256);
    let jwt = context.sign(client, algorithm, "JWT", &unsigned.claims(&context.config.issuer, now), now).await?;
    Ok(unsigned.signed(encrypted(recipient.as_ref(), jwt).await?))
}

/// Returns the result of a handler with an error for the client delivered to it (RFC 6749 §4.1.2.1).
pub async fn with_error_delivered(
    result: Result<Response, HandlerError>,
    answers: Answers,
    request: &Request,
    context: &Context,
) -> Result<Response, HandlerError> {
    let Err(HandlerError::Redirect(target, error)) = result else { return result };
    request.log.error(error.code.as_str(), &error.description);
    deliver(target.error_response(&error, &context.config.issuer), answers, request, context).await
}

/// Returns the page that leaves this server for a client. The code in the URI stays out of `Referer` and of caches by the header
/// fields of every page.
pub fn leave(uri: &str, reason: LeaveReason, request: &Request, context: &Context) -> Result<Response, HandlerError> {
    let frame = responses::frame(request, context)?;
    Ok(responses::page(StatusCode::OK, pages::leave(&Leave { frame: &frame, uri, reason })))
}

/// Returns the page that names the host of the redirect URI and offers to continue there with the error response. An error
/// leads to a client that registered openly only this way: otherwise an attacker could make a link to this server that redirects
/// to any page (RFC 9700 §4.11.2).
pub async fn offer(
    target: &ResponseTarget,
    error: &Error,
    request: &Request,
    context: &Context,
) -> Result<Response, HandlerError> {
    request.log.error(error.code.as_str(), &error.description);
    let frame = responses::frame(request, context)?;
    let hint = format!("{}: {}", error.code.as_str(), error.description);
    let response = target.error_response(error, &context.config.issuer);
    let delivery = plain(response, context, request.received_at).await?.delivery();
    let fields: Vec<(&str, &str)>;
    let way = match &delivery {
        Delivery::Redirect(location) => ReturnWay::Link(location),
        Delivery::FormPost { fields: all, .. } => {
            fields = all.iter().map(|(name, value)| (*name, value.as_str())).collect();
            ReturnWay::Form(&fields)
        }
    };
    let redirect_uri = target.redirect_uri().as_str();
    let page = pages::return_offer(&ReturnOffer {
        frame: &frame,
        redirect_uri,
        way,
        hint: &hint,
        request_id: request.id.as_str(),
    });
    Ok(responses::page(StatusCode::BAD_REQUEST, page))
}
