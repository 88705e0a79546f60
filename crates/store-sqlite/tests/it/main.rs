//! What the SQLite backend promises, tried on real files, real processes and real full disks.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on says where by panicking")]

mod child;
mod conformance;
mod crash;
mod damage;
mod disk;
mod groups;
mod open;

use std::{future::Future, path::PathBuf};

use keystead_domain::Kind;
use keystead_store::{
    AggregateRef, ChangeSet, Expected, Put,
    conformance::sample::{aggregate, put, putting, sealed},
};
use keystead_store_sqlite::SqliteBackend;
use rusqlite::Connection;
use tempfile::TempDir;

/// A folder with the path of a database in it.
struct Folder(TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self) -> PathBuf {
        self.0.path().join("state.db")
    }

    fn open(&self) -> SqliteBackend {
        SqliteBackend::open(self.path()).unwrap()
    }

    /// Another program's way into the same database.
    fn connection(&self) -> Connection {
        Connection::open(self.path()).unwrap()
    }
}

fn key(number: u64) -> AggregateRef {
    aggregate(Kind::Key, number)
}

/// A change that makes a key.
fn making(number: u64) -> ChangeSet {
    putting(put(key(number), Expected::Absent))
}

/// A change that makes a key whose body has so many bytes.
fn making_large(number: u64, bytes: usize) -> ChangeSet {
    putting(Put { body: sealed(&vec![7; bytes]), ..put(key(number), Expected::Absent) })
}

fn wait<F: Future>(future: F) -> F::Output {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
}
