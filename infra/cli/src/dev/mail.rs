//! The senders of the local server: the page `/dev/mail`, which keeps the latest mails in memory, and an SMTP server.

use crate::dev::pages::frame;
use crate::failure::Failure;
use async_trait::async_trait;
use http::{Method, StatusCode, header};
use latchkey_http::{Request, Response};
use lettre::message::{Mailbox as Party, MultiPart};
use lettre::{Address, AsyncSmtpTransport, AsyncTransport, Message as SmtpMessage, Tokio1Executor};
use protocol::mail::{Message, SenderKind};
use provider::mail::LocalSender;
use provider::{Config, responses};
use serde_json::{Value, json};
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

/// Path of the page.
pub(crate) const PATH: &str = "/dev/mail";

/// The setting with the URL of the SMTP server.
const SMTP: &str = "LATCHKEY_MAIL_SMTP";

/// The mails that the page keeps.
const MOST: usize = 100;

/// The latest mails, the latest first.
#[derive(Default)]
pub(crate) struct Mailbox(Mutex<VecDeque<Message>>);

#[async_trait]
impl LocalSender for Mailbox {
    async fn send(&self, message: &Message) -> Result<(), String> {
        let mut mails = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        mails.push_front(message.clone());
        mails.truncate(MOST);
        Ok(())
    }
}

impl Mailbox {
    /// Returns the page: HTML for a browser, JSON for a program.
    pub(crate) fn respond(&self, request: &Request) -> Response {
        if !matches!(request.method, Method::GET | Method::HEAD) {
            return Response::new(StatusCode::METHOD_NOT_ALLOWED).with(header::ALLOW, "GET, HEAD");
        }
        let mails = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let response = match (request.prefers_html(), frame()) {
            (true, Ok(frame)) => {
                let lines: Vec<_> = mails
                    .iter()
                    .map(|mail| pages::SentMail {
                        to: mail.to.as_str(),
                        subject: mail.body.subject.as_str(),
                        text: &mail.body.text,
                    })
                    .collect();
                responses::page(StatusCode::OK, pages::mailbox(&pages::Mailbox { frame: &frame, mails: &lines }))
            }
            _ => Response::json(StatusCode::OK, &mails.iter().map(document).collect::<Vec<Value>>()),
        };
        // The mails have links that act for users.
        response
            .with(header::CACHE_CONTROL, "no-store")
            .with(header::X_CONTENT_TYPE_OPTIONS, "nosniff")
            .with(header::REFERRER_POLICY, "no-referrer")
    }
}

fn document(mail: &Message) -> Value {
    let (subject, text, html) = (mail.body.subject.as_str(), &mail.body.text, &mail.body.html);
    json!({ "id": mail.id, "kind": mail.kind, "to": mail.to, "subject": subject, "text": text, "html": html })
}

/// An SMTP server.
struct Smtp(AsyncSmtpTransport<Tokio1Executor>);

#[async_trait]
impl LocalSender for Smtp {
    async fn send(&self, message: &Message) -> Result<(), String> {
        let address = |text: &str| text.parse::<Address>().map_err(|error| error.to_string());
        let from = Party::new(Some(message.name.as_str().to_owned()), address(message.from.as_str())?);
        let to = Party::new(None, address(message.to.as_str())?);
        let body = MultiPart::alternative_plain_html(message.body.text.clone(), message.body.html.clone());
        let mail = SmtpMessage::builder().from(from).to(to).subject(message.body.subject.as_str());
        let mail = mail.multipart(body).map_err(|error| error.to_string())?;
        self.0.send(mail).await.map(drop).map_err(|error| format!("SMTP: {error}"))
    }
}

/// Returns the sender that the settings name, if it is one of the local server, and the mailbox, if it is that. Errors: a setting is
/// missing or wrong, or the sender needs another platform.
#[expect(clippy::type_complexity, reason = "the mailbox is the sender and has a page, too")]
pub(crate) fn sender(
    config: &Config,
    lookup: &dyn Fn(&str) -> Option<String>,
) -> Result<(Option<Arc<dyn LocalSender>>, Option<Arc<Mailbox>>), Failure> {
    let Some(policy) = &config.mail else { return Ok((None, None)) };
    match policy.sender {
        SenderKind::Mailbox => {
            let mailbox = Arc::<Mailbox>::default();
            Ok((Some(Arc::<Mailbox>::clone(&mailbox)), Some(mailbox)))
        }
        SenderKind::Smtp => {
            let remedy = "Set it to the URL of an SMTP server, such as smtps://user:password@smtp.example.com:465.";
            let Some(url) = lookup(SMTP) else {
                return Err(Failure::new(format!("{SMTP} is not set, but LATCHKEY_MAIL is smtp.")).remedy(remedy));
            };
            // The error may show the password of the URL.
            let transport = AsyncSmtpTransport::<Tokio1Executor>::from_url(&url)
                .map_err(|_| Failure::new(format!("{SMTP} is not the URL of an SMTP server.")).remedy(remedy))?;
            Ok((Some(Arc::new(Smtp(transport.build()))), None))
        }
        SenderKind::Webhook => Ok((None, None)),
        SenderKind::Ses | SenderKind::Cloudflare => {
            let word = policy.sender.as_str();
            Err(Failure::new(format!("LATCHKEY_MAIL is {word}, which the local server lacks."))
                .remedy("Set it to mailbox, smtp, webhook or none."))
        }
    }
}
