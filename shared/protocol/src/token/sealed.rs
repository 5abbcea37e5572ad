//! The frame of tokens that prove themselves.
//!
//! A token is a prefix that names its kind to secret scanners, then base64url of: version (1 byte), identifier of the key
//! (4), epoch (2), payload, HMAC-SHA-256 tag (32). The tag also covers the kind and a binding (for an authorization code:
//! client, redirect URI and code challenge). A forged, foreign or mismatched token, and one of another epoch, is rejected
//! without any storage call.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use std::cmp::Ordering;
use std::fmt;
use subtle::ConstantTimeEq;

/// The keys of tokens, which are derived from the deployment's secret, and the epoch of the deployment.
pub trait Mac {
    /// Returns the epoch of the deployment. The operator raises it after the store was restored from a backup.
    fn epoch(&self) -> u16;

    /// Returns the identifier of the key that makes new tags.
    fn key_id(&self) -> [u8; 4];

    /// Returns the HMAC-SHA-256 tag of the parts, each with its length before it, under the key that makes new tags.
    fn tag(&self, parts: &[&[u8]]) -> [u8; 32];

    /// Returns the same tag under the key named; `None` if the key is unknown.
    fn tag_with(&self, key_id: [u8; 4], parts: &[&[u8]]) -> Option<[u8; 32]>;
}

/// A token as it travels. Hidden from Debug; compared in constant time.
#[derive(Clone)]
pub struct SealedToken(String);

impl SealedToken {
    /// Returns the text, for a response or a cookie. Never for a log.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Returns the text, for a response or a cookie. Never for a log.
    pub fn into_exposed(self) -> String {
        self.0
    }
}

impl PartialEq for SealedToken {
    fn eq(&self, other: &Self) -> bool {
        self.0.as_bytes().ct_eq(other.0.as_bytes()).into()
    }
}

impl Eq for SealedToken {}

impl fmt::Debug for SealedToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SealedToken(redacted)")
    }
}

/// The reason why a token is rejected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenError {
    /// The token is forged, expired, or bound to other values.
    Invalid,
    /// The token was issued in an earlier epoch. The store was restored since and may lack the use of the token.
    OlderEpoch,
    /// The token was issued in a later epoch, by a function that has the new setting already.
    NewerEpoch,
}

/// Compares the epoch of a token with that of the deployment.
pub(crate) fn check_epoch(mac: &dyn Mac, epoch: u16) -> Result<(), TokenError> {
    match epoch.cmp(&mac.epoch()) {
        Ordering::Less => Err(TokenError::OlderEpoch),
        Ordering::Equal => Ok(()),
        Ordering::Greater => Err(TokenError::NewerEpoch),
    }
}

/// The version of this layout.
const VERSION: u8 = 1;
const HEAD: usize = 1 + 4 + 2;
const TAG: usize = 32;

/// Makes a token: `prefix` names its kind; the tag covers `binding`.
pub(crate) fn seal(mac: &dyn Mac, prefix: &'static str, payload: &[u8], binding: &[&[u8]]) -> SealedToken {
    let mut bytes = Vec::with_capacity((HEAD + TAG).saturating_add(payload.len()));
    bytes.push(VERSION);
    bytes.extend_from_slice(&mac.key_id());
    bytes.extend_from_slice(&mac.epoch().to_be_bytes());
    bytes.extend_from_slice(payload);
    let tag = mac.tag(&parts(prefix, &bytes, binding));
    bytes.extend_from_slice(&tag);
    SealedToken(format!("{prefix}{}", URL_SAFE_NO_PAD.encode(bytes)))
}

/// The verified content of a token.
pub(crate) struct Opened {
    /// The identifier of the key that made the token.
    pub(crate) key_id: [u8; 4],
    /// The epoch in which the token was made.
    epoch: u16,
    /// The payload.
    pub(crate) payload: Vec<u8>,
}

/// Verifies a token of this kind with this binding and of the current epoch. The payload's expiry is the caller's to check.
pub(crate) fn open(mac: &dyn Mac, prefix: &'static str, token: &str, binding: &[&[u8]]) -> Result<Opened, TokenError> {
    let opened = open_of_any_epoch(mac, prefix, token, binding).ok_or(TokenError::Invalid)?;
    check_epoch(mac, opened.epoch)?;
    Ok(opened)
}

/// Verifies a token of this kind with this binding. A token that outlives a restore is one that no use makes invalid.
pub(crate) fn open_of_any_epoch(mac: &dyn Mac, prefix: &'static str, token: &str, binding: &[&[u8]]) -> Option<Opened> {
    let bytes = URL_SAFE_NO_PAD.decode(token.strip_prefix(prefix)?).ok()?;
    let (signed, sent_tag) = bytes.split_at_checked(bytes.len().checked_sub(TAG)?)?;
    let (&[version, k0, k1, k2, k3, high, low], payload) = signed.split_first_chunk::<HEAD>()?;
    let key_id = [k0, k1, k2, k3];
    let expected = mac.tag_with(key_id, &parts(prefix, signed, binding))?;
    if !bool::from(expected.as_slice().ct_eq(sent_tag)) {
        return None;
    }
    let epoch = u16::from_be_bytes([high, low]);
    (version == VERSION).then(|| Opened { key_id, epoch, payload: payload.to_vec() })
}

fn parts<'a>(prefix: &'static str, signed: &'a [u8], binding: &[&'a [u8]]) -> Vec<&'a [u8]> {
    let mut parts = vec![prefix.as_bytes(), signed];
    parts.extend_from_slice(binding);
    parts
}
