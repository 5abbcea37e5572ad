//! The settings of mail.

use protocol::EmailAddress;
use protocol::mail::{HeaderText, SenderKind};
use std::fmt;

/// The sender of mails and the fields that it needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MailPolicy {
    /// The sender.
    pub sender: SenderKind,
    /// The address of the server.
    pub from: EmailAddress,
    /// The name of the product.
    pub name: HeaderText,
    /// The service of the operator, which only the function `mail` knows.
    pub webhook: Option<MailWebhook>,
}

impl MailPolicy {
    /// The longest name of the product, in characters: it stands in the subject, after other words.
    const MAX_NAME: usize = 80;

    /// The rule for the name.
    pub const NAME_RULE: &str =
        "must have 1 to 80 characters and none of < > \" : / @, no line break and no other control character";

    /// Returns the name if none is configured: the host of the issuer. An IPv6 address has colons, which a name may not have.
    pub fn default_name(issuer: &str) -> &str {
        let authority = issuer.split_once("://").map_or(issuer, |(_, authority)| authority);
        match authority.starts_with('[') {
            true => "localhost",
            false => authority.split_once(':').map_or(authority, |(host, _)| host),
        }
    }

    /// True if a name may be that of the product, in the subject of a mail and as its sender.
    pub fn is_name(name: &HeaderText) -> bool {
        let name = name.as_str();
        name.chars().count() <= Self::MAX_NAME && !name.contains(['<', '>', '"', ':', '/', '@'])
    }
}

/// A service of the operator that sends mails.
#[derive(Clone, PartialEq, Eq)]
pub struct MailWebhook {
    /// Its URL.
    pub url: String,
    /// The key of the signatures.
    pub secret: String,
}

impl MailWebhook {
    /// The shortest secret, in characters.
    pub const MIN_SECRET: usize = 32;
}

impl fmt::Debug for MailWebhook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MailWebhook").field("url", &self.url).finish_non_exhaustive()
    }
}
