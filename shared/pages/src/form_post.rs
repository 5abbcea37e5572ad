//! The page that carries an authorization response to the client in a form (OAuth 2.0 Form Post Response Mode §2).

use askama::Template;

use crate::{Page, client::destination, policy::Policy};

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
    let policy = Policy { script: true, form_target: Some(view.action), ..Policy::new(view.nonce) };
    let template = FormPostTemplate { view, action: action(view.action), destination: destination(view.action) };
    Page::new(&template, policy)
}

#[derive(Template)]
#[template(path = "form_post.html")]
struct FormPostTemplate<'a> {
    view: &'a FormPost<'a>,
    action: &'a str,
    destination: String,
}

/// A form never runs a script, whatever was registered.
fn action(uri: &str) -> &str {
    let scheme = uri.split(':').next().unwrap_or_default().trim().to_ascii_lowercase();
    if matches!(scheme.as_str(), "javascript" | "data" | "vbscript") { "about:blank" } else { uri }
}
