//! The pages about the e-mail address of the user.

use crate::policy::{FormAction, Policy};
use crate::sign_in::wait;
use crate::{Frame, Page, UserProfile};
use askama::Template;

/// The form for another address, or for the proof of the present one. It posts `email` and `csrf` to `/account/email`.
#[derive(Debug, Clone, Copy)]
pub struct AccountEmail<'a> {
    /// The frame of the page.
    pub frame: &'a Frame,
    /// The user who is signed in.
    pub user: UserProfile<'a>,
    /// The present address.
    pub address: Option<&'a str>,
    /// True if the user has proved the present address.
    pub is_verified: bool,
    /// Fills the field.
    pub typed: &'a str,
    /// Reason why the user sees the form again.
    pub problem: Option<EmailProblem>,
    /// The CSRF token.
    pub csrf: &'a str,
}

/// Reason why no mail was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EmailProblem {
    /// The field has no e-mail address.
    Unreadable,
    /// The user has proved this address already.
    Verified,
    /// The user caused too many mails, or changed the address too often.
    TooMany {
        /// The time until the next mail, in seconds.
        retry_after_secs: u64,
    },
}

/// The page with the button that proves an address. It posts `link` and `csrf` to `/account/email`.
#[derive(Debug, Clone, Copy)]
pub struct AccountEmailLink<'a> {
    /// The frame of the page.
    pub frame: &'a Frame,
    /// The user who is signed in.
    pub user: UserProfile<'a>,
    /// The address.
    pub address: &'a str,
    /// The address that it replaces.
    pub old: Option<&'a str>,
    /// The link, sealed.
    pub link: &'a str,
    /// The CSRF token.
    pub csrf: &'a str,
}

/// Renders the form.
pub fn account_email(view: &AccountEmail<'_>) -> Page {
    let problem = view.problem.map(|problem| match problem {
        EmailProblem::Unreadable => "Please type one e-mail address, such as ada@example.com.".to_owned(),
        EmailProblem::Verified => "This is your address already, and it is confirmed.".to_owned(),
        EmailProblem::TooMany { retry_after_secs } => {
            let wait = wait(retry_after_secs);
            format!("Too many mails about your address were requested. Please wait {wait}, then try again.")
        }
    });
    let policy = Policy { form_action: FormAction::Own, ..Policy::new(view.frame) };
    Page::new(&EmailTemplate { view, problem, wait_secs: None }, policy)
}

/// Renders the page with the button.
pub fn account_email_link(view: &AccountEmailLink<'_>) -> Page {
    let policy = Policy { form_action: FormAction::Own, ..Policy::new(view.frame) };
    Page::new(&LinkTemplate { view }, policy)
}

#[derive(Template)]
#[template(path = "account_email.html")]
struct EmailTemplate<'a> {
    view: &'a AccountEmail<'a>,
    problem: Option<String>,
    wait_secs: Option<u64>,
}

#[derive(Template)]
#[template(path = "account_email_link.html")]
struct LinkTemplate<'a> {
    view: &'a AccountEmailLink<'a>,
}
