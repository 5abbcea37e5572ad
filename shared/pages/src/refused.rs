//! The page for a request that no function handles.

use askama::Template;

use crate::{Frame, Page, policy::Policy};

/// The reason why no function handles a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// No function serves the path.
    UnknownPath,
    /// The path does not serve the method.
    Method,
    /// The body is too long.
    BodyTooLong,
    /// The query is too long.
    QueryTooLong,
}

impl Refusal {
    /// Every reason.
    pub const ALL: [Self; 4] = [Self::UnknownPath, Self::Method, Self::BodyTooLong, Self::QueryTooLong];

    const fn title(self) -> &'static str {
        match self {
            Self::UnknownPath => "There is no page here",
            Self::Method => "This page does not do that",
            Self::BodyTooLong => "That was too long",
            Self::QueryTooLong => "This link is too long",
        }
    }

    const fn message(self) -> &'static str {
        match self {
            Self::UnknownPath => {
                "The link is old, or the address has a typing error. If an application sent you here, go back to it and start again."
            }
            Self::Method => {
                "The address is right, but this page does not do what your browser asked for. If an application sent you here, go back to it and start again."
            }
            Self::BodyTooLong => {
                "More was sent than this page reads. Go back, shorten what you typed, and send it again."
            }
            Self::QueryTooLong => {
                "The link holds more than this page reads. Go back to the application that sent you here, and start again."
            }
        }
    }
}

/// The page for a user who followed a wrong, old or broken link. It leads on to the pages that need no request of a client.
#[derive(Debug, Clone, Copy)]
pub struct Refused<'a> {
    /// The frame of the page.
    pub frame: &'a Frame,
    /// The reason.
    pub reason: Refusal,
    /// HTTP status of the response.
    pub status: u16,
    /// Hint for the developer of the client.
    pub hint: &'a str,
    /// Id of the request in the log.
    pub request_id: &'a str,
}

/// Renders the page.
pub fn refused(view: &Refused<'_>) -> Page {
    Page::new(&RefusedTemplate { view }, Policy::new(view.frame))
}

#[derive(Template)]
#[template(path = "refused.html")]
struct RefusedTemplate<'a> {
    view: &'a Refused<'a>,
}
