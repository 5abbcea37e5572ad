//! The pages of backchannel requests (OpenID Connect CIBA Core): those that wait for the user, and the outcome of one.

use askama::Template;

use crate::asking_device::age;
use crate::{Frame, Page, UserProfile, policy::Policy};

/// The page with the requests that wait for the user.
#[derive(Debug, Clone, Copy)]
pub struct WaitingRequests<'a> {
    /// The frame of the page.
    pub frame: &'a Frame,
    /// The user who is signed in; `None` if no user is.
    pub user: Option<UserProfile<'a>>,
    /// The requests, the earliest first.
    pub requests: &'a [RequestLine<'a>],
}

/// A request that waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestLine<'a> {
    /// Name of the client.
    pub client: &'a str,
    /// `binding_message`.
    pub binding_message: Option<&'a str>,
    /// Minutes since the request.
    pub minutes: u64,
    /// The page of the request.
    pub href: String,
}

impl RequestLine<'_> {
    fn age(&self) -> String {
        age(self.minutes)
    }
}

/// Renders the page with the requests.
pub fn waiting_requests(view: &WaitingRequests<'_>) -> Page {
    Page::new(&WaitingRequestsTemplate { view }, Policy::new(view.frame))
}

/// The outcome of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RequestOutcome {
    /// The client receives its tokens.
    Approved,
    /// The client receives no tokens.
    Denied,
    /// The user did not expect the request.
    Unexpected,
    /// The request has expired, or was decided before.
    Over,
    /// The user may grant nothing of what the client requests.
    NotGrantable,
}

/// Renders the page with the outcome.
pub fn request_outcome(frame: &Frame, outcome: RequestOutcome) -> Page {
    let (title, message) = match outcome {
        RequestOutcome::Approved => {
            ("You approved the request", "The application goes on by itself. You can close this page.")
        }
        RequestOutcome::Denied => {
            ("You denied the request", "The application gets no access to your account. You can close this page.")
        }
        RequestOutcome::Unexpected => (
            "The request was denied",
            "The application cannot ask you again for an hour. If you did not start this, someone may know your user name; nobody got access.",
        ),
        RequestOutcome::Over => (
            "This request is over",
            "It has expired, was decided before, or is for another account. Start again at the application.",
        ),
        RequestOutcome::NotGrantable => (
            "Your account cannot allow this",
            "The application asks for access that your account may not give. Nothing was decided.",
        ),
    };
    let is_failure = matches!(outcome, RequestOutcome::Over | RequestOutcome::NotGrantable);
    let view = Outcome { frame, title, message, is_failure };
    Page::new(&RequestOutcomeTemplate { view: &view }, Policy::new(frame))
}

#[derive(Template)]
#[template(path = "requests.html")]
struct WaitingRequestsTemplate<'a> {
    view: &'a WaitingRequests<'a>,
}

#[derive(Template)]
#[template(path = "request_outcome.html")]
struct RequestOutcomeTemplate<'a> {
    view: &'a Outcome<'a>,
}

struct Outcome<'a> {
    frame: &'a Frame,
    title: &'a str,
    message: &'a str,
    is_failure: bool,
}
