//! The page at the root of the server.

use askama::Template;

use crate::{Page, policy::Policy};

/// Renders the page for a user who opened the server itself, without an application. `host` is the host of the issuer.
pub fn home(nonce: &str, host: &str) -> Page {
    let view = Home { nonce, host };
    Page::new(&HomeTemplate { view: &view }, Policy::new(nonce))
}

struct Home<'a> {
    nonce: &'a str,
    host: &'a str,
}

#[derive(Template)]
#[template(path = "home.html")]
struct HomeTemplate<'a> {
    view: &'a Home<'a>,
}
