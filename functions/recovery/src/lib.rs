//! Password reset by mail, and the links of security notices. A link in a mail leads to a page; only the form of the page acts.
//!
//! Without a sender of mails, these pages are not there.

mod act;
mod password;
mod request;

use act::Act;
use http::{Method, StatusCode};
use latchkey_http::{Request, Response};
use pages::{Frame, RecoveryOutcome};
use protocol::Parameters;
use provider::browser::Browser;
use provider::mail::{MailLink, MailLinkTarget};
use provider::{Context, Function, HandlerError, RequestParameters, responses, shell};
use storage::users::{self, User};
use types::{Error, Timestamp};

/// The function, as every platform calls it.
pub const FUNCTION: Function = Function::page("recovery", |request, context| Box::pin(handle(request, context)));

/// The use of a link: each link acts once.
const USE: &str = "mail-link";

/// A request to these pages.
struct Visit<'a> {
    request: &'a Request,
    context: &'a Context,
    browser: &'a Browser,
    /// None is repeated.
    parameters: Parameters,
}

/// Shows a page, or handles its form.
pub async fn handle(request: &Request, context: &Context) -> Result<Response, HandlerError> {
    if context.config.mail.is_none() {
        return Ok(shell::not_offered(request, context));
    }
    let browser = Browser::of(request, context)?;
    let parameters = request.parameters()?;
    parameters.refuse_repeated()?;
    let visit = Visit { request, context, browser: &browser, parameters };
    let response = match visit.parameters.value("link") {
        None => request::respond(&visit).await?,
        Some(sealed) => follow(&visit, sealed).await?,
    };
    Ok(browser.remember(response, context))
}

/// Shows the page of a link, or handles its form.
async fn follow(visit: &Visit<'_>, sealed: &str) -> Result<Response, HandlerError> {
    let Some(link) = MailLink::open(visit.context, sealed, visit.now()) else { return visit.link_over() };
    let Some(user) = users::find(visit.context.records.as_ref(), &link.subject).await? else {
        return visit.link_over();
    };
    if visit.is_post() && !visit.accepts_form(sealed) {
        visit.log("the form is not one that this browser was shown");
        return visit.outcome(StatusCode::BAD_REQUEST, RecoveryOutcome::NotAccepted);
    }
    match &link.target {
        MailLinkTarget::PasswordReset { address } => {
            let is_same = user.verified_email().as_ref() == Some(address);
            if !is_same || user.disabled || user.revoked_before != link.mark {
                return visit.link_over();
            }
            password::respond(visit, &link, sealed, &user).await
        }
        MailLinkTarget::NotMe { address, added_app_at } => {
            let act = Act::NotMe { address, added_app_at: *added_app_at };
            act::respond(visit, &link, sealed, &user, &act).await
        }
        MailLinkTarget::AddressChanged { at } => {
            act::respond(visit, &link, sealed, &user, &Act::RestoreAddress { at: *at }).await
        }
        MailLinkTarget::AddressVerification { .. } => visit.link_over(),
    }
}

impl Visit<'_> {
    const fn is_post(&self) -> bool {
        matches!(self.request.method, Method::POST)
    }

    const fn now(&self) -> Timestamp {
        self.request.received_at
    }

    /// Returns the CSRF token of a form about the thing `bound`.
    fn form_token(&self, bound: &str) -> String {
        self.browser.form_token(self.context, "recovery", bound)
    }

    /// True if the form is one that this browser was shown.
    fn accepts_form(&self, bound: &str) -> bool {
        self.browser.accepts_form(self.context, "recovery", bound, self.parameters.value("csrf"))
    }

    fn log(&self, reason: &'static str) {
        let error = Error::invalid_request(reason);
        self.request.log.error(error.code.as_str(), &error.description);
    }

    /// Returns the page for a link that is forged, too old or used: all look the same.
    fn link_over(&self) -> Result<Response, HandlerError> {
        self.log("the link is forged, too old, used or replaced");
        self.outcome(StatusCode::BAD_REQUEST, RecoveryOutcome::LinkOver)
    }

    /// Returns the frame of the page.
    fn frame(&self) -> Result<Frame, HandlerError> {
        responses::frame(self.request, self.context)
    }

    /// Shows an outcome.
    fn outcome(&self, status: StatusCode, outcome: RecoveryOutcome) -> Result<Response, HandlerError> {
        Ok(responses::page(status, pages::recovery_outcome(&self.frame()?, outcome)))
    }
}

/// Returns the user as pages show it.
fn profile(user: &User) -> pages::UserProfile<'_> {
    pages::UserProfile { name: user.display_name(), username: Some(&user.username) }
}

#[cfg(target_arch = "wasm32")]
#[worker::event(fetch)]
async fn fetch(
    request: worker::Request,
    env: worker::Env,
    invocation: worker::Context,
) -> worker::Result<worker::Response> {
    provider::bind_passwords(&env);
    provider::worker::serve_with_mail(FUNCTION, request, &env, &invocation).await
}
