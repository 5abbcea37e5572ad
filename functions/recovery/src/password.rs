//! The form for a new password, behind a link.

use crate::{USE, Visit, profile};
use http::StatusCode;
use latchkey_http::Response;
use pages::{PasswordProblem, RecoveryOutcome, RecoveryPassword};
use platform::entropy;
use protocol::mail::SecurityNotice;
use provider::mail::{MailLink, notify_user};
use provider::{Actor, AuditEvent, HandlerError, NewPassword, names, responses, sessions};
use storage::markers;
use storage::users::{self, Credential, User};

/// Shows the form, or handles it.
pub(crate) async fn respond(
    visit: &Visit<'_>,
    link: &MailLink,
    sealed: &str,
    user: &User,
) -> Result<Response, HandlerError> {
    if visit.is_post() { set(visit, link, sealed, user).await } else { show(visit, StatusCode::OK, sealed, user, None) }
}

fn show(
    visit: &Visit<'_>,
    status: StatusCode,
    sealed: &str,
    user: &User,
    problem: Option<PasswordProblem<'_>>,
) -> Result<Response, HandlerError> {
    let frame = visit.frame()?;
    let view = RecoveryPassword {
        frame: &frame,
        user: profile(user),
        minimum: visit.context.config.passwords.minimum,
        problem,
        link: sealed,
        csrf: &visit.form_token(sealed),
    };
    Ok(responses::page(status, pages::recovery_password(&view)))
}

/// Uses the link up, sets the password, and ends every session and all grants. A password that breaks a rule leaves the link as it is.
async fn set(visit: &Visit<'_>, link: &MailLink, sealed: &str, user: &User) -> Result<Response, HandlerError> {
    let typed = |name| visit.parameters.value(name).unwrap_or_default();
    let again = |problem| show(visit, StatusCode::BAD_REQUEST, sealed, user, Some(problem));
    if typed("password") != typed("repeated") {
        return again(PasswordProblem::Differs);
    }
    let (context, now, subject) = (visit.context, visit.now(), &user.subject);
    let new = NewPassword::of_user(typed("password").to_owned(), &user.username, &user.claims, &context.config);
    let hash = match new.hash("recovery", context).await? {
        Ok(hash) => hash,
        Err(rule) => return again(PasswordProblem::Refused(&rule)),
    };
    context.check_clock(visit.request).await?;
    let records = context.records.as_ref();
    if !markers::use_once(records, USE, &link.id, link.expires_at, &entropy::name()?).await? {
        return visit.link_over();
    }
    if !users::change_password(records, &user.username, subject, &hash).await? {
        // The user had no password yet.
        let Some(username) = names::username(&user.username) else { return visit.link_over() };
        let credential = Credential {
            subject: subject.clone(),
            password: hash,
            name: Some(user.display_name().to_owned()),
            disabled: user.disabled,
            has_passkey: false,
            has_second_factor: false,
            revoked_before: user.revoked_before,
        };
        users::create_credential(records, &username, &credential).await?;
    }
    AuditEvent::PasswordReset { subject }.record(visit.request);
    // This also ends all other links: they name the mark of before.
    let (ended, notifications) = sessions::end_everywhere(context, subject, now).await?;
    AuditEvent::SignedOutEverywhere { subject, actor: Actor::User }.record(visit.request);
    notify_user(context, subject, SecurityNotice::PasswordReset, now).await;
    notifications.send(context, now).await;
    visit.outcome(StatusCode::OK, RecoveryOutcome::PasswordSet { unfinished: ended.unfinished })
}
