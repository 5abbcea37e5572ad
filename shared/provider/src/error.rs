//! The one error of handlers, and the responses that it becomes.

use crate::{Context, RequestParameters, responses};
use http::{StatusCode, header};
use latchkey_http::{Request, Response};
use pages::ErrorPage;
use protocol::{AccountPage, ResponseTarget, StoredClient, TokenError};
use serde_json::json;
use std::fmt;
use std::time::Duration;
use types::{Error, ErrorCode};

/// The reason why a handler did not produce the response that the request asked for.
#[derive(Clone, Debug)]
pub enum HandlerError {
    /// The request is wrong: an API answers with JSON (RFC 6749 §5.2), a page with an error page.
    Request(Error),
    /// The request is wrong, and a page tells the user the next step.
    Page(Box<PageError>),
    /// The client gets the error at its redirect URI (RFC 6749 §4.1.2.1). The redirect URI is validated.
    Redirect(Box<ResponseTarget>, Error),
    /// The request is answered already: by a redirect to sign-in, or by a page.
    Respond(Box<Response>),
    /// The server is at fault: 503 `temporarily_unavailable`. The reason is for the operator's log alone.
    Unavailable(String),
}

/// An error page: text for the user, an error for the client's developer.
#[derive(Clone, Debug)]
pub struct PageError {
    /// Title.
    pub title: &'static str,
    /// Text for the user: what happened and what to do next.
    pub message: &'static str,
    /// Error for the client's developer.
    pub error: Error,
    /// The client that sent the user here.
    pub client: Option<ErrorClient>,
}

/// The client that an error page leads to.
#[derive(Clone, Debug)]
pub struct ErrorClient {
    /// Name that users see.
    pub name: String,
    /// The URI at which the user starts again.
    pub start_uri: Option<String>,
}

impl HandlerError {
    /// Returns a fault of the server, with its reason for the log.
    pub fn unavailable(reason: impl fmt::Display) -> Self {
        Self::Unavailable(reason.to_string())
    }

    /// Returns the error for a token that is rejected: `invalid`, or `older` if the token was issued before a restore.
    pub fn of_token(reason: TokenError, invalid: impl Into<Self>, older: impl Into<Self>) -> Self {
        match reason {
            TokenError::Invalid => invalid.into(),
            TokenError::OlderEpoch => older.into(),
            TokenError::NewerEpoch => Self::newer_epoch(),
        }
    }

    /// Returns the fault of a token of a later epoch: during a rollout, this function has the old setting still. The client
    /// keeps its token and tries again.
    pub fn newer_epoch() -> Self {
        Self::unavailable("the token was issued in a later epoch than the LATCHKEY_EPOCH of this function")
    }

    /// Returns an error page.
    pub fn page(title: &'static str, message: &'static str, error: Error) -> Self {
        Self::Page(Box::new(PageError { title, message, error, client: None }))
    }

    /// Returns the error with a page that leads to a client, which sent the user here. Errors that lead elsewhere stay as they are.
    #[must_use]
    pub fn of_client(self, context: &Context, client: &StoredClient) -> Self {
        let client = &client.client;
        let client =
            ErrorClient { name: client.display_name().to_owned(), start_uri: client.start_uri(&context.config.issuer) };
        match self {
            Self::Request(error) => Self::Page(Box::new(PageError { error, client: Some(client), ..UNEXPLAINED })),
            Self::Page(page) => Self::Page(Box::new(PageError { client: Some(client), ..*page })),
            other => other,
        }
    }

    /// Returns the error page with a link to a page of the user's own account.
    #[must_use]
    pub fn of_account(self, context: &Context, page: AccountPage) -> Self {
        let start_uri = Some(format!("{}{}", context.config.issuer, page.path()));
        let client = ErrorClient { name: "your account".to_owned(), start_uri };
        match self {
            Self::Page(page) => Self::Page(Box::new(PageError { client: Some(client), ..*page })),
            other => other,
        }
    }

    /// Returns the response of an API: JSON. A redirect and a page are no responses of an API and become JSON too.
    pub fn into_api_response(self, request: &Request, _: &Context) -> Response {
        match self {
            Self::Respond(response) => *response,
            Self::Unavailable(reason) => {
                let body = json!({
                    "error": "temporarily_unavailable",
                    "error_description": "the server cannot answer now; try again",
                });
                unavailable(Response::json(StatusCode::SERVICE_UNAVAILABLE, &body), request, &reason)
            }
            Self::Request(error) | Self::Redirect(_, error) => responses::error(request, &error),
            Self::Page(page) => responses::error(request, &page.error),
        }
    }

