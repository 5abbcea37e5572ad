//! The page that leaves this server for a client.

use askama::Template;

use crate::client::{destination, is_destination, private_use_scheme};
use crate::{Frame, Page, policy::Policy};

/// The page that answers a form with a navigation to a client. Browsers apply `form-action` to each redirect that answers a form
/// (CSP Level 3 §6.4.1), and the client may redirect on to any place. A navigation is no part of the form.
#[derive(Debug, Clone, Copy)]
pub struct Leave<'a> {
    /// The frame of the page.
    pub frame: &'a Frame,
    /// The validated URI of the client, with the parameters of the response.
    pub uri: &'a str,
    /// The reason for which the browser leaves.
    pub reason: LeaveReason,
}

/// The reason for which the browser leaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LeaveReason {
    /// An authorization request was answered.
    Answered,
    /// The user signed out.
    SignedOut,
}

/// Renders the page. It navigates at once, without JavaScript; a link leads to the same place. A private-use URI may open nothing,
/// so its page says what to do then.
pub fn leave(view: &Leave<'_>) -> Page {
    let uri = Some(view.uri).filter(|uri| is_destination(uri));
    let template = LeaveTemplate {
        view,
        uri,
        scheme: uri.and_then(private_use_scheme),
        destination: destination(view.uri),
        signed_out: view.reason == LeaveReason::SignedOut,
    };
    Page::new(&template, Policy::new(view.frame))
}

#[derive(Template)]
#[template(path = "leave.html")]
struct LeaveTemplate<'a> {
    view: &'a Leave<'a>,
    uri: Option<&'a str>,
    /// The private-use scheme of the URI.
    scheme: Option<&'a str>,
    destination: String,
    signed_out: bool,
}
