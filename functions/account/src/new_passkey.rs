//! The page on which the user makes a passkey: from the account page, or offered once after a sign-in with a password (WebAuthn §7.1).

use crate::sign_in;
use crate::visit::Visit;
use http::StatusCode;
use latchkey_http::Response;
use pages::{AccountOutcome, NewPasskey};
use platform::entropy;
use protocol::mail::SecurityNotice;
use protocol::{
    AuthenticationMethod, Ceremony, MAX_PASSKEYS, Passkey, PasskeyChallenge, PasskeyProblem, PasskeyRegistration,
    PasskeyUser, RelyingParty, UserHandle, creation_options,
};
use provider::mail::notify_user;
use provider::{AuditEvent, HandlerError, interactions, responses};
use storage::passkeys::{self, Registered};
use storage::{markers, users};
use types::ErrorCode;

/// Path of the page.
pub(crate) const PATH: &str = "/account/passkey/new";

/// The form of the page.
const FORM: &str = "account-passkey-new";

/// The name of this server in the dialogs of browsers.
const SERVICE: &str = "Latchkey";

/// Shows the page, or handles its form. Round trips: 2; then 4 for the form, one after the other, and the note in the credential.
pub(crate) async fn respond(visit: &Visit<'_>) -> Result<Response, HandlerError> {
    let Some(party) = &visit.context.config.passkeys else { return visit.not_there() };
    if !visit.is_post() {
        return show(visit, party, StatusCode::OK).await;
    }
    // The handle of a first passkey is in no record yet: the CSRF token of the form covers it.
    let sent = visit.parameters.value("handle").unwrap_or_default();
    visit.check_form(FORM, sent)?;
    let Some(handle) = UserHandle::from_name(sent) else { return visit.not_there() };
    match accept(visit, party, handle).await? {
        Ok(()) => match continued(visit) {
            Some(location) => Ok(Response::see_other(&location)),
            None => visit.outcome(StatusCode::OK, AccountOutcome::PasskeyAdded),
        },
        Err(problem) => {
            visit.request.log.error(ErrorCode::InvalidRequest.as_str(), &problem.to_string());
            show(visit, party, StatusCode::BAD_REQUEST).await
        }
    }
}

/// Returns the URL at which the request of the sign-in continues, if the page was offered after one.
fn continued(visit: &Visit<'_>) -> Option<String> {
    interactions::continued(visit.context, visit.parameters.value("continue")?)
}

async fn show(visit: &Visit<'_>, party: &RelyingParty, status: StatusCode) -> Result<Response, HandlerError> {
    let (context, now) = (visit.context, visit.now());
    let known: Vec<Passkey> = visit.account().await?.passkeys.into_iter().map(|stored| stored.passkey).collect();
    if known.len() >= MAX_PASSKEYS {
        return visit.not_there();
    }
    let handle = match known.first() {
        Some(passkey) => passkey.user_handle,
        None => passkeys::new_handle(visit.subject(), entropy::bytes()?),
    };
    let session = &visit.signed_in.session;
    let username = session.username.as_deref().unwrap_or(&session.name);
    let user = PasskeyUser { handle, username, name: &session.name };
    let challenge = PasskeyChallenge { id: entropy::bytes()?, expires_at: now.after(PasskeyChallenge::LIFETIME) };
    let sealed = challenge.seal(&context.secrets, Ceremony::Create, &visit.browser.id, &bound(visit, handle));
    let options = creation_options(party, SERVICE, &user, &sealed, &known);
    let back = continued(visit);
    let frame = visit.frame()?;
    let view = NewPasskey {
        frame: &frame,
        user: visit.signed_in.profile(),
        options: &options.to_string(),
        handle: &handle.name(),
        csrf: &visit.form_token(FORM, &handle.name()),
        interaction: visit.parameters.value("continue").filter(|_| back.is_some()),
        back: back.as_deref().unwrap_or(sign_in::PATH),
        has_failed: status.is_client_error(),
    };
    Ok(responses::page(status, pages::new_passkey(&view)))
}

/// Accepts the answer of the browser, and stores the passkey. The challenge is consumed before anything else.
async fn accept(
    visit: &Visit<'_>,
    party: &RelyingParty,
    handle: UserHandle,
) -> Result<Result<(), PasskeyProblem>, HandlerError> {
    let (context, now, subject) = (visit.context, visit.now(), visit.subject());
    let records = context.records.as_ref();
    let answer = match PasskeyRegistration::parse(visit.parameters.value("passkey").unwrap_or_default(), party) {
        Ok(answer) => answer,
        Err(problem) => return Ok(Err(problem)),
    };
    let bound = bound(visit, handle);
    let challenge = answer.challenge();
    let opened = PasskeyChallenge::open(&context.secrets, challenge, Ceremony::Create, &visit.browser.id, &bound, now);
    let Some(challenge) = opened else { return Ok(Err(PasskeyProblem::Challenge)) };
    let (name, expires_at, write_id) = (challenge.name(), challenge.expires_at, entropy::name()?);
    if !markers::use_once(records, "passkey-challenge", &name, expires_at, &write_id).await? {
        return Ok(Err(PasskeyProblem::Challenge));
    }
    let Some(user) = visit.user().await? else { return Ok(Err(PasskeyProblem::Credential)) };
    let (passkey, usage) = answer.accept(handle, visit.signed_in.session.browser.as_deref(), now);
    match passkeys::register(records, subject, &passkey, &usage, &write_id).await? {
        Registered::Stored => {}
        Registered::Taken => return Ok(Err(PasskeyProblem::Credential)),
    }
    users::note_passkey(records, &user.username, true).await?;
    AuditEvent::SignInMethodAdded { subject, method: AuthenticationMethod::Passkey }.record(visit.request);
    let notice = SecurityNotice::MethodAdded { method: AuthenticationMethod::Passkey };
    notify_user(context, subject, notice, now).await;
    Ok(Ok(()))
}

/// Returns the user to whom the challenge is bound.
fn bound(visit: &Visit<'_>, handle: UserHandle) -> String {
    format!("{} {}", visit.subject().as_str(), handle.name())
}
