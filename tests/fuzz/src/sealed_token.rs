//! Sealed tokens: codes, refresh tokens, session cookies and their like.

use keys::{Purpose, Secret, Secrets};
use protocol::{TokenKind, sealed_token as sealed};
use types::Timestamp;

const NOW: Timestamp = Timestamp::from_secs(1_800_000_000);
const KINDS: [TokenKind; 7] = [
    TokenKind::Code,
    TokenKind::RefreshToken,
    TokenKind::Session,
    TokenKind::DeviceCode,
    TokenKind::InitialAccess,
    TokenKind::RegistrationAccess,
    TokenKind::PushedRequest,
];

/// No bytes open as a token unless this server sealed exactly that token, of exactly that kind.
pub(crate) fn sealed_token(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let secrets = Secrets::new(Secret::parse(&"A".repeat(43)).expect("a secret"), None);
    for kind in KINDS {
        let named = format!("{}{text}", kind.prefix());
        for token in [text, &named] {
            if let Some(content) = sealed::open(&secrets, kind, token, &[b"binding"], NOW) {
                assert_eq!(sealed::seal(&secrets, kind, &content, &[b"binding"]).expose(), token, "two spellings");
                assert!(!content.expires_at.is_past(NOW));
            }
        }
    }
    assert!(secrets.open(Purpose::Token, text).is_none(), "sealed with a random nonce: no seed can hold one");
}
