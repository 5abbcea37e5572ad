//! The pages about the ways in which a user signs in: the list, a new passkey, and one passkey.

use askama::Template;

use crate::day::Day;
use crate::policy::{FormAction, Policy};
use crate::{Frame, Page, UserProfile};

/// The list of the ways in which the user signs in.
#[derive(Debug, Clone, Copy)]
pub struct SignInMethods<'a> {
    /// The frame of the page.
    pub frame: &'a Frame,
    /// The user who is signed in.
    pub user: UserProfile<'a>,
    /// The passkeys, the oldest first; `None` if the deployment has none.
    pub passkeys: Option<&'a [PasskeyLine<'a>]>,
    /// The recovery codes that are left, if an authenticator app is set up.
    pub recovery_codes_left: Option<usize>,
    /// True if the user may add a passkey: the list is not full.
    pub may_add_passkey: bool,
}

/// A passkey. Times are in seconds since the epoch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PasskeyLine<'a> {
    /// The name that the user gave.
    pub name: &'a str,
    /// The page of the passkey.
    pub href: String,
    /// Time of the registration.
    pub since: u64,
    /// The day of the last use.
    pub used_on: Option<u64>,
}

impl PasskeyLine<'_> {
    fn since(&self) -> Day {
        Day::of(self.since)
    }

    fn used(&self) -> Option<Day> {
        self.used_on.map(Day::of)
    }
}

/// The page on which a passkey is made. Its script posts `passkey`, `handle`, `csrf` and `continue` to `/account/passkey/new`.
#[derive(Debug, Clone, Copy)]
pub struct NewPasskey<'a> {
    /// The frame of the page.
    pub frame: &'a Frame,
    /// The user who is signed in.
    pub user: UserProfile<'a>,
    /// The handle of the user.
    pub handle: &'a str,
    /// `PublicKeyCredentialCreationOptionsJSON`.
    pub options: &'a str,
    /// The CSRF token.
    pub csrf: &'a str,
    /// The sealed request that continues after the page: the page is an offer after a sign-in.
    pub interaction: Option<&'a str>,
    /// The page for a user who makes none.
    pub back: &'a str,
    /// True if the answer of the browser was not accepted.
    pub has_failed: bool,
}

/// The page of a passkey. The form posts `passkey`, `csrf` and `decision`: `rename` with `name`, or `remove`.
#[derive(Debug, Clone, Copy)]
pub struct AccountPasskey<'a> {
    /// The frame of the page.
    pub frame: &'a Frame,
    /// The name that the user gave.
    pub name: &'a str,
    /// Time of the registration, in seconds since the epoch.
    pub since: u64,
    /// The day of the last use, in seconds since the epoch.
    pub used_on: Option<u64>,
    /// True if the passkey is copied to the other devices of the user.
    pub is_synchronised: bool,
    /// The name of the passkey in forms.
    pub passkey: &'a str,
    /// The CSRF token.
    pub csrf: &'a str,
}

/// Renders the list.
pub fn sign_in_methods(view: &SignInMethods<'_>) -> Page {
    Page::new(&MethodsTemplate { view }, Policy::new(view.frame))
}

/// Renders the page on which a passkey is made.
pub fn new_passkey(view: &NewPasskey<'_>) -> Page {
    let policy = Policy { script: true, form_action: FormAction::Own, ..Policy::new(view.frame) };
    Page::new(&NewTemplate { view }, policy)
}

/// Renders the page of a passkey.
pub fn account_passkey(view: &AccountPasskey<'_>) -> Page {
    let template = PasskeyTemplate { view, since: Day::of(view.since), used: view.used_on.map(Day::of) };
    Page::new(&template, Policy { form_action: FormAction::Own, ..Policy::new(view.frame) })
}

#[derive(Template)]
#[template(path = "sign_in_methods.html")]
struct MethodsTemplate<'a> {
    view: &'a SignInMethods<'a>,
}

#[derive(Template)]
#[template(path = "new_passkey.html")]
struct NewTemplate<'a> {
    view: &'a NewPasskey<'a>,
}

#[derive(Template)]
#[template(path = "account_passkey.html")]
struct PasskeyTemplate<'a> {
    view: &'a AccountPasskey<'a>,
    since: Day,
    used: Option<Day>,
}
