//! The pages of links in mails, and the form that asks for one.

use crate::account::PasswordProblem;
use crate::policy::{FormAction, Policy};
use crate::sign_in::wait;
use crate::{Frame, Page, UserProfile};
use askama::Template;

/// The form that asks for a link by which the user chooses a new password. It posts `identifier` and `csrf` to `/recovery`.
#[derive(Debug, Clone, Copy)]
pub struct RecoveryRequest<'a> {
    /// The frame of the page.
    pub frame: &'a Frame,
    /// Fills the field.
    pub identifier: &'a str,
    /// Reason why the user sees the form again.
    pub problem: Option<RecoveryProblem>,
    /// The CSRF token.
    pub csrf: &'a str,
}

/// Reason why a request for a link was not accepted. None tells whether there is such a user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RecoveryProblem {
    /// The form is not one that this browser was shown.
    NotAccepted,
    /// The field is empty or too long.
    Unreadable,
    /// Too many requests came from this network.
    TooMany {
        /// The time until the next request, in seconds.
        retry_after_secs: u64,
    },
}

/// The form for a new password, behind a link. It posts `password`, `repeated`, `link` and `csrf` to `/recovery`.
#[derive(Debug, Clone, Copy)]
pub struct RecoveryPassword<'a> {
    /// The frame of the page.
    pub frame: &'a Frame,
    /// The user.
    pub user: UserProfile<'a>,
    /// The fewest characters.
    pub minimum: usize,
    /// Reason why the user sees the form again.
    pub problem: Option<PasswordProblem<'a>>,
    /// The link, sealed.
    pub link: &'a str,
    /// The CSRF token.
    pub csrf: &'a str,
}

/// The page with the button that carries out the act of a link. It posts `link` and `csrf` to `/recovery`.
#[derive(Debug, Clone, Copy)]
pub struct RecoveryAct<'a> {
    /// The frame of the page.
    pub frame: &'a Frame,
    /// The act.
    pub act: RecoveryActKind<'a>,
    /// The link, sealed.
    pub link: &'a str,
    /// The CSRF token.
    pub csrf: &'a str,
}

/// The act of a link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RecoveryActKind<'a> {
    /// The user did not do what a notice is about.
    NotMe,
    /// The user did not change the address.
    RestoreAddress {
        /// The address before the change.
        address: &'a str,
    },
}

/// The outcome of a request to these pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RecoveryOutcome {
    /// If there is such a user, a mail is on its way.
    Requested,
    /// The new password is set.
    PasswordSet {
        /// True if some sessions or grants end later.
        unfinished: bool,
    },
    /// Each browser is signed out, and the password is no longer valid.
    Secured,
    /// The same, and the old address is back.
    AddressRestored,
    /// The link was used, is too old, or is not one of this server.
    LinkOver,
    /// The form is not one that this browser was shown.
    NotAccepted,
}

impl RecoveryOutcome {
    const fn title(self) -> &'static str {
        match self {
            Self::Requested => "Look into your mailbox",
            Self::PasswordSet { .. } => "Your new password is set",
            Self::Secured => "Your account is safe again",
            Self::AddressRestored => "Your address is back",
            Self::LinkOver => "This link is over",
            Self::NotAccepted => "Nothing was changed",
        }
    }

    const fn message(self) -> &'static str {
        match self {
            Self::Requested => {
                "If there is an account with this name or address, and its address is confirmed, a mail with a link arrives within a minute or two. The link works for one hour. After several requests, use the latest mail."
            }
            Self::PasswordSet { unfinished: false } => {
                "Each browser and application is signed out. Sign in with the new password."
            }
            Self::PasswordSet { unfinished: true } => {
                "Each browser and application is signed out; the last ones within a minute. Sign in with the new password."
            }
            Self::Secured => {
                "Each browser and application is signed out, and the old password no longer works. A mail with a link to choose a new one is on its way to you."
            }
            Self::AddressRestored => {
                "The old address is back, each browser and application is signed out, and the old password no longer works. A mail with a link to choose a new one is on its way to you."
            }
            Self::LinkOver => "It was used already, is too old, or was replaced. You can ask for a new one.",
            Self::NotAccepted => {
                "The form was open for too long, or your browser does not keep cookies. Open the link in the mail once more."
            }
        }
    }

    /// Returns the next step: the id of the link, its path and its words.
    const fn next(self) -> Option<(&'static str, &'static str, &'static str)> {
        match self {
            Self::Requested => Some(("again", "/recovery", "Ask again")),
            Self::PasswordSet { .. } => Some(("account", "/account", "Sign in")),
            Self::LinkOver | Self::NotAccepted => Some(("again", "/recovery", "Ask for a new link")),
            Self::Secured | Self::AddressRestored => Some(("again", "/recovery", "No mail? Ask for one")),
        }
    }

    const fn is_failure(self) -> bool {
        matches!(self, Self::LinkOver | Self::NotAccepted)
    }
}

/// Renders the form that asks for a link.
pub fn recovery_request(view: &RecoveryRequest<'_>) -> Page {
    let problem = view.problem.map(|problem| match problem {
        RecoveryProblem::NotAccepted => {
            "The form was open for too long, or your browser does not keep cookies. Please send it again.".to_owned()
        }
        RecoveryProblem::Unreadable => "Please type your username or your e-mail address.".to_owned(),
        RecoveryProblem::TooMany { retry_after_secs } => {
            let wait = wait(retry_after_secs);
            format!("Too many requests came from your network. Please wait {wait}, then try again.")
        }
    });
    let policy = Policy { form_action: FormAction::Own, ..Policy::new(view.frame) };
    Page::new(&RequestTemplate { view, problem, wait_secs: None }, policy)
}

/// Renders the form for a new password.
pub fn recovery_password(view: &RecoveryPassword<'_>) -> Page {
    let problem = view.problem.map(PasswordProblem::message);
    let policy = Policy { script: true, form_action: FormAction::Own, ..Policy::new(view.frame) };
    Page::new(&PasswordTemplate { view, problem, wait_secs: None }, policy)
}

/// Renders the page with the button.
pub fn recovery_act(view: &RecoveryAct<'_>) -> Page {
    let policy = Policy { form_action: FormAction::Own, ..Policy::new(view.frame) };
    Page::new(&ActTemplate { view }, policy)
}

/// Renders the page with an outcome.
pub fn recovery_outcome(frame: &Frame, outcome: RecoveryOutcome) -> Page {
    Page::new(&OutcomeTemplate { view: &OutcomeView { frame, outcome } }, Policy::new(frame))
}

struct OutcomeView<'a> {
    frame: &'a Frame,
    outcome: RecoveryOutcome,
}

#[derive(Template)]
#[template(path = "recovery_request.html")]
struct RequestTemplate<'a> {
    view: &'a RecoveryRequest<'a>,
    problem: Option<String>,
    wait_secs: Option<u64>,
}

#[derive(Template)]
#[template(path = "recovery_password.html")]
struct PasswordTemplate<'a> {
    view: &'a RecoveryPassword<'a>,
    problem: Option<String>,
    wait_secs: Option<u64>,
}

#[derive(Template)]
#[template(path = "recovery_act.html")]
struct ActTemplate<'a> {
    view: &'a RecoveryAct<'a>,
}

#[derive(Template)]
#[template(path = "recovery_outcome.html")]
struct OutcomeTemplate<'a> {
    view: &'a OutcomeView<'a>,
}
