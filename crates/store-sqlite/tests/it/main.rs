//! What the SQLite backend promises, tried on real files, real processes and real full disks.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on says where by panicking")]

mod conformance;

use std::{future::Future, path::PathBuf};

use keystead_store_sqlite::SqliteBackend;
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
}

fn wait<F: Future>(future: F) -> F::Output {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
}
