//! The records and counters of one object, in SQLite. Each verb is one synchronous statement; if it changes nothing, a second one
//! reads the current record. No other request runs in between, so of several writers exactly one wins.

use serde::Serialize;
use serde::de::DeserializeOwned;
use storage::sql::Sweep;
use storage::{Cursor, Key, Owner, Record, sql};
use storage_cloudflare::{Answer, Command, Counter, Load, StoredLayout};
use types::Timestamp;
use worker::{Error, Result, SqlStorage, SqlStorageValue};

/// Largest integer that JavaScript, and so the platform's SQL, represents exactly.
const LARGEST: u64 = (1 << 53) - 1;

/// Creates the table of one row with the layout, as JSON.
const LAYOUT: &str = "CREATE TABLE IF NOT EXISTS layout (id INTEGER PRIMARY KEY CHECK (id = 1), layout TEXT NOT NULL)";

/// Creates the table of the states of the maintenance, as JSON. Only the object `deployment` has it, and only after a first use.
const STATES: &str = "CREATE TABLE IF NOT EXISTS states (name TEXT PRIMARY KEY NOT NULL, state TEXT NOT NULL)";

/// The tables of one object.
#[derive(Debug)]
pub(crate) struct Table {
    sql: SqlStorage,
}

impl Table {
    /// Opens the tables, and creates those that do not exist.
    pub(crate) fn open(sql: SqlStorage) -> Result<Self> {
        sql.exec(sql::SCHEMA, None)?;
        sql.exec(LAYOUT, None)?;
        Ok(Self { sql })
    }

    /// Returns the stored layout; `None` if this object was never used.
    pub(crate) fn layout(&self) -> Result<Option<StoredLayout>> {
        let mut rows = self.sql.exec("SELECT layout FROM layout", None)?.raw();
        match rows.next().transpose()?.as_deref() {
            None => Ok(None),
            Some([SqlStorageValue::String(json)]) => Ok(Some(serde_json::from_str(json)?)),
            Some(_) => Err(Error::from("a layout that is no text")),
        }
    }

    /// Stores the layout.
    pub(crate) fn set_layout(&self, layout: &StoredLayout) -> Result<()> {
        let json = serde_json::to_string(layout)?;
        self.sql.exec("INSERT OR REPLACE INTO layout (id, layout) VALUES (1, ?)", vec![json.into()]).map(|_| ())
    }

    /// Returns a state of the maintenance; `None` if none is stored under this name.
    pub(crate) fn state<T: DeserializeOwned>(&self, name: &str) -> Result<Option<T>> {
        self.sql.exec(STATES, None)?;
        let mut rows = self.sql.exec("SELECT state FROM states WHERE name = ?", vec![name.into()])?.raw();
        match rows.next().transpose()?.as_deref() {
            None => Ok(None),
            Some([SqlStorageValue::String(json)]) => Ok(Some(serde_json::from_str(json)?)),
            Some(_) => Err(Error::from("a state that is no text")),
        }
    }

    /// Stores a state of the maintenance.
    pub(crate) fn set_state<T: Serialize>(&self, name: &str, state: &T) -> Result<()> {
        let json = serde_json::to_string(state)?;
        self.sql.exec(STATES, None)?;
        let values = vec![name.into(), json.into()];
        self.sql.exec("INSERT OR REPLACE INTO states (name, state) VALUES (?, ?)", values).map(|_| ())
    }

    /// Returns the records of a part of the table.
    pub(crate) fn part_of_records(&self, after: &str, rows: u32) -> Result<Vec<Record>> {
        let rows = self.sql.exec(sql::PART_OF_RECORDS, vec![after.into(), number(rows.into())])?.raw();
        rows.map(|row| row.and_then(record)).collect()
    }

    /// Returns the counters of a part of the table.
    pub(crate) fn part_of_counters(&self, after: &str, rows: u32) -> Result<Vec<Counter>> {
        let rows = self.sql.exec(sql::PART_OF_COUNTERS, vec![after.into(), number(rows.into())])?.raw();
        rows.map(|row| row.and_then(counter)).collect()
    }

