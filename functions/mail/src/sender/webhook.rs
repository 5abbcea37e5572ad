//! A service of the operator: each mail is posted as JSON, signed with a shared key.
//!
//! The header field `Latchkey-Signature` is `t=SECONDS,v1=HEX`: HMAC-SHA-256 under the shared key over `SECONDS`, a full stop and the body.
//! A receiver refuses a signature that is older than five minutes, and knows a repetition by the member `id`.

use hmac::{Hmac, KeyInit, Mac};
use platform::clock;
use protocol::mail::Message;
use provider::Context;
use provider::mail::MailWebhook;
use serde_json::json;
use sha2::Sha256;

/// The header field of the signature.
const FIELD: &str = "latchkey-signature";

/// Posts a message. Errors: the service does not answer, or not with 2xx.
pub(super) async fn send(webhook: &MailWebhook, message: &Message, context: &Context) -> Result<(), String> {
    let body = json!({
        "id": message.id,
        "kind": message.kind,
        "from": message.from,
        "from_name": message.name.as_str(),
        "to": message.to,
        "subject": message.body.subject.as_str(),
        "text": message.body.text,
        "html": message.body.html,
    });
    let body = body.to_string();
    // The service compares the time with its own clock.
    let signature = sign(&webhook.secret, clock::now().as_secs(), &body)?;
    let answer = context.fetch.post_json_with(&webhook.url, (FIELD, signature), body).await;
    let status = answer.map_err(|error| error.to_string())?.status;
    if status.is_success() { Ok(()) } else { Err(format!("the service answered {status}")) }
}

fn sign(secret: &str, seconds: u64, body: &str) -> Result<String, String> {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).map_err(|error| error.to_string())?;
    mac.update(format!("{seconds}.{body}").as_bytes());
    let tag: String = mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
    Ok(format!("t={seconds},v1={tag}"))
}

#[cfg(test)]
mod tests {
    /// Computed with `openssl dgst -sha256 -hmac`.
    #[test]
    fn the_signature_covers_time_and_body() {
        let signature = super::sign("0123456789abcdef0123456789abcdef", 1_800_000_000, "{}").unwrap();
        assert_eq!(signature, "t=1800000000,v1=a8471f58daa469f8073cbebd823830f85e8942f4bbc0acd2ef47c28edc8c488e");
        assert_ne!(super::sign("0123456789abcdef0123456789abcdef", 1_800_000_001, "{}").unwrap(), signature);
    }
}
