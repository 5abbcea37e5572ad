//! The rotation of the signing keys.

use crate::{Config, Context, HandlerError, clock_check};
use keys::{KeySet, Occasion, Policy, PublishedKeys};
use protocol::MAX_TOKEN_LIFETIME;
use std::time::Duration;
use storage::signing_keys;
use types::Timestamp;

/// Time between publication and first use of a key. It is longer than the JWK Set may be cached, and longer than the time
/// between two runs of the rotation.
const PUBLISH_AHEAD: Duration = Duration::from_secs(2 * 86_400);
/// Number of attempts if another rotation writes first.
const ATTEMPTS: usize = 4;

/// The outcome of a rotation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rotation {
    /// The keys after the rotation.
    pub keys: PublishedKeys,
    /// True if this call published or retired a key. False if nothing was due, if another rotation was faster, or if the keys
    /// were only sealed again.
    pub changed: bool,
}

impl Context {
    /// Rotates the keys as the occasion requires. Other instances read the resulting keys within a minute. Round trips: 1;
    /// 2 if keys change. Errors: the clock of this instance is wrong.
    pub async fn rotate_keys(&self, occasion: Occasion, now: Timestamp) -> Result<Rotation, HandlerError> {
        let records = self.records.as_ref();
        for _ in 0..ATTEMPTS {
            let Some(stored) = signing_keys::find(records).await? else {
                // The first use generates the first keys.
                self.keyring(now).await?;
                continue;
            };
            if let Some(difference) = self.clock_error() {
                return Err(HandlerError::unavailable(clock_check::wrong(difference)));
            }
            let set = KeySet::from_stored(&stored.keys, &self.secrets).map_err(HandlerError::unavailable)?;
            let next = set
                .rotated(jose::platform(), now, policy(&self.config), occasion)
                .await
                .map_err(HandlerError::unavailable)?;
            let keys = set.published();
            let Some(next) = next else { return Ok(Rotation { keys: keys.clone(), changed: false }) };
            let sealed = next.to_stored(&self.secrets).map_err(HandlerError::unavailable)?;
            let holds = signing_keys::replace(records, &stored, &sealed).await?;
            if holds.is_some_and(|holds| holds.keys == sealed) {
                self.forget_keyring();
                return Ok(Rotation { keys: next.published().clone(), changed: next.published() != keys });
            }
        }
        Err(HandlerError::unavailable("other rotations of the signing keys were faster"))
    }
}

/// Returns the times of the rotation. A key verifies as long as a token that it signed can be used. An expired ID token can
/// be used as `id_token_hint` while the session lives (OpenID Connect RP-Initiated Logout §2).
fn policy(config: &Config) -> Policy {
    Policy {
        rotate_every: config.key_rotation,
        publish_ahead: PUBLISH_AHEAD,
        token_lifetime: MAX_TOKEN_LIFETIME.max(config.session_lifetime),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_verifies_as_long_as_tokens_and_sessions_live() {
        let token_lifetime = |session: &str| {
            let lookup = |name: &str| match name {
                "LATCHKEY_ISSUER" => Some("https://id.example".to_owned()),
                "LATCHKEY_SECRET" => Some("00".repeat(32)),
                "LATCHKEY_SESSION_LIFETIME" => Some(session.to_owned()),
                _ => None,
            };
            policy(&Config::read(&lookup).unwrap().0).token_lifetime
        };
        assert_eq!(token_lifetime("60"), MAX_TOKEN_LIFETIME);
        assert_eq!(token_lifetime("1209600"), Duration::from_secs(1_209_600));
    }
}
