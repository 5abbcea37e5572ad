//! The page that carries an authorization response to the client in a form (OAuth 2.0 Form Post Response Mode §2).

use askama::Template;

use crate::{Frame, Page, client::destination, policy::FormAction, policy::Policy};

/// The page that posts an authorization response.
#[derive(Debug, Clone, Copy)]
pub struct FormPost<'a> {
    /// The frame of the page.
    pub frame: &'a Frame,
    /// The validated redirect URI, which receives the form.
    pub action: &'a str,
    /// Parameters of the response, in order.
    pub fields: &'a [(&'a str, &'a str)],
}

/// Renders the page. It submits itself; without JavaScript the user presses a button.
pub fn form_post(view: &FormPost<'_>) -> Page {
    let policy = Policy { script: true, form_action: FormAction::Client, ..Policy::new(view.frame) };
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

/// Returns the redirect URI as the action of a form; `about:blank` for a scheme that runs a script.
pub(crate) fn action(uri: &str) -> &str {
    let scheme = uri.split(':').next().unwrap_or_default().trim().to_ascii_lowercase();
    if matches!(scheme.as_str(), "javascript" | "data" | "vbscript") { "about:blank" } else { uri }
}
