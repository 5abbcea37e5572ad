//! "This was not me", and the undoing of a change of the e-mail address: ends all sessions and grants, removes what an attacker may sign in
//! with, and makes the password invalid. The user gets a link to choose a new one.

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

/// The act of a link.
pub(crate) enum Act<'a> {
    /// The user did not do what a notice is about.
    NotMe {
        /// The address to which the notice was sent.
        address: &'a EmailAddress,
        /// Time of the act, if it set up an authenticator app.
        added_app_at: Option<Timestamp>,
    },
    /// The user did not change the e-mail address.
    RestoreAddress {
        /// Time of the change.
        at: Timestamp,
    },
}

impl Act<'_> {
    /// True if the act removes an authenticator app that was set up at this time. Who reads the mailbox alone must not be able to remove the
    /// second factor of its owner: an app from before the act stays.
    fn removes_app(&self, set_up_at: Timestamp) -> bool {
        match self {
            Self::NotMe { added_app_at, .. } => *added_app_at == Some(set_up_at),
            Self::RestoreAddress { at } => set_up_at >= *at,
        }
    }
}

/// Shows the page with the button, or handles its form.
pub(crate) async fn respond(
    visit: &Visit<'_>,
    link: &MailLink,
    sealed: &str,
    user: &User,
    act: &Act<'_>,
) -> Result<Response, HandlerError> {
    let restored = match act {
        Act::NotMe { .. } => None,
        Act::RestoreAddress { at } => match user.with_email_before(*at) {
            Some(restored) => restored.email(),
            None => return visit.link_over(),
        },
    };
    if markers::is_used(visit.context.records.as_ref(), USE, &link.id).await? {
        return visit.link_over();
    }
    if visit.is_post() {
        return secure(visit, link, user, act).await;
    }
    let (frame, csrf) = (visit.frame()?, visit.form_token(sealed));
    let kind = match &restored {
        None => RecoveryActKind::NotMe,
        Some(address) => RecoveryActKind::RestoreAddress { address: address.as_str() },
    };
    let view = RecoveryAct { frame: &frame, act: kind, link: sealed, csrf: &csrf };
    Ok(responses::page(StatusCode::OK, pages::recovery_act(&view)))
}

/// Ends what an attacker may have. Each step can be repeated, and the link is used up last: a fault of the store leaves no attacker signed
/// in behind a link that is over.
async fn secure(visit: &Visit<'_>, link: &MailLink, user: &User, act: &Act<'_>) -> Result<Response, HandlerError> {
    let (context, now, subject) = (visit.context, visit.now(), &user.subject);
    let records = context.records.as_ref();
    context.check_clock(visit.request).await?;
    let (_, notifications) = sessions::end_everywhere(context, subject, now).await?;
    users::change_password(records, &user.username, subject, &unknown_password(context).await?).await?;
    passkeys::forget(records, subject).await?;
    users::note_passkey(records, &user.username, false).await?;
    remove_app(visit, user, act).await?;
    let (gets_link, outcome) = match act {
        // An attacker may have changed the address since. The old address got a link that undoes this.
        Act::NotMe { address, .. } => {
            AuditEvent::ActDisowned { subject }.record(visit.request);
            (user.verified_email().as_ref() == Some(*address), RecoveryOutcome::Secured)
        }
        // The address comes last of what may be repeated: after it, the link is over.
        Act::RestoreAddress { at } => {
            let restore = |stored: &User| stored.with_email_before(*at);
            if users::change_address(records, subject, now, restore).await?.is_none() {
                return visit.link_over();
            }
            AuditEvent::EmailAddressRestored { subject }.record(visit.request);
            (true, RecoveryOutcome::AddressRestored)
        }
    };
    AuditEvent::SignedOutEverywhere { subject, actor: Actor::User }.record(visit.request);
    if gets_link {
        let identifier = user.username.clone();
        mail::put(context, MailContent::PasswordReset { identifier, is_counted: false }, now).await?;
    }
    markers::use_once(records, USE, &link.id, link.expires_at, &entropy::name()?).await?;
    notifications.send(context, now).await;
    visit.outcome(StatusCode::OK, outcome)
}

/// Removes the authenticator app if the act says so. Round trips: 1 to 4.
async fn remove_app(visit: &Visit<'_>, user: &User, act: &Act<'_>) -> Result<(), HandlerError> {
    let records = visit.context.records.as_ref();
    let present = second_factor::find(records, &user.subject).await?;
    if present.is_some_and(|present| act.removes_app(present.value.created_at)) {
        users::note_second_factor(records, &user.username, false).await?;
        second_factor::remove(records, &user.subject).await?;
        let method = AuthenticationMethod::Totp;
        AuditEvent::SignInMethodRemoved { subject: &user.subject, method, actor: Actor::User }.record(visit.request);
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
