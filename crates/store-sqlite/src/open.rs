//! Opens a database, or says in words what stands against it.
//!
//! Invariant: a database that exists is never taken for a new one. A new one is made under another
//! name and renamed when it is whole, so an empty or half-written file at the path is damage, not
//! an invitation to begin anew. What a newer program or another one wrote is not touched.

use std::{
    fs::{self, File, OpenOptions},
    io,
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use rusqlite::{Connection, OpenFlags, Row};
use thiserror::Error;

use crate::{
    failure::{Class, class},
    group::Groups,
    query::Queries,
    schema,
};

/// Up to this size opening looks at every page; above, at the header and what it reads anyway.
/// Every page of a larger file would take longer than a restart may; verification jobs read them.
const CHECKED_BYTES: u64 = 64 << 20;

/// The least that a database of ours can be.
const PAGE_BYTES: u64 = 4096;

/// Why a database was not opened.
#[derive(Debug, Error)]
pub enum OpenFailed {
    /// The operating system refused it.
    #[error("`{path}` cannot be opened or made")]
    Io {
        /// The database.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// The file is not what we wrote: restore it.
    #[error("`{path}` is damaged: {damage}")]
    Damaged {
        /// The database.
        path: PathBuf,
        /// How.
        damage: Damage,
    },
    /// The database of another program is at the path.
    #[error("`{path}` is a database of another program (application id {application:#010x})")]
    Foreign {
        /// The database.
        path: PathBuf,
        /// The application id in its header.
        application: i32,
    },
    /// A newer program wrote it; nothing was changed.
    #[error(
        "database `{path}` has schema version {found}; keystead {} reads up to {known}: use a \
         newer one",
        env!("CARGO_PKG_VERSION")
    )]
    Newer {
        /// The database.
        path: PathBuf,
        /// Its schema.
        found: u32,
        /// Ours.
        known: u32,
    },
    /// The file system lacks what a write-ahead log needs (shared memory between connections).
    #[error("the file system under `{path}` cannot hold a write-ahead log, only `{mode}`")]
    NoWriteAheadLog {
        /// The database.
        path: PathBuf,
        /// The journal mode that SQLite fell back to.
        mode: String,
    },
    /// The disk is full.
    #[error("the disk under `{path}` is full")]
    Full {
        /// The database.
        path: PathBuf,
    },
    /// SQLite refused it for another reason.
    #[error("`{path}` cannot be opened")]
    Sqlite {
        /// The database.
        path: PathBuf,
        /// What SQLite said.
        source: rusqlite::Error,
    },
}

/// How a database is damaged.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Damage {
    /// The file is empty; a new database is never left so.
    #[error("the file is empty")]
    Empty,
    /// The file is gone, but the log of its last commits is there.
    #[error("the file is gone and its write-ahead log is not")]
    Gone,
    /// It is no SQLite database, or cut off, or a page of it is not readable.
    #[error("it is no database or it is cut off")]
    Unreadable,
    /// SQLite's own check found something.
    #[error("{finding}")]
    Page {
        /// The first finding.
        finding: String,
    },
    /// The log of changes has fewer rows than its last place says.
    #[error("the log ends at place {last} and holds {rows} changes")]
    Gap {
        /// The last place.
        last: u64,
        /// How many changes there are.
        rows: u64,
    },
}

/// The file of a database, made absolute, as a relative one could be taken for a URI.
#[derive(Debug, Clone)]
pub(crate) struct DatabaseFile(PathBuf);

impl DatabaseFile {
    /// Makes the database if there is none, checks it and brings it to the newest schema. The
    /// connection returned is the writer's.
    pub(crate) fn open(path: &Path) -> Result<(Self, Connection), OpenFailed> {
        let absolute = std::path::absolute(path)
            .map_err(|source| OpenFailed::Io { path: path.to_owned(), source })?;
        let file = Self(absolute);
        match fs::metadata(&file.0) {
            Ok(found) if found.len() == 0 => return Err(file.damaged(Damage::Empty)),
            // SQLite would take less than a page for a database without tables.
            Ok(found) if found.is_file() && found.len() < PAGE_BYTES => {
                return Err(file.damaged(Damage::Unreadable));
            }
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => file.make()?,
            Err(error) => return Err(file.io(error)),
        }
        let writer = file.writer()?;
        Ok((file, writer))
    }

