//! The six verbs on a connection: `storage::sql` with its values.

use rusqlite::{Connection, OptionalExtension, Params, Result, Row, params};
use storage::{Advance, Created, Cursor, Key, Owner, Page, Record, sql};
use types::Timestamp;

pub(crate) fn create(connection: &Connection, record: &Record) -> Result<Created> {
    let owner = record.owner.as_ref().map(Owner::as_str);
    let values = params![record.key.as_str(), owner, record.body, record.state, record.expires_at.map(millis)];
    if one(connection, sql::CREATE, values)?.is_some() {
        return Ok(Created::Created);
    }
    get(connection, &record.key)?.map(Created::Exists).ok_or(rusqlite::Error::QueryReturnedNoRows)
}

pub(crate) fn get(connection: &Connection, key: &Key) -> Result<Option<Record>> {
    one(connection, sql::GET, params![key.as_str()])
}

pub(crate) fn advance(
    connection: &Connection,
    key: &Key,
    from: u64,
    state: &str,
    expires_at: Option<Timestamp>,
) -> Result<Advance> {
    if let Ok(from) = i64::try_from(from) {
        let values = params![state, expires_at.map(millis), key.as_str(), from];
        if let Some(record) = one(connection, sql::ADVANCE, values)? {
            return Ok(Advance::Advanced(record));
        }
    }
    Ok(get(connection, key)?.map_or(Advance::Missing, Advance::Stale))
}

pub(crate) fn delete(connection: &Connection, key: &Key) -> Result<()> {
    connection.prepare_cached(sql::DELETE)?.execute(params![key.as_str()]).map(|_| ())
}

pub(crate) fn list(connection: &Connection, owner: &Owner, cursor: Option<&Cursor>, limit: u32) -> Result<Page> {
    let limit = limit.max(1);
    let after = cursor.map_or("", |cursor| cursor.0.as_str());
    let mut statement = connection.prepare_cached(sql::LIST)?;
    // One more than the page has: its presence says that there is a next page.
    let rows = statement.query_map(params![owner.as_str(), after, i64::from(limit).saturating_add(1)], record)?;
    let mut records = rows.collect::<Result<Vec<Record>>>()?;
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let has_more = records.len() > limit;
    records.truncate(limit);
    let next = records.last().filter(|_| has_more).map(|last| Cursor(last.key.as_str().to_owned()));
    Ok(Page { records, next })
}

pub(crate) fn count(connection: &Connection, key: &Key, by: i64, expires_at: Timestamp) -> Result<i64> {
    let mut statement = connection.prepare_cached(sql::COUNT)?;
    statement.query_row(params![key.as_str(), by, millis(expires_at)], |row| row.get(0))
}

/// Removes up to `limit` expired records and as many expired counters. Returns the greater of both numbers.
pub(crate) fn remove_expired(connection: &Connection, now: Timestamp, limit: u32) -> Result<usize> {
    let remove = |statement: &str| {
        let mut statement = connection.prepare_cached(statement)?;
        let rows = statement.query_map(params![millis(now), limit], |_| Ok(()))?;
        rows.collect::<Result<Vec<()>>>().map(|removed| removed.len())
    };
    Ok(remove(sql::REMOVE_EXPIRED)?.max(remove(sql::REMOVE_EXPIRED_COUNTERS)?))
}

fn one(connection: &Connection, statement: &str, values: impl Params) -> Result<Option<Record>> {
    connection.prepare_cached(statement)?.query_row(values, record).optional()
}

fn record(row: &Row<'_>) -> Result<Record> {
    let unsigned = |index: usize, value: i64| {
        u64::try_from(value).map_err(|_| rusqlite::Error::IntegralValueOutOfRange(index, value))
    };
    let expires_at: Option<i64> = row.get(5)?;
    Ok(Record {
        key: Key::from(row.get::<_, String>(0)?),
        owner: row.get::<_, Option<String>>(1)?.map(Owner::new),
        body: row.get(2)?,
        state: row.get(3)?,
        generation: unsigned(4, row.get(4)?)?,
        expires_at: expires_at.map(|millis| unsigned(5, millis).map(Timestamp::from_millis)).transpose()?,
    })
}

/// Returns a time as SQL has it. A time beyond the range is the latest time of the range: it never comes.
fn millis(time: Timestamp) -> i64 {
    i64::try_from(time.as_millis()).unwrap_or(i64::MAX)
}
