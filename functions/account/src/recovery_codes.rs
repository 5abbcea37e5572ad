//! New recovery codes: they are shown once, and replace the earlier ones.

use crate::visit::Visit;
use http::StatusCode;
use latchkey_http::Response;
use pages::{NewRecoveryCodes, RecoveryCodes};
use platform::entropy;
use protocol::mail::SecurityNotice;
use protocol::{AuthenticationMethod, RecoveryCode};
use provider::mail::notify_user;
use provider::{AuditEvent, HandlerError, responses, second_factor as sealed};
use storage::second_factor;

/// Path of the page.
pub(crate) const PATH: &str = "/account/recovery-codes";

/// The form of the page.
const FORM: &str = "account-recovery-codes";

/// Shows the page, or handles its form. Round trips: 2; then 2 for the form.
pub(crate) async fn respond(visit: &Visit<'_>) -> Result<Response, HandlerError> {
    let Some(present) = visit.account().await?.second_factor else { return visit.not_there() };
    let frame = visit.frame()?;
    if !visit.is_post() {
        let csrf = visit.form_token(FORM, PATH);
        let view = NewRecoveryCodes { frame: &frame, left: present.recovery_codes.len(), csrf: &csrf };
        return Ok(responses::page(StatusCode::OK, pages::new_recovery_codes(&view)));
    }
    visit.check_form(FORM, PATH)?;
    let (subject, (codes, macs)) = (visit.subject(), new_set(visit)?);
    if !second_factor::replace_codes(visit.context.records.as_ref(), subject, &macs).await? {
        return visit.not_there();
    }
    AuditEvent::SignInMethodAdded { subject, method: AuthenticationMethod::RecoveryCode }.record(visit.request);
    let notice = SecurityNotice::MethodAdded { method: AuthenticationMethod::RecoveryCode };
    notify_user(visit.context, subject, notice, visit.now()).await;
    let view = RecoveryCodes { frame: &frame, codes: &codes, is_setup: false };
    Ok(responses::page(StatusCode::OK, pages::recovery_codes(&view)))
}

/// Makes a set of codes. Returns them as a page shows them, and their MACs.
pub(crate) fn new_set(visit: &Visit<'_>) -> Result<(Vec<String>, Vec<String>), HandlerError> {
    let mut set = (Vec::new(), Vec::new());
    for _ in 0..RecoveryCode::SET {
        let code = RecoveryCode::new(entropy::bytes()?);
        set.0.push(code.shown());
        set.1.push(sealed::recovery_mac(visit.context, visit.subject(), &code));
    }
    Ok(set)
}
