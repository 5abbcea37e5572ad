//! The six verbs in SQL, for the back ends on SQLite: Durable Objects and the embedded store.
//!
//! Rows of `records` are `key, owner, body, state, generation, expires_at`, rows of `counters` are `key, total,
//! expires_at`; expiry is in milliseconds since 1970.

/// Creates the tables and their indexes. `WITHOUT ROWID` makes the key the order of a table, so that a record costs one
/// written row instead of two.
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
    CREATE INDEX IF NOT EXISTS records_by_expiry ON records (expires_at) WHERE expires_at IS NOT NULL;
    CREATE TABLE IF NOT EXISTS counters (
        key TEXT PRIMARY KEY NOT NULL,
        total INTEGER NOT NULL,
        expires_at INTEGER NOT NULL
    ) WITHOUT ROWID;
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

/// Removes expired records, the oldest first: time, the greatest number of rows. Returns their keys.
pub const REMOVE_EXPIRED: &str = "
    DELETE FROM records WHERE key IN
    (SELECT key FROM records WHERE expires_at <= ? ORDER BY expires_at LIMIT ?) RETURNING key";

/// Removes expired counters, the oldest first: time, the greatest number of rows. Returns their keys.
pub const REMOVE_EXPIRED_COUNTERS: &str = "
    DELETE FROM counters WHERE key IN
    (SELECT key FROM counters WHERE expires_at <= ? ORDER BY expires_at LIMIT ?) RETURNING key";

/// Returns the earliest expiry; NULL if nothing expires.
pub const NEXT_EXPIRY: &str = "
    SELECT min(expires_at) FROM (
        SELECT min(expires_at) AS expires_at FROM records WHERE expires_at IS NOT NULL
        UNION ALL SELECT min(expires_at) FROM counters
    )";
