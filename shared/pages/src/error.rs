//! The page for errors that must not be sent to a client.

use askama::Template;

use crate::{Page, policy::Policy};

/// What the error page shows.
#[derive(Debug, Clone, Copy)]
pub struct ErrorPage<'a> {
    /// Fresh for each response: 128 random bits or more, base64url.
    pub nonce: &'a str,
    /// The HTTP status of the response.
    pub status: u16,
    /// A few words, e.g. `This sign-in link is not valid`.
    pub title: &'a str,
    /// One or two sentences for the person.
    pub message: &'a str,
    /// What a developer of the client must change, e.g. `redirect_uri is not registered`.
    pub hint: Option<&'a str>,
    /// Finds the log line.
    pub request_id: &'a str,
}

/// Shows the error page.
pub fn error(view: &ErrorPage<'_>) -> Page {
    Page::new(&ErrorTemplate { view }, Policy::new(view.nonce))
}

#[derive(Template)]
#[template(path = "error.html")]
struct ErrorTemplate<'a> {
    view: &'a ErrorPage<'a>,
}
