//! The calls of functions to objects and the answers: one JSON document each way.

use crate::{Caller, Shards};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::fmt;
use storage::{Advance, Created, Cursor, Key, Owner, Page, Record, Unavailable};
use types::Timestamp;

/// The header field in which an object says its time, in milliseconds since the epoch.
pub const TIME_FIELD: &str = "latchkey-time";

/// A call of an object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Call<'a> {
    /// The function that calls.
    pub caller: Cow<'a, Caller>,
    /// The layout that the caller counts on.
    pub layout: Cow<'a, Layout>,
    /// True if the object `deployment` has confirmed this layout to the caller. A new object asks for it.
    pub confirmed: bool,
    /// The command.
    pub command: Command<'a>,
}

/// The settings that decide which object holds which record. They are stored in the object `deployment` at the first use of
/// a deployment, and in each other object at its own first use.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Layout {
    /// The number of objects.
    pub shards: Shards,
    /// The jurisdiction of the objects.
    pub jurisdiction: Option<String>,
}

/// The name of the object that stores the layout of a deployment. It holds no records, and has no jurisdiction: it must be
/// found with the wrong jurisdiction, too.
pub const DEPLOYMENT: &str = "deployment";

impl fmt::Display for Layout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.jurisdiction {
            Some(jurisdiction) => write!(f, "{} shards in the jurisdiction {jurisdiction}", self.shards.count()),
            None => write!(f, "{} shards without a jurisdiction", self.shards.count()),
        }
    }
}

impl Layout {
    /// Returns the reason for which an object with the layout `stored` refuses a call, if it differs.
    pub fn mismatch(&self, stored: &Self) -> Option<String> {
        (self != stored).then(|| {
            format!(
                "the records of this deployment are in {stored}, but LATCHKEY_SHARDS and LATCHKEY_JURISDICTION say \
                 {self}: set them back (infra/docs/operations.md)"
            )
        })
    }
}

impl Call<'_> {
    /// Reads the call that an object received. The error says what is wrong with it.
    pub fn from_json(json: &str) -> Result<Call<'static>, String> {
        types::json::decode(json.as_bytes()).map_err(|error| error.to_string())
    }

    /// Returns the call as JSON.
    pub fn to_json(&self) -> Result<String, Unavailable> {
        serde_json::to_string(self).map_err(|error| Unavailable { reason: format!("a call: {error}") })
    }
}

