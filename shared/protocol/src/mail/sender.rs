//! The senders of mails.

/// A sender of mails. Each platform has some of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SenderKind {
    /// Amazon SES, on AWS Lambda.
    Ses,
    /// The binding `send_email` of Cloudflare's Email Service, on Workers.
    Cloudflare,
    /// An HTTP service of the operator, on each platform.
    Webhook,
    /// An SMTP server, for the local server.
    Smtp,
    /// The page `/dev/mail` of the local server, which sends nothing.
    Mailbox,
}

impl SenderKind {
    /// Every sender.
    pub const ALL: [Self; 5] = [Self::Ses, Self::Cloudflare, Self::Webhook, Self::Smtp, Self::Mailbox];

    /// Returns the word of the setting.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ses => "ses",
            Self::Cloudflare => "cloudflare",
            Self::Webhook => "webhook",
            Self::Smtp => "smtp",
            Self::Mailbox => "mailbox",
        }
    }

    /// Returns the sender with this word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|sender| sender.as_str() == word)
    }
}
