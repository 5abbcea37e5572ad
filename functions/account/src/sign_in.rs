//! The list of the ways in which the user signs in.

use crate::passkey;
use crate::visit::Visit;
use http::StatusCode;
use latchkey_http::Response;
use pages::{PasskeyLine, SignInMethods};
use protocol::MAX_PASSKEYS;
use provider::{HandlerError, responses};

/// Path of the page.
pub(crate) const PATH: &str = "/account/sign-in";

/// Shows the list. Round trips: 2.
pub(crate) async fn respond(visit: &Visit<'_>) -> Result<Response, HandlerError> {
    let account = visit.account().await?;
    let lines: Vec<PasskeyLine<'_>> = account
        .passkeys
        .iter()
        .map(|stored| PasskeyLine {
            name: &stored.usage.name,
            href: passkey::href(&stored.passkey.credential_id),
            since: stored.passkey.created_at.as_secs(),
            used_on: stored.usage.last_used_on.map(|day| day.as_secs()),
        })
        .collect();
    let is_offered = visit.context.config.passkeys.is_some();
    let frame = visit.frame()?;
    let view = SignInMethods {
        frame: &frame,
        user: visit.signed_in.profile(),
        passkeys: (is_offered || !lines.is_empty()).then_some(&lines),
        recovery_codes_left: account.second_factor.as_ref().map(|factor| factor.recovery_codes.len()),
        may_add_passkey: is_offered && lines.len() < MAX_PASSKEYS,
    };
    Ok(responses::page(StatusCode::OK, pages::sign_in_methods(&view)))
}
