//! The challenge of a ceremony (WebAuthn §13.4.3).

use crate::token::bytes::Reader;
use crate::token::sealed::{Mac, open, seal};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use std::time::Duration;
use types::Timestamp;

/// A ceremony of WebAuthn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ceremony {
    /// A passkey is registered (WebAuthn §7.1).
    Create,
    /// A user signs in (WebAuthn §7.2).
    Get,
}

impl Ceremony {
    /// Returns `type` of the client data (WebAuthn §5.8.1).
    pub(crate) const fn client_data_type(self) -> &'static str {
        match self {
            Self::Create => "webauthn.create",
            Self::Get => "webauthn.get",
        }
    }
}

/// A challenge. It proves itself: one browser received it for one ceremony, and for a registration one user. The caller marks its
/// identifier as used before anything else, because a passkey that is synchronised has no counter against replays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PasskeyChallenge {
    /// 128 random bits.
    pub id: [u8; 16],
    /// Expiry. Whole seconds.
    pub expires_at: Timestamp,
}

const PREFIX: &str = "lpc_";

impl PasskeyChallenge {
    /// Lifetime. A sign-in page may stay open for a while before its user takes the passkey that the browser offers.
    pub const LIFETIME: Duration = Duration::from_secs(3600);

    /// Makes the challenge as it is in the options of a ceremony: base64url. `browser` is the browser cookie, `subject` the user who
    /// registers a passkey.
    pub fn seal(&self, mac: &dyn Mac, ceremony: Ceremony, browser: &str, subject: &str) -> String {
        let mut payload = self.id.to_vec();
        payload.extend_from_slice(&self.expires_at.as_secs().to_be_bytes());
        let token = seal(mac, PREFIX, &payload, &binding(ceremony, browser, subject));
        URL_SAFE_NO_PAD.encode(token.expose())
    }

    /// Opens the challenge of an answer; `None` if it is forged, expired at `now`, or belongs to another browser, ceremony or user.
    pub fn open(
        mac: &dyn Mac,
        challenge: &str,
        ceremony: Ceremony,
        browser: &str,
        subject: &str,
        now: Timestamp,
    ) -> Option<Self> {
        let opened = open(mac, PREFIX, challenge, &binding(ceremony, browser, subject)).ok()?;
        let mut reader = Reader::new(&opened.payload);
        let challenge =
            Self { id: reader.take()?, expires_at: Timestamp::from_secs(u64::from_be_bytes(reader.take()?)) };
        (reader.is_empty() && !challenge.expires_at.is_past(now)).then_some(challenge)
    }

    /// Returns the name under which the challenge is marked as used.
    pub fn name(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.id)
    }
}

fn binding<'a>(ceremony: Ceremony, browser: &'a str, subject: &'a str) -> [&'a [u8]; 3] {
    [ceremony.client_data_type().as_bytes(), browser.as_bytes(), subject.as_bytes()]
}