    /// A connection that cannot write.
    pub(crate) fn reader(&self) -> Result<Connection, OpenFailed> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let sqlite = |error| self.sqlite(error);
        let connection = Connection::open_with_flags(&self.0, flags).map_err(sqlite)?;
        Queries::prepare(&connection).map_err(sqlite)?;
        Ok(connection)
    }

    fn make(&self) -> Result<(), OpenFailed> {
        if self.beside("-wal").exists() {
            return Err(self.damaged(Damage::Gone));
        }
        let new = self.beside(".new");
        self.make_at(&new)?;
        let folder = self.0.parent().unwrap_or(Path::new("/"));
        let named = || {
            File::open(&new)?.sync_all()?;
            fs::rename(&new, &self.0)?;
            File::open(folder)?.sync_all()
        };
        named().map_err(|error| self.io(error))
    }

    fn make_at(&self, new: &Path) -> Result<(), OpenFailed> {
        // Left by a process that died here: nobody was told of it yet.
        for leftover in [new.to_owned(), self.beside(".new-journal")] {
            match fs::remove_file(leftover) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(self.io(error)),
                _ => {}
            }
        }
        let mut only_ours = OpenOptions::new();
        only_ours.write(true).create_new(true).mode(0o600);
        only_ours.open(new).map_err(|error| self.io(error))?;
        let connection = Connection::open(new).map_err(|error| self.sqlite(error))?;
        schema::migrate(&connection).map_err(|error| self.sqlite(error))?;
        connection.close().map_err(|(_, error)| self.sqlite(error))
    }

    fn writer(&self) -> Result<Connection, OpenFailed> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection =
            Connection::open_with_flags(&self.0, flags).map_err(|error| self.sqlite(error))?;
        self.check_origin(&connection)?;
        self.check_pages(&connection)?;
        let sqlite = |error| self.sqlite(error);
        let mode = configure(&connection).map_err(sqlite)?;
        if mode != "wal" {
            return Err(OpenFailed::NoWriteAheadLog { path: self.0.clone(), mode });
        }
        schema::migrate(&connection).map_err(sqlite)?;
        // What a failed sync left in the log may be readable and yet not on the disk. Copied into
        // the database and synced there, it is: what recovery found is durable before we serve it.
        connection.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)").map_err(sqlite)?;
        Groups::prepare(&connection).map_err(sqlite)?;
        Ok(connection)
    }

    fn check_origin(&self, connection: &Connection) -> Result<(), OpenFailed> {
        let application = connection.query_row("PRAGMA application_id", [], |row| row.get(0));
        let application = application.map_err(|error| self.sqlite(error))?;
        if application != schema::APPLICATION {
            return Err(OpenFailed::Foreign { path: self.0.clone(), application });
        }
        let found = schema::version(connection).map_err(|error| self.sqlite(error))?;
        let known = schema::KNOWN;
        if found > known {
            return Err(OpenFailed::Newer { path: self.0.clone(), found, known });
        }
        Ok(())
    }

    fn check_pages(&self, connection: &Connection) -> Result<(), OpenFailed> {
        let bytes = fs::metadata(&self.0).map_err(|error| self.io(error))?.len();
        if bytes > CHECKED_BYTES {
            return Ok(());
        }
        let sqlite = |error| self.sqlite(error);
        let finding: String =
            connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0)).map_err(sqlite)?;
        if finding != "ok" {
            return Err(self.damaged(Damage::Page { finding }));
        }
        let sql = "SELECT coalesce(max(commit_seq), 0), count(*) FROM change";
        let count = |row: &Row<'_>| Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?));
        let (last, rows) = connection.query_row(sql, [], count).map_err(sqlite)?;
        let (last, rows) = (last.unsigned_abs(), rows.unsigned_abs());
        if last == rows { Ok(()) } else { Err(self.damaged(Damage::Gap { last, rows })) }
    }

    /// The name of a file that belongs to this one.
    fn beside(&self, suffix: &str) -> PathBuf {
        let mut name = self.0.clone().into_os_string();
        name.push(suffix);
        name.into()
    }

    /// A refusal of the operating system.
    pub(crate) fn io(&self, source: io::Error) -> OpenFailed {
        match source.kind() {
            io::ErrorKind::StorageFull => OpenFailed::Full { path: self.0.clone() },
            _ => OpenFailed::Io { path: self.0.clone(), source },
        }
    }

    fn damaged(&self, damage: Damage) -> OpenFailed {
        OpenFailed::Damaged { path: self.0.clone(), damage }
    }

    fn sqlite(&self, source: rusqlite::Error) -> OpenFailed {
        match class(&source) {
            Class::Full | Class::FullIndex => OpenFailed::Full { path: self.0.clone() },
            Class::Damaged => self.damaged(Damage::Unreadable),
            Class::Busy | Class::Other => OpenFailed::Sqlite { path: self.0.clone(), source },
        }
    }
}

/// Sets what the writer promises and returns the journal mode. Every COMMIT is synced; freed pages
/// are overwritten, as a material that was sealed anew must not stay readable; what the schema says
/// is not taken for our program; a log that one large change has swollen shrinks again.
fn configure(connection: &Connection) -> rusqlite::Result<String> {
    let mode = connection.query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0))?;
    connection.execute_batch(
        "PRAGMA synchronous = FULL;
         PRAGMA foreign_keys = ON;
         PRAGMA secure_delete = ON;
         PRAGMA trusted_schema = OFF;
         PRAGMA cell_size_check = ON;
         PRAGMA cache_size = -16384;
         PRAGMA journal_size_limit = 8388608;",
    )?;
    Ok(mode)
}
