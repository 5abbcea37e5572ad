//! The verification pages of device authorization (RFC 8628 §3.3).

use askama::Template;

use crate::{ClientProfile, Page, ScopeLine, policy::Policy};

/// Asks for the code that the device shows. The form posts to `/device`: `user_code` and `csrf`.
#[derive(Debug, Clone, Copy)]
pub struct DeviceCode<'a> {
    /// Fresh for each response: 128 random bits or more, base64url.
    pub nonce: &'a str,
    /// Fills the field: from the link that the device shows, or what was typed before.
    pub user_code: &'a str,
    /// Why the person sees the form again.
    pub problem: Option<DeviceProblem>,
    /// The CSRF token.
    pub csrf: &'a str,
}

/// Why a code was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeviceProblem {
    /// No device waits with this code.
    Unknown,
    /// Slowed down.
    TooManyAttempts {
        /// Seconds until the next code is looked at.
        retry_after_secs: u64,
    },
    /// The CSRF token is no longer valid.
    SessionExpired,
}

/// Shows the page that asks for the code.
pub fn device_code(view: &DeviceCode<'_>) -> Page {
    let problem = view.problem.map(|problem| match problem {
        DeviceProblem::Unknown => {
            "No device waits with this code. Check the code on your device; it may have expired.".to_owned()
        }
        DeviceProblem::TooManyAttempts { retry_after_secs } => {
            format!("Too many codes were tried. Try again in {retry_after_secs} seconds.")
        }
        DeviceProblem::SessionExpired => "This page was open for too long. Try again.".to_owned(),
    });
    Page::new(&DeviceCodeTemplate { view, problem }, Policy { form_self: true, ..Policy::new(view.nonce) })
}

/// Asks whether the device may have what it asks for. The form posts to `/device`: `interaction`, `csrf` and `decision`
/// = `allow`, `deny` or `switch` (sign in as someone else).
#[derive(Debug, Clone, Copy)]
pub struct DeviceConsent<'a> {
    /// Fresh for each response: 128 random bits or more, base64url.
    pub nonce: &'a str,
    /// The application on the device.
    pub client: ClientProfile<'a>,
    /// Display name of the account that is signed in.
    pub user: &'a str,
    /// The code, as the device shows it.
    pub user_code: &'a str,
    /// What is asked for, in the order shown.
    pub scopes: &'a [ScopeLine<'a>],
    /// The resources that it is for (RFC 8707), when the request names any.
    pub resources: &'a [String],
    /// The sealed interaction.
    pub interaction: &'a str,
    /// The CSRF token.
    pub csrf: &'a str,
}

/// Shows the page that asks for approval, and warns of whoever sent the code from elsewhere (RFC 8628 §5.4).
pub fn device_consent(view: &DeviceConsent<'_>) -> Page {
    let policy = Policy { logo_uri: view.client.logo_uri, form_self: true, ..Policy::new(view.nonce) };
    Page::new(&DeviceConsentTemplate { view }, policy)
}

/// How it ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeviceOutcome {
    /// The device gets its tokens with its next poll.
    Approved,
    /// It gets none.
    Denied,
    /// The code has expired, or somebody decided before.
    Over,
}

/// Says how it ended.
pub fn device_outcome(nonce: &str, outcome: DeviceOutcome) -> Page {
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
    let view = Outcome { nonce, title, message, failed: outcome == DeviceOutcome::Over };
    Page::new(&DeviceOutcomeTemplate { view: &view }, Policy::new(nonce))
}

struct Outcome<'a> {
    nonce: &'a str,
    title: &'a str,
    message: &'a str,
    failed: bool,
}

#[derive(Template)]
#[template(path = "device_code.html")]
struct DeviceCodeTemplate<'a> {
    view: &'a DeviceCode<'a>,
    problem: Option<String>,
}

#[derive(Template)]
#[template(path = "device_consent.html")]
struct DeviceConsentTemplate<'a> {
    view: &'a DeviceConsent<'a>,
}

#[derive(Template)]
#[template(path = "device_outcome.html")]
struct DeviceOutcomeTemplate<'a> {
    view: &'a Outcome<'a>,
}
