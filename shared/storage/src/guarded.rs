//! Records behind the record access of one function, as its row in the manifest states it.

use crate::{Advance, ClockReading, Created, Cursor, Key, Owner, Page, Record, Records, Unavailable};
use async_trait::async_trait;
use manifest::{Function, RecordKind, Verb};
use std::fmt;
use std::sync::Arc;
use types::Timestamp;

/// A store that rejects every call that the manifest does not allow to the function. On AWS the policy of the function rejects
/// the same calls; this wrapper rejects them on every platform.
pub struct GuardedRecords {
    inner: Arc<dyn Records>,
    function: Function,
    report: Box<dyn Fn(&str) + Send + Sync>,
}

/// A call outside the record access of a function.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    function: &'static str,
    verb: Verb,
    what: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { function, verb, what } = self;
        // Tests look for the first words in the log.
        write!(
            f,
            "forbidden record access: {function} may not {verb} {what}; its row in shared/manifest states what it may"
        )
    }
}

/// Checks that a function may use a verb on the record or counter of a key.
///
/// # Errors
/// Its row in the manifest does not allow that.
pub fn check(function: &Function, verb: Verb, key: &Key) -> Result<(), Violation> {
    let what = match RecordKind::of_key(key.as_str()) {
        Some(kind) if function.may(verb, kind) => return Ok(()),
        Some(kind) => kind.as_str(),
        None => "a record of unknown kind",
    };
    Err(Violation { function: function.name, verb, what: what.to_owned() })
}

/// Checks that a function may list the records of an owner.
///
/// # Errors
/// Its row in the manifest does not allow that.
pub fn check_list(function: &Function, owner: &Owner) -> Result<(), Violation> {
    if function.may_list(owner.as_str()) {
        return Ok(());
    }
    // The owner's name may hold the subject of a user.
    let what = owner.as_str().split('#').next().unwrap_or_default().to_owned();
    Err(Violation { function: function.name, verb: Verb::List, what })
}

impl GuardedRecords {
    /// Wraps a store for a function. `report` writes each rejected call to the log.
    pub fn new(inner: Arc<dyn Records>, function: Function, report: Box<dyn Fn(&str) + Send + Sync>) -> Self {
        Self { inner, function, report }
    }

    fn check(&self, verb: Verb, key: &Key) -> Result<(), Unavailable> {
        check(&self.function, verb, key).map_err(|violation| self.reject(&violation))
    }

    fn reject(&self, violation: &Violation) -> Unavailable {
        let reason = violation.to_string();
        (self.report)(&reason);
        Unavailable { reason }
    }
}

#[async_trait]
impl Records for GuardedRecords {
    async fn create(&self, record: &Record) -> Result<Created, Unavailable> {
        self.check(Verb::Create, &record.key)?;
        self.inner.create(record).await
    }

    async fn get(&self, key: &Key) -> Result<Option<Record>, Unavailable> {
        self.check(Verb::Get, key)?;
        self.inner.get(key).await
    }

    async fn advance(
        &self,
        key: &Key,
        from: u64,
        state: &str,
        expires_at: Option<Timestamp>,
    ) -> Result<Advance, Unavailable> {
        self.check(Verb::Advance, key)?;
        self.inner.advance(key, from, state, expires_at).await
    }

    async fn delete(&self, key: &Key) -> Result<(), Unavailable> {
        self.check(Verb::Delete, key)?;
        self.inner.delete(key).await
    }

    async fn list(&self, owner: &Owner, cursor: Option<&Cursor>, limit: u32) -> Result<Page, Unavailable> {
        check_list(&self.function, owner).map_err(|violation| self.reject(&violation))?;
        self.inner.list(owner, cursor, limit).await
    }

    async fn count(&self, key: &Key, by: i64, expires_at: Timestamp) -> Result<i64, Unavailable> {
        self.check(Verb::Count, key)?;
        self.inner.count(key, by, expires_at).await
    }

    fn clock(&self) -> Option<ClockReading> {
        self.inner.clock()
    }
}
