//! Pending notifications of clients: a session has ended, or a user has decided. Each is one record. A sender claims it
//! before each attempt and removes it after success, so an instance that stops loses none.

use super::deployment_list::DeploymentList;
use super::stored::{Stored, Unreadable, decode, encode};
use super::update::create_new;
use crate::{Advance, Bucket, Cursor, Key, Kind, Record, Records, Unavailable};
use protocol::SessionGroup;
use serde::{Deserialize, Serialize};
use std::time::Duration;
use types::{ClientId, Jti, Subject, Timestamp};

/// A notification of one client.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "StoredNotice", into = "StoredNotice")]
pub struct Notice {
    /// Identifier: the `jti` of every logout token that is sent for it, by which a client recognizes a repetition.
    pub jti: Jti,
    /// The client to notify.
    pub client_id: ClientId,
    /// Time of the end of the session, or of the decision.
    pub at: Timestamp,
    /// Content.
    pub content: NoticeContent,
}

/// Content of a notification.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NoticeContent {
    /// A session has ended (OpenID Connect Back-Channel Logout).
    Logout {
        /// The user whose session ended.
        subject: Subject,
        /// The sessions that ended.
        group: SessionGroup,
    },
    /// A user has decided about a backchannel request (CIBA Core §10.2).
    Ping(Ping),
}

/// The ping about a backchannel request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ping {
    /// `auth_req_id` and the token of the client's endpoint, sealed.
    pub sealed: String,
    /// The expiry of `auth_req_id`: a later ping is of no use.
    pub expires_at: Timestamp,
}

/// A notification as it is stored: the members of one content, beside members that a later version may add.
#[derive(Clone, Serialize, Deserialize)]
struct StoredNotice {
    jti: Jti,
    client_id: ClientId,
    ended_at: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    subject: Option<Subject>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    group: Option<SessionGroup>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    ping: Option<Ping>,
}

impl From<Notice> for StoredNotice {
    fn from(Notice { jti, client_id, at, content }: Notice) -> Self {
        let none = Self { jti, client_id, ended_at: at, subject: None, group: None, ping: None };
        match content {
            NoticeContent::Logout { subject, group } => Self { subject: Some(subject), group: Some(group), ..none },
            NoticeContent::Ping(ping) => Self { ping: Some(ping), ..none },
        }
    }
}

impl TryFrom<StoredNotice> for Notice {
    type Error = &'static str;

    fn try_from(stored: StoredNotice) -> Result<Self, Self::Error> {
        let StoredNotice { jti, client_id, ended_at: at, subject, group, ping } = stored;
        let content = match (subject, group, ping) {
            (Some(subject), Some(group), None) => NoticeContent::Logout { subject, group },
            (None, None, Some(ping)) => NoticeContent::Ping(ping),
            _ => return Err("a notification is about a logout or a ping"),
        };
        Ok(Self { jti, client_id, at, content })
    }
}

/// The attempts to deliver a notification.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Delivery {
    count: u32,
    next_at: Timestamp,
    write_id: String,
}

/// A stored notification, as [`list`] returned it.
#[derive(Debug)]
pub struct Pending {
    notice: Notice,
    delivery: Stored<Delivery>,
    record: Record,
}

impl Pending {
    /// Reads a record of [`list`].
    pub fn read(record: Record) -> Result<Self, Unreadable> {
        let notice = decode(&record.key, &record.body)?;
        let delivery = Stored::read(&record.key, record.state.clone())?;
        Ok(Self { notice, delivery, record })
    }

    /// Returns the notification.
    pub fn notice(&self) -> &Notice {
        &self.notice
    }

    /// Returns the number of attempts so far.
    pub fn attempts(&self) -> u32 {
        self.delivery.value.count
    }

    /// True if the next attempt is due.
    pub fn is_due(&self, now: Timestamp) -> bool {
        self.delivery.value.next_at.is_past(now)
    }
}

/// Time from what the client learns to the removal of the record.
const KEPT: Duration = Duration::from_secs(2 * 86_400);

/// Time from the last attempt to the next claim, which removes the record.
const REMOVED_AFTER: Duration = Duration::from_secs(600);

const PENDING: DeploymentList = DeploymentList::new(Kind::Logout, "logouts");

/// Stores a notification after `attempts` attempts, with the one that the caller is about to make. If it is not removed,
/// the next attempt is due at `next_at`. Round trips: 1.
pub async fn create(
    records: &dyn Records,
    notice: &Notice,
    attempts: u32,
    next_at: Timestamp,
    write_id: &str,
) -> Result<(), Unavailable> {
    let record = Record {
        key: PENDING.key(notice.jti.as_str()),
        owner: Some(PENDING.owner(notice.jti.as_str())),
        body: encode(notice),
        state: encode(&Delivery { count: attempts, next_at, write_id: write_id.to_owned() }),
        generation: 0,
        expires_at: Some(notice.at.after(KEPT)),
    };
    create_new(records, record, &[]).await.map(|_| ())
}

/// Removes a notification: it was delivered, or the last attempt failed. Does not read it.
pub async fn remove(records: &dyn Records, jti: &Jti) -> Result<(), Unavailable> {
    records.delete(&PENDING.key(jti.as_str())).await
}

/// Returns at most `limit` notifications of a bucket from `cursor` on, due or not, and the start of the next page. They
/// are not read before [`claim`].
pub async fn list(
    records: &dyn Records,
    bucket: Bucket,
    cursor: Option<&Cursor>,
    limit: u32,
) -> Result<(Vec<Record>, Option<Cursor>), Unavailable> {
    let page = records.list(&PENDING.owner_of(bucket), cursor, limit).await?;
    Ok((page.records, page.next))
}

/// Returns a place in the middle of a bucket, as the cursor of [`list`]. Each of 64 numbers in a row is another place.
pub fn place(bucket: Bucket, number: u64) -> Cursor {
    const FIRST_CHARACTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let index = usize::try_from(number.rem_euclid(64)).unwrap_or_default();
    let first = FIRST_CHARACTERS.get(index).copied().map_or('A', char::from);
    Cursor(Key::new(Kind::Logout, bucket.partition(), &first.to_string()).as_str().to_owned())
}

/// Claims a notification that is due. `next` returns the time of the attempt that follows the given number of attempts, or
/// `None` if this attempt is the last. Returns the number of attempts with this one; `None` if the notification is not due
/// or another caller claimed it. Round trips: 1 if it is due, else 0.
pub async fn claim(
    records: &dyn Records,
    pending: &Pending,
    now: Timestamp,
    write_id: &str,
    next: impl Fn(u32) -> Option<Timestamp>,
) -> Result<Option<u32>, Unavailable> {
    if !pending.is_due(now) {
        return Ok(None);
    }
    let count = pending.attempts().saturating_add(1);
    let next_at = next(count).unwrap_or(now.after(REMOVED_AFTER));
    let state = pending.delivery.rewrite(&Delivery { count, next_at, write_id: write_id.to_owned() });
    let record = &pending.record;
    match records.advance(&record.key, record.generation, &state, record.expires_at).await? {
        Advance::Advanced(_) => Ok(Some(count)),
        Advance::Stale(_) | Advance::Missing => Ok(None),
    }
}
