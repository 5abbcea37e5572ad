//! The schedule of signing keys: creation, signing, removal.

use crate::{KeySet, PublishedKeys};
use jose::{Algorithm, Crypto, CryptoError};
use std::time::Duration;
use types::Timestamp;

/// Greatest difference between the clocks of two instances.
const INSTANCE_CLOCK_SKEW: Duration = Duration::from_secs(300);

/// The rotation policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Policy {
    /// Time for which a key signs.
    pub rotate_every: Duration,
    /// Time for which a key is published before it signs: longer than the lifetime of any cached copy of the key set,
    /// also in instances of this server.
    pub publish_ahead: Duration,
    /// Lifetime of the longest-lived token that these keys sign.
    pub token_lifetime: Duration,
}

/// The reason for a rotation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Occasion {
    /// Schedule: a key at the end of its time gets a successor.
    Due,
    /// Request of the operator: a key gets its successor now, published ahead as usual. All keys, or the one for this
    /// algorithm.
    Early(Option<Algorithm>),
    /// A key may be compromised: its successor signs at once, and its signatures are rejected. All keys, or the one
    /// for this algorithm.
    Compromise(Option<Algorithm>),
}

/// True if the selection includes the key for `alg`.
fn is_meant(only: Option<Algorithm>, alg: Algorithm) -> bool {
    only.is_none_or(|only| only == alg)
}

/// A key to generate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Addition {
    /// The algorithm.
    pub alg: Algorithm,
    /// Time from which it signs.
    pub signs_from: Timestamp,
}

/// A key that has a successor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Retirement {
    /// Its `kid`.
    pub kid: String,
    /// Expiry of the last token that it signed.
    pub verifies_until: Timestamp,
}

/// The changes of a rotation.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// Keys to generate.
    pub additions: Vec<Addition>,
    /// Keys that stop signing when their successors start.
    pub retirements: Vec<Retirement>,
    /// `kid` of keys to remove: no token that they signed is valid.
    pub removals: Vec<String>,
}

impl Plan {
    /// Plans the changes that are due at `now`.
    pub fn new(keys: &PublishedKeys, now: Timestamp, policy: Policy, occasion: Occasion) -> Self {
        let mut plan = Self::default();
        plan.removals.extend(keys.keys.iter().filter(|key| !key.is_alive(now)).map(|key| key.kid.clone()));
        for alg in Algorithm::ALL {
            let newest =
                keys.keys.iter().filter(|key| key.alg == alg && key.is_alive(now)).max_by_key(|k| k.signs_from);
            let Some(newest) = newest else {
                plan.additions.push(Addition { alg, signs_from: now });
                continue;
            };
            if matches!(occasion, Occasion::Compromise(only) if is_meant(only, alg)) {
                let known = keys.keys.iter().filter(|key| key.alg == alg && key.is_alive(now));
                plan.removals.extend(known.map(|key| key.kid.clone()));
                plan.additions.push(Addition { alg, signs_from: now });
                continue;
            }
            let ends = newest.signs_from.after(policy.rotate_every);
            // A key that does not sign yet is the successor already.
            let is_wished = matches!(occasion, Occasion::Early(only) if is_meant(only, alg));
            let is_early = is_wished && newest.signs_from.is_past(now);
            if is_early || ends.is_past(now.after(policy.publish_ahead)) {
                let signs_from = now.after(policy.publish_ahead);
                let verifies_until = signs_from.after(policy.token_lifetime).after(INSTANCE_CLOCK_SKEW);
                plan.additions.push(Addition { alg, signs_from });
                plan.retirements.push(Retirement { kid: newest.kid.clone(), verifies_until });
            }
        }
        plan
    }

    /// True if nothing is due.
    pub fn is_empty(&self) -> bool {
        self.additions.is_empty() && self.retirements.is_empty() && self.removals.is_empty()
    }
}

