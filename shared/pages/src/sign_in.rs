//! The sign-in page.

use askama::Template;

use crate::{ClientProfile, DeviceProfile, Page, client::destination, policy::FormAction, policy::Policy};

/// The sign-in page. The form posts `username`, `password`, `interaction` and `csrf` to `/login`. The other buttons send
/// `decision` = `continue` or `cancel` with `interaction` and `csrf`.
#[derive(Debug, Clone)]
pub struct SignIn<'a> {
    /// Nonce, new for each response: 128 random bits or more, base64url.
    pub nonce: &'a str,
    /// The client that sent the request.
    pub client: ClientProfile<'a>,
    /// The validated redirect URI. Its host is shown. `None` for a device.
    pub redirect_uri: Option<&'a str>,
    /// The device that the user signs in for.
    pub device: Option<DeviceProfile<'a>>,
    /// Content of the `username` field: `login_hint`, or what the user typed before.
    pub username: &'a str,
    /// Reason why the user sees the form again.
    pub problem: Option<SignInProblem>,
    /// The sealed interaction.
    pub interaction: &'a str,
    /// The CSRF token.
    pub csrf: &'a str,
    /// Display name of the user who is signed in and may continue (`prompt=select_account`).
    pub continue_as: Option<&'a str>,
}

/// Reason why a sign-in did not succeed. No reason says whether the account exists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SignInProblem {
    /// Wrong username or password.
    Wrong,
    /// Too many attempts.
    TooManyAttempts {
        /// Seconds until the next attempt is accepted.
        retry_after_secs: u64,
    },
    /// The interaction or the CSRF token is no longer valid.
    SessionExpired,
}

/// Renders the sign-in page.
pub fn sign_in(view: &SignIn<'_>) -> Page {
    let template = SignInTemplate {
        view,
        destination: view.redirect_uri.map(destination),
        device: view.device.as_ref(),
        problem: view.problem.map(words),
        wrong: view.problem == Some(SignInProblem::Wrong),
    };
    let policy = Policy { logo_uri: view.client.logo_uri, form_action: FormAction::Own, ..Policy::new(view.nonce) };
    Page::new(&template, policy)
}

#[derive(Template)]
#[template(path = "sign_in.html")]
struct SignInTemplate<'a> {
    view: &'a SignIn<'a>,
    destination: Option<String>,
    device: Option<&'a DeviceProfile<'a>>,
    problem: Option<String>,
    wrong: bool,
}

fn words(problem: SignInProblem) -> String {
    match problem {
        SignInProblem::Wrong => "That username and password do not match. Please try again.".into(),
        SignInProblem::TooManyAttempts { retry_after_secs } => {
            format!("Too many attempts. Please wait {}, then try again.", wait(retry_after_secs))
        }
        SignInProblem::SessionExpired => "This took too long, or was opened elsewhere. Please sign in again.".into(),
    }
}

pub(crate) fn wait(seconds: u64) -> String {
    match seconds {
        0 | 1 => "1 second".into(),
        2..=90 => format!("{seconds} seconds"),
        91..=5400 => format!("{} minutes", seconds.div_ceil(60)),
        _ => format!("{} hours", seconds.div_ceil(3600)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_are_never_understated() {
        for (seconds, expected) in
            [(0, "1 second"), (30, "30 seconds"), (91, "2 minutes"), (121, "3 minutes"), (5401, "2 hours")]
        {
            assert_eq!(wait(seconds), expected);
        }
    }
}
