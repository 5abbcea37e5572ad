//! The page that asks before an error leads to a client that no trusted party vouches for (RFC 9700 §4.11.2).

use askama::Template;

use crate::form_post::action;
use crate::{Frame, Page, client::destination, client::is_destination, policy::FormAction, policy::Policy};

/// The page that offers to return to a client with an error.
#[derive(Debug, Clone, Copy)]
pub struct ReturnOffer<'a> {
    /// The frame of the page.
    pub frame: &'a Frame,
    /// The validated redirect URI. Its host is shown.
    pub redirect_uri: &'a str,
    /// The way to the client.
    pub way: ReturnWay<'a>,
    /// Error for the developer of the client.
    pub hint: &'a str,
    /// Id of the request in the log.
    pub request_id: &'a str,
}

/// The way in which the response travels to the client.
#[derive(Debug, Clone, Copy)]
pub enum ReturnWay<'a> {
    /// A link to the redirect URI with the parameters of the response.
    Link(&'a str),
    /// A form with the parameters of the response, which posts to the redirect URI.
    Form(&'a [(&'a str, &'a str)]),
}

/// Renders the page. It leads nowhere by itself: the user follows the link, or presses the button.
pub fn return_offer(view: &ReturnOffer<'_>) -> Page {
    let (link, form) = match view.way {
        ReturnWay::Link(uri) => (Some(uri).filter(|uri| is_destination(uri)), None),
        ReturnWay::Form(fields) => (None, Some(fields)),
    };
    let form_action = if form.is_some() { FormAction::Client } else { FormAction::None };
    let policy = Policy { form_action, ..Policy::new(view.frame) };
    let (action, destination) = (action(view.redirect_uri), destination(view.redirect_uri));
    Page::new(&ReturnOfferTemplate { view, link, form, action, destination }, policy)
}

#[derive(Template)]
#[template(path = "return_offer.html")]
struct ReturnOfferTemplate<'a> {
    view: &'a ReturnOffer<'a>,
    link: Option<&'a str>,
    form: Option<&'a [(&'a str, &'a str)]>,
    action: &'a str,
    destination: String,
}
