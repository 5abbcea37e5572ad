//! The page that carries an authorization response to the client in a form (OAuth 2.0 Form Post Response Mode §2).

use crate::Page;

/// What the page posts, and where to.
#[derive(Debug, Clone, Copy)]
pub struct FormPost<'a> {
    /// Fresh for each response: 128 random bits or more, base64url.
    pub nonce: &'a str,
    /// The validated redirect URI.
    pub action: &'a str,
    /// The parameters of the response, in order.
    pub fields: &'a [(&'a str, &'a str)],
}

/// Shows the page: it submits itself; without JavaScript it shows a button.
pub fn form_post(view: &FormPost<'_>) -> Page {
    crate::policy::unfinished(view.nonce)
}