    /// Stores records and counters as another object had them.
    pub(crate) fn import(&self, load: &Load) -> Result<()> {
        for record in &load.records {
            let mut values = values(record);
            values.insert(4, number(record.generation));
            self.sql.exec(sql::IMPORT, values)?;
        }
        for Counter { key, total, expires_at } in &load.counters {
            let expires_at = number(expires_at.as_millis());
            let values = vec![key.as_str().into(), SqlStorageValue::Integer(*total), expires_at];
            self.sql.exec(sql::IMPORT_COUNTER, values)?;
        }
        Ok(())
    }

    /// Removes all records and counters.
    pub(crate) fn clear(&self) -> Result<()> {
        self.sql.exec("DELETE FROM records", None)?;
        self.sql.exec("DELETE FROM counters", None).map(|_| ())
    }

    /// Removes records and counters that another object has stored.
    pub(crate) fn remove(&self, load: &Load) -> Result<()> {
        for record in &load.records {
            self.sql.exec(sql::DELETE, vec![record.key.as_str().into()])?;
        }
        for counter in &load.counters {
            self.sql.exec(sql::DELETE_COUNTER, vec![counter.key.as_str().into()])?;
        }
        Ok(())
    }

    /// Runs a command.
    pub(crate) fn run(&self, command: &Command<'_>) -> Result<Answer> {
        match command {
            Command::Join => Ok(Answer::Joined),
            Command::Create(record) => self.create(record),
            Command::Get(key) => Ok(self.get(key)?.map_or(Answer::Missing, Answer::Found)),
            Command::Advance { key, from, state, expires_at } => self.advance(key, *from, state, *expires_at),
            Command::Delete(key) => {
                self.sql.exec(sql::DELETE, vec![key.as_str().into()])?;
                Ok(Answer::Deleted)
            }
            Command::List { owner, after, limit } => self.list(owner, after.as_deref(), *limit),
            Command::Count { key, by, expires_at } => self.count(key, *by, *expires_at),
            // The object runs them itself.
            Command::Maintain(_) | Command::Step(_) => Err(Error::from("no command for the tables")),
        }
    }

    /// Deletes the expired rows of the part of a sweep that starts after a key. Returns the last key of the part; `None`
    /// after the end of the table.
    pub(crate) fn sweep(&self, sweep: Sweep, after: &str, rows: u32, now: Timestamp) -> Result<Option<String>> {
        let part = self.sql.exec(sweep.last_of_part, vec![after.into(), number(rows.into())])?.raw().next();
        let last = match part.transpose()?.as_deref() {
            Some([SqlStorageValue::String(last)]) => last.clone(),
            _ => return Ok(None),
        };
        let values = vec![after.into(), last.as_str().into(), number(now.as_millis())];
        self.sql.exec(sweep.delete_expired, values)?;
        Ok(Some(last))
    }

    /// True if some row will expire.
    pub(crate) fn has_expiry(&self) -> Result<bool> {
        let row = self.sql.exec(sql::HAS_EXPIRY, None)?.raw().next();
        Ok(matches!(row.transpose()?.as_deref(), Some([SqlStorageValue::Integer(1)])))
    }

    fn create(&self, record: &Record) -> Result<Answer> {
        if self.one(sql::CREATE, values(record))?.is_some() {
            return Ok(Answer::Created);
        }
        self.get(&record.key)?.map(Answer::Exists).ok_or_else(|| Error::from("neither created nor there"))
    }

    fn get(&self, key: &Key) -> Result<Option<Record>> {
        self.one(sql::GET, vec![key.as_str().into()])
    }

    fn advance(&self, key: &Key, from: u64, state: &str, expires_at: Option<Timestamp>) -> Result<Answer> {
        let values = vec![
            state.into(),
            expires_at.map(|at| number(at.as_millis())).unwrap_or(SqlStorageValue::Null),
            key.as_str().into(),
            number(from),
        ];
        if from <= LARGEST
            && let Some(record) = self.one(sql::ADVANCE, values)?
        {
            return Ok(Answer::Advanced(record));
        }
        Ok(self.get(key)?.map_or(Answer::Missing, Answer::Stale))
    }

