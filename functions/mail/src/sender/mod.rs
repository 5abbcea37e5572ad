//! The senders: one file for each. A sender exists on its platform alone.

#[cfg(target_arch = "wasm32")]
mod cloudflare;
#[cfg(all(not(target_arch = "wasm32"), feature = "lambda"))]
mod ses;
mod webhook;

use protocol::mail::{Message, SenderKind};
use provider::mail::{LocalSender, MailWebhook};
use provider::{Context, HandlerError};

#[cfg(target_arch = "wasm32")]
pub(crate) use cloudflare::bind;

/// The sender of this deployment.
pub(crate) enum Sender<'a> {
    /// Amazon SES.
    #[cfg(all(not(target_arch = "wasm32"), feature = "lambda"))]
    Ses(&'static ses::Ses),
    /// Cloudflare's Email Service.
    #[cfg(target_arch = "wasm32")]
    Cloudflare,
    /// A service of the operator.
    Webhook(&'a MailWebhook),
    /// A sender of the local server: an SMTP server, or the page `/dev/mail`.
    Local(&'a dyn LocalSender),
}

impl<'a> Sender<'a> {
    /// Returns the sender; `None` if the deployment sends no mails. Errors: this platform lacks the sender, or a setting is missing.
    pub(crate) fn of(context: &'a Context) -> Result<Option<Self>, HandlerError> {
        let Some(policy) = &context.config.mail else { return Ok(None) };
        let lacks =
            |remedy: &str| HandlerError::unavailable(format!("LATCHKEY_MAIL is {}: {remedy}", policy.sender.as_str()));
        Ok(Some(match policy.sender {
            #[cfg(all(not(target_arch = "wasm32"), feature = "lambda"))]
            SenderKind::Ses => Self::Ses(ses::Ses::of_environment().map_err(|reason| lacks(&reason))?),
            #[cfg(not(all(not(target_arch = "wasm32"), feature = "lambda")))]
            SenderKind::Ses => return Err(lacks("only Lambda functions have this sender")),
            #[cfg(target_arch = "wasm32")]
            SenderKind::Cloudflare => Self::Cloudflare,
            #[cfg(not(target_arch = "wasm32"))]
            SenderKind::Cloudflare => return Err(lacks("only Workers have this sender")),
            SenderKind::Webhook => {
                Self::Webhook(policy.webhook.as_ref().ok_or_else(|| lacks("LATCHKEY_MAIL_WEBHOOK is not set"))?)
            }
            SenderKind::Smtp | SenderKind::Mailbox => {
                let local = context.local_sender.as_deref();
                Self::Local(local.ok_or_else(|| lacks("only the local server has this sender"))?)
            }
        }))
    }

    /// Sends a message. Errors: the reason to try again.
    pub(crate) async fn send(&self, message: &Message, context: &Context) -> Result<(), String> {
        match self {
            #[cfg(all(not(target_arch = "wasm32"), feature = "lambda"))]
            Self::Ses(ses) => ses.send(message).await,
            #[cfg(target_arch = "wasm32")]
            Self::Cloudflare => cloudflare::send(message).await,
            Self::Webhook(webhook) => webhook::send(webhook, message, context).await,
            Self::Local(local) => local.send(message).await,
        }
    }
}
