//! The pages of the user's own account: what applications may do, and where the user is signed in.

use askama::Template;

use crate::day::Day;
use crate::policy::{FormAction, Policy};
use crate::{ClientProfile, Frame, Page, ScopeLine, UserProfile};

/// The page with an overview of the account.
#[derive(Debug, Clone, Copy)]
pub struct AccountOverview<'a> {
    /// The frame of the page.
    pub frame: &'a Frame,
    /// The user who is signed in.
    pub user: UserProfile<'a>,
    /// True if the user may change the e-mail address.
    pub may_change_email: bool,
    /// True if the user may delete the account.
    pub may_delete: bool,
    /// The applications that have access.
    pub applications: &'a [ApplicationLine<'a>],
    /// The sessions, the latest sign-in first.
    pub sessions: &'a [SessionLine<'a>],
}

/// An application that has access.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApplicationLine<'a> {
    /// Name of the client.
    pub name: &'a str,
    /// The page of the application.
    pub href: String,
    /// Time of the last use, in seconds since the epoch. `None` if the application has no tokens.
    pub used_at: Option<u64>,
}

impl ApplicationLine<'_> {
    fn used(&self) -> Option<Day> {
        self.used_at.map(Day::of)
    }
}

/// A session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionLine<'a> {
    /// The kind of browser and of system.
    pub browser: Option<&'a str>,
    /// Time of the sign-in, in seconds since the epoch.
    pub since: u64,
    /// The page of the session; `None` for the session of this browser.
    pub href: Option<String>,
}

impl SessionLine<'_> {
    fn since(&self) -> Day {
        Day::of(self.since)
    }
}

/// The page of an application. The form posts `client_id`, `csrf` and `decision` = `remove` to `/account/application`.
#[derive(Debug, Clone, Copy)]
pub struct AccountApplication<'a> {
    /// The frame of the page.
    pub frame: &'a Frame,
    /// The application.
    pub client: ClientProfile<'a>,
    /// The client identifier.
    pub client_id: &'a str,
    /// The user who is signed in.
    pub user: UserProfile<'a>,
    /// The scope that the user allowed.
    pub scopes: &'a [ScopeLine<'a>],
    /// The claims that the user allowed by name.
    pub claims: &'a [&'a str],
    /// The grants, the one used latest first.
    pub grants: &'a [GrantLine<'a>],
    /// The CSRF token.
    pub csrf: &'a str,
}

/// A grant of an application. Times are in seconds since the epoch.
#[derive(Debug, Clone, PartialEq)]
pub struct GrantLine<'a> {
    /// Time of the first use.
    pub since: u64,
    /// Time of the last use.
    pub used: u64,
    /// True if it stays when the user signs out of the browser.
    pub outlives_session: bool,
    /// The resources.
    pub resources: &'a [String],
    /// The authorization details (RFC 9396) in words.
    pub details: Vec<protocol::DetailWords<'a>>,
}

impl GrantLine<'_> {
    fn since(&self) -> Day {
        Day::of(self.since)
    }

    fn used(&self) -> Day {
        Day::of(self.used)
    }
}

/// The page of a session of another browser. The form posts `session`, `csrf` and `decision` = `end` to `/account/session`.
#[derive(Debug, Clone, Copy)]
pub struct AccountSession<'a> {
    /// The frame of the page.
    pub frame: &'a Frame,
    /// The user who is signed in.
    pub user: UserProfile<'a>,
    /// The kind of browser and of system.
    pub browser: Option<&'a str>,
    /// Time of the sign-in, in seconds since the epoch.
    pub since: u64,
    /// The sealed name of the session.
    pub session: &'a str,
    /// The CSRF token.
    pub csrf: &'a str,
}

/// The form for a new password. It posts `password`, `repeated` and `csrf` to `/account/password`.
#[derive(Debug, Clone, Copy)]
pub struct AccountPassword<'a> {
    /// The frame of the page.
    pub frame: &'a Frame,
    /// The user who is signed in.
    pub user: UserProfile<'a>,
    /// The fewest characters.
    pub minimum: usize,
    /// Reason why the user sees the form again.
    pub problem: Option<PasswordProblem<'a>>,
    /// The CSRF token.
    pub csrf: &'a str,
}

/// Reason why a new password was not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PasswordProblem<'a> {
    /// The two fields differ.
    Differs,
    /// The password breaks this rule.
    Refused(&'a str),
}

