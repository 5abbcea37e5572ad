//! Backchannel authentication requests that wait for a user (OpenID Connect CIBA Core): one record for each user, with few requests.
//!
//! The record also names the clients that the user does not want to hear from for a while, and the latest requests of each client that
//! the user did not approve. The [decision](decisions) about a request is a record of its own.

use super::decisions::{self, Decision};
use super::stored::decode;
use super::update::{Change, Current, Start, Target, update};
use super::users;
use crate::{Key, Kind, Records, Unavailable};
use protocol::{BackchannelRequest, DecisionId};
use serde::{Deserialize, Serialize};
use std::time::Duration;
use types::{ClientId, Subject, Timestamp};

/// Time from the last expiry to the removal of the record.
const MARGIN: Duration = Duration::from_secs(3600);

/// A request that waits.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct WaitingRequest {
    /// The request.
    pub request: BackchannelRequest,
    /// The record of the decision, which `auth_req_id` names.
    pub decision: DecisionId,
    /// Time of the request.
    pub asked_at: Timestamp,
    /// The expiry of `auth_req_id`.
    pub expires_at: Timestamp,
    /// The sealed content of the notification to the client; `None` in poll mode.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ping: Option<String>,
}

/// The requests of one user.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Inbox {
    requests: Vec<WaitingRequest>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    muted: Vec<Muted>,
    /// The latest requests, the earliest first. An approval removes those of its client.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    unapproved: Vec<Unapproved>,
}

/// A request that the user has not approved, whether it waits, was denied or has expired.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Unapproved {
    client_id: ClientId,
    asked_at: Timestamp,
}

/// A client that may not ask the user before this time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Muted {
    client_id: ClientId,
    until: Timestamp,
}

/// The outcome of [`begin`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Begun {
    /// The request waits.
    Waiting,
    /// As many requests wait as may.
    TooMany,
    /// The client asked as often as it may without an approval. It may ask again after this time.
    TooOften(Duration),
    /// The user does not want to hear from the client.
    Muted,
}

fn key(subject: &Subject) -> Key {
    Key::new(Kind::Device, users::owner(subject).partition(), &format!("waiting-{}", subject.as_str()))
}

impl Inbox {
    /// Returns what is left at `now`.
    fn at(&self, now: Timestamp) -> Self {
        Self {
            requests: self.requests.iter().filter(|waiting| !waiting.expires_at.is_past(now)).cloned().collect(),
            muted: self.muted.iter().filter(|muted| !muted.until.is_past(now)).cloned().collect(),
            unapproved: self.unapproved.iter().filter(|asked| !asked.ends_at().is_past(now)).cloned().collect(),
        }
    }

    /// Returns the time until the client may ask again; `None` if it may now.
    fn wait(&self, client_id: &ClientId, now: Timestamp) -> Option<Duration> {
        let mut asked = self.unapproved.iter().filter(|asked| asked.client_id == *client_id);
        let earliest = asked.next()?;
        (asked.count().saturating_add(1) >= BackchannelRequest::MOST_UNAPPROVED)
            .then(|| earliest.ends_at().since(now).saturating_add(Duration::from_secs(1)))
    }

    /// Returns the time from which the record is of no use.
    fn expires_at(&self, now: Timestamp) -> Timestamp {
        let requests = self.requests.iter().map(|waiting| waiting.expires_at);
        let muted = self.muted.iter().map(|muted| muted.until);
        let unapproved = self.unapproved.iter().map(Unapproved::ends_at);
        requests.chain(muted).chain(unapproved).fold(now, Timestamp::max).after(MARGIN)
    }
}

impl Unapproved {
    /// Returns the time from which the request is not counted.
    fn ends_at(&self) -> Timestamp {
        self.asked_at.after(BackchannelRequest::UNAPPROVED_WINDOW)
    }
}

/// Stores a request, if few others wait, the user approved one of the client's latest, and the client is not muted. Round trips: 2.
pub async fn begin(
    records: &dyn Records,
    subject: &Subject,
    waiting: &WaitingRequest,
    now: Timestamp,
) -> Result<Begun, Unavailable> {
    let begun = update(records, Target::unowned(key(subject)), Start::Read, |current: Option<&Current<Inbox>>| {
        let mut inbox = current.map(|current| current.state.value.at(now)).unwrap_or_default();
        let client_id = &waiting.request.client_id;
        if inbox.muted.iter().any(|muted| muted.client_id == *client_id) {
            return Ok::<_, Unavailable>(Change::Keep(Begun::Muted));
        }
        if let Some(wait) = inbox.wait(client_id, now) {
            return Ok(Change::Keep(Begun::TooOften(wait)));
        }
        if inbox.requests.len() >= BackchannelRequest::MOST_OPEN {
            return Ok(Change::Keep(Begun::TooMany));
        }
        inbox.requests.push(waiting.clone());
        inbox.unapproved.push(Unapproved { client_id: client_id.clone(), asked_at: waiting.asked_at });
        let expires_at = inbox.expires_at(now);
        Ok(Change::Write(inbox, Some(expires_at), Begun::Waiting))
    });
    Ok(begun.await?.result)
}

/// Returns the requests that wait for a user, the earliest first. Round trips: 1.
pub async fn of_user(
    records: &dyn Records,
    subject: &Subject,
    now: Timestamp,
) -> Result<Vec<WaitingRequest>, Unavailable> {
    let Some(record) = records.get(&key(subject)).await? else { return Ok(Vec::new()) };
    Ok(decode::<Inbox>(&record.key, &record.state)?.at(now).requests)
}

/// Stores the decision of a user, and removes the request. After an approval the client may ask as if it never asked before. With `mute`, it may
/// not ask this user before that time. Returns false, and stores nothing, if there is a decision already. Round trips: 3; the last two only tidy up, unless a client is muted.
pub async fn decide(
    records: &dyn Records,
    subject: &Subject,
    waiting: &WaitingRequest,
    decision: &Decision,
    mute: Option<Timestamp>,
    now: Timestamp,
) -> Result<bool, Unavailable> {
    let is_first = decisions::create(records, waiting.decision, decision, waiting.expires_at).await?;
    let removed = update(records, Target::unowned(key(subject)), Start::Read, |current: Option<&Current<Inbox>>| {
        let mut inbox = current.map(|current| current.state.value.at(now)).unwrap_or_default();
        inbox.requests.retain(|other| other.decision != waiting.decision);
        if is_first && matches!(decision, Decision::Approved(_)) {
            inbox.unapproved.retain(|asked| asked.client_id != waiting.request.client_id);
        }
        if let Some(until) = mute.filter(|_| is_first) {
            inbox.muted.push(Muted { client_id: waiting.request.client_id.clone(), until });
        }
        let expires_at = inbox.expires_at(now);
        Ok::<_, Unavailable>(Change::Write(inbox, Some(expires_at), ()))
    });
    match (removed.await, mute) {
        (Err(fault), Some(_)) if is_first => Err(fault),
        // The decision stands, however long the request stays in the list.
        _ => Ok(is_first),
    }
}