/// One of the six verbs, with its arguments; the question for the layout; or maintenance.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Command<'a> {
    /// Compares the layout of the call with the stored one, and stores it if there is none. Answer: `Joined`.
    Join,
    /// Stores a record if its key is free. Answer: `Created` or `Exists`.
    Create(Cow<'a, Record>),
    /// Reads a record. Answer: `Found` or `Missing`.
    Get(Cow<'a, Key>),
    /// Replaces state and expiry. Answer: `Advanced`, `Stale` or `Missing`.
    Advance {
        /// The record.
        key: Cow<'a, Key>,
        /// The generation that the record must be at.
        from: u64,
        /// The new state.
        state: Cow<'a, str>,
        /// The new expiry.
        expires_at: Option<Timestamp>,
    },
    /// Removes a record. Answer: `Deleted`.
    Delete(Cow<'a, Key>),
    /// Lists the records of an owner. Answer: `Listed`.
    List {
        /// The owner.
        owner: Cow<'a, Owner>,
        /// The key after which the page starts.
        after: Option<Cow<'a, Cursor>>,
        /// The greatest number of records.
        limit: u32,
    },
    /// Adds to a counter. Answer: `Counted`.
    Count {
        /// The counter.
        key: Cow<'a, Key>,
        /// The number to add.
        by: i64,
        /// The expiry, if the counter is new.
        expires_at: Timestamp,
    },
    /// Begins or continues maintenance: an `Operator` as JSON, which only the Workers concerned contain. For the object `deployment`,
    /// from the function that maintains the records. Answer: `Maintained` or `Rejected`.
    Maintain(Cow<'a, str>),
    /// Does a part of the maintenance: a `Step` as JSON. For each other object, from the Worker `records`. Answer: `Maintained`, or
    /// `Unconfirmed` if a step needs an object that was used before.
    Step(Cow<'a, str>),
}

/// The answer of an object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// The object has the layout of the call.
    Joined,
    /// The object is new: the caller must have its layout confirmed and repeat the call.
    Unconfirmed,
    /// The record is stored.
    Created,
    /// The key is taken by this record.
    Exists(Record),
    /// The record.
    Found(Record),
    /// No record has this key.
    Missing,
    /// The record after the write.
    Advanced(Record),
    /// The record, which is at another generation.
    Stale(Record),
    /// No record has this key now.
    Deleted,
    /// One page of a listing.
    Listed {
        /// The records, in the order of their keys.
        records: Vec<Record>,
        /// The start of the next page.
        next: Option<Cursor>,
    },
    /// The new total of the counter.
    Counted(i64),
    /// The state of the maintenance, or the answer to a step, as JSON.
    Maintained(String),
    /// The maintenance cannot begin or go on. The text tells the operator why.
    Rejected(String),
}

impl Answer {
    /// Reads the answer that a function received.
    pub fn from_json(json: &str) -> Result<Self, Unavailable> {
        types::json::decode(json.as_bytes()).map_err(|error| Unavailable { reason: format!("an answer: {error}") })
    }

    /// Returns the answer as JSON. The error says why it has no JSON form.
    pub fn to_json(&self) -> Result<String, String> {
        serde_json::to_string(self).map_err(|error| error.to_string())
    }

    /// Returns the answer to `Join`.
    pub fn joined(self) -> Result<(), Unavailable> {
        match self {
            Self::Joined => Ok(()),
            other => Err(other.unexpected("join")),
        }
    }

    /// Returns the answer to `Create`.
    pub fn created(self) -> Result<Created, Unavailable> {
        match self {
            Self::Created => Ok(Created::Created),
            Self::Exists(record) => Ok(Created::Exists(record)),
            other => Err(other.unexpected("create")),
        }
    }

    /// Returns the answer to `Get`.
    pub fn found(self) -> Result<Option<Record>, Unavailable> {
        match self {
            Self::Found(record) => Ok(Some(record)),
            Self::Missing => Ok(None),
            other => Err(other.unexpected("get")),
        }
    }

    /// Returns the answer to `Advance`.
    pub fn advanced(self) -> Result<Advance, Unavailable> {
        match self {
            Self::Advanced(record) => Ok(Advance::Advanced(record)),
            Self::Stale(record) => Ok(Advance::Stale(record)),
            Self::Missing => Ok(Advance::Missing),
            other => Err(other.unexpected("advance")),
        }
    }

    /// Returns the answer to `Delete`.
    pub fn deleted(self) -> Result<(), Unavailable> {
        match self {
            Self::Deleted => Ok(()),
            other => Err(other.unexpected("delete")),
        }
    }

    /// Returns the answer to `List`.
    pub fn listed(self) -> Result<Page, Unavailable> {
        match self {
            Self::Listed { records, next } => Ok(Page { records, next }),
            other => Err(other.unexpected("list")),
        }
    }

    /// Returns the answer to `Count`.
    pub fn counted(self) -> Result<i64, Unavailable> {
        match self {
            Self::Counted(total) => Ok(total),
            other => Err(other.unexpected("count")),
        }
    }

    /// Returns the error for an answer that does not fit the command. Names the answer without its record: the reason goes
    /// to a log.
    fn unexpected(&self, verb: &str) -> Unavailable {
        let name = match self {
            Self::Joined => "joined",
            Self::Unconfirmed => "unconfirmed",
            Self::Created => "created",
            Self::Exists(_) => "exists",
            Self::Found(_) => "found",
            Self::Missing => "missing",
            Self::Advanced(_) => "advanced",
            Self::Stale(_) => "stale",
            Self::Deleted => "deleted",
            Self::Listed { .. } => "listed",
            Self::Counted(_) => "counted",
            Self::Maintained(_) => "maintained",
            Self::Rejected(_) => "rejected",
        };
        Unavailable { reason: format!("{verb} was answered with {name}") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use storage::{Kind, Partition};

    fn record() -> Record {
        Record {
            key: Key::new(Kind::Grant, Partition::of("someone"), "g1"),
            owner: Some(Owner::new("someone")),
            body: r#"{"a":1}"#.into(),
            state: "{}".into(),
            generation: u64::MAX,
            expires_at: None,
        }
    }

    #[test]
    fn commands_and_answers_survive_the_wire() {
        let (record, owner, cursor) = (record(), Owner::new("someone"), Cursor("grant#0000#g0".into()));
        for command in [
            Command::Join,
            Command::Create(Cow::Borrowed(&record)),
            Command::Get(Cow::Borrowed(&record.key)),
            Command::Advance { key: Cow::Borrowed(&record.key), from: 7, state: "{}".into(), expires_at: None },
            Command::Delete(Cow::Borrowed(&record.key)),
            Command::List { owner: Cow::Borrowed(&owner), after: Some(Cow::Borrowed(&cursor)), limit: 3 },
            Command::Count { key: Cow::Borrowed(&record.key), by: -1, expires_at: Timestamp::from_secs(9) },
            Command::Maintain("{}".into()),
            Command::Step("{}".into()),
        ] {
            let layout = Layout { shards: Shards::default(), jurisdiction: Some("eu".to_owned()) };
            let caller = Cow::Owned(Caller::new("token", "proof"));
            let call = Call { caller, layout: Cow::Owned(layout), confirmed: true, command };
            assert_eq!(Call::from_json(&call.to_json().unwrap()), Ok(call));
        }
        for answer in [
            Answer::Joined,
            Answer::Unconfirmed,
            Answer::Created,
            Answer::Exists(record.clone()),
            Answer::Found(record.clone()),
            Answer::Missing,
            Answer::Advanced(record.clone()),
            Answer::Stale(record.clone()),
            Answer::Deleted,
            Answer::Listed { records: vec![record], next: Some(cursor) },
            Answer::Counted(i64::MIN),
            Answer::Maintained("{}".to_owned()),
            Answer::Rejected("reason".to_owned()),
        ] {
            assert_eq!(Answer::from_json(&answer.to_json().unwrap()), Ok(answer));
        }
    }

    #[test]
    fn another_layout_is_refused_with_both_layouts() {
        let layout = |shards, jurisdiction: Option<&str>| Layout {
            shards: Shards::parse(shards).unwrap(),
            jurisdiction: jurisdiction.map(str::to_owned),
        };
        let stored = layout("16", None);
        assert_eq!(layout("16", None).mismatch(&stored), None);
        let reason = layout("256", Some("eu")).mismatch(&stored).unwrap();
        assert!(reason.contains("are in 16 shards without a jurisdiction"), "{reason}");
        assert!(reason.contains("say 256 shards in the jurisdiction eu"), "{reason}");
    }

    #[test]
    fn an_answer_to_another_question_is_a_fault() {
        assert!(Answer::Created.found().is_err());
        assert!(Answer::Deleted.advanced().is_err());
        assert!(Answer::Missing.counted().is_err());
        let reason = Answer::Found(record()).created().unwrap_err().reason;
        assert!(!reason.contains("g1"), "{reason}");
    }
}
