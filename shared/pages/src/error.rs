//! The page for errors that must not be sent to a client (RFC 6749 §3.1.2.4).

use askama::Template;

use crate::client::Restart;
use crate::{Frame, Page, policy::Policy};

/// The error page.
#[derive(Debug, Clone, Copy)]
pub struct ErrorPage<'a> {
    /// The frame of the page.
    pub frame: &'a Frame,
    /// HTTP status of the response.
    pub status: u16,
    /// Title, e.g. `This sign-in link is not valid`.
    pub title: &'a str,
    /// One or two sentences for the user.
    pub message: &'a str,
    /// Hint for the developer of the client, e.g. `redirect_uri is not registered`.
    pub hint: Option<&'a str>,
    /// Names and values of parameters, as they were received, for the developer.
    pub received: &'a [(&'a str, &'a str)],
    /// The client that sent the user here: its name, and the URI at which the user starts again.
    pub client: Option<(&'a str, Option<&'a str>)>,
    /// Id of the request in the log.
    pub request_id: &'a str,
}

/// Renders the error page.
pub fn error(view: &ErrorPage<'_>) -> Page {
    Page::new(&ErrorTemplate { view, restart: view.client.and_then(Restart::of) }, Policy::new(view.frame))
}

#[derive(Template)]
#[template(path = "error.html")]
struct ErrorTemplate<'a> {
    view: &'a ErrorPage<'a>,
    restart: Option<Restart<'a>>,
}
