//! The embedded store: records in one SQLite file of a data directory.
//!
//! - **Durability:** write-ahead log with `synchronous = FULL`. A write is answered after its commit is on the disk, so
//!   `kill -9` and a power failure lose no answered write.
//! - **Consistency:** one thread writes. Readers see every committed write.
//! - **Throughput:** writes that wait at the same time share one transaction, and so one flush of the disk.
//! - **Isolation:** one process uses a data directory at a time. SQLite runs on two threads of its own, never on a thread
//!   of the async runtime.

mod table;
mod worker;

use async_trait::async_trait;
use rusqlite::{Connection, OpenFlags};
use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::time::Duration;
use storage::{Advance, Created, Cursor, Key, Owner, Page, Record, Records, Unavailable, idempotent_write, sql};
use types::Timestamp;
use worker::Worker;

/// The database in the data directory.
const FILE: &str = "store.sqlite";

/// The file in the data directory whose lock keeps other processes out.
const LOCK: &str = "lock";

/// Longest wait for a lock of the database, which only its recovery after a crash takes.
const BUSY: Duration = Duration::from_secs(10);

/// Expired records that one transaction removes.
const BATCH: u32 = 500;

/// A reason why the store cannot be opened.
#[derive(Debug)]
pub enum OpenError {
    /// Another process uses the data directory.
    InUse(PathBuf),
    /// The file cannot be created, read or locked.
    File(PathBuf, std::io::Error),
    /// SQLite cannot use the database.
    Database(PathBuf, rusqlite::Error),
}

impl std::fmt::Display for OpenError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::InUse(path) => write!(f, "another process uses {}", path.display()),
            Self::File(path, error) => write!(f, "{} cannot be used: {error}", path.display()),
            Self::Database(path, error) => write!(f, "the database {} cannot be used: {error}", path.display()),
        }
    }
}

impl std::error::Error for OpenError {}

/// Records in an SQLite file.
#[derive(Debug)]
pub struct SqliteRecords {
    writer: Worker,
    reader: Worker,
    /// Released last, after both threads have ended.
    _lock: File,
}

impl SqliteRecords {
    /// Opens the store in a data directory, which is created if there is none.
    ///
    /// # Errors
    /// Another process uses the directory, or it cannot be read and written.
    pub fn open(directory: &Path) -> Result<Self, OpenError> {
        let file_error = |error| OpenError::File(directory.to_owned(), error);
        std::fs::create_dir_all(directory).map_err(file_error)?;
        let lock = File::create(directory.join(LOCK)).map_err(file_error)?;
        match lock.try_lock() {
            Err(TryLockError::WouldBlock) => return Err(OpenError::InUse(directory.to_owned())),
            // Some file systems have no locks.
            Ok(()) | Err(TryLockError::Error(_)) => {}
        }
        let path = directory.join(FILE);
        let database_error = |error| OpenError::Database(path.clone(), error);
        let writer = open_writer(&path).map_err(database_error)?;
        let reader = open_reader(&path).map_err(database_error)?;
        Ok(Self {
            writer: Worker::start("store-writer", writer, true).map_err(file_error)?,
            reader: Worker::start("store-reader", reader, false).map_err(file_error)?,
            _lock: lock,
        })
    }

    /// Removes the records and counters that have expired.
    ///
    /// # Errors
    /// The database fails.
    pub async fn remove_expired(&self, now: Timestamp) -> Result<(), Unavailable> {
        loop {
            let removed = self.writer.run(move |connection| table::remove_expired(connection, now, BATCH)).await?;
            if removed < BATCH as usize {
                return Ok(());
            }
        }
    }
}

fn open_writer(path: &Path) -> rusqlite::Result<Connection> {
    let connection = Connection::open(path)?;
    connection.busy_timeout(BUSY)?;
    connection.pragma_update(None, "journal_mode", "wal")?;
    connection.pragma_update(None, "synchronous", "full")?;
    connection.execute_batch(sql::SCHEMA)?;
    connection.execute_batch(sql::EXPIRY_INDEXES)?;
    Ok(connection)
}

fn open_reader(path: &Path) -> rusqlite::Result<Connection> {
    let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    connection.busy_timeout(BUSY)?;
    Ok(connection)
}

#[async_trait]
impl Records for SqliteRecords {
    async fn create(&self, record: &Record) -> Result<Created, Unavailable> {
        let wanted = record.clone();
        let found = self.writer.run(move |connection| table::create(connection, &wanted)).await?;
        Ok(idempotent_write::created(found, record))
    }

    async fn get(&self, key: &Key) -> Result<Option<Record>, Unavailable> {
        let key = key.clone();
        self.reader.run(move |connection| table::get(connection, &key)).await
    }

    async fn advance(
        &self,
        key: &Key,
        from: u64,
        state: &str,
        expires_at: Option<Timestamp>,
    ) -> Result<Advance, Unavailable> {
        let (key, next) = (key.clone(), state.to_owned());
        let found =
            self.writer.run(move |connection| table::advance(connection, &key, from, &next, expires_at)).await?;
        Ok(idempotent_write::advanced(found, from, state, expires_at))
    }

    async fn delete(&self, key: &Key) -> Result<(), Unavailable> {
        let key = key.clone();
        self.writer.run(move |connection| table::delete(connection, &key)).await
    }

    async fn list(&self, owner: &Owner, cursor: Option<&Cursor>, limit: u32) -> Result<Page, Unavailable> {
        let (owner, cursor) = (owner.clone(), cursor.cloned());
        self.reader.run(move |connection| table::list(connection, &owner, cursor.as_ref(), limit)).await
    }

    async fn count(&self, key: &Key, by: i64, expires_at: Timestamp) -> Result<i64, Unavailable> {
        let key = key.clone();
        self.writer.run(move |connection| table::count(connection, &key, by, expires_at)).await
    }
}
