//! What an answer of SQLite means to the port.
//!
//! Invariant: a full disk is named as such, damage names its table, and all else is *unavailable*
//! with SQLite's own words as the source.

use std::sync::Arc;

use keystead_store::StoreFailed;
use rusqlite::{Error, ErrorCode, ffi};
use thiserror::Error;

/// Nobody serves any more, as a rule after a commit whose outcome is open; see [`crate::writer`].
#[derive(Debug, Error)]
#[error("the threads of the store have stopped: open the database again")]
pub(crate) struct Stopped;

impl From<Stopped> for StoreFailed {
    fn from(stopped: Stopped) -> Self {
        Self::Unavailable { source: Box::new(stopped) }
    }
}

/// The broad classes that decide what is done next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Class {
    /// No space.
    Full,
    /// Another connection holds the lock.
    Busy,
    /// A page or the file is not what SQLite wrote.
    Damaged,
    /// All else.
    Other,
}

/// Classifies an answer.
pub(crate) fn class(error: &Error) -> Class {
    let Some(ffi::Error { code, extended_code }) = error.sqlite_error() else {
        return Class::Other;
    };
    match code {
        ErrorCode::DiskFull => Class::Full,
        // The index of the log grows by writing beyond its end, which fails for want of space.
        _ if *extended_code == ffi::SQLITE_IOERR_SHMSIZE => Class::Full,
        ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => Class::Busy,
        ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase => Class::Damaged,
        _ => Class::Other,
    }
}

/// What to tell a caller whose statement on `table` was answered so.
pub(crate) fn store_failed(table: &'static str, error: impl Into<Arc<Error>>) -> StoreFailed {
    let error = error.into();
    match class(&error) {
        Class::Full => StoreFailed::Full,
        Class::Damaged => {
            StoreFailed::Corrupt { table, row: "on an unreadable page".to_owned(), column: "*" }
        }
        Class::Busy | Class::Other => StoreFailed::Unavailable { source: Box::new(error) },
    }
}
