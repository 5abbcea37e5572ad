//! The page of a passkey: its name, and its removal.

use crate::visit::Visit;
use http::StatusCode;
use latchkey_http::Response;
use pages::{AccountOutcome, AccountPasskey};
use protocol::mail::SecurityNotice;
use protocol::{AuthenticationMethod, CredentialId};
use provider::mail::notify_user;
use provider::{Actor, AuditEvent, HandlerError, responses};
use serde_json::json;
use storage::passkeys::{self, StoredPasskey};
use storage::users;

/// Path of the page.
pub(crate) const PATH: &str = "/account/passkey";

/// The form of the page.
const FORM: &str = "account-passkey";

/// The longest name, in characters.
const MAX_NAME: usize = 64;

/// Returns the path of the page of a passkey, with its query.
pub(crate) fn href(id: &CredentialId) -> String {
    format!("{PATH}?passkey={}", id.name())
}

/// Shows the page, or handles its form. Round trips: 2; then 1 for a new name, 2 for a removal and 2 for the note about the last passkey.
pub(crate) async fn respond(visit: &Visit<'_>) -> Result<Response, HandlerError> {
    let name = visit.parameters.value("passkey").unwrap_or_default();
    let mut of_user = visit.account().await?.passkeys;
    let position = of_user.iter().position(|stored| stored.passkey.credential_id.name() == name);
    let Some(position) = position else { return visit.not_there() };
    let stored = of_user.swap_remove(position);
    if !visit.is_post() {
        return show(visit, &stored, name);
    }
    visit.check_form(FORM, name)?;
    match visit.parameters.value("decision") {
        Some("remove") => remove(visit, &stored, of_user.is_empty()).await,
        _ => rename(visit, stored, name).await,
    }
}

fn show(visit: &Visit<'_>, stored: &StoredPasskey, name: &str) -> Result<Response, HandlerError> {
    let frame = visit.frame()?;
    let view = AccountPasskey {
        frame: &frame,
        name: &stored.usage.name,
        since: stored.passkey.created_at.as_secs(),
        used_on: stored.usage.last_used_on.map(|day| day.as_secs()),
        is_synchronised: stored.usage.backed_up,
        passkey: name,
        csrf: &visit.form_token(FORM, name),
    };
    Ok(responses::page(StatusCode::OK, pages::account_passkey(&view)))
}

async fn rename(visit: &Visit<'_>, stored: StoredPasskey, name: &str) -> Result<Response, HandlerError> {
    let typed = visit.parameters.value("name").unwrap_or_default();
    let new: String = typed.trim().chars().filter(|c| !c.is_control()).take(MAX_NAME).collect();
    if new.is_empty() {
        return show(visit, &stored, name);
    }
    match passkeys::rename(visit.context.records.as_ref(), stored, &new).await? {
        true => Ok(Response::see_other(&format!("{}{}", visit.context.config.issuer, crate::sign_in::PATH))),
        false => visit.not_there(),
    }
}

/// Removes the passkey. The last one stays if the user has no password: no way to sign in would be left.
async fn remove(visit: &Visit<'_>, stored: &StoredPasskey, is_last: bool) -> Result<Response, HandlerError> {
    let (records, subject) = (visit.context.records.as_ref(), visit.subject());
    if is_last {
        let Some(user) = visit.user().await? else { return visit.not_there() };
        if !users::note_passkey(records, &user.username, false).await? {
            return visit.outcome(StatusCode::CONFLICT, AccountOutcome::LastWayIn);
        }
    }
    passkeys::remove(records, stored).await?;
    AuditEvent::SignInMethodRemoved { subject, method: AuthenticationMethod::Passkey, actor: Actor::User }
        .record(visit.request);
    let notice = SecurityNotice::MethodRemoved { method: AuthenticationMethod::Passkey };
    notify_user(visit.context, subject, notice, visit.now()).await;
    let unknown = json!({ "rpId": stored.passkey.rp_id, "credentialId": stored.passkey.credential_id.encoded() });
    visit.outcome(StatusCode::OK, AccountOutcome::PasskeyRemoved { unknown: &unknown.to_string() })
}
