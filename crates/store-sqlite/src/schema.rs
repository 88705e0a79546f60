//! The numbered migrations and how a database is brought to the newest of them.
//!
//! Invariant: forward only, each in one transaction, never changed once released, and never in need
//! of a key: what is sealed is moved as bytes.

use rusqlite::{Connection, OptionalExtension};

/// `PRAGMA application_id` of our databases: "KEYS".
pub(crate) const APPLICATION: i32 = 0x4b45_5953;

/// Migration `n` of `migrations/` brings schema `n - 1` to `n`.
const MIGRATIONS: [&str; 1] = [include_str!("../migrations/0001_state_and_log.sql")];

/// The newest schema that this program knows.
#[expect(clippy::cast_possible_truncation, reason = "nobody writes 2^32 migrations")]
pub(crate) const KNOWN: u32 = MIGRATIONS.len() as u32;

/// The schema of a database of ours; 0 for one without any table.
pub(crate) fn version(connection: &Connection) -> rusqlite::Result<u32> {
    let named = "SELECT 1 FROM sqlite_schema WHERE name = 'schema_version'";
    match connection.query_row(named, [], |_| Ok(())).optional()? {
        None => Ok(0),
        Some(()) => {
            let newest = "SELECT coalesce(max(version), 0) FROM schema_version";
            connection.query_row(newest, [], |row| row.get(0))
        }
    }
}

/// Applies what is missing.
pub(crate) fn migrate(connection: &Connection) -> rusqlite::Result<()> {
    let found = version(connection)?;
    for (number, migration) in (1u32..).zip(MIGRATIONS).filter(|(number, _)| *number > found) {
        connection.execute_batch(&format!(
            "BEGIN IMMEDIATE; {migration}
             INSERT INTO schema_version (version) VALUES ({number}); COMMIT;"
        ))?;
    }
    Ok(())
}
