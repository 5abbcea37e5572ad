//! Mails to users: their kinds, what may become a header field, and the times of the attempts to send one.
//!
//! A function that has something to say writes a [`Mail`] into the outbox and answers its request. The function `mail` alone
//! finds the user and the address, makes the links, and sends a [`Message`]. So neither the time nor the text of an answer
//! tells whether an address exists.

mod attempts;
mod content;
mod message;
mod sender;

pub use attempts::next_attempt;
pub use content::{Mail, MailContent, SecurityNotice};
pub use message::{HeaderText, MailBody, Message};
pub use sender::SenderKind;
