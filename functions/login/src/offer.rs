//! The offer of a passkey: once in a browser, after a sign-in with a password.

use http::header;
use latchkey_http::Response;
use protocol::{AuthenticationMethod, Interaction};
use provider::{Context, HandlerError, InteractionPage, cookies, interactions};
use std::time::Duration;

/// Time in which a browser gets one offer: a year.
const INTERVAL: Duration = Duration::from_secs(365 * 86_400);

/// The field in which the script of the page says that the device can verify the user.
const FIELD: &str = "platform_authenticator";

/// True if the user is offered a passkey: the device can hold one, the user has none, and the browser had no offer.
pub(crate) fn is_due(page: &InteractionPage<'_>, method: AuthenticationMethod, has_passkey: bool) -> bool {
    let offered = cookies::wire_name(&page.context.config, cookies::PASSKEY_OFFERED);
    method == AuthenticationMethod::Password
        && !has_passkey
        && page.context.config.passkeys.is_some()
        && page.parameters.value(FIELD) == Some("yes")
        && page.request.cookie(&offered).is_none()
}

/// Redirects to the page that makes a passkey, from which the request continues.
pub(crate) fn show(context: &Context, interaction: &Interaction) -> Result<Response, HandlerError> {
    let sealed = interactions::seal(context, &interaction.travelling())?;
    let location = format!("{}/account/passkey/new?continue={sealed}", context.config.issuer);
    let cookie = cookies::set(&context.config, cookies::PASSKEY_OFFERED, "1", Some(INTERVAL));
    Ok(Response::see_other(&location).with(header::SET_COOKIE, &cookie))
}
