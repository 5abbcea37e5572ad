//! The commands of functions to objects and the answers: one JSON document each way.

use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use storage::{Advance, Created, Cursor, Key, Owner, Page, Record, Unavailable};
use types::Timestamp;

/// One of the six verbs, with its arguments.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Command<'a> {
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
}

/// The answer of an object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
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
}

impl Command<'_> {
    /// Reads the command that an object received. The error says what is wrong with it.
    pub fn from_json(json: &str) -> Result<Command<'static>, String> {
        serde_json::from_slice(json.as_bytes()).map_err(|error| error.to_string())
    }

    /// Returns the command as JSON.
    pub fn to_json(&self) -> Result<String, Unavailable> {
        serde_json::to_string(self).map_err(|error| Unavailable { reason: format!("a command: {error}") })
    }
}

impl Answer {
    /// Reads the answer that a function received.
    pub fn from_json(json: &str) -> Result<Self, Unavailable> {
        serde_json::from_slice(json.as_bytes()).map_err(|error| Unavailable { reason: format!("an answer: {error}") })
    }

    /// Returns the answer as JSON. The error says why it has no JSON form.
    pub fn to_json(&self) -> Result<String, String> {
        serde_json::to_string(self).map_err(|error| error.to_string())
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
            Self::Created => "created",
            Self::Exists(_) => "exists",
            Self::Found(_) => "found",
            Self::Missing => "missing",
            Self::Advanced(_) => "advanced",
            Self::Stale(_) => "stale",
            Self::Deleted => "deleted",
            Self::Listed { .. } => "listed",
            Self::Counted(_) => "counted",
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
            Command::Create(Cow::Borrowed(&record)),
            Command::Get(Cow::Borrowed(&record.key)),
            Command::Advance { key: Cow::Borrowed(&record.key), from: 7, state: "{}".into(), expires_at: None },
            Command::Delete(Cow::Borrowed(&record.key)),
            Command::List { owner: Cow::Borrowed(&owner), after: Some(Cow::Borrowed(&cursor)), limit: 3 },
            Command::Count { key: Cow::Borrowed(&record.key), by: -1, expires_at: Timestamp::from_secs(9) },
        ] {
            assert_eq!(Command::from_json(&command.to_json().unwrap()), Ok(command));
        }
        for answer in [
            Answer::Created,
            Answer::Exists(record.clone()),
            Answer::Found(record.clone()),
            Answer::Missing,
            Answer::Advanced(record.clone()),
            Answer::Stale(record.clone()),
            Answer::Deleted,
            Answer::Listed { records: vec![record], next: Some(cursor) },
            Answer::Counted(i64::MIN),
        ] {
            assert_eq!(Answer::from_json(&answer.to_json().unwrap()), Ok(answer));
        }
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
