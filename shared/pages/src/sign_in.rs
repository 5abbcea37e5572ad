//! The sign-in page.

use askama::Template;

use crate::{
    ClientProfile, DeviceProfile, Frame, Page, UserProfile, client::destination, policy::FormAction, policy::Policy,
};

/// The sign-in page. The form posts `username`, `password`, `interaction` and `csrf` to `/login`. The other buttons send
/// `decision` = `continue` or `cancel` with `interaction` and `csrf`. A script posts `passkey`, the answer of the browser.
#[derive(Debug, Clone)]
pub struct SignIn<'a> {
    /// The frame of the page.
    pub frame: &'a Frame,
    /// The client that sent the request; `None` for a page of the user's own account.
    pub client: Option<ClientProfile<'a>>,
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
    /// The user who is signed in at this browser, if that matters to the request.
    pub current: Option<CurrentUser<'a>>,
    /// The options with which the script asks the browser for a passkey, as JSON; `None` without passkeys.
    pub passkey_options: Option<&'a str>,
    /// True if a user can choose a new password by mail.
    pub has_recovery: bool,
}

/// The user who is signed in, and what the request means for that user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CurrentUser<'a> {
    /// The user may continue, or use another account (`prompt=select_account`, or a `login_hint` that names another user).
    MayContinue(UserProfile<'a>),
    /// The user must enter the password again (`prompt=login`, `max_age`).
    MustConfirm(UserProfile<'a>),
    /// The request names another user.
    IsOther(UserProfile<'a>),
}

/// Reason why a sign-in did not succeed. No reason says whether the account exists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SignInProblem {
    /// Wrong username or password.
    Wrong,
    /// The passkey is unknown, or its answer is wrong.
    UnknownPasskey,
    /// The code of the second factor is wrong, or was used before.
    WrongCode,
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
    let choice = match view.current {
        Some(CurrentUser::MayContinue(user)) => Some(user),
        _ => None,
    };
    let confirms = match view.current {
        Some(CurrentUser::MustConfirm(user)) => user.username,
        _ => None,
    };
    let username = if view.username.is_empty() { confirms.unwrap_or_default() } else { view.username };
    let names_other = !username.is_empty() && choice.is_some_and(|user| user.username != Some(username));
    let template = SignInTemplate {
        view,
        choice,
        other_open: view.problem.is_some() || names_other,
        username,
        destination: view.redirect_uri.map(destination),
        device: view.device.as_ref(),
        problem: view.problem.map(words),
        wait_secs: view.problem.and_then(wait_secs),
        wrong: view.problem == Some(SignInProblem::Wrong),
        unknown_passkey: view.problem == Some(SignInProblem::UnknownPasskey),
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
#[template(path = "sign_in.html")]
struct SignInTemplate<'a> {
    view: &'a SignIn<'a>,
    /// The user who may continue.
    choice: Option<UserProfile<'a>>,
    /// True if the form for another account is open.
    other_open: bool,
    /// Content of the `username` field.
    username: &'a str,
    destination: Option<String>,
    device: Option<&'a DeviceProfile<'a>>,
    problem: Option<String>,
    /// Seconds until the next attempt is accepted.
    wait_secs: Option<u64>,
    wrong: bool,
    unknown_passkey: bool,
}

pub(crate) fn words(problem: SignInProblem) -> String {
    match problem {
        SignInProblem::Wrong => "That username and password do not match. Please try again.".into(),
        SignInProblem::UnknownPasskey => {
            "That passkey does not open an account here. Sign in another way; your account page lists your passkeys."
                .into()
        }
        SignInProblem::WrongCode => {
            "That code is wrong, or was used before. Wait for the next one of your app, or use a recovery code.".into()
        }
        SignInProblem::TooManyAttempts { retry_after_secs } => {
            format!("Too many attempts. Please wait {}, then try again.", wait(retry_after_secs))
        }
        SignInProblem::SessionExpired => "This took too long, or was opened elsewhere. Please sign in again.".into(),
    }
}

pub(crate) const fn wait_secs(problem: SignInProblem) -> Option<u64> {
    match problem {
        SignInProblem::TooManyAttempts { retry_after_secs } => Some(retry_after_secs),
        SignInProblem::Wrong
        | SignInProblem::UnknownPasskey
        | SignInProblem::WrongCode
        | SignInProblem::SessionExpired => None,
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
