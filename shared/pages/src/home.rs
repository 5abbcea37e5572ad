//! The page at the root of the server.

use askama::Template;

use crate::{Frame, Page, policy::Policy};

/// Renders the page for a user who opened the server itself, without an application. `host` is the host of the issuer.
pub fn home(frame: &Frame, host: &str) -> Page {
    let view = Home { frame, host };
    Page::new(&HomeTemplate { view: &view }, Policy::new(frame))
}

struct Home<'a> {
    frame: &'a Frame,
    host: &'a str,
}

#[derive(Template)]
#[template(path = "home.html")]
struct HomeTemplate<'a> {
    view: &'a Home<'a>,
}
