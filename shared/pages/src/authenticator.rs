//! The pages of the second factor on the account page: the authenticator app, and the recovery codes.

use askama::Template;

use crate::day::Day;
use crate::policy::{FormAction, Policy};
use crate::{Frame, Page, UserProfile};

/// The page on which the user sets up an app. The form posts `one_time_code`, `secret` and `csrf` to `/account/authenticator`.
#[derive(Debug, Clone, Copy)]
pub struct AuthenticatorSetup<'a> {
    /// The frame of the page.
    pub frame: &'a Frame,
    /// The user who is signed in.
    pub user: UserProfile<'a>,
    /// The QR code: an SVG element that this server made.
    pub picture: &'a str,
    /// The URI in the QR code.
    pub uri: &'a str,
    /// The secret in base32.
    pub secret: &'a str,
    /// The sealed secret.
    pub sealed: &'a str,
    /// The CSRF token.
    pub csrf: &'a str,
    /// True if the code was wrong.
    pub has_failed: bool,
}

impl AuthenticatorSetup<'_> {
    /// Returns the secret in groups of four digits.
    fn groups(&self) -> String {
        let digits: Vec<char> = self.secret.chars().collect();
        let groups: Vec<String> = digits.chunks(4).map(|group| group.iter().collect()).collect();
        groups.join(" ")
    }
}

/// The page of the app that is set up. The form posts `csrf` and `decision` = `remove` to `/account/authenticator`.
#[derive(Debug, Clone, Copy)]
pub struct AuthenticatorApp<'a> {
    /// The frame of the page.
    pub frame: &'a Frame,
    /// Time at which the app was set up, in seconds since the epoch.
    pub since: u64,
    /// The number of recovery codes that are left.
    pub codes_left: usize,
    /// The CSRF token.
    pub csrf: &'a str,
}

/// The page with new recovery codes.
#[derive(Debug, Clone, Copy)]
pub struct RecoveryCodes<'a> {
    /// The frame of the page.
    pub frame: &'a Frame,
    /// The codes.
    pub codes: &'a [String],
    /// True if the app was set up with them.
    pub is_setup: bool,
}

/// The page on which the user asks for new recovery codes. The form posts `csrf` to `/account/recovery-codes`.
#[derive(Debug, Clone, Copy)]
pub struct NewRecoveryCodes<'a> {
    /// The frame of the page.
    pub frame: &'a Frame,
    /// The number of codes that are left.
    pub left: usize,
    /// The CSRF token.
    pub csrf: &'a str,
}

/// Renders the page on which the user sets up an app.
pub fn authenticator_setup(view: &AuthenticatorSetup<'_>) -> Page {
    Page::new(&SetupTemplate { view }, Policy { form_action: FormAction::Own, ..Policy::new(view.frame) })
}

/// Renders the page of the app that is set up.
pub fn authenticator_app(view: &AuthenticatorApp<'_>) -> Page {
    let template = AppTemplate { view, since: Day::of(view.since) };
    Page::new(&template, Policy { form_action: FormAction::Own, ..Policy::new(view.frame) })
}

/// Renders the page with new recovery codes.
pub fn recovery_codes(view: &RecoveryCodes<'_>) -> Page {
    Page::new(&CodesTemplate { view }, Policy::new(view.frame))
}

/// Renders the page on which the user asks for new recovery codes.
pub fn new_recovery_codes(view: &NewRecoveryCodes<'_>) -> Page {
    Page::new(&NewCodesTemplate { view }, Policy { form_action: FormAction::Own, ..Policy::new(view.frame) })
}

#[derive(Template)]
#[template(path = "authenticator_setup.html")]
struct SetupTemplate<'a> {
    view: &'a AuthenticatorSetup<'a>,
}

#[derive(Template)]
#[template(path = "authenticator_app.html")]
struct AppTemplate<'a> {
    view: &'a AuthenticatorApp<'a>,
    since: Day,
}

#[derive(Template)]
#[template(path = "recovery_codes.html")]
struct CodesTemplate<'a> {
    view: &'a RecoveryCodes<'a>,
}

#[derive(Template)]
#[template(path = "new_recovery_codes.html")]
struct NewCodesTemplate<'a> {
    view: &'a NewRecoveryCodes<'a>,
}