impl PasswordProblem<'_> {
    /// Returns the sentence for the page.
    pub(crate) fn message(self) -> String {
        match self {
            Self::Differs => "The two passwords differ. Please type them again.".to_owned(),
            Self::Refused(rule) => format!("The password {rule}."),
        }
    }
}

/// The page for the deletion of the account. The form posts `confirmed` = `yes`, `csrf` and `decision` = `delete` to `/account/deletion`.
#[derive(Debug, Clone, Copy)]
pub struct AccountDeletion<'a> {
    /// The frame of the page.
    pub frame: &'a Frame,
    /// The user who is signed in.
    pub user: UserProfile<'a>,
    /// The CSRF token.
    pub csrf: &'a str,
}

/// The outcome of a request to a page of the account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AccountOutcome<'a> {
    /// The application has no access any more.
    Removed {
        /// Name of the client.
        application: &'a str,
        /// True if some grants end later.
        unfinished: bool,
    },
    /// The session has ended.
    Ended,
    /// The password is changed.
    PasswordChanged {
        /// True if some sessions or grants end later.
        unfinished: bool,
    },
    /// The passkey is stored.
    PasskeyAdded,
    /// The passkey is removed.
    PasskeyRemoved {
        /// The passkey that the browser forgets: `rpId` and `credentialId`, as JSON.
        unknown: &'a str,
    },
    /// The passkey stays: the user has no other way to sign in.
    LastWayIn,
    /// The authenticator app is removed.
    AuthenticatorRemoved,
    /// No app was set up: the user has no password that it would follow.
    NoPassword,
    /// A mail with a link is on its way to the address.
    EmailRequested,
    /// The address is that of the user, and verified.
    EmailVerified,
    /// The link of a mail was used, is too old, was replaced, or is for another user.
    LinkOver,
    /// The account is deleted.
    Deleted,
    /// There is no such application or session.
    NotThere,
    /// The form is not one that this browser was shown in this session.
    NotAccepted,
    /// The user cancelled the sign-in.
    NotSignedIn,
}

/// Renders the overview.
pub fn account_overview(view: &AccountOverview<'_>) -> Page {
    Page::new(&OverviewTemplate { view }, Policy::new(view.frame))
}

/// Renders the page of an application.
pub fn account_application(view: &AccountApplication<'_>) -> Page {
    let policy = Policy { logo: view.client.logo.is_some(), form_action: FormAction::Own, ..Policy::new(view.frame) };
    Page::new(&ApplicationTemplate { view, client: view.client }, policy)
}

/// Renders the page of a session.
pub fn account_session(view: &AccountSession<'_>) -> Page {
    let policy = Policy { form_action: FormAction::Own, ..Policy::new(view.frame) };
    Page::new(&SessionTemplate { view, since: Day::of(view.since) }, policy)
}

/// Renders the form for a new password.
pub fn account_password(view: &AccountPassword<'_>) -> Page {
    let problem = view.problem.map(PasswordProblem::message);
    let policy = Policy { script: true, form_action: FormAction::Own, ..Policy::new(view.frame) };
    Page::new(&PasswordTemplate { view, problem, wait_secs: None }, policy)
}

/// Renders the page for the deletion of the account.
pub fn account_deletion(view: &AccountDeletion<'_>) -> Page {
    let policy = Policy { form_action: FormAction::Own, ..Policy::new(view.frame) };
    Page::new(&DeletionTemplate { view }, policy)
}

