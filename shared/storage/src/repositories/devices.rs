//! Device authorizations (RFC 8628).
//!
//! A pending authorization is a record under a name that is derived from the user code. The [decision](decisions) of the user
//! replaces it.

use super::decisions::{self, Decision};
use super::stored::{decode, encode};
use super::update::create_new;
use crate::{Key, Kind, Partition, Record, Records, Unavailable};
use protocol::{DecisionId, DeviceRequest};
use serde::{Deserialize, Serialize};
use std::time::Duration;
use types::Timestamp;

/// Time from the expiry of the codes to the removal of the records.
const MARGIN: Duration = Duration::from_secs(3600);

/// A device authorization without a decision.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Pending {
    /// The request of the device.
    pub request: DeviceRequest,
    /// The record of the decision, which the device code names.
    pub decision: DecisionId,
    /// The expiry of both codes.
    pub expires_at: Timestamp,
}

fn pending_key(name: &str) -> Key {
    Key::new(Kind::Device, Partition::of(name), name)
}

/// Stores a pending device authorization under the first free one of `names`, each of which is derived from a user code.
/// Returns the position of that name. Round trips: 1, and 1 for each name that is taken. Errors: every name is taken.
pub async fn begin(records: &dyn Records, names: &[String], pending: &Pending) -> Result<usize, Unavailable> {
    let keys: Vec<Key> = names.iter().map(|name| pending_key(name)).collect();
    let Some((first, others)) = keys.split_first() else {
        return Err(Unavailable { reason: "a device authorization has no name".to_owned() });
    };
    let record = Record {
        key: first.clone(),
        owner: None,
        body: encode(pending),
        state: String::new(),
        generation: 0,
        expires_at: Some(pending.expires_at.after(MARGIN)),
    };
    let key = create_new(records, record, others).await?;
    Ok(keys.iter().position(|candidate| *candidate == key).unwrap_or_default())
}

/// Reads a pending device authorization. Returns `None` if its codes have expired. Round trips: 1.
pub async fn find(records: &dyn Records, name: &str, now: Timestamp) -> Result<Option<Pending>, Unavailable> {
    let Some(record) = records.get(&pending_key(name)).await? else { return Ok(None) };
    let pending: Pending = decode(&record.key, &record.body)?;
    Ok(Some(pending).filter(|pending| !pending.expires_at.is_past(now)))
}

/// Stores the decision of a user and removes the pending device authorization. Returns false, and stores nothing, if
/// there is a decision already. Round trips: 2; the second only tidies up, and its failure is ignored.
pub async fn decide(
    records: &dyn Records,
    name: &str,
    pending: &Pending,
    decision: &Decision,
) -> Result<bool, Unavailable> {
    let is_first = decisions::create(records, pending.decision, decision, pending.expires_at).await?;
    // The decision stands, however long the pending record stays.
    let _ = records.delete(&pending_key(name)).await;
    Ok(is_first)
}
