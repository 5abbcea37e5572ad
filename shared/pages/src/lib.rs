//! The HTML that a user sees: pure functions from view models to a [`Page`].
//!
//! Every page works without JavaScript, carries its own style sheet under the nonce that the caller supplies, and loads
//! nothing but the logo of a client, which this server delivers. Every value of a view model is untrusted text and is escaped.

mod account;
mod answered;
mod asking_device;
mod authenticator;
mod client;
mod consent;
mod day;
mod development;
mod device;
mod email_address;
mod error;
mod form_post;
mod frame;
mod home;
mod leave;
mod logout;
mod mail;
mod policy;
mod recovery;
mod refused;
mod requests;
mod return_offer;
mod scope;
mod second_factor;
mod sign_in;
mod sign_in_methods;
mod user;

pub use account::{
    AccountApplication, AccountDeletion, AccountOutcome, AccountOverview, AccountPassword, AccountSession,
    ApplicationLine, GrantLine, PasswordProblem, SessionLine, account_application, account_deletion, account_outcome,
    account_overview, account_password, account_session,
};
pub use answered::{Answered, answered};
pub use asking_device::DeviceProfile;
pub use authenticator::{
    AuthenticatorApp, AuthenticatorSetup, NewRecoveryCodes, RecoveryCodes, authenticator_app, authenticator_setup,
    new_recovery_codes, recovery_codes,
};
pub use client::ClientProfile;
pub use consent::{ClaimLine, ConsentKind, ConsentView, ScopeLine, consent};
pub use development::{
    Command, DemoClient, DemoUser, Landing, Mailbox, Playground, SentMail, landing, mailbox, playground,
};
pub use device::{DeviceCode, DeviceOutcome, DeviceProblem, device_code, device_not_grantable, device_outcome};
pub use email_address::{AccountEmail, AccountEmailLink, EmailProblem, account_email, account_email_link};
pub use error::{ErrorPage, error};
pub use form_post::{FormPost, form_post};
pub use frame::Frame;
pub use home::home;
pub use leave::{Leave, LeaveReason, leave};
pub use logout::{EndedEverywhere, Logout, SignedOut, logout, logout_everywhere, signed_out};
pub use mail::{MailView, MailWords, mail};
pub use recovery::{
    RecoveryAct, RecoveryActKind, RecoveryOutcome, RecoveryPassword, RecoveryProblem, RecoveryRequest, recovery_act,
    recovery_outcome, recovery_password, recovery_request,
};
pub use refused::{Refusal, Refused, refused};
pub use requests::{RequestLine, RequestOutcome, WaitingRequests, request_outcome, waiting_requests};
pub use return_offer::{ReturnOffer, ReturnWay, return_offer};
pub use scope::{claim_meaning, scope_meaning};
pub use second_factor::{SecondFactorPage, second_factor};
pub use sign_in::{CurrentUser, SignIn, SignInProblem, sign_in};
pub use sign_in_methods::{
    AccountPasskey, NewPasskey, PasskeyLine, SignInMethods, account_passkey, new_passkey, sign_in_methods,
};
pub use user::UserProfile;

use protocol::Language;

/// The style sheet of every page.
const STYLE: &str = include_str!("../templates/style.css");

/// The style sheet of the pages that are a card.
const CARD_STYLE: &str = include_str!("../templates/card.css");

/// The start of the scripts that follow.
const BY_ID: &str = "\"use strict\";\nconst byId = (id) => document.getElementById(id);\n";

/// The script of the pages that ask the browser for a passkey. It follows [`BY_ID`].
const PASSKEY_SCRIPT: &str = include_str!("../templates/passkey.js");

/// The script of the pages with a form that the user fills in.
const FORM_SCRIPT: &str = include_str!("../templates/form.js");

/// Returns a script without indentation and comment lines. No template literal of the scripts has a line break.
fn compact(script: &str) -> String {
    let lines = script.lines().map(str::trim_start);
    let is_code = |line: &&str| !line.is_empty() && !line.starts_with("//") && !line.starts_with("/**");
    lines.filter(is_code).fold(String::with_capacity(script.len()), |script, line| script + line + "\n")
}

/// A complete document and its content security policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// The body, UTF-8; send as `text/html; charset=utf-8`.
    pub html: String,
    /// The value of the `Content-Security-Policy` header.
    pub csp: String,
    /// The language.
    pub language: Language,
}

impl Page {
    fn new(template: &impl askama::Template, policy: policy::Policy<'_>) -> Self {
        // Writing to a string cannot fail, and no template uses a filter that does.
        Self { html: template.render().unwrap_or_default(), csp: policy.header(), language: policy.frame.language }
    }
}
