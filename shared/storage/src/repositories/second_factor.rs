//! The second factor of a user: the secret of an authenticator app, and recovery codes. One record for each user who has one.

use super::stored::decode;
use super::update::{Change, Current, Start, Target, update};
use super::users;
use crate::{Key, Kind, Record, Records, Unavailable};
use protocol::TotpStep;
use serde::{Deserialize, Serialize};
use types::{Subject, Timestamp};

/// The second factor of a user.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SecondFactor {
    /// The secret that the app shares, sealed.
    pub secret: String,
    /// The step of the last code: codes of it and of earlier steps are rejected (RFC 6238 §5.2).
    pub last_step: u64,
    /// Time at which the app was set up.
    pub created_at: Timestamp,
    /// MACs of the recovery codes that are left.
    pub recovery_codes: Vec<String>,
}

/// A second factor as it was read.
#[derive(Clone, Debug)]
pub struct StoredSecondFactor {
    /// The second factor.
    pub value: SecondFactor,
    record: Record,
}

fn key(subject: &Subject) -> Key {
    Key::new(Kind::SecondFactor, users::owner(subject).partition(), subject.as_str())
}

/// Reads the second factor of a user. Round trips: 1.
pub async fn find(records: &dyn Records, subject: &Subject) -> Result<Option<StoredSecondFactor>, Unavailable> {
    let Some(record) = records.get(&key(subject)).await? else { return Ok(None) };
    Ok(Some(StoredSecondFactor { value: decode(&record.key, &record.state)?, record }))
}

/// Returns the second factor of these records; `None` if there is none that can be read.
pub(crate) fn listed(found: Vec<Record>) -> Option<SecondFactor> {
    found.into_iter().find_map(|record| decode(&record.key, &record.state).ok())
}

/// Stores the second factor of a user, new or changed. Round trips: 1 if it is new, else 2.
pub async fn save(records: &dyn Records, subject: &Subject, factor: &SecondFactor) -> Result<(), Unavailable> {
    let replace = |_: Option<&Current<SecondFactor>>| Ok::<_, Unavailable>(Change::Write(factor.clone(), None, ()));
    let target = Target::owned(key(subject), users::owner(subject));
    update(records, target, Start::Absent, replace).await.map(|_| ())
}

/// Replaces the recovery codes of a user. Returns false if the user has no second factor. Round trips: 2.
pub async fn replace_codes(records: &dyn Records, subject: &Subject, codes: &[String]) -> Result<bool, Unavailable> {
    let replace = |current: Option<&Current<SecondFactor>>| {
        Ok::<_, Unavailable>(match current {
            Some(current) => {
                let factor = SecondFactor { recovery_codes: codes.to_vec(), ..current.state.value.clone() };
                Change::Write(factor, None, true)
            }
            None => Change::Keep(false),
        })
    };
    Ok(update(records, Target::unowned(key(subject)), Start::Read, replace).await?.result)
}

/// A use of the second factor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SecondFactorUse {
    /// A code of the app. Its step is used up. The secret is sealed under the present key.
    Code {
        /// The step.
        step: TotpStep,
        /// The sealed secret.
        secret: String,
    },
    /// A recovery code: the MAC of it.
    RecoveryCode(String),
}

/// Uses up a code. Returns false if another request used it first: exactly one caller receives true. Round trips: 1.
pub async fn use_up(
    records: &dyn Records,
    stored: StoredSecondFactor,
    used: &SecondFactorUse,
) -> Result<bool, Unavailable> {
    let change = |current: Option<&Current<SecondFactor>>| {
        let Some(current) = current else { return Ok::<_, Unavailable>(Change::Keep(false)) };
        let before = current.state.value.clone();
        Ok(match used {
            SecondFactorUse::Code { step, secret } if before.last_step < step.number() => {
                // The user may have set up another app meanwhile: its secret stays.
                let secret = if before.secret == stored.value.secret { secret.clone() } else { before.secret.clone() };
                Change::Write(SecondFactor { secret, last_step: step.number(), ..before }, None, true)
            }
            SecondFactorUse::RecoveryCode(mac) if before.recovery_codes.contains(mac) => {
                let recovery_codes = before.recovery_codes.iter().filter(|left| *left != mac).cloned().collect();
                Change::Write(SecondFactor { recovery_codes, ..before }, None, true)
            }
            SecondFactorUse::Code { .. } | SecondFactorUse::RecoveryCode(_) => Change::Keep(false),
        })
    };
    let target = Target::unowned(stored.record.key.clone());
    Ok(update(records, target, Start::Known(stored.record.clone()), change).await?.result)
}

/// Removes the second factor of a user. Does not read it. Round trips: 1.
pub async fn remove(records: &dyn Records, subject: &Subject) -> Result<(), Unavailable> {
    records.delete(&key(subject)).await
}
