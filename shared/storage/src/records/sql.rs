//! The six verbs in SQL, for the back ends on SQLite: Durable Objects and the embedded store.
//!
//! Rows of `records` are `key, owner, body, state, generation, expires_at`, rows of `counters` are `key, total,
//! expires_at`; expiry is in milliseconds since 1970.

/// Creates the tables and their indexes, except what finds expired records. `WITHOUT ROWID` makes the key the order of a
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
    CREATE INDEX IF NOT EXISTS counters_by_expiry ON counters (expires_at);
";

/// Creates the index that finds expired records of the embedded store.
pub const EXPIRY_INDEX: &str =
    "CREATE INDEX IF NOT EXISTS records_by_expiry ON records (expires_at) WHERE expires_at IS NOT NULL";

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

/// Removes expired counters, the oldest first: time, the greatest number of rows. Returns their keys.
pub const REMOVE_EXPIRED_COUNTERS: &str = "
    DELETE FROM counters WHERE key IN
    (SELECT key FROM counters WHERE expires_at <= ? ORDER BY expires_at LIMIT ?) RETURNING key";

/// Creates the table that finds expired records of an object: for each record the time at which the object looks for it.
/// That time is coarser than the expiry, so that few changes of an expiry write a row.
pub const EXPIRIES: &str = "
    CREATE TABLE IF NOT EXISTS expiries (look_at INTEGER NOT NULL, key TEXT NOT NULL, PRIMARY KEY (look_at, key))
    WITHOUT ROWID";

/// Enters the time at which the object looks for a record: time, key. Writes no row if the record has this time already.
pub const LOOK_AT: &str = "INSERT OR IGNORE INTO expiries (look_at, key) VALUES (?, ?)";

/// Removes those of the first records to look for that have expired: expiry, time of the look, the greatest number of
/// records to look for. Must be followed by [`LOOKED`].
pub const REMOVE_LOOKED: &str = "
    DELETE FROM records WHERE expires_at <= ? AND key IN
    (SELECT key FROM expiries WHERE look_at <= ? ORDER BY look_at, key LIMIT ?)";

/// Removes the entries of the records that were looked for: time of the look, the greatest number. Returns their keys. A
/// record whose expiry was extended has another entry.
pub const LOOKED: &str = "
    DELETE FROM expiries WHERE (look_at, key) IN
    (SELECT look_at, key FROM expiries WHERE look_at <= ? ORDER BY look_at, key LIMIT ?) RETURNING key";

/// Returns the time of the earliest look and of the earliest expiry of a counter; NULL if nothing expires.
pub const NEXT_LOOK: &str = "
    SELECT min(at) FROM (
        SELECT min(look_at) AS at FROM expiries UNION ALL SELECT min(expires_at) FROM counters
    )";
