//! "This was not me": ends all sessions and grants, removes what an attacker may sign in with, and makes the password invalid. The user
//! gets a link to choose a new one.

use crate::{USE, Visit};
use http::StatusCode;
use latchkey_http::Response;
use pages::{RecoveryAct, RecoveryActKind, RecoveryOutcome};
use platform::entropy;
use protocol::mail::MailContent;
use protocol::{AuthenticationMethod, EmailAddress};
use provider::mail::{self, MailLink};
use provider::{Actor, AuditEvent, HandlerError, NewPassword, responses, sessions};
use storage::users::{self, User};
use storage::{markers, passkeys, second_factor};
use types::Timestamp;

/// The notice that had the link.
pub(crate) struct Notice<'a> {
    /// The link.
    pub(crate) link: &'a MailLink,
    /// The address to which the notice was sent.
    pub(crate) address: &'a EmailAddress,
    /// Time at which the act set up an authenticator app.
    pub(crate) added_app_at: Option<Timestamp>,
}

/// Shows the page with the button, or handles its form.
pub(crate) async fn respond(
    visit: &Visit<'_>,
    notice: &Notice<'_>,
    sealed: &str,
    user: &User,
) -> Result<Response, HandlerError> {
    if markers::is_used(visit.context.records.as_ref(), USE, &notice.link.id).await? {
        return visit.link_over();
    }
    match visit.is_post() {
        true => secure(visit, notice, user).await,
        false => show(visit, sealed),
    }
}

fn show(visit: &Visit<'_>, sealed: &str) -> Result<Response, HandlerError> {
    let frame = visit.frame()?;
    let csrf = visit.form_token(sealed);
    let view = RecoveryAct { frame: &frame, act: RecoveryActKind::NotMe, link: sealed, csrf: &csrf };
    Ok(responses::page(StatusCode::OK, pages::recovery_act(&view)))
}

/// Ends what an attacker may have. Each step can be repeated, and the link is used up last: a fault of the store leaves no attacker signed
/// in behind a link that is over.
async fn secure(visit: &Visit<'_>, notice: &Notice<'_>, user: &User) -> Result<Response, HandlerError> {
    let (context, now, subject, link) = (visit.context, visit.now(), &user.subject, notice.link);
    let records = context.records.as_ref();
    context.check_clock(visit.request).await?;
    let (_, notifications) = sessions::end_everywhere(context, subject, now).await?;
    users::change_password(records, &user.username, subject, &unknown_password(context).await?).await?;
    passkeys::forget(records, subject).await?;
    users::note_passkey(records, &user.username, false).await?;
    if let Some(at) = notice.added_app_at {
        remove_app(visit, user, at).await?;
    }
    AuditEvent::ActDisowned { subject }.record(visit.request);
    AuditEvent::SignedOutEverywhere { subject, actor: Actor::User }.record(visit.request);
    // An attacker may have changed the address since. The old address got a link that undoes this.
    if user.verified_email().as_ref() == Some(notice.address) {
        let identifier = user.username.clone();
        mail::put(context, MailContent::PasswordReset { identifier, is_counted: false }, now).await?;
    }
    markers::use_once(records, USE, &link.id, link.expires_at, &entropy::name()?).await?;
    notifications.send(context, now).await;
    visit.outcome(StatusCode::OK, RecoveryOutcome::Secured)
}

/// Removes the authenticator app that was set up at this time. Round trips: 1 to 4.
async fn remove_app(visit: &Visit<'_>, user: &User, at: Timestamp) -> Result<(), HandlerError> {
    let records = visit.context.records.as_ref();
    let present = second_factor::find(records, &user.subject).await?;
    if present.is_some_and(|present| present.value.created_at == at) {
        users::note_second_factor(records, &user.username, false).await?;
        second_factor::remove(records, &user.subject).await?;
        let method = AuthenticationMethod::Totp;
        AuditEvent::SignInMethodRemoved { subject: &user.subject, method }.record(visit.request);
    }
    Ok(())
}

/// Returns the hash of a random password.
async fn unknown_password(context: &provider::Context) -> Result<String, HandlerError> {
    let password = NewPassword {
        password: entropy::secret()?,
        minimum: 0,
        about: Vec::new(),
        breached_url: None,
        may_be_local: false,
    };
    password.hash("recovery", context).await?.map_err(HandlerError::unavailable)
}
