//! Amazon SES.

use aws_sdk_sesv2::Client;
use aws_sdk_sesv2::config::retry::RetryConfig;
use aws_sdk_sesv2::config::timeout::TimeoutConfig;
use aws_sdk_sesv2::config::{
    BehaviorVersion, Config, Credentials, IdentityCache, Region, StalledStreamProtectionConfig,
};
use aws_sdk_sesv2::error::DisplayErrorContext;
use aws_sdk_sesv2::types::{Body, Content, Destination, EmailContent, Message as SesMessage, MessageHeader};
use protocol::mail::Message;
use std::sync::OnceLock;
use std::time::Duration;
use storage_dynamodb::Connection;

/// The client of this instance.
pub(crate) struct Ses(Client);

static SES: OnceLock<Ses> = OnceLock::new();

impl Ses {
    /// Returns the client, with region and credentials of the environment. Errors: what is missing.
    pub(super) fn of_environment() -> Result<&'static Self, String> {
        if let Some(ses) = SES.get() {
            return Ok(ses);
        }
        let lookup = |name: &str| std::env::var(name).ok();
        let endpoint = lookup("AWS_ENDPOINT_URL_SESV2").filter(|url| !url.is_empty());
        let environment = Connection::from_env(lookup).map_err(|wrong| wrong.join("; "))?;
        let connection = Connection { endpoint, ..environment };
        let Connection { access_key_id, secret_access_key, session_token, .. } = connection.clone();
        let credentials = Credentials::new(access_key_id, secret_access_key, session_token, None, "environment");
        let timeouts = TimeoutConfig::builder()
            .connect_timeout(Duration::from_secs(2))
            .operation_timeout(Duration::from_secs(10))
            .build();
        let mut config = Config::builder()
            .behavior_version(BehaviorVersion::v2026_01_12())
            .region(Region::new(connection.region.clone()))
            .credentials_provider(credentials)
            .identity_cache(IdentityCache::no_cache())
            .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
            .timeout_config(timeouts)
            // The outbox repeats what fails. A repetition here could send twice.
            .retry_config(RetryConfig::disabled())
            .http_client(connection.http_client()?);
        config.set_endpoint_url(connection.endpoint);
        Ok(SES.get_or_init(|| Self(Client::from_conf(config.build()))))
    }

    /// Sends a message. Errors: the reason to try again.
    pub(super) async fn send(&self, message: &Message) -> Result<(), String> {
        let utf8 = |text: &str| Content::builder().data(text).charset("UTF-8").build();
        let header = |name: &str, value: &str| MessageHeader::builder().name(name).value(value).build();
        let built = |error: aws_sdk_sesv2::error::BuildError| error.to_string();
        let body = Body::builder()
            .text(utf8(&message.body.text).map_err(built)?)
            .html(utf8(&message.body.html).map_err(built)?)
            .build();
        let simple = SesMessage::builder()
            .subject(utf8(message.body.subject.as_str()).map_err(built)?)
            .body(body)
            // RFC 3834 §5: no out-of-office reply answers it.
            .headers(header("Auto-Submitted", "auto-generated").map_err(built)?)
            .build();
        let from = format!("{} <{}>", encoded_word(message.name.as_str()), message.from.as_str());
        self.0
            .send_email()
            .from_email_address(from)
            .destination(Destination::builder().to_addresses(message.to.as_str()).build())
            .content(EmailContent::builder().simple(simple).build())
            .send()
            .await
            .map(drop)
            .map_err(|error| format!("SES: {}", DisplayErrorContext(error)))
    }
}

/// Returns a display name as a quoted string, or as encoded words if it is not ASCII (RFC 5322 §3.2.4, RFC 2047 §2). The rules for the
/// name exclude the quotation mark.
fn encoded_word(name: &str) -> String {
    use base64::Engine;
    if name.is_ascii() {
        return format!("\"{}\"", name.replace('\\', "\\\\"));
    }
    // An encoded word has at most 75 characters.
    let mut words = Vec::new();
    let mut part = String::new();
    for character in name.chars() {
        if part.len().saturating_add(character.len_utf8()) > 42 {
            words.push(std::mem::take(&mut part));
        }
        part.push(character);
    }
    words.push(part);
    let encode = |part: &String| format!("=?UTF-8?B?{}?=", base64::engine::general_purpose::STANDARD.encode(part));
    words.iter().map(encode).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::encoded_word;

    #[test]
    fn a_name_is_a_quoted_string_or_encoded_words() {
        assert_eq!(encoded_word("Example, Inc"), "\"Example, Inc\"");
        assert_eq!(encoded_word("Zürich"), "=?UTF-8?B?WsO8cmljaA==?=");
        let long = encoded_word(&"銀".repeat(80));
        assert!(long.split(' ').count() > 1 && long.split(' ').all(|word| word.len() <= 75), "{long}");
    }
}
