//! The page of the authenticator app, which gives the second factor after a password (RFC 6238).

use crate::recovery_codes;
use crate::visit::Visit;
use http::StatusCode;
use latchkey_http::Response;
use pages::{AccountOutcome, AuthenticatorApp, AuthenticatorSetup, RecoveryCodes};
use platform::entropy;
use protocol::mail::SecurityNotice;
use protocol::{AuthenticationMethod, TotpSecret};
use provider::mail::notify_user;
use provider::{Actor, AuditEvent, HandlerError, responses, second_factor as sealed};
use qrcode::QrCode;
use qrcode::render::svg;
use storage::second_factor::{self, SecondFactor};
use storage::users;

/// Path of the page.
pub(crate) const PATH: &str = "/account/authenticator";

/// The form of the page.
const FORM: &str = "account-authenticator";

/// The name of this server in the app.
const SERVICE: &str = "Latchkey";

/// Shows the page, or handles its form. Round trips: 2; then 4 for a new app, or 3 for its removal, after the user is read.
pub(crate) async fn respond(visit: &Visit<'_>) -> Result<Response, HandlerError> {
    let present = visit.account().await?.second_factor;
    match (present, visit.is_post(), visit.parameters.value("decision")) {
        (_, true, Some("remove")) => remove(visit).await,
        (Some(present), _, _) => show(visit, &present),
        (None, true, _) => set_up(visit).await,
        (None, false, _) => offer(visit, StatusCode::OK, &TotpSecret::new(entropy::bytes()?)),
    }
}

/// Shows the app that is set up.
fn show(visit: &Visit<'_>, present: &SecondFactor) -> Result<Response, HandlerError> {
    let frame = visit.frame()?;
    let view = AuthenticatorApp {
        frame: &frame,
        since: present.created_at.as_secs(),
        codes_left: present.recovery_codes.len(),
        csrf: &visit.form_token(FORM, PATH),
    };
    Ok(responses::page(StatusCode::OK, pages::authenticator_app(&view)))
}

/// Shows a secret, for the user's app. It travels sealed, so nothing is stored before the first code proves that the app has it.
fn offer(visit: &Visit<'_>, status: StatusCode, secret: &TotpSecret) -> Result<Response, HandlerError> {
    let frame = visit.frame()?;
    let sealed = sealed::seal(visit.context, visit.subject(), secret)?;
    let session = &visit.signed_in.session;
    let uri = secret.uri(SERVICE, session.username.as_deref().unwrap_or(&session.name));
    let code = QrCode::new(&uri).map_err(HandlerError::unavailable)?;
    let picture = code.render::<svg::Color<'_>>().min_dimensions(200, 200).build();
    let view = AuthenticatorSetup {
        frame: &frame,
        user: visit.signed_in.profile(),
        picture: picture.find("<svg").and_then(|start| picture.get(start..)).unwrap_or_default(),
        uri: &uri,
        secret: &secret.base32(),
        sealed: &sealed,
        csrf: &visit.form_token(FORM, &sealed),
        has_failed: status.is_client_error(),
    };
    Ok(responses::page(status, pages::authenticator_setup(&view)))
}

/// Stores the secret once the user has typed a code of it, and shows the recovery codes.
async fn set_up(visit: &Visit<'_>) -> Result<Response, HandlerError> {
    let (context, subject) = (visit.context, visit.subject());
    let sent = visit.parameters.value("secret").unwrap_or_default();
    visit.check_form(FORM, sent)?;
    let Some(secret) = sealed::open(context, subject, sent) else { return visit.not_there() };
    let typed = visit.parameters.value("one_time_code").unwrap_or_default();
    let Some(step) = secret.verify(typed, None, visit.now()) else {
        return offer(visit, StatusCode::BAD_REQUEST, &secret);
    };
    let Some(user) = visit.user().await? else { return visit.not_there() };
    let (codes, macs) = recovery_codes::new_set(visit)?;
    let factor = SecondFactor {
        secret: sent.to_owned(),
        last_step: step.number(),
        created_at: visit.now(),
        recovery_codes: macs,
    };
    let records = context.records.as_ref();
    // The record comes first: a credential that asks for a second factor has one.
    second_factor::save(records, subject, &factor).await?;
    if !users::note_second_factor(records, &user.username, true).await? {
        second_factor::remove(records, subject).await?;
        return visit.outcome(StatusCode::CONFLICT, AccountOutcome::NoPassword);
    }
    AuditEvent::SignInMethodAdded { subject, method: AuthenticationMethod::Totp }.record(visit.request);
    // The link of the notice removes an app of this time.
    let notice = SecurityNotice::MethodAdded { method: AuthenticationMethod::Totp };
    notify_user(context, subject, notice, factor.created_at).await;
    let frame = visit.frame()?;
    let view = RecoveryCodes { frame: &frame, codes: &codes, is_setup: true };
    Ok(responses::page(StatusCode::OK, pages::recovery_codes(&view)))
}

/// Removes the app with its recovery codes: the password alone suffices again.
async fn remove(visit: &Visit<'_>) -> Result<Response, HandlerError> {
    visit.check_form(FORM, PATH)?;
    let (records, subject) = (visit.context.records.as_ref(), visit.subject());
    let Some(user) = visit.user().await? else { return visit.not_there() };
    users::note_second_factor(records, &user.username, false).await?;
    second_factor::remove(records, subject).await?;
    AuditEvent::SignInMethodRemoved { subject, method: AuthenticationMethod::Totp, actor: Actor::User }
        .record(visit.request);
    let notice = SecurityNotice::MethodRemoved { method: AuthenticationMethod::Totp };
    notify_user(visit.context, subject, notice, visit.now()).await;
    visit.outcome(StatusCode::OK, AccountOutcome::AuthenticatorRemoved)
}
