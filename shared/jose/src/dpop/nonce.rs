//! Nonces of DPoP proofs (RFC 9449 §8, §9). None is stored: a nonce is a MAC of the role of the server and the minute.

use super::{DpopProblem, DpopProof};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use hmac::{Hmac, Mac as _};
use sha2::Sha256;
use std::fmt;
use types::Timestamp;

/// The time after which there is a new nonce, in seconds.
const STEP: u64 = 60;

/// The number of earlier nonces that are accepted, beside the newest one.
const EARLIER: u64 = 2;

/// The number of later nonces that are accepted: another instance's clock may be ahead.
const LATER: u64 = 1;

/// The number of bytes of the MAC in a nonce: 22 characters of base64url.
const LENGTH: usize = 16;

/// The proofs that must have a nonce.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum NoncePolicy {
    /// None: `iat` decides.
    Off,
    /// Those of senders whose clock is wrong.
    #[default]
    WhenSkewed,
    /// All.
    Always,
}

impl NoncePolicy {
    /// Every policy.
    pub const ALL: [Self; 3] = [Self::Off, Self::WhenSkewed, Self::Always];

    /// Returns the name in settings.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::WhenSkewed => "when-skewed",
            Self::Always => "always",
        }
    }
}

/// The role in which a server demands a nonce. The nonces of one role are none of the other's (RFC 9449 §9).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NonceRole {
    /// The authorization server.
    AuthorizationServer,
    /// A resource server.
    ResourceServer,
}

/// Returns the MAC of a message, under a key that all instances of the server share.
pub type NonceMac<'a> = &'a (dyn Fn(&[u8]) -> [u8; 32] + Sync);

/// Returns the HMAC-SHA-256 of a message: a [`NonceMac`] for a server with a key of its own.
pub fn mac(key: &[u8; 32], message: &[u8]) -> [u8; 32] {
    let mut block = [0; 64];
    block.iter_mut().zip(key).for_each(|(to, from)| *to = *from);
    let mac = <Hmac<Sha256> as hmac::KeyInit>::new(&block.into());
    mac.chain_update(message).finalize().into_bytes().into()
}

/// The nonces of a server.
#[derive(Clone, Copy)]
pub struct Nonces<'a> {
    policy: NoncePolicy,
    role: NonceRole,
    mac: NonceMac<'a>,
}

impl fmt::Debug for Nonces<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Nonces").field("policy", &self.policy).field("role", &self.role).finish_non_exhaustive()
    }
}

impl<'a> Nonces<'a> {
    /// Returns the nonces under this policy and key.
    pub const fn new(policy: NoncePolicy, role: NonceRole, mac: NonceMac<'a>) -> Self {
        Self { policy, role, mac }
    }

    /// Returns the newest nonce.
    pub fn newest(&self, now: Timestamp) -> String {
        self.of_step(step(now))
    }

    /// Checks the time of a proof: by its nonce, or by its `iat` (RFC 9449 §4.3 (10), (11)). With a nonce of this server, `iat` does
    /// not matter. Errors: [`DpopProblem::Nonce`], with which the response has the newest nonce; [`DpopProblem::Time`].
    pub fn admit(&self, proof: &DpopProof<'_>, now: Timestamp) -> Result<(), DpopProblem> {
        let is_fresh = proof.is_fresh(now);
        let verdict = match (self.policy, proof.nonce()) {
            (NoncePolicy::Off, _) if is_fresh => Ok(()),
            (NoncePolicy::Off, _) => Err(DpopProblem::Time),
            (_, Some(nonce)) if self.accepts(nonce, now) => Ok(()),
            (NoncePolicy::WhenSkewed, None) if is_fresh => Ok(()),
            _ => Err(DpopProblem::Nonce),
        };
        verdict.and_then(|()| if proof.is_valid_at(now) { Ok(()) } else { Err(DpopProblem::Time) })
    }

    /// Returns the nonce for the sender's next proofs; `None` if the sender has it, or needs none.
    pub fn offer(&self, proof: &DpopProof<'_>, now: Timestamp) -> Option<String> {
        let newest = self.newest(now);
        match (self.policy, proof.nonce()) {
            (NoncePolicy::Off, _) => None,
            (_, Some(nonce)) => (nonce != newest).then_some(newest),
            (NoncePolicy::WhenSkewed, None) if proof.is_fresh(now) => None,
            (_, None) => Some(newest),
        }
    }

    /// True if the nonce is the newest one, or not far from it. A nonce is no secret.
    fn accepts(&self, nonce: &str, now: Timestamp) -> bool {
        let now = step(now);
        (now.saturating_sub(EARLIER)..=now.saturating_add(LATER)).any(|step| self.of_step(step) == nonce)
    }

    fn of_step(&self, step: u64) -> String {
        let role = match self.role {
            NonceRole::AuthorizationServer => "authorization server",
            NonceRole::ResourceServer => "resource server",
        };
        let tag = (self.mac)(format!("DPoP nonce of the {role}, {step}").as_bytes());
        URL_SAFE_NO_PAD.encode(tag.first_chunk::<LENGTH>().map_or(&tag[..], |start| start.as_slice()))
    }
}

const fn step(now: Timestamp) -> u64 {
    now.as_secs() / STEP
}
