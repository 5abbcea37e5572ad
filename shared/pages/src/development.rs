//! Pages of the local provider only: the landing page, and a playground that acts as a single-page client.

use askama::Template;

use crate::{Frame, Page, policy::Policy};

/// The landing page.
#[derive(Debug, Clone, Copy)]
pub struct Landing<'a> {
    /// The frame of the page.
    pub frame: &'a Frame,
    /// The issuer, an origin.
    pub issuer: &'a str,
    /// Accounts for sign-in.
    pub users: &'a [DemoUser<'a>],
    /// Registered clients.
    pub clients: &'a [DemoClient<'a>],
    /// Commands to try in a terminal.
    pub commands: &'a [Command<'a>],
}

/// An account of the local provider.
#[derive(Debug, Clone, Copy)]
pub struct DemoUser<'a> {
    /// The username.
    pub username: &'a str,
    /// Its password.
    pub password: &'a str,
}

/// A client of the local provider.
#[derive(Debug, Clone, Copy)]
pub struct DemoClient<'a> {
    /// `client_id`.
    pub client_id: &'a str,
    /// `client_secret` of a confidential client.
    pub client_secret: Option<&'a str>,
    /// Purpose of the client, e.g. its grants.
    pub purpose: &'a str,
}

/// A command line and its title.
#[derive(Debug, Clone, Copy)]
pub struct Command<'a> {
    /// E.g. `Client credentials`.
    pub title: &'a str,
    /// The command, as typed.
    pub line: &'a str,
}

/// Renders the landing page (`GET /`).
pub fn landing(view: &Landing<'_>) -> Page {
    Page::new(&LandingTemplate { view }, Policy::new(view.frame))
}

/// The client that the playground acts as. Endpoints are read from the discovery document.
#[derive(Debug, Clone, Copy)]
pub struct Playground<'a> {
    /// The frame of the page.
    pub frame: &'a Frame,
    /// The issuer, an origin; the page must be served from it.
    pub issuer: &'a str,
    /// A public client, e.g. `demo-spa`.
    pub client_id: &'a str,
    /// A public client that may use device authorization, e.g. `demo-device`.
    pub device_client_id: &'a str,
    /// A registered redirect URI that serves this same page.
    pub redirect_uri: &'a str,
    /// A registered post-logout redirect URI that serves this same page; `None`: sign-out ends at the provider's page.
    pub post_logout_redirect_uri: Option<&'a str>,
    /// The scopes asked for at first, separated by spaces.
    pub scope: &'a str,
}

/// Renders the playground (`GET /playground` and `GET /playground/callback`).
pub fn playground(view: &Playground<'_>) -> Page {
    let policy = Policy { script: true, connect: true, ..Policy::new(view.frame) };
    Page::new(&PlaygroundTemplate { view }, policy)
}

/// A mail in the mailbox of the local provider.
#[derive(Debug, Clone, Copy)]
pub struct SentMail<'a> {
    /// The recipient.
    pub to: &'a str,
    /// The subject.
    pub subject: &'a str,
    /// The plain text.
    pub text: &'a str,
}

/// The mailbox of the local provider.
#[derive(Debug, Clone, Copy)]
pub struct Mailbox<'a> {
    /// The frame of the page.
    pub frame: &'a Frame,
    /// The mails, the latest first.
    pub mails: &'a [SentMail<'a>],
}

/// Renders the mailbox (`GET /dev/mail`).
pub fn mailbox(view: &Mailbox<'_>) -> Page {
    Page::new(&MailboxTemplate { view }, Policy::new(view.frame))
}

/// The script and the additional style of the pages above.
const SCRIPT: &str = include_str!("../templates/playground.js");
const STYLE: &str = include_str!("../templates/development.css");

#[derive(Template)]
#[template(path = "landing.html")]
struct LandingTemplate<'a> {
    view: &'a Landing<'a>,
}

#[derive(Template)]
#[template(path = "playground.html")]
struct PlaygroundTemplate<'a> {
    view: &'a Playground<'a>,
}

#[derive(Template)]
#[template(path = "mailbox.html")]
struct MailboxTemplate<'a> {
    view: &'a Mailbox<'a>,
}
