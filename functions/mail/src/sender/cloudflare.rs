//! The binding `send_email` of Cloudflare's Email Service.

use protocol::mail::Message;
use std::sync::OnceLock;
use worker::send::{SendFuture, SendWrapper};
use worker::{EmailAddress, Env, SendEmail, SendEmailBuilder};

/// The name of the binding.
const BINDING: &str = "EMAIL";

/// The first call binds it for the life of the isolate.
static EMAIL: OnceLock<SendWrapper<SendEmail>> = OnceLock::new();

/// Remembers the binding, if there is one and none is remembered.
pub(crate) fn bind(env: &Env) {
    if EMAIL.get().is_none()
        && let Ok(binding) = env.send_email(BINDING)
    {
        // No other request runs between the two lines.
        let _ = EMAIL.set(SendWrapper::new(binding));
    }
}

/// Sends a message. Errors: the reason to try again.
pub(super) async fn send(message: &Message) -> Result<(), String> {
    let Some(binding) = EMAIL.get() else { return Err(format!("there is no binding {BINDING} of send_email")) };
    let from = EmailAddress::new(message.name.as_str(), message.from.as_str());
    let mail =
        SendEmailBuilder::new_with_email_address_and_str(&from, message.to.as_str(), message.body.subject.as_str());
    mail.set_text(&message.body.text);
    mail.set_html(&message.body.html);
    let sent = SendFuture::new(async { binding.send_with_builder(&mail).await.map(drop) });
    sent.await.map_err(|error| format!("Cloudflare: {error:?}"))
}
