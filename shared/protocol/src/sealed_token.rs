//! Tokens that prove themselves: authorization codes, refresh tokens, session cookies.
//!
//! Each is a prefix that names its kind to secret scanners, then base64url of: version, key id, what it stands for
//! ([`Standing`]), expiry, and an HMAC-SHA-256 tag. The tag also covers a binding (for a code: client, redirect URI and
//! code challenge; for a refresh token: client), so a forged, foreign or mismatched token is
//! refused before any storage is asked.

use crate::Standing;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use std::fmt;
use subtle::ConstantTimeEq;
use types::Timestamp;

/// Makes tags. The keys are derived from the deployment's secret.
pub trait Mac {
    /// Names the key that makes new tags.
    fn key_id(&self) -> [u8; 4];

    /// HMAC-SHA-256 over the parts, each kept apart from the next, under the key that makes new tags.
    fn tag(&self, parts: &[&[u8]]) -> [u8; 32];

    /// The same under the key named; `None` when it is unknown.
    fn tag_with(&self, key_id: [u8; 4], parts: &[&[u8]]) -> Option<[u8; 32]>;
}

/// What a token is for. A token of one kind is never accepted as another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenKind {
    /// Authorization code (RFC 6749 §1.3.1).
    Code,
    /// Refresh token (RFC 6749 §1.5).
    RefreshToken,
    /// A signed-in browser.
    Session,
    /// Device code (RFC 8628 §3.2).
    DeviceCode,
    /// What lets its bearer register a client (RFC 7591 §1.2): the generation of its standing is how often.
    InitialAccess,
    /// What lets a client look after its registration (RFC 7592 §1.2).
    RegistrationAccess,
    /// The reference of a pushed authorization request (RFC 9126 §2.2).
    PushedRequest,
}

impl TokenKind {
    /// What tokens of this kind start with.
    pub const fn prefix(self) -> &'static str {
        match self {
            Self::Code => "lkc_",
            Self::RefreshToken => "lkr_",
            Self::Session => "lks_",
            Self::DeviceCode => "lkd_",
            Self::InitialAccess => "lki_",
            Self::RegistrationAccess => "lkg_",
            Self::PushedRequest => "lkp_",
        }
    }
}

/// A token as it travels. Hidden from Debug.
#[derive(Clone, PartialEq, Eq)]
pub struct SealedToken(String);

impl SealedToken {
    /// The token, to be handed to whom it was made for.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for SealedToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SealedToken(…)")
    }
}

/// What a genuine token says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenContent {
    /// Which record, and how it stood when the token was made.
    pub standing: Standing,
    /// Dead from this moment on; whole seconds.
    pub expires_at: Timestamp,
}

const VERSION: u8 = 1;
const HEAD: usize = 1 + 4;
const BODY: usize = Standing::PACKED + 8;
const TAG: usize = 32;

/// Makes a token of this kind, bound to `binding`.
pub fn seal(mac: &dyn Mac, kind: TokenKind, content: &TokenContent, binding: &[&[u8]]) -> SealedToken {
    let mut bytes = Vec::with_capacity(HEAD + BODY + TAG);
    bytes.push(VERSION);
    bytes.extend_from_slice(&mac.key_id());
    bytes.extend_from_slice(&content.standing.pack(mac));
    bytes.extend_from_slice(&content.expires_at.as_secs().to_be_bytes());
    let tag = mac.tag(&parts(kind, &bytes, binding));
    bytes.extend_from_slice(&tag);
    SealedToken(format!("{}{}", kind.prefix(), URL_SAFE_NO_PAD.encode(bytes)))
}

/// What the token says, when it is of this kind, genuine, bound to `binding`, and not expired at `now`.
pub fn open(mac: &dyn Mac, kind: TokenKind, token: &str, binding: &[&[u8]], now: Timestamp) -> Option<TokenContent> {
    let bytes = URL_SAFE_NO_PAD.decode(token.strip_prefix(kind.prefix())?).ok()?;
    let (signed, sent_tag) = bytes.split_at_checked(HEAD + BODY)?;
    let (head, body) = signed.split_at_checked(HEAD)?;
    let (version, key_id) = head.split_first()?;
    let key_id = key_id.try_into().ok()?;
    let expected = mac.tag_with(key_id, &parts(kind, signed, binding))?;
    if *version != VERSION || !bool::from(expected.as_slice().ct_eq(sent_tag)) {
        return None;
    }
    let (standing, expires_at) = body.split_at_checked(Standing::PACKED)?;
    let content = TokenContent {
        standing: Standing::unpack(mac, key_id, standing)?,
        expires_at: Timestamp::from_secs(u64::from_be_bytes(expires_at.try_into().ok()?)),
    };
    if content.expires_at.is_past(now) { None } else { Some(content) }
}

fn parts<'a>(kind: TokenKind, signed: &'a [u8], binding: &[&'a [u8]]) -> Vec<&'a [u8]> {
    let mut parts = vec![kind.prefix().as_bytes(), signed];
    parts.extend_from_slice(binding);
    parts
}

/// What an authorization code is bound to (RFC 6749 §4.1.3, RFC 7636 §4.6). Empty strings stand for what was not sent.
pub fn code_binding<'a>(client_id: &'a str, redirect_uri: &'a str, code_challenge: &'a str) -> [&'a [u8]; 3] {
    [client_id.as_bytes(), redirect_uri.as_bytes(), code_challenge.as_bytes()]
}

/// What the reference of a pushed request is bound to (RFC 9126 §4).
pub const fn pushed_binding(client_id: &str) -> [&[u8]; 1] {
    [client_id.as_bytes()]
}

/// What a registration access token is bound to (RFC 7592 §2).
pub const fn registration_binding(client_id: &str) -> [&[u8]; 1] {
    [client_id.as_bytes()]
}

/// What a device code is bound to (RFC 8628 §3.4).
pub const fn device_binding(client_id: &str) -> [&[u8]; 1] {
    [client_id.as_bytes()]
}

/// What a refresh token is bound to (RFC 6749 §6).
pub const fn refresh_binding(client_id: &str) -> [&[u8]; 1] {
    [client_id.as_bytes()]
}
