//! Mails to users: functions write them into the outbox; the function `mail` alone sends them.

mod link;
mod policy;

use crate::{Context, HandlerError};
use async_trait::async_trait;
use platform::entropy;
use protocol::mail::{Mail, MailContent, Message, SecurityNotice};
use std::sync::{Mutex, PoisonError};
use storage::outbox;
use types::{Jti, Subject, Timestamp};

pub use link::{MailLink, MailLinkTarget};
pub use policy::{MailPolicy, MailWebhook};

/// A sender that the local server brings along.
#[async_trait]
pub trait LocalSender: Send + Sync {
    /// Sends a message. Errors: the reason to try again.
    async fn send(&self, message: &Message) -> Result<(), String>;
}

/// The mails that this instance wrote and did not hand to the sender yet: the keys of their records.
#[derive(Default)]
pub struct WrittenMails(Mutex<Vec<String>>);

impl WrittenMails {
    /// Returns the keys, and forgets them.
    pub fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn add(&self, key: String) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(key);
    }
}

/// Puts a mail into the outbox. The platform lets the sender run after the response. Without a sender, nothing is written. Round
/// trips: 1.
pub async fn put(context: &Context, content: MailContent, now: Timestamp) -> Result<(), HandlerError> {
    if context.config.mail.is_none() {
        return Ok(());
    }
    let mail = Mail { id: Jti::from_random(entropy::bytes()?), at: now, language: None, content };
    outbox::put(context.records.as_ref(), &mail, &entropy::name()?).await?;
    context.written_mails.add(outbox::key_of(&mail.id));
    Ok(())
}

/// Tells a user about an act that may be that of an attacker. A failure does not fail the request: the act has happened. Round trips: 1; 0
/// where no sender is configured.
pub async fn notify_user(context: &Context, subject: &Subject, notice: SecurityNotice, now: Timestamp) {
    let content = MailContent::Notice { subject: subject.clone(), notice };
    if let Err(error) = put(context, content, now).await {
        (context.log)(&format!("a security notice was not written: {error}"));
    }
}
