//! Links in mails. They are sealed, so they travel without a record. A link leads to a page with a button, and acts by POST alone.

use crate::{Context, HandlerError};
use keys::Purpose;
use platform::entropy;
use protocol::{EmailAddress, Mac};
use serde::{Deserialize, Serialize};
use std::time::Duration;
use types::{Subject, Timestamp};

/// A link in a mail.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct MailLink {
    /// Identifier, random: 128 bits.
    pub id: String,
    /// Expiry.
    pub expires_at: Timestamp,
    /// The epoch of the deployment: after a restore of the store, the store may lack the use of a link.
    epoch: u16,
    /// The user.
    pub subject: Subject,
    /// The mark of the last revocation when the link was made.
    pub mark: Option<Timestamp>,
    /// The act.
    pub target: MailLinkTarget,
}

/// The act that a link is for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MailLinkTarget {
    /// Choose a new password. `address` is the one to which the link was sent: if the user has another one now, the link is over.
    PasswordReset {
        /// The address.
        address: EmailAddress,
    },
    /// Prove an address. `current` is the address of the user when the link was made: if the user has another one now, the link is over.
    AddressVerification {
        /// The address.
        address: EmailAddress,
        /// The address that it replaces.
        current: Option<EmailAddress>,
    },
    /// Restore the address from before a change.
    AddressChanged {
        /// Time of the change.
        at: Timestamp,
    },
    /// End all sessions and grants, and remove each passkey. `address` is the one to which the notice was sent.
    NotMe {
        /// The address.
        address: EmailAddress,
        /// Time of the act, if it set up an authenticator app: an app of this time is removed, too. An app of another time stays, or
        /// the mailbox alone would remove the second factor of its owner.
        added_app_at: Option<Timestamp>,
    },
}

impl MailLink {
    /// Returns a link for a user.
    pub fn new(
        context: &Context,
        subject: &Subject,
        mark: Option<Timestamp>,
        target: MailLinkTarget,
        lifetime: Duration,
        now: Timestamp,
    ) -> Result<Self, HandlerError> {
        let (id, expires_at, epoch) = (entropy::name()?, now.after(lifetime), context.secrets.epoch());
        Ok(Self { id, expires_at, epoch, subject: subject.clone(), mark, target })
    }

    /// Returns the URL of the page of this link. The host is that of the configured issuer.
    pub fn url(&self, context: &Context, path: &str) -> Result<String, HandlerError> {
        Ok(format!("{}{path}?link={}", context.config.issuer, self.seal(context)?))
    }

    /// Returns the link as it travels.
    pub fn seal(&self, context: &Context) -> Result<String, HandlerError> {
        let json = serde_json::to_vec(self).map_err(HandlerError::unavailable)?;
        context.secrets.seal(Purpose::Mail, &json).map_err(HandlerError::unavailable)
    }

    /// Opens a link; `None` if it is forged, expired, or of another epoch.
    pub fn open(context: &Context, sealed: &str, now: Timestamp) -> Option<Self> {
        let link: Self = types::json::decode(&context.secrets.open(Purpose::Mail, sealed)?).ok()?;
        (!link.expires_at.is_past(now) && link.epoch == context.secrets.epoch()).then_some(link)
    }
}