/// Renders the page with an outcome.
pub fn account_outcome(frame: &Frame, outcome: AccountOutcome<'_>) -> Page {
    let view = match outcome {
        AccountOutcome::Removed { application, unfinished } => OutcomeView {
            title: "The access is removed",
            application: Some(application),
            message: match unfinished {
                true => {
                    "has no access to your account any more. It had many tokens: the last ones end within a minute."
                }
                false => "has no access to your account any more. The list may show it for some seconds.",
            },
            ..OutcomeView::new(frame)
        },
        AccountOutcome::Ended => OutcomeView {
            title: "The session has ended",
            message: "That browser must sign in again. The list may show it for some seconds.",
            ..OutcomeView::new(frame)
        },
        AccountOutcome::PasswordChanged { unfinished } => OutcomeView {
            title: "Your password is changed",
            message: match unfinished {
                true => {
                    "You stay signed in here. Everywhere else you must sign in again, in applications too; the last sessions end within a minute."
                }
                false => "You stay signed in here. Everywhere else you must sign in again, in applications too.",
            },
            ..OutcomeView::new(frame)
        },
        AccountOutcome::PasskeyAdded => OutcomeView {
            title: "Your passkey is ready",
            message: "Next time you can sign in with it in place of your password.",
            ..OutcomeView::new(frame)
        },
        AccountOutcome::PasskeyRemoved { unknown } => OutcomeView {
            title: "The passkey is removed",
            message: "No device can sign in with it any more. Remove it from your password manager, too, if it is still there.",
            unknown_passkey: Some(unknown),
            ..OutcomeView::new(frame)
        },
        AccountOutcome::LastWayIn => OutcomeView {
            title: "The passkey stays",
            message: "It is your only way to sign in. Make another passkey first, then remove this one.",
            is_failure: true,
            ..OutcomeView::new(frame)
        },
        AccountOutcome::AuthenticatorRemoved => OutcomeView {
            title: "The app is removed",
            message: "Your password alone signs you in again. Your recovery codes are no longer accepted.",
            ..OutcomeView::new(frame)
        },
        AccountOutcome::NoPassword => OutcomeView {
            title: "No app was set up",
            message: "You sign in without a password, so no second step is needed.",
            is_failure: true,
            ..OutcomeView::new(frame)
        },
        AccountOutcome::EmailRequested => OutcomeView {
            title: "Look into your mailbox",
            message: "A mail with a link arrives within a minute or two. Your address changes once you have opened the link. It works for 24 hours.",
            ..OutcomeView::new(frame)
        },
        AccountOutcome::EmailVerified => OutcomeView {
            title: "Your address is confirmed",
            message: "Mails about your account go there from now on.",
            ..OutcomeView::new(frame)
        },
        AccountOutcome::LinkOver => OutcomeView {
            title: "This link is over",
            message: "It was used already, is too old, was replaced, or is for another account. You can ask for a new one.",
            is_failure: true,
            ..OutcomeView::new(frame)
        },
        AccountOutcome::Deleted => OutcomeView {
            title: "Your account is deleted",
            message: "You are signed out everywhere, and no application has access any more. What applications stored before stays with them.",
            link: None,
            ..OutcomeView::new(frame)
        },
        AccountOutcome::NotThere => OutcomeView {
            title: "This is not there",
            message: "It has ended before, or belongs to another account.",
            is_failure: true,
            ..OutcomeView::new(frame)
        },
        AccountOutcome::NotAccepted => OutcomeView {
            title: "Nothing was changed",
            message: "The page was open for too long, or is not one that you were shown. Look at your account, and try again.",
            is_failure: true,
            ..OutcomeView::new(frame)
        },
        AccountOutcome::NotSignedIn => OutcomeView {
            title: "You did not sign in",
            message: "Sign in to see what applications may do with your account, and where you are signed in.",
            link: Some("Sign in"),
            ..OutcomeView::new(frame)
        },
    };
    Page::new(&OutcomeTemplate { view: &view }, Policy { script: view.unknown_passkey.is_some(), ..Policy::new(frame) })
}

#[derive(Template)]
#[template(path = "account_overview.html")]
struct OverviewTemplate<'a> {
    view: &'a AccountOverview<'a>,
}

#[derive(Template)]
#[template(path = "account_application.html")]
struct ApplicationTemplate<'a> {
    view: &'a AccountApplication<'a>,
    client: ClientProfile<'a>,
}

#[derive(Template)]
#[template(path = "account_session.html")]
struct SessionTemplate<'a> {
    view: &'a AccountSession<'a>,
    since: Day,
}

#[derive(Template)]
#[template(path = "account_password.html")]
struct PasswordTemplate<'a> {
    view: &'a AccountPassword<'a>,
    problem: Option<String>,
    wait_secs: Option<u64>,
}

#[derive(Template)]
#[template(path = "account_deletion.html")]
struct DeletionTemplate<'a> {
    view: &'a AccountDeletion<'a>,
}

#[derive(Template)]
#[template(path = "account_outcome.html")]
struct OutcomeTemplate<'a> {
    view: &'a OutcomeView<'a>,
}

struct OutcomeView<'a> {
    frame: &'a Frame,
    title: &'static str,
    /// Starts the message.
    application: Option<&'a str>,
    message: &'static str,
    is_failure: bool,
    /// Text of the link to the account.
    link: Option<&'static str>,
    /// The passkey that the browser forgets (WebAuthn §5.1.10), as JSON.
    unknown_passkey: Option<&'a str>,
}

impl<'a> OutcomeView<'a> {
    const fn new(frame: &'a Frame) -> Self {
        Self {
            frame,
            title: "",
            application: None,
            message: "",
            is_failure: false,
            link: Some("Your account"),
            unknown_passkey: None,
        }
    }
}
