//! The contract of every store, as checks that run on any store and any platform: no clock, no timer, no threads.

mod advance;
mod count;
mod create;
mod list;
mod read;

use crate::{Advance, Created, Key, Kind, Owner, Partition, Record, Records, Unavailable};
use std::fmt::Debug;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use types::Timestamp;

/// The number of callers that race.
pub const CALLERS: usize = 64;

/// The result of a check; an error says what is wrong.
pub type Finding = Result<(), String>;

/// A running check.
pub type Running<'a> = Pin<Box<dyn Future<Output = Finding> + Send + 'a>>;

/// One clause of the contract.
pub struct Clause {
    /// The rule.
    pub name: &'static str,
    /// Checks the rule.
    pub check: for<'a> fn(&'a Trial) -> Running<'a>,
}

/// All clauses of the contract.
pub const CLAUSES: &[Clause] = &[
    Clause { name: "a key is created once", check: |trial| Box::pin(create::once(trial)) },
    Clause { name: "create keeps every field", check: |trial| Box::pin(create::every_field(trial)) },
    Clause { name: "create: one of many wins", check: |trial| Box::pin(create::race(trial)) },
    Clause { name: "create sent twice is one create", check: |trial| Box::pin(create::sent_twice(trial)) },
    Clause { name: "advance replaces state and expiry alone", check: |trial| Box::pin(advance::replaces(trial)) },
    Clause { name: "advance from another generation is stale", check: |trial| Box::pin(advance::stale(trial)) },
    Clause { name: "advance of nothing is missing", check: |trial| Box::pin(advance::missing(trial)) },
    Clause { name: "advance: one of many wins", check: |trial| Box::pin(advance::race(trial)) },
    Clause { name: "advance sent twice is one advance", check: |trial| Box::pin(advance::sent_twice(trial)) },
    Clause { name: "generations count on", check: |trial| Box::pin(advance::counts_on(trial)) },
    Clause { name: "reads are strong", check: |trial| Box::pin(read::strong(trial)) },
    Clause { name: "an expired record is still there", check: |trial| Box::pin(read::expired(trial)) },
    Clause { name: "texts come back as they were", check: |trial| Box::pin(read::texts(trial)) },
    Clause { name: "delete removes, and again", check: |trial| Box::pin(read::delete(trial)) },
    Clause { name: "list: in order, page by page, to its end", check: |trial| Box::pin(list::pages(trial)) },
    Clause {
        name: "list: of one owner, without records that have none",
        check: |trial| Box::pin(list::one_owner(trial)),
    },
    Clause { name: "list: follows advance and delete", check: |trial| Box::pin(list::follows(trial)) },
    Clause { name: "count adds, and starts at nothing", check: |trial| Box::pin(count::adds(trial)) },
    Clause { name: "count: each of many gets a total of its own", check: |trial| Box::pin(count::race(trial)) },
    Clause { name: "a counter is not a record", check: |trial| Box::pin(count::apart(trial)) },
    Clause { name: "an expired counter still counts", check: |trial| Box::pin(count::expired(trial)) },
];

/// Checks every clause. `run` is part of every key: each run on the same store needs another one.
///
/// # Errors
/// A line for each clause that does not hold.
pub async fn run(records: Arc<dyn Records>, run: &str) -> Result<(), Vec<String>> {
    let trial = Trial::new(records, run);
    let mut wrong = Vec::new();
    for clause in CLAUSES {
        if let Err(what) = (clause.check)(&trial).await {
            wrong.push(format!("{}: {what}", clause.name));
        }
    }
    if wrong.is_empty() { Ok(()) } else { Err(wrong) }
}

/// A store on trial.
pub struct Trial {
    records: Arc<dyn Records>,
    run: String,
}

impl Trial {
    /// Returns a trial of this store; `run` is part of every key.
    pub fn new(records: Arc<dyn Records>, run: &str) -> Self {
        Self { records, run: run.to_owned() }
    }

    /// Returns a record without an owner.
    fn record(&self, name: &str) -> Record {
        let id = format!("{}-{name}", self.run);
        Record {
            key: Key::new(Kind::Marker, Partition::of(&id), &id),
            owner: None,
            body: format!(r#"{{"body":"{name}"}}"#),
            state: r#"{"state":0}"#.to_owned(),
            generation: 0,
            expires_at: Some(EXPIRY),
        }
    }

    /// Returns an owner that has no records yet.
    fn owner(&self, name: &str) -> Owner {
        Owner::new(format!("{}-{name}", self.run))
    }

    /// Returns a record of this owner.
    fn owned(&self, owner: &Owner, name: &str) -> Record {
        let id = format!("{}-{name}", self.run);
        Record { key: Key::new(Kind::Marker, owner.partition(), &id), owner: Some(owner.clone()), ..self.record(name) }
    }

    /// Creates a record. Fails if it exists.
    async fn create(&self, record: &Record) -> Finding {
        expect("create", &answer(self.records.create(record).await)?, &Created::Created)
    }

    /// Reads a record.
    async fn get(&self, key: &Key) -> Result<Option<Record>, String> {
        answer(self.records.get(key).await)
    }

    /// Advances a record and keeps [`EXPIRY`].
    async fn advance(&self, key: &Key, from: u64, state: &str) -> Result<Advance, String> {
        answer(self.records.advance(key, from, state, Some(EXPIRY)).await)
    }
}

/// An expiry in the far future, not at a whole second.
const EXPIRY: Timestamp = Timestamp::from_millis(4_102_444_800_123);

/// Returns the answer of the store; an error if it gave none.
fn answer<T>(answer: Result<T, Unavailable>) -> Result<T, String> {
    answer.map_err(|unavailable| unavailable.to_string())
}

/// Succeeds if the values are equal.
fn expect<T: Debug + PartialEq>(what: &str, found: &T, wanted: &T) -> Finding {
    if found == wanted { Ok(()) } else { Err(format!("{what}: found {}, not {}", brief(found), brief(wanted))) }
}

/// Returns at most 600 characters of a value for an error message.
fn brief(value: &impl Debug) -> String {
    let text = format!("{value:?}");
    match text.char_indices().nth(600) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text,
    }
}
