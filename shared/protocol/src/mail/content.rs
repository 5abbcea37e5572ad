//! The mails that wait in the outbox.

use crate::{AuthenticationMethod, EmailAddress};
use serde::{Deserialize, Serialize};
use std::time::Duration;
use types::{Jti, Subject, Timestamp};

/// A mail that waits to be sent. It holds no secret: the links are made when it is sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mail {
    /// Identifier, random. Each attempt to send the mail has the same one, by which a receiver recognizes a repetition.
    pub id: Jti,
    /// Time of the act that the mail is about.
    pub at: Timestamp,
    /// The language of the user's pages, as a tag (BCP 47), if the function knew it.
    pub language: Option<String>,
    /// Content.
    pub content: MailContent,
}

/// The content of a mail, and the rule by which its recipient is found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MailContent {
    /// A link by which the user chooses a new password. To the verified address of the user with this name or address, if there is one.
    PasswordReset {
        /// The user name or the address, as it was typed.
        identifier: String,
        /// True if anyone may have caused the mail: it counts for the quota of the address. False if the user reported an attack.
        is_counted: bool,
    },
    /// A link that proves that the user reads the mail of an address. To that address.
    AddressVerification {
        /// The user.
        subject: Subject,
        /// The address.
        address: EmailAddress,
    },
    /// The address of the user was changed. To the old address, with a link that undoes the change.
    AddressChanged {
        /// The user.
        subject: Subject,
        /// The address before the change.
        old: EmailAddress,
    },
    /// A notice about the security of the account. To the verified address of the user.
    Notice {
        /// The user.
        subject: Subject,
        /// The act.
        notice: SecurityNotice,
    },
}

/// An act about which a user receives a notice, because it may be that of an attacker.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SecurityNotice {
    /// The password was changed on the account page.
    PasswordChanged,
    /// A new password was chosen by the link of a mail.
    PasswordReset,
    /// The user signed in in a browser that this account was not used in before.
    NewBrowser {
        /// The kind of browser, in words of this server.
        browser: Option<String>,
    },
    /// A sign-in method was added.
    MethodAdded {
        /// The method.
        method: AuthenticationMethod,
    },
    /// A sign-in method was removed.
    MethodRemoved {
        /// The method.
        method: AuthenticationMethod,
    },
    /// A recovery code was used.
    RecoveryCodeUsed,
}

const HOUR: Duration = Duration::from_secs(3600);

impl MailContent {
    /// The lifetime of the link in a mail about a new password. A quota of mails to one account has windows of the same length, so
    /// that a link that works is in the mailbox whenever a request for another one is refused.
    pub const RESET_LINK: Duration = HOUR;

    /// The lifetime of the link that proves an address.
    pub const VERIFICATION_LINK: Duration = Duration::from_secs(24 * 3600);

    /// The lifetime of the links "this was not me" and "undo".
    pub const NOTICE_LINK: Duration = Duration::from_secs(7 * 86_400);

    /// Returns the time for which the mail is of use. A later one is dropped.
    pub const fn useful_for(&self) -> Duration {
        match self {
            Self::PasswordReset { .. } => HOUR,
            Self::AddressVerification { .. } => Self::VERIFICATION_LINK,
            Self::AddressChanged { .. } | Self::Notice { .. } => Duration::from_secs(2 * 86_400),
        }
    }

    /// Returns the name of the kind, for webhooks and the log.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::PasswordReset { .. } => "password_reset",
            Self::AddressVerification { .. } => "address_verification",
            Self::AddressChanged { .. } => "address_changed",
            Self::Notice { notice, .. } => notice.kind(),
        }
    }
}

impl SecurityNotice {
    const fn kind(&self) -> &'static str {
        match self {
            Self::PasswordChanged => "password_changed",
            Self::PasswordReset => "password_was_reset",
            Self::NewBrowser { .. } => "new_browser",
            Self::MethodAdded { .. } => "method_added",
            Self::MethodRemoved { .. } => "method_removed",
            Self::RecoveryCodeUsed => "recovery_code_used",
        }
    }
}

impl Mail {
    /// Returns the time after which the mail is dropped.
    pub fn useful_until(&self) -> Timestamp {
        self.at.after(self.content.useful_for())
    }
}
