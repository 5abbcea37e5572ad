//! The six verbs in SQL, for the back ends on SQLite: Durable Objects and the embedded store.
//!
//! Rows of `records` are `key, owner, body, state, generation, expires_at`, rows of `counters` are `key, total,
//! expires_at`; expiry is in milliseconds since 1970.

/// Creates the tables and the index of owners. `WITHOUT ROWID` makes the key the order of a
/// table, so that a record costs one written row instead of two.
pub const SCHEMA: &str = "
    CREATE TABLE IF NOT EXISTS records (
        key TEXT PRIMARY KEY NOT NULL,
        owner TEXT,
        body TEXT NOT NULL,
        state TEXT NOT NULL,
        generation INTEGER NOT NULL,
        expires_at INTEGER
    ) WITHOUT ROWID;
    CREATE INDEX IF NOT EXISTS records_by_owner ON records (owner, key) WHERE owner IS NOT NULL;
    CREATE TABLE IF NOT EXISTS counters (
        key TEXT PRIMARY KEY NOT NULL,
        total INTEGER NOT NULL,
        expires_at INTEGER NOT NULL
    ) WITHOUT ROWID;
";

/// Creates the indexes that find what has expired, for the embedded store. Durable Objects have none: Cloudflare bills the
/// rows of an index when they are written and when they are deleted, and reading a row costs a thousandth of that.
pub const EXPIRY_INDEXES: &str = "
    CREATE INDEX IF NOT EXISTS records_by_expiry ON records (expires_at) WHERE expires_at IS NOT NULL;
    CREATE INDEX IF NOT EXISTS counters_by_expiry ON counters (expires_at);
";

/// `create`: key, owner, body, state, expiry. Returns the row if the key was free.
pub const CREATE: &str = "
    INSERT INTO records (key, owner, body, state, generation, expires_at) VALUES (?, ?, ?, ?, 0, ?)
    ON CONFLICT (key) DO NOTHING RETURNING key, owner, body, state, generation, expires_at";

/// `get`: key. Returns the row.
pub const GET: &str = "SELECT key, owner, body, state, generation, expires_at FROM records WHERE key = ?";

/// `advance`: state, expiry, key, generation. Returns the row after the write if the generation was right.
pub const ADVANCE: &str = "
    UPDATE records SET state = ?, expires_at = ?, generation = generation + 1 WHERE key = ? AND generation = ?
    RETURNING key, owner, body, state, generation, expires_at";

/// `delete`: key.
pub const DELETE: &str = "DELETE FROM records WHERE key = ?";

/// `list`: owner, the key after which the page starts, the greatest number of rows. Returns the rows.
pub const LIST: &str = "
    SELECT key, owner, body, state, generation, expires_at FROM records
    WHERE owner = ? AND key > ? ORDER BY key LIMIT ?";

/// `count`: key, number to add, expiry. Returns the new total. Later calls leave the expiry, so each writes one row.
pub const COUNT: &str = "
    INSERT INTO counters (key, total, expires_at) VALUES (?, ?, ?)
    ON CONFLICT (key) DO UPDATE SET total = total + excluded.total RETURNING total";

/// Removes expired records of the embedded store, the oldest first: time, the greatest number of rows. Returns their keys.
pub const REMOVE_EXPIRED: &str = "
    DELETE FROM records WHERE key IN
    (SELECT key FROM records WHERE expires_at <= ? ORDER BY expires_at LIMIT ?) RETURNING key";

/// Removes expired counters of the embedded store, the oldest first: time, the greatest number of rows. Returns their keys.
pub const REMOVE_EXPIRED_COUNTERS: &str = "
    DELETE FROM counters WHERE key IN
    (SELECT key FROM counters WHERE expires_at <= ? ORDER BY expires_at LIMIT ?) RETURNING key";

/// Statements that delete the expired rows of one table of a Durable Object, part after part, in the order of the keys.
#[derive(Clone, Copy, Debug)]
pub struct Sweep {
    /// Returns the last key of the next part, NULL after the end: the key after which the part starts, its number of rows.
    pub last_of_part: &'static str,
    /// Deletes the expired rows of a part: the key after which it starts, its last key, time.
    pub delete_expired: &'static str,
}

/// The sweep of records.
pub const SWEEP_RECORDS: Sweep = Sweep {
    last_of_part: "SELECT max(key) FROM (SELECT key FROM records WHERE key > ? ORDER BY key LIMIT ?)",
    delete_expired: "DELETE FROM records WHERE key > ? AND key <= ? AND expires_at <= ?",
};

/// The sweep of counters.
pub const SWEEP_COUNTERS: Sweep = Sweep {
    last_of_part: "SELECT max(key) FROM (SELECT key FROM counters WHERE key > ? ORDER BY key LIMIT ?)",
    delete_expired: "DELETE FROM counters WHERE key > ? AND key <= ? AND expires_at <= ?",
};

/// Returns 1 if some row will expire, else 0.
pub const HAS_EXPIRY: &str = "
    SELECT EXISTS (SELECT 1 FROM counters) OR EXISTS (SELECT 1 FROM records WHERE expires_at IS NOT NULL)";

/// A part of the records, in the order of the keys: the key after which it starts, its number of rows.
pub const PART_OF_RECORDS: &str = "
    SELECT key, owner, body, state, generation, expires_at FROM records WHERE key > ? ORDER BY key LIMIT ?";

/// A part of the counters, likewise. Rows: key, total, expiry.
pub const PART_OF_COUNTERS: &str = "SELECT key, total, expires_at FROM counters WHERE key > ? ORDER BY key LIMIT ?";

/// Stores a record as another object had it: key, owner, body, state, generation, expiry.
pub const IMPORT: &str = "
    INSERT OR REPLACE INTO records (key, owner, body, state, generation, expires_at) VALUES (?, ?, ?, ?, ?, ?)";

/// Stores a counter as another object had it: key, total, expiry.
pub const IMPORT_COUNTER: &str = "INSERT OR REPLACE INTO counters (key, total, expires_at) VALUES (?, ?, ?)";

/// Removes a counter: key.
pub const DELETE_COUNTER: &str = "DELETE FROM counters WHERE key = ?";
