//! The page that asks for the second factor after a password.

use askama::Template;

use crate::client::destination;
use crate::policy::{FormAction, Policy};
use crate::sign_in::{wait_secs, words};
use crate::{ClientProfile, DeviceProfile, Frame, Page, SignInProblem};

/// The page that asks for the second factor. The form posts `one_time_code`, `passed`, `interaction` and `csrf` to `/login`. A script posts `passkey`
/// in place of it. The other button sends `decision` = `cancel`.
#[derive(Debug, Clone)]
pub struct SecondFactorPage<'a> {
    /// The frame of the page.
    pub frame: &'a Frame,
    /// The client that sent the request; `None` for a page of the user's own account.
    pub client: Option<ClientProfile<'a>>,
    /// The validated redirect URI. Its host is shown. `None` for a device.
    pub redirect_uri: Option<&'a str>,
    /// The device that the user signs in for.
    pub device: Option<DeviceProfile<'a>>,
    /// Reason why the user sees the form again.
    pub problem: Option<SignInProblem>,
    /// The sealed proof of the first factor.
    pub passed: &'a str,
    /// The sealed interaction.
    pub interaction: &'a str,
    /// The CSRF token.
    pub csrf: &'a str,
    /// The options with which the script asks the browser for a passkey, as JSON; `None` without passkeys.
    pub passkey_options: Option<&'a str>,
}

/// Renders the page.
pub fn second_factor(view: &SecondFactorPage<'_>) -> Page {
    let template = SecondFactorTemplate {
        view,
        destination: view.redirect_uri.map(destination),
        device: view.device.as_ref(),
        problem: view.problem.map(words),
        wait_secs: view.problem.and_then(wait_secs),
    };
    let policy = Policy {
        logo: view.client.is_some_and(|client| client.logo.is_some()),
        script: true,
        form_action: FormAction::Own,
        ..Policy::new(view.frame)
    };
    Page::new(&template, policy)
}

#[derive(Template)]
#[template(path = "second_factor.html")]
struct SecondFactorTemplate<'a> {
    view: &'a SecondFactorPage<'a>,
    destination: Option<String>,
    device: Option<&'a DeviceProfile<'a>>,
    problem: Option<String>,
    /// Seconds until the next attempt is accepted.
    wait_secs: Option<u64>,
}
