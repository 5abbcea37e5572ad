//! The page for a path that no function serves.

use askama::Template;

use crate::{Page, policy::Policy};

/// The page for a user who followed a wrong or old link. It leads on to the pages that need no request of a client.
#[derive(Debug, Clone, Copy)]
pub struct UnknownPath<'a> {
    /// Nonce, new for each response: 128 random bits or more, base64url.
    pub nonce: &'a str,
    /// Id of the request in the log.
    pub request_id: &'a str,
}

/// Renders the page.
pub fn unknown_path(view: &UnknownPath<'_>) -> Page {
    Page::new(&UnknownPathTemplate { view }, Policy::new(view.nonce))
}

#[derive(Template)]
#[template(path = "unknown_path.html")]
struct UnknownPathTemplate<'a> {
    view: &'a UnknownPath<'a>,
}