    fn list(&self, owner: &Owner, after: Option<&Cursor>, limit: u32) -> Result<Answer> {
        let after = after.map_or("", |cursor| cursor.0.as_str());
        let values = vec![owner.as_str().into(), after.into(), number(u64::from(limit).saturating_add(1))];
        let rows = self.sql.exec(sql::LIST, values)?.raw();
        let mut records = rows.map(|row| row.and_then(record)).collect::<Result<Vec<Record>>>()?;
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let more = records.len() > limit;
        records.truncate(limit);
        let next = records.last().filter(|_| more).map(|last| Cursor(last.key.as_str().to_owned()));
        Ok(Answer::Listed { records, next })
    }

    fn count(&self, key: &Key, by: i64, expires_at: Timestamp) -> Result<Answer> {
        let values = vec![key.as_str().into(), SqlStorageValue::Integer(by), number(expires_at.as_millis())];
        let mut rows = self.sql.exec(sql::COUNT, values)?.raw();
        match rows.next().transpose()?.as_deref() {
            Some([SqlStorageValue::Integer(total)]) => Ok(Answer::Counted(*total)),
            _ => Err(Error::from("a total that is no whole number")),
        }
    }

    fn one(&self, statement: &str, values: Vec<SqlStorageValue>) -> Result<Option<Record>> {
        let mut rows = self.sql.exec(statement, values)?.raw();
        rows.next().map(|row| row.and_then(record)).transpose()
    }
}

/// Returns key, owner, body, state and expiry of a record.
fn values(record: &Record) -> Vec<SqlStorageValue> {
    vec![
        record.key.as_str().into(),
        record.owner.as_ref().map(Owner::as_str).into(),
        record.body.as_str().into(),
        record.state.as_str().into(),
        record.expires_at.map(|at| number(at.as_millis())).unwrap_or(SqlStorageValue::Null),
    ]
}

/// Converts a number for SQL. A number that is too large becomes the largest one: a time that never comes.
fn number(value: u64) -> SqlStorageValue {
    SqlStorageValue::Integer(i64::try_from(value.min(LARGEST)).unwrap_or(i64::MAX))
}

fn moment(value: Option<SqlStorageValue>) -> Option<Timestamp> {
    match value {
        Some(SqlStorageValue::Integer(millis)) => u64::try_from(millis).ok().map(Timestamp::from_millis),
        _ => None,
    }
}

/// Converts a row (key, total, expires_at) into a counter.
fn counter(row: Vec<SqlStorageValue>) -> Result<Counter> {
    use SqlStorageValue::{Integer, String};
    let Ok([String(key), Integer(total), expires_at]) = <[SqlStorageValue; 3]>::try_from(row) else {
        return Err(Error::from("a row that is no counter"));
    };
    let expires_at = moment(Some(expires_at)).ok_or_else(|| Error::from("a counter without an expiry"))?;
    Ok(Counter { key: Key::from(key), total, expires_at })
}

/// Converts a row (key, owner, body, state, generation, expires_at) into a record.
fn record(row: Vec<SqlStorageValue>) -> Result<Record> {
    use SqlStorageValue::{Integer, Null, String};
    let Ok([String(key), owner, String(body), String(state), Integer(generation), expires_at]) =
        <[SqlStorageValue; 6]>::try_from(row)
    else {
        return Err(Error::from("a row that is no record"));
    };
    let owner = match owner {
        String(name) => Some(Owner::new(name)),
        Null => None,
        _ => return Err(Error::from("an owner that is no text")),
    };
    let generation = u64::try_from(generation).map_err(|_| Error::from("a negative generation"))?;
    Ok(Record { key: Key::from(key), owner, body, state, generation, expires_at: moment(Some(expires_at)) })
}
