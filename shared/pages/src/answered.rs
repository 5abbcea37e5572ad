//! The page for a request that was answered before.

use askama::Template;

use crate::client::Restart;
use crate::{Frame, Page, UserProfile, policy::Policy};

/// The page for a user who returned, with "Back", to a request whose code the client has redeemed. A second code would lead to an
/// error page of the client.
#[derive(Debug, Clone, Copy)]
pub struct Answered<'a> {
    /// The frame of the page.
    pub frame: &'a Frame,
    /// The user who is signed in.
    pub user: UserProfile<'a>,
    /// The client: its name, and the URI at which the user goes on.
    pub client: (&'a str, Option<&'a str>),
}

/// Renders the page.
pub fn answered(view: &Answered<'_>) -> Page {
    Page::new(&AnsweredTemplate { view, restart: Restart::of(view.client) }, Policy::new(view.frame))
}

#[derive(Template)]
#[template(path = "answered.html")]
struct AnsweredTemplate<'a> {
    view: &'a Answered<'a>,
    restart: Option<Restart<'a>>,
}