impl KeySet {
    /// Returns the set that replaces this one, if a change is due at `now` or the secret has changed since this one
    /// was stored; else `None`.
    pub async fn rotated(
        &self,
        crypto: &dyn Crypto,
        now: Timestamp,
        policy: Policy,
        occasion: Occasion,
    ) -> Result<Option<Self>, CryptoError> {
        let plan = Plan::new(self.published(), now, policy, occasion);
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::PublishedKey;
    use jose::{Jwk, PublicKey};

    const DAY: Duration = Duration::from_secs(86_400);
    const HOUR: Duration = Duration::from_secs(3_600);
    const START: Timestamp = Timestamp::from_secs(1_700_000_000);
    const POLICY: Policy = Policy { rotate_every: DAY.saturating_mul(90), publish_ahead: DAY, token_lifetime: HOUR };

    fn key(kid: &str, alg: Algorithm, signs_from: Timestamp) -> PublishedKey {
        PublishedKey {
            kid: kid.to_owned(),
            alg,
            public: Jwk::from(PublicKey::Ed25519 { x: [0; 32] }),
            created_at: signs_from,
            signs_from,
            verifies_until: None,
        }
    }

    fn first() -> PublishedKeys {
        let keys = Algorithm::ALL.iter().map(|alg| key(alg.as_str(), *alg, START)).collect();
        PublishedKeys { keys }
    }

    /// Applies a plan to names instead of keys.
    fn carried_out(mut keys: PublishedKeys, plan: &Plan, now: Timestamp) -> PublishedKeys {
        keys.keys.retain(|key| !plan.removals.contains(&key.kid));
        for retirement in &plan.retirements {
            for key in keys.keys.iter_mut().filter(|key| key.kid == retirement.kid) {
                key.verifies_until = Some(retirement.verifies_until);
            }
        }
        for addition in &plan.additions {
            let kid = format!("{}-{}", addition.alg, now.as_secs());
            keys.keys.push(PublishedKey { created_at: now, ..key(&kid, addition.alg, addition.signs_from) });
        }
        keys
    }

    #[test]
    fn nothing_is_due_before_the_next_key_must_be_published() {
        let due = START.after(POLICY.rotate_every).before(POLICY.publish_ahead);
        for now in [START, START.after(DAY), due.before(Duration::from_millis(1))] {
            assert_eq!(Plan::new(&first(), now, POLICY, Occasion::Due), Plan::default());
        }
        assert!(!Plan::new(&first(), due, POLICY, Occasion::Due).is_empty());
    }

    #[test]
    fn the_next_key_is_published_ahead_and_the_old_one_outlives_its_tokens() {
        let due = START.after(POLICY.rotate_every).before(POLICY.publish_ahead);
        let plan = Plan::new(&first(), due, POLICY, Occasion::Due);
        let turn = due.after(POLICY.publish_ahead);
        let addition = |alg| Addition { alg, signs_from: turn };
        assert_eq!(plan.additions, Algorithm::ALL.map(addition));
        let verifies_until = turn.after(POLICY.token_lifetime).after(INSTANCE_CLOCK_SKEW);
        let retirement = |alg: Algorithm| Retirement { kid: alg.as_str().to_owned(), verifies_until };
        assert_eq!(plan.retirements, Algorithm::ALL.map(retirement));
        assert!(plan.removals.is_empty());

        let keys = carried_out(first(), &plan, due);
        assert!(Plan::new(&keys, due, POLICY, Occasion::Due).is_empty());
        let signing = |now| keys.signing(Algorithm::ES256, now).unwrap().kid.clone();
        assert_eq!(signing(turn.before(Duration::from_millis(1))), "ES256");
        assert_ne!(signing(turn), "ES256");

        assert!(Plan::new(&keys, verifies_until.before(Duration::from_millis(1)), POLICY, Occasion::Due).is_empty());
        let last = Plan::new(&keys, verifies_until, POLICY, Occasion::Due);
        assert_eq!(last.removals, Algorithm::ALL.map(|alg| alg.as_str().to_owned()));
        assert!(last.additions.is_empty() && last.retirements.is_empty());
    }

    #[test]
    fn a_rotation_that_comes_late_still_publishes_ahead() {
        let late = START.after(POLICY.rotate_every.saturating_mul(3));
        let plan = Plan::new(&first(), late, POLICY, Occasion::Due);
        assert!(plan.additions.iter().all(|addition| addition.signs_from == late.after(POLICY.publish_ahead)));
        assert_eq!(carried_out(first(), &plan, late).signing(Algorithm::PS256, late).unwrap().kid, "PS256");
    }

    #[test]
    fn a_key_can_be_succeeded_early_and_only_once_at_a_time() {
        let now = START.after(DAY);
        let occasion = Occasion::Early(Some(Algorithm::PS256));
        let plan = Plan::new(&first(), now, POLICY, occasion);
        let turn = now.after(POLICY.publish_ahead);
        assert_eq!(plan.additions, [Addition { alg: Algorithm::PS256, signs_from: turn }]);
        assert_eq!(plan.retirements.len(), 1);
        let keys = carried_out(first(), &plan, now);
        assert!(Plan::new(&keys, now, POLICY, occasion).is_empty(), "the successor is there");
        assert_eq!(Plan::new(&keys, now, POLICY, Occasion::Early(None)).additions.len(), 3);
        assert_eq!(Plan::new(&keys, turn, POLICY, occasion).additions.len(), 1);
    }

    #[test]
    fn a_key_that_others_know_is_gone_at_once() {
        let now = START.after(DAY);
        let keys = carried_out(first(), &Plan::new(&first(), now, POLICY, Occasion::Early(None)), now);
        let plan = Plan::new(&keys, now, POLICY, Occasion::Compromise(Some(Algorithm::ES256)));
        assert_eq!(plan.additions, [Addition { alg: Algorithm::ES256, signs_from: now }]);
        assert_eq!(plan.removals.len(), 2, "the successor that was published, too");
        assert!(plan.retirements.is_empty());
        let all = Plan::new(&first(), now, POLICY, Occasion::Compromise(None));
        assert_eq!((all.additions.len(), all.removals.len()), (4, 4));
    }

    #[test]
    fn an_algorithm_without_a_key_gets_one_at_once() {
        let mut keys = first();
        keys.keys.retain(|key| key.alg != Algorithm::EdDSA);
        let plan = Plan::new(&keys, START, POLICY, Occasion::Due);
        assert_eq!(plan.additions, [Addition { alg: Algorithm::EdDSA, signs_from: START }]);
        assert!(plan.retirements.is_empty());
    }

    #[test]
    fn a_clock_that_is_behind_finds_a_key_to_sign_with() {
        let behind = START.before(HOUR);
        assert_eq!(first().signing(Algorithm::ES256, behind).unwrap().kid, "ES256");
    }

    /// Checks hour by hour over three years that a copy of the JWKS of up to one day's age verifies every valid
    /// token.
    #[test]
    fn every_living_token_verifies_with_a_copy_as_old_as_allowed() {
        let copy_age = POLICY.publish_ahead.saturating_sub(HOUR);
        let mut keys = first();
        let mut history: Vec<(Timestamp, PublishedKeys)> = Vec::new();
        for hour in 0..3 * 365 * 24 {
            let now = START.after(HOUR.saturating_mul(hour));
            keys = carried_out(keys.clone(), &Plan::new(&keys, now, POLICY, Occasion::Due), now);
            history.push((now, keys.clone()));
            for alg in Algorithm::ALL {
                // The signer: any instance whose copy is at most that old. The verifier: any from the start of that
                // age to the end of the token's life.
                let oldest = history.iter().find(|(at, _)| now.since(*at) <= copy_age).unwrap();
                let signer = &oldest.1.signing(alg, now).unwrap().kid;
                assert!(oldest.1.keys.iter().any(|key| &key.kid == signer));
                let current = keys.signing(alg, now).unwrap();
                assert_eq!(&current.kid, signer, "instances disagree at hour {hour}");
                assert!(current.is_alive(now.after(POLICY.token_lifetime)));
                assert!(current.signs_from == START || now.since(current.created_at) > copy_age);
            }
            assert!(keys.keys.len() <= 2 * Algorithm::ALL.len());
            history.retain(|(at, _)| now.since(*at) <= copy_age);
        }
    }
}
