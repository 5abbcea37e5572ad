//! The pages of RP-initiated logout (OpenID Connect RP-Initiated Logout 1.0 §2, §3).

use askama::Template;

use crate::{Page, client::is_destination, client::is_web, policy::Policy};

/// What the logout page asks. The form posts to `/logout`: `interaction`, `csrf` and `decision` = `yes`, `no` or
/// `everywhere`.
#[derive(Debug, Clone, Copy)]
pub struct Logout<'a> {
    /// Fresh for each response: 128 random bits or more, base64url.
    pub nonce: &'a str,
    /// Name of the client that sent the person here, if known.
    pub client_name: Option<&'a str>,
    /// Display name of the account that is signed in.
    pub user: Option<&'a str>,
    /// The sealed logout request.
    pub interaction: &'a str,
    /// The CSRF token.
    pub csrf: &'a str,
    /// The validated post-logout redirect URI: the policy lets the form's redirect reach it.
    pub redirect_uri: Option<&'a str>,
}

/// Asks whether to sign out.
pub fn logout(view: &Logout<'_>) -> Page {
    let policy = Policy { form_self: true, form_target: view.redirect_uri, ..Policy::new(view.nonce) };
    Page::new(&LogoutTemplate { view }, policy)
}

/// What is shown after a sign-out, or after the person chose to stay: when there is nowhere to go back to, or clients have
/// frames to show first.
#[derive(Debug, Clone, Copy)]
pub struct SignedOut<'a> {
    /// Fresh for each response: 128 random bits or more, base64url.
    pub nonce: &'a str,
    /// Name of the client that sent the person here, if known.
    pub client_name: Option<&'a str>,
    /// A validated address to go back to, if known.
    pub return_uri: Option<&'a str>,
    /// The person chose to stay signed in.
    pub stayed: bool,
    /// What the clients show that end their own sessions (OpenID Connect Front-Channel Logout §2): the page loads each
    /// in a frame, and then goes on to `return_uri`.
    pub frames: &'a [String],
}

/// Says that the person is signed out, or still signed in.
pub fn signed_out(view: &SignedOut<'_>) -> Page {
    let return_uri = view.return_uri.filter(|uri| is_destination(uri));
    let frames: Vec<&str> = view.frames.iter().map(String::as_str).filter(|uri| is_web(uri)).collect();
    let policy = Policy { frames: &frames, ..Policy::new(view.nonce) };
    Page::new(&SignedOutTemplate { view, return_uri, frames: &frames }, policy)
}

#[derive(Template)]
#[template(path = "logout.html")]
struct LogoutTemplate<'a> {
    view: &'a Logout<'a>,
}

#[derive(Template)]
#[template(path = "signed_out.html")]
struct SignedOutTemplate<'a> {
    view: &'a SignedOut<'a>,
    return_uri: Option<&'a str>,
    frames: &'a [&'a str],
}
