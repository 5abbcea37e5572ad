//! The outbox: mails that wait to be sent. Each is one record. A sender claims it before each attempt and removes it after success,
//! so an instance that stops loses none.

use super::deployment_list::DeploymentList;
use super::stored::{Stored, Unreadable, decode, encode};
use super::update::create_new;
use crate::{Advance, Bucket, Cursor, Key, Kind, Record, Records, Unavailable};
use protocol::mail::{Mail, MailContent, next_attempt};
use serde::{Deserialize, Serialize};
use std::time::Duration;
use types::{Jti, Timestamp};

/// A mail as it is stored.
#[derive(Serialize, Deserialize)]
struct StoredMail {
    id: Jti,
    at: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    language: Option<String>,
    content: MailContent,
}

/// The attempts to send a mail.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Attempts {
    count: u32,
    /// The time from which on the next attempt may begin; `None` for the first attempt, which is due at once whatever the clock
    /// of the sender says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    next_at: Option<Timestamp>,
    write_id: String,
}

/// A mail that waits.
#[derive(Debug)]
pub struct Waiting {
    mail: Mail,
    attempts: Stored<Attempts>,
    record: Record,
}

impl Waiting {
    /// Reads a record of [`list`].
    pub fn read(record: Record) -> Result<Self, Unreadable> {
        let StoredMail { id, at, language, content } = decode(&record.key, &record.body)?;
        let attempts = Stored::read(&record.key, record.state.clone())?;
        Ok(Self { mail: Mail { id, at, language, content }, attempts, record })
    }

    /// Returns the mail.
    pub fn mail(&self) -> &Mail {
        &self.mail
    }

    /// Returns the number of attempts so far.
    pub fn attempts(&self) -> u32 {
        self.attempts.value.count
    }
}

/// The outcome of a claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Claim {
    /// The caller is to make this attempt.
    Attempt {
        /// True if a failure of it is the last one.
        is_last: bool,
    },
    /// The mail is of no use any more: the caller removes it.
    TooOld,
    /// The mail is not due, or another caller claimed it.
    NotNow,
}

/// Time from the last use of a mail to the removal of the record.
const MARGIN: Duration = Duration::from_secs(3600);

/// Time for which a claim keeps other callers away. Longer than an attempt takes.
const ATTEMPT: Duration = Duration::from_secs(60);

const WAITING: DeploymentList = DeploymentList::new(Kind::Mail, "mails");

/// Puts a mail into the outbox. Round trips: 1.
pub async fn put(records: &dyn Records, mail: &Mail, write_id: &str) -> Result<(), Unavailable> {
    let Mail { id, at, language, content } = mail.clone();
    let record = Record {
        key: WAITING.key(id.as_str()),
        owner: Some(WAITING.owner(id.as_str())),
        body: encode(&StoredMail { id, at, language, content }),
        state: encode(&Attempts { count: 0, next_at: None, write_id: write_id.to_owned() }),
        generation: 0,
        expires_at: Some(mail.useful_until().after(MARGIN)),
    };
    create_new(records, record, &[]).await.map(|_| ())
}

/// Finds a mail by its identifier; `None` if it is gone. Round trips: 1.
pub async fn find(records: &dyn Records, id: &Jti) -> Result<Option<Waiting>, Unavailable> {
    let Some(record) = records.get(&WAITING.key(id.as_str())).await? else { return Ok(None) };
    Ok(Some(Waiting::read(record)?))
}

/// Returns the key of the record of a mail, by which the sender is called.
pub fn key_of(id: &Jti) -> String {
    WAITING.key(id.as_str()).as_str().to_owned()
}

/// Returns the identifier of the mail with this record key; `None` if the key is that of another kind.
pub fn id_of_key(key: &str) -> Option<Jti> {
    let key = Key::from(key.to_owned());
    key.is(Kind::Mail).then(|| Jti::parse(key.id()))?
}

/// Returns at most `limit` mails of a bucket from `cursor` on, due or not, and the start of the next page. Round trips: 1.
pub async fn list(
    records: &dyn Records,
    bucket: Bucket,
    cursor: Option<&Cursor>,
    limit: u32,
) -> Result<(Vec<Record>, Option<Cursor>), Unavailable> {
    let page = records.list(&WAITING.owner_of(bucket), cursor, limit).await?;
    Ok((page.records, page.next))
}

/// Claims a mail that is due. Round trips: 1 if it is due, else 0.
pub async fn claim(
    records: &dyn Records,
    waiting: &Waiting,
    now: Timestamp,
    write_id: &str,
) -> Result<Claim, Unavailable> {
    let useful_until = waiting.mail.useful_until();
    if useful_until.is_past(now) {
        return Ok(Claim::TooOld);
    }
    if waiting.attempts.value.next_at.is_some_and(|next_at| !next_at.is_past(now)) {
        return Ok(Claim::NotNow);
    }
    let count = waiting.attempts().saturating_add(1);
    let next = next_attempt(count, useful_until, now);
    let next_at = Some(next.unwrap_or(useful_until).max(now.after(ATTEMPT)));
    let state = waiting.attempts.rewrite(&Attempts { count, next_at, write_id: write_id.to_owned() });
    let record = &waiting.record;
    match records.advance(&record.key, record.generation, &state, record.expires_at).await? {
        Advance::Advanced(_) => Ok(Claim::Attempt { is_last: next.is_none() }),
        Advance::Stale(_) | Advance::Missing => Ok(Claim::NotNow),
    }
}

/// Removes a mail: it was sent, or is of no use. Does not read it. Round trips: 1.
pub async fn remove(records: &dyn Records, id: &Jti) -> Result<(), Unavailable> {
    records.delete(&WAITING.key(id.as_str())).await
}
