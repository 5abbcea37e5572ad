//! The rotation of the signing keys.

use crate::{Context, Fault};
use jose::{KeySet, Occasion, Policy, PublishedKeys};
use protocol::Timestamp;
use std::time::Duration;
use storage::signing_keys;

/// How long a new key is published before it signs: longer than the JWK Set may be cached and rotations run apart.
const PUBLISH_AHEAD: Duration = Duration::from_secs(2 * 86_400);
/// How often it is tried again when another rotation was faster.
const ATTEMPTS: usize = 4;

impl Context {
    /// Does what the occasion demands; the keys as they then are. Other instances know of it within a minute.
    pub async fn rotate_keys(&self, occasion: Occasion, now: Timestamp) -> Result<PublishedKeys, Fault> {
        let records = self.records.as_ref();
        for _ in 0..ATTEMPTS {
            let Some(stored) = signing_keys::find(records).await? else {
                // The first are made with the first use.
                self.keyring(now).await?;
                continue;
            };
            let set = KeySet::from_stored(&stored.keys, &self.secrets).map_err(Fault::new)?;
            let next = set.rotated(jose::platform(), now, self.key_policy(), occasion).await.map_err(Fault::new)?;
            let Some(next) = next else { return Ok(set.published().clone()) };
            let sealed = next.to_stored(&self.secrets).map_err(Fault::new)?;
            let holds = signing_keys::replace(records, stored.generation, &sealed).await?;
            if holds.is_some_and(|holds| holds.keys == sealed) {
                self.forget_keyring();
                return Ok(next.published().clone());
            }
        }
        Err(Fault::new("the signing keys are being rotated by others"))
    }

    fn key_policy(&self) -> Policy {
        let lifetimes = &self.config.lifetimes;
        Policy {
            rotate_every: self.config.key_rotation,
            publish_ahead: PUBLISH_AHEAD,
            token_lifetime: lifetimes.access_token.max(lifetimes.id_token).max(Duration::from_secs(86_400)),
        }
    }
}
