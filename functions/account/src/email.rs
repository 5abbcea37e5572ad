//! The e-mail address of the user. It changes once the user opens a link that was sent to the new address; the old address receives a link
//! that undoes the change.

use crate::visit::Visit;
use http::{StatusCode, header};
use latchkey_http::Response;
use pages::{AccountEmail, AccountEmailLink, AccountOutcome, EmailProblem};
use protocol::EmailAddress;
use protocol::mail::MailContent;
use protocol::rate_limit::Quota;
use provider::mail::{self, MailLink, MailLinkTarget};
use provider::rate_limiter::QuotaCounter;
use provider::{AuditEvent, Config, HandlerError, responses};
use storage::users::{self, User};
use types::{Error, ErrorCode};

/// Path of the page.
pub(crate) const PATH: &str = "/account/email";

/// The form of the page.
const FORM: &str = "account-email";

/// True if users may change their addresses.
pub(crate) const fn is_offered(config: &Config) -> bool {
    config.account_email && config.mail.is_some()
}

/// Shows a page, or handles its form.
pub(crate) async fn respond(visit: &Visit<'_>) -> Result<Response, HandlerError> {
    let Some(user) = visit.user().await? else { return visit.not_there() };
    // The address of a user from a directory is the directory's.
    if !is_offered(&visit.context.config) || user.external_id.is_some() {
        return visit.not_there();
    }
    match (visit.parameters.value("link"), visit.is_post()) {
        (Some(sealed), is_post) => follow(visit, &user, sealed, is_post).await,
        (None, true) => request(visit, &user).await,
        (None, false) => show(visit, &user, StatusCode::OK, None),
    }
}

/// Shows the form. Round trips: 2, those of the session and of the user.
fn show(
    visit: &Visit<'_>,
    user: &User,
    status: StatusCode,
    problem: Option<EmailProblem>,
) -> Result<Response, HandlerError> {
    let frame = visit.frame()?;
    let address = user.email();
    let is_verified = user.verified_email().is_some();
    let present = address.as_ref().map(EmailAddress::as_str);
    let typed = visit.parameters.value("email").filter(|typed| typed.len() <= 254);
    let view = AccountEmail {
        frame: &frame,
        user: visit.signed_in.profile(),
        address: present,
        is_verified,
        typed: typed.or(present.filter(|_| !is_verified)).unwrap_or_default(),
        problem,
        csrf: &visit.form_token(FORM, PATH),
    };
    Ok(responses::page(status, pages::account_email(&view)))
}

/// Writes the mail with the link into the outbox. The answer is the same whether another user has the address or not. Round trips: 2, after
/// those of the session and of the user.
async fn request(visit: &Visit<'_>, user: &User) -> Result<Response, HandlerError> {
    visit.check_form(FORM, PATH)?;
    let (context, now) = (visit.context, visit.now());
    let typed = visit.parameters.value("email").unwrap_or_default().trim();
    let Some(address) = EmailAddress::parse(typed) else {
        return show(visit, user, StatusCode::BAD_REQUEST, Some(EmailProblem::Unreadable));
    };
    if user.verified_email().as_ref() == Some(&address) {
        return show(visit, user, StatusCode::BAD_REQUEST, Some(EmailProblem::Verified));
    }
    let of_user = QuotaCounter::new(context, now, Quota::ADDRESS_MAILS, "address mails", &[user.subject.as_str()]);
    if let Some(wait) = of_user.add().await?.exceeded {
        let wait = wait.as_secs();
        let problem = EmailProblem::TooMany { retry_after_secs: wait };
        let response = show(visit, user, StatusCode::TOO_MANY_REQUESTS, Some(problem))?;
        return Ok(response.with(header::RETRY_AFTER, &wait.to_string()));
    }
    let subject = user.subject.clone();
    mail::put(context, MailContent::AddressVerification { subject, address }, now).await?;
    visit.outcome(StatusCode::OK, AccountOutcome::EmailRequested)
}

/// Shows the page of a link, or handles its form. The link is for the user who is signed in: who opens it by mistake gives no other account
/// the own address.
async fn follow(visit: &Visit<'_>, user: &User, sealed: &str, is_post: bool) -> Result<Response, HandlerError> {
    let Some(address) = address_of(visit, user, sealed) else { return link_over(visit) };
    if is_post {
        visit.check_form(FORM, sealed)?;
        return change(visit, user, &address).await;
    }
    let frame = visit.frame()?;
    let old = user.email().filter(|old| *old != address);
    let view = AccountEmailLink {
        frame: &frame,
        user: visit.signed_in.profile(),
        address: address.as_str(),
        old: old.as_ref().map(EmailAddress::as_str),
        link: sealed,
        csrf: &visit.form_token(FORM, sealed),
    };
    Ok(responses::page(StatusCode::OK, pages::account_email_link(&view)))
}

/// Returns the address that a link proves; `None` if the link is over. A link is over, too, once the user has another address, or signed out
/// everywhere.
fn address_of(visit: &Visit<'_>, user: &User, sealed: &str) -> Option<EmailAddress> {
    let link = MailLink::open(visit.context, sealed, visit.now())?;
    let MailLinkTarget::AddressVerification { address, current } = link.target else { return None };
    let is_of_user = link.subject == user.subject && link.mark == user.revoked_before && current == user.email();
    is_of_user.then_some(address)
}

/// Changes the address, and sends the old one a link that undoes the change. Round trips: 10, after those of the session and of the user.
async fn change(visit: &Visit<'_>, user: &User, address: &EmailAddress) -> Result<Response, HandlerError> {
    let (context, now, subject) = (visit.context, visit.now(), &user.subject);
    let current = user.email();
    let with_email = |stored: &User| {
        let is_as_shown = stored.email() == current && stored.revoked_before == user.revoked_before;
        stored.with_email(address, now, MailContent::NOTICE_LINK).filter(|_| is_as_shown)
    };
    // The mail comes first: an attacker who stops the request here leaves the user a link about a change that did not happen.
    let old = user.verified_email().filter(|old| old != address);
    if with_email(user).is_none() {
        return link_over(visit);
    }
    if let Some(old) = old {
        mail::put(context, MailContent::AddressChanged { subject: subject.clone(), old }, now).await?;
    }
    if users::change_address(context.records.as_ref(), subject, now, with_email).await?.is_none() {
        return link_over(visit);
    }
    AuditEvent::EmailAddressVerified { subject }.record(visit.request);
    visit.outcome(StatusCode::OK, AccountOutcome::EmailVerified)
}

fn link_over(visit: &Visit<'_>) -> Result<Response, HandlerError> {
    let error =
        Error::new(ErrorCode::InvalidRequest, "the link is forged, too old, used, replaced or for another user");
    visit.request.log.error(error.code.as_str(), &error.description);
    visit.outcome(StatusCode::BAD_REQUEST, AccountOutcome::LinkOver)
}
