//! Checks of the number of a user's live grants. A new grant leaves a note at times; the scheduled function counts then.

use super::deployment_list::DeploymentList;
use super::stored::{decode, encode, read_each};
use crate::{Advance, Kind, Owner, Record, Records, Unavailable, sign_out, users};
use futures::future::try_join_all;
use protocol::{Grant, GrantState, excess_grants};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::time::Duration;
use types::{ClientId, Subject, Timestamp};

/// A user whose live grants are to be counted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GrantCheck {
    /// `sub` of the user.
    pub subject: Subject,
    record: Record,
}

#[derive(Serialize, Deserialize)]
struct Note {
    subject: Subject,
}

/// Time from the note to the removal of its record.
const KEPT: Duration = Duration::from_secs(2 * 86_400);

/// Grants that are ended at the same time.
const ENDED_AT_ONCE: usize = 32;

/// The notes are in the listing of the sign-outs: a run of the scheduled function reads no further list.
const PENDING: DeploymentList = DeploymentList::new(Kind::GrantCheck, sign_out::OWNERS);

/// Leaves a note for the scheduled function; one for each user is enough. Round trips: 1.
pub async fn note(records: &dyn Records, subject: &Subject, now: Timestamp) -> Result<(), Unavailable> {
    let record = Record {
        key: PENDING.key(subject.as_str()),
        owner: Some(PENDING.owner(subject.as_str())),
        body: encode(&Note { subject: subject.clone() }),
        state: String::new(),
        generation: 0,
        expires_at: Some(now.after(KEPT)),
    };
    records.create(&record).await.map(|_| ())
}

impl GrantCheck {
    pub(crate) fn read(record: Record) -> Result<Self, Unavailable> {
        let Note { subject } = decode(&record.key, &record.body)?;
        Ok(Self { subject, record })
    }

    /// Ends the live grants of each client beyond `most`, those unused longest, and removes the note. A grant that is used at
    /// this moment stays. Returns the numbers of the grants that ended, by client. Round trips: 1 for each 100 records of the
    /// user, 1 for each grant that ends, and 1.
    pub async fn end_excess(
        self,
        records: &dyn Records,
        most: u32,
        now: Timestamp,
        write_id: &str,
    ) -> Result<BTreeMap<ClientId, usize>, Unavailable> {
        let owner: Owner = users::owner(&self.subject);
        let found = sign_out::owned(records, &owner, Kind::Grant).await?;
        // A grant that cannot be read is reported by the listings of the administration.
        let (found, _) = read_each(found, |record| {
            let grant: Grant = decode(&record.key, &record.body)?;
            let state: GrantState = decode(&record.key, &record.state)?;
            Ok((record, grant, state))
        });
        let mut by_client: BTreeMap<ClientId, Vec<(Timestamp, Record)>> = BTreeMap::new();
        for (record, grant, state) in found {
            // A grant without a refresh token ends with its access token.
            if let Some(active) = state.active().filter(|active| !active.refresh_expires_at.is_past(now)) {
                by_client.entry(grant.client_id).or_default().push((active.rotated_at, record));
            }
        }
        let revoked = encode(&GrantState::revoked(now, write_id.to_owned()));
        let mut ended = BTreeMap::new();
        for (client_id, grants) in by_client {
            let excess = excess_grants(grants, most);
            let mut count = 0_usize;
            for some in excess.chunks(ENDED_AT_ONCE) {
                let end = |record: &Record| {
                    let (key, generation, expires_at) = (record.key.clone(), record.generation, record.expires_at);
                    let revoked = &revoked;
                    async move { records.advance(&key, generation, revoked, expires_at).await }
                };
                let done = try_join_all(some.iter().map(end)).await?;
                let done = done.iter().filter(|done| matches!(done, Advance::Advanced(_))).count();
                count = count.saturating_add(done);
            }
            if count > 0 {
                ended.insert(client_id, count);
            }
        }
        records.delete(&self.record.key).await?;
        Ok(ended)
    }
}