    /// Returns the response of a page: an error page. A program that prefers JSON gets JSON. An error for the client was delivered
    /// before ([`authorization_response::with_error_delivered`](crate::authorization_response::with_error_delivered)).
    pub fn into_page_response(self, request: &Request, context: &Context) -> Response {
        if matches!(self, Self::Request(_) | Self::Page(_) | Self::Unavailable(_)) && request.prefers_json() {
            return self.into_api_response(request, context);
        }
        let reason = match self.try_into_page(request, context) {
            Ok(response) => return response,
            Err(reason) => reason,
        };
        Self::Unavailable(reason).into_api_response(request, context)
    }

    /// Returns the page; or a reason if even a page cannot be made.
    fn try_into_page(self, request: &Request, context: &Context) -> Result<Response, String> {
        match self {
            Self::Respond(response) => Ok(*response),
            Self::Request(error) | Self::Redirect(_, error) => {
                error_page(request, context, &PageError { error, ..UNEXPLAINED })
            }
            Self::Page(page) => error_page(request, context, &page),
            Self::Unavailable(reason) => unavailable_page(request, context, &reason),
        }
    }
}

/// Text of the error page of a request whose handler gives none.
const UNEXPLAINED: PageError = PageError {
    title: "This sign-in link does not work",
    message: "The application sent you here with a request that cannot be answered. Go back to it and try again.",
    error: Error { code: types::ErrorCode::InvalidRequest, description: std::borrow::Cow::Borrowed("") },
    client: None,
};

/// Parameters that an error page shows to the developer of the client, as they were received.
const SHOWN_PARAMETERS: [&str; 3] = ["client_id", "redirect_uri", "post_logout_redirect_uri"];

/// The longest value of a parameter that an error page shows, in bytes.
const MAX_SHOWN: usize = 1024;

fn error_page(request: &Request, context: &Context, page: &PageError) -> Result<Response, String> {
    let frame = responses::frame(request, context).map_err(|error| error.to_string())?;
    let is_temporary = page.error.code == ErrorCode::TemporarilyUnavailable;
    let status = if is_temporary { StatusCode::SERVICE_UNAVAILABLE } else { StatusCode::BAD_REQUEST };
    request.log.error(page.error.code.as_str(), &page.error.description);
    let parameters = request.parameters().ok();
    let received: Vec<(&str, &str)> = SHOWN_PARAMETERS
        .into_iter()
        .filter_map(|name| Some((name, parameters.as_ref()?.value(name)?)))
        .filter(|(_, value)| value.len() <= MAX_SHOWN)
        .collect();
    let response = responses::page(
        status,
        pages::error(&ErrorPage {
            frame: &frame,
            status: status.as_u16(),
            title: page.title,
            message: page.message,
            hint: Some(page.error.description.as_ref()),
            received: &received,
            client: page.client.as_ref().map(|client| (client.name.as_str(), client.start_uri.as_deref())),
            request_id: request.id.as_str(),
        }),
    )
    .open();
    let wait = responses::retry_after(Duration::from_secs(60));
    Ok(if is_temporary { response.with(header::RETRY_AFTER, &wait) } else { response })
}

/// Returns the page for a fault of the server. The user loses nothing: the page can be reloaded, with its form.
fn unavailable_page(request: &Request, context: &Context, reason: &str) -> Result<Response, String> {
    let frame = responses::frame(request, context).map_err(|error| error.to_string())?;
    let status = StatusCode::SERVICE_UNAVAILABLE;
    let page = pages::error(&ErrorPage {
        frame: &frame,
        status: status.as_u16(),
        title: "We cannot answer just now",
        message: "Something on our side is busy or broken. Nothing you did is lost: wait a moment, then reload this page.",
        hint: None,
        received: &[],
        client: None,
        request_id: request.id.as_str(),
    });
    Ok(unavailable(responses::page(status, page).open(), request, reason))
}

fn unavailable(response: Response, request: &Request, reason: &str) -> Response {
    request.log.error("temporarily_unavailable", reason);
    response.with(header::RETRY_AFTER, &responses::retry_after(Duration::from_secs(1)))
}

impl fmt::Display for HandlerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Request(error) | Self::Redirect(_, error) => f.write_str(&error.description),
            Self::Page(page) => f.write_str(&page.error.description),
            Self::Respond(response) => write!(f, "answered with status {}", response.status),
            Self::Unavailable(reason) => f.write_str(reason),
        }
    }
}

impl std::error::Error for HandlerError {}

impl From<Error> for HandlerError {
    fn from(error: Error) -> Self {
        Self::Request(error)
    }
}

impl From<Response> for HandlerError {
    fn from(response: Response) -> Self {
        Self::Respond(Box::new(response))
    }
}

impl From<storage::Unavailable> for HandlerError {
    fn from(error: storage::Unavailable) -> Self {
        Self::unavailable(error)
    }
}

impl From<platform::PlatformError> for HandlerError {
    fn from(error: platform::PlatformError) -> Self {
        Self::Unavailable(error.reason)
    }
}
