//! The verification pages of device authorization (RFC 8628 §3.3).

use askama::Template;

use crate::sign_in::wait;
use crate::{Frame, Page, policy::FormAction, policy::Policy};

/// The page that asks for the code that the device shows. The form posts `user_code` and `csrf` to `/device`.
#[derive(Debug, Clone, Copy)]
pub struct DeviceCode<'a> {
    /// The frame of the page.
    pub frame: &'a Frame,
    /// Content of the field: the code of the link that the device shows, or what the user typed before.
    pub user_code: &'a str,
    /// Reason why the user sees the form again.
    pub problem: Option<DeviceProblem>,
    /// The CSRF token.
    pub csrf: &'a str,
}

/// Reason why a code was not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeviceProblem {
    /// The text is no code: it has other letters, or not eight of them.
    NotACode,
    /// No device waits with this code.
    Unknown,
    /// Too many attempts.
    TooManyAttempts {
        /// Seconds until the next code is accepted.
        retry_after_secs: u64,
    },
    /// The CSRF token is no longer valid.
    SessionExpired,
}

/// Renders the page that asks for the code.
pub fn device_code(view: &DeviceCode<'_>) -> Page {
    let problem = view.problem.map(|problem| match problem {
        DeviceProblem::NotACode => "This is not a code. A code has eight letters, such as WDJB-MJHT.".to_owned(),
        DeviceProblem::Unknown => {
            "No device waits with this code. Check the code on your device; it may have expired.".to_owned()
        }
        DeviceProblem::TooManyAttempts { retry_after_secs } => {
            format!("Too many codes were tried. Try again in {}.", wait(retry_after_secs))
        }
        DeviceProblem::SessionExpired => "This page was open for too long. Try again.".to_owned(),
    });
    let wait_secs = match view.problem {
        Some(DeviceProblem::TooManyAttempts { retry_after_secs }) => Some(retry_after_secs),
        _ => None,
    };
    let policy = Policy { script: true, form_action: FormAction::Own, ..Policy::new(view.frame) };
    Page::new(&DeviceCodeTemplate { view, problem, wait_secs }, policy)
}

/// The outcome of a device authorization.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeviceOutcome {
    /// The device receives its tokens with its next poll.
    Approved,
    /// The device receives no tokens.
    Denied,
    /// The code has expired, or was decided before.
    Over,
}

/// Renders the page with the outcome.
pub fn device_outcome(frame: &Frame, outcome: DeviceOutcome) -> Page {
    let (title, message) = match outcome {
        DeviceOutcome::Approved => {
            ("Your device is connected", "Go back to it; it goes on by itself. You can close this page.")
        }
        DeviceOutcome::Denied => {
            ("The device was refused", "It gets no access to your account. You can close this page.")
        }
        DeviceOutcome::Over => (
            "This code is no longer valid",
            "It has expired, was used before, or was opened in another browser. Start again on your device.",
        ),
    };
    let again = WayOn { href: "/device", label: "Enter another code" };
    let view = Outcome { frame, title, message, way_on: (outcome == DeviceOutcome::Over).then_some(again) };
    Page::new(&DeviceOutcomeTemplate { view: &view }, Policy::new(frame))
}

/// Renders the page for a user who may grant nothing of what the device requests. `sign_in` leads to the choice of another account.
pub fn device_not_grantable(frame: &Frame, sign_in: &str) -> Page {
    let view = Outcome {
        frame,
        title: "Your account cannot allow this",
        message: "The device asks for access that your account may not give. Nothing was decided.",
        way_on: Some(WayOn { href: sign_in, label: "Use another account" }),
    };
    Page::new(&DeviceOutcomeTemplate { view: &view }, Policy::new(frame))
}

struct Outcome<'a> {
    frame: &'a Frame,
    title: &'a str,
    message: &'a str,
    /// The next step after a failure; `None` if nothing failed.
    way_on: Option<WayOn<'a>>,
}

struct WayOn<'a> {
    href: &'a str,
    label: &'a str,
}

#[derive(Template)]
#[template(path = "device_code.html")]
struct DeviceCodeTemplate<'a> {
    view: &'a DeviceCode<'a>,
    problem: Option<String>,
    /// Seconds until the next code is accepted.
    wait_secs: Option<u64>,
}

#[derive(Template)]
#[template(path = "device_outcome.html")]
struct DeviceOutcomeTemplate<'a> {
    view: &'a Outcome<'a>,
}
