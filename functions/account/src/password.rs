//! The form for a new password. The sign-in must be recent: it proves that the user knows the present one.

use crate::visit::Visit;
use http::{StatusCode, header};
use latchkey_http::Response;
use pages::{AccountOutcome, AccountPassword, PasswordProblem};
use platform::entropy;
use protocol::mail::SecurityNotice;
use protocol::{AuthenticationContext, SessionGroup};
use provider::mail::notify_user;
use provider::{Actor, AuditEvent, HandlerError, NewPassword, responses, sessions as browser_sessions};
use storage::sessions::{self, Session};
use storage::users;

/// Path of the page.
pub(crate) const PATH: &str = "/account/password";

/// The form of the page.
const FORM: &str = "account-password";

/// Shows the page, or handles its form.
pub(crate) async fn respond(visit: &Visit<'_>) -> Result<Response, HandlerError> {
    if visit.is_post() { change(visit).await } else { show(visit, StatusCode::OK, None) }
}

/// Shows the form. Round trips: 1, that of the session.
fn show(visit: &Visit<'_>, status: StatusCode, problem: Option<PasswordProblem<'_>>) -> Result<Response, HandlerError> {
    let frame = visit.frame()?;
    let view = AccountPassword {
        frame: &frame,
        user: visit.signed_in.profile(),
        minimum: visit.context.config.passwords.minimum,
        problem,
        csrf: &visit.form_token(FORM, PATH),
    };
    Ok(responses::page(status, pages::account_password(&view)))
}

/// Changes the password, and ends every session and all grants: an attacker who knew the present one may have both. The user stays
/// signed in in this browser, by a new session.
async fn change(visit: &Visit<'_>) -> Result<Response, HandlerError> {
    visit.check_form(FORM, PATH)?;
    let typed = |name| visit.parameters.value(name).unwrap_or_default();
    if typed("password") != typed("repeated") {
        return show(visit, StatusCode::BAD_REQUEST, Some(PasswordProblem::Differs));
    }
    let (context, subject) = (visit.context, visit.subject());
    let Some(user) = visit.user().await? else { return visit.not_there() };
    let new = NewPassword::of_user(typed("password").to_owned(), &user.username, &user.claims, &context.config);
    let hash = match new.hash("account", context).await? {
        Ok(hash) => hash,
        Err(rule) => return show(visit, StatusCode::BAD_REQUEST, Some(PasswordProblem::Refused(&rule))),
    };
    context.check_clock(visit.request).await?;
    if !users::change_password(context.records.as_ref(), &user.username, subject, &hash).await? {
        return visit.not_there();
    }
    AuditEvent::PasswordChanged { subject }.record(visit.request);
    let (ended, notifications) = browser_sessions::end_everywhere(context, subject, visit.now()).await?;
    AuditEvent::SignedOutEverywhere { subject, actor: Actor::User }.record(visit.request);
    let tell = notify_user(context, subject, SecurityNotice::PasswordChanged, visit.now());
    let (cookies, ()) = futures::join!(stay_signed_in(visit), tell);
    let cookies = cookies?;
    notifications.send(context, visit.now()).await;
    let shown = visit.outcome(StatusCode::OK, AccountOutcome::PasswordChanged { unfinished: ended.unfinished })?;
    Ok(cookies.into_iter().fold(shown, |shown, cookie| shown.with(header::SET_COOKIE, &cookie)))
}

/// Ends the session of this browser and starts another one, which is not among those that the new password ends. Returns the cookies.
async fn stay_signed_in(visit: &Visit<'_>) -> Result<[String; 2], HandlerError> {
    let (context, now, before) = (visit.context, visit.now(), &visit.signed_in.session);
    let records = context.records.as_ref();
    // The list of the user's records may lag; this session must end in any case.
    sessions::end(records, visit.signed_in.id, now).await?;
    let authentication = AuthenticationContext { auth_time: users::reach(now), ..before.authentication.clone() };
    let group = SessionGroup::new(entropy::bytes()?);
    let session = Session { authentication, group, ..before.clone() };
    let id = sessions::new_id(&session.subject, entropy::bytes()?);
    sessions::create(records, id, &session, now.after(context.config.session_lifetime)).await?;
    let cookie = browser_sessions::session_cookie(context, id, now)?;
    Ok([cookie, visit.browser.renewed()?.cookie(context)])
}
