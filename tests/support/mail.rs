//! The mails that the server under test sends: its webhook is an HTTP server of the test process.

use crate::{Answer, Host};
use hmac::{Hmac, KeyInit, Mac};
use serde_json::Value;
use sha2::Sha256;
use std::sync::OnceLock;

/// Path of the webhook.
const PATH: &str = "/mail";

/// A mail.
#[derive(Clone, Debug)]
pub struct Mail {
    /// The document that the webhook received.
    pub document: Value,
}

impl Mail {
    /// Returns a member of the document.
    pub fn text(&self, member: &str) -> &str {
        self.document[member].as_str().unwrap_or_default()
    }

    /// Returns the link in the plain text. Fails if the HTML has another one.
    #[track_caller]
    pub fn link(&self) -> String {
        let link = self.text("text").lines().find(|line| line.contains("?link=")).expect("a link").to_owned();
        assert!(self.text("html").contains(&format!("href=\"{link}\"")), "{}", self.text("html"));
        link
    }
}

/// Begins to receive. Call it before the request that causes a mail.
pub fn receive() -> &'static Host {
    static HOST: OnceLock<Host> = OnceLock::new();
    HOST.get_or_init(|| {
        let address = std::env::var("LATCHKEY_TEST_MAIL").expect("LATCHKEY_TEST_MAIL: this test receives mails");
        let host = Host::listen(&address);
        host.serve(PATH, Answer::status(202));
        host
    })
}

/// Returns the mails to an address so far.
pub fn to(address: &str) -> Vec<Mail> {
    let secret = std::env::var("LATCHKEY_TEST_MAIL_SECRET").expect("LATCHKEY_TEST_MAIL_SECRET");
    let received = receive().requests(PATH).into_iter().map(|request| {
        let signature = request.headers.get("latchkey-signature").expect("a signature");
        let (time, tag) = signature.strip_prefix("t=").and_then(|rest| rest.split_once(",v1=")).expect("t=…,v1=…");
        let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("a key of any length");
        mac.update(time.as_bytes());
        mac.update(b".");
        mac.update(&request.body);
        let expected: String = mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(tag, expected);
        Mail { document: serde_json::from_slice(&request.body).expect("JSON") }
    });
    received.filter(|mail| mail.text("to") == address).collect()
}

/// Waits until an address has this number of mails of a kind, and returns them, the latest last.
#[track_caller]
pub fn wait_for(address: &str, kind: &str, count: usize) -> Vec<Mail> {
    for _ in 0..300 {
        let found: Vec<Mail> = to(address).into_iter().filter(|mail| mail.text("kind") == kind).collect();
        if found.len() >= count {
            return found;
        }
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    panic!("{count} mails of the kind {kind} expected at {address}, there came {:?}", to(address));
}
