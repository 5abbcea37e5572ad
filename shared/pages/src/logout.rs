//! The pages of RP-initiated logout (OpenID Connect RP-Initiated Logout 1.0 §2, §3).

use askama::Template;

use crate::client::{Restart, destination, is_destination, is_web};
use crate::policy::{FormAction, Policy};
use crate::{Frame, Page, UserProfile};

/// The page that asks whether to sign out. The form posts `interaction`, `csrf` and `decision` = `yes`, `no` or `everywhere`
/// to `/logout`. The page that asks whether to sign out everywhere posts `everywhere-yes` or `no`.
#[derive(Debug, Clone, Copy)]
pub struct Logout<'a> {
    /// The frame of the page.
    pub frame: &'a Frame,
    /// Name of the client that redirected the user here, if known.
    pub client_name: Option<&'a str>,
    /// The user who is signed in.
    pub user: Option<UserProfile<'a>>,
    /// The sealed logout request.
    pub interaction: &'a str,
    /// The CSRF token.
    pub csrf: &'a str,
}

impl<'a> Logout<'a> {
    fn policy(&self) -> Policy<'a> {
        Policy { form_action: FormAction::Own, ..Policy::new(self.frame) }
    }
}

/// Renders the page that asks whether to sign out.
pub fn logout(view: &Logout<'_>) -> Page {
    Page::new(&LogoutTemplate { view }, view.policy())
}

/// Renders the page that asks whether to sign out on all devices and in all applications.
pub fn logout_everywhere(view: &Logout<'_>) -> Page {
    Page::new(&EverywhereTemplate { view }, view.policy())
}

/// The sessions and applications that a sign-out everywhere ended.
#[derive(Debug, Clone, Copy)]
pub struct EndedEverywhere<'a> {
    /// Number of sessions, with the one of this browser.
    pub sessions: usize,
    /// Names of the clients whose grants ended.
    pub applications: &'a [String],
    /// True if some end later.
    pub unfinished: bool,
}

/// The page after a sign-out, or after the user chose to stay. It is shown if there is no redirect URI, if clients are
/// notified in frames first, or if the user did not confirm the redirect.
#[derive(Debug, Clone, Copy)]
pub struct SignedOut<'a> {
    /// The frame of the page.
    pub frame: &'a Frame,
    /// Name of the client that redirected the user here, if known.
    pub client_name: Option<&'a str>,
    /// The validated redirect URI with `state`, if there is one.
    pub return_uri: Option<&'a str>,
    /// The URI at which the user signs in again at the client, if it has one.
    pub start_uri: Option<&'a str>,
    /// True if the user chose to stay signed in.
    pub stayed: bool,
    /// The sessions and applications that a sign-out everywhere ended.
    pub ended: Option<EndedEverywhere<'a>>,
    /// Logout URIs of clients (OpenID Connect Front-Channel Logout §2). The page loads each in a frame, and then goes to
    /// `return_uri` by a script; without JavaScript the user follows the link.
    pub frames: &'a [String],
}

/// Renders the page that says that the user is signed out, or still signed in.
pub fn signed_out(view: &SignedOut<'_>) -> Page {
    let return_uri = view.return_uri.filter(|uri| is_destination(uri));
    let frames: Vec<&str> = view.frames.iter().map(String::as_str).filter(|uri| is_web(uri)).collect();
    let continues = return_uri.is_some() && !frames.is_empty() && view.ended.is_none();
    let policy = Policy { frames: &frames, script: continues, ..Policy::new(view.frame) };
    let return_host = return_uri.map(destination);
    let restart = match return_uri {
        Some(_) => None,
        None => view.client_name.and_then(|name| Restart::of((name, view.start_uri))),
    };
    Page::new(&SignedOutTemplate { view, return_uri, return_host, restart, continues, frames: &frames }, policy)
}

#[derive(Template)]
#[template(path = "logout.html")]
struct LogoutTemplate<'a> {
    view: &'a Logout<'a>,
}

#[derive(Template)]
#[template(path = "logout_everywhere.html")]
struct EverywhereTemplate<'a> {
    view: &'a Logout<'a>,
}

#[derive(Template)]
#[template(path = "signed_out.html")]
struct SignedOutTemplate<'a> {
    view: &'a SignedOut<'a>,
    return_uri: Option<&'a str>,
    /// The place to which `return_uri` leads.
    return_host: Option<String>,
    restart: Option<Restart<'a>>,
    /// True if the page goes on to `return_uri` when its frames have loaded. A time limit would be too short for some users (WCAG
    /// 2.2.1).
    continues: bool,
    frames: &'a [&'a str],
}
