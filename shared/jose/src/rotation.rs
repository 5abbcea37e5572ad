//! When signing keys are made, when they sign, and when they go.

use crate::{Algorithm, Crypto, CryptoError, KeySet, PublishedKeys, key_set::GENERATED};
use protocol::Timestamp;
use std::time::Duration;

/// How far the clocks of two instances may be apart.
const CLOCK_SKEW: Duration = Duration::from_secs(300);

/// How keys are rotated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Policy {
    /// How long a key signs.
    pub rotate_every: Duration,
    /// How long a key is published before it signs: longer than anyone, instances of this server included, may use a
    /// copy of the key set.
    pub publish_ahead: Duration,
    /// How long the longest-lived token that these keys sign is alive.
    pub token_lifetime: Duration,
}

/// A key to make.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Addition {
    /// What it is for.
    pub alg: Algorithm,
    /// From when on it is to sign.
    pub signs_from: Timestamp,
}

/// A key that has a successor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Retirement {
    /// Its name.
    pub kid: String,
    /// When the last token that it signed will have expired.
    pub verifies_until: Timestamp,
}

/// What a rotation would change.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// Keys to make.
    pub additions: Vec<Addition>,
    /// Keys that sign no longer once their successors do.
    pub retirements: Vec<Retirement>,
    /// Names of keys to drop: nothing that they signed is alive.
    pub removals: Vec<String>,
}

impl Plan {
    /// What is due at `now`.
    pub fn new(keys: &PublishedKeys, now: Timestamp, policy: Policy) -> Self {
        let mut plan = Self::default();
        plan.removals.extend(keys.keys.iter().filter(|key| !key.is_alive(now)).map(|key| key.kid.clone()));
        for alg in GENERATED {
            let newest =
                keys.keys.iter().filter(|key| key.alg == alg && key.is_alive(now)).max_by_key(|k| k.signs_from);
            let Some(newest) = newest else {
                plan.additions.push(Addition { alg, signs_from: now });
                continue;
            };
            let ends = newest.signs_from.after(policy.rotate_every);
            if ends.is_past(now.after(policy.publish_ahead)) {
                let signs_from = now.after(policy.publish_ahead);
                let verifies_until = signs_from.after(policy.token_lifetime).after(CLOCK_SKEW);
                plan.additions.push(Addition { alg, signs_from });
                plan.retirements.push(Retirement { kid: newest.kid.clone(), verifies_until });
            }
        }
        plan
    }

    /// Whether nothing is due.
    pub fn is_empty(&self) -> bool {
        self.additions.is_empty() && self.retirements.is_empty() && self.removals.is_empty()
    }
}

impl KeySet {
    /// The set to store in place of this one, when a rotation is due at `now`, or when the secret has changed since this
    /// one was stored; else `None`.
    pub async fn rotated(
        &self,
        crypto: &dyn Crypto,
        now: Timestamp,
        policy: Policy,
    ) -> Result<Option<Self>, CryptoError> {
        let plan = Plan::new(self.published(), now, policy);
        if plan.is_empty() && !self.has_outdated_seal() {
            return Ok(None);
        }
        let mut next = self.clone();
        next.mark_sealed_anew();
        for kid in &plan.removals {
            next.remove(kid);
        }
        for retirement in &plan.retirements {
            next.retire(&retirement.kid, retirement.verifies_until);
        }
        for addition in &plan.additions {
            next.add(crypto, addition.alg, now, addition.signs_from).await?;
        }
        Ok(Some(next))
    }
}
