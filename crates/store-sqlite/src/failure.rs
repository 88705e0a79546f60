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
    /// No space; what was to be written is not there.
    Full,
    /// No space for the index of the log, which grows after the log itself was written.
    FullIndex,
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
        // It grows by writing beyond its end, which fails for want of space.
        _ if *extended_code == ffi::SQLITE_IOERR_SHMSIZE => Class::FullIndex,
        ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => Class::Busy,
        ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase => Class::Damaged,
        _ => Class::Other,
    }
}

impl Class {
    /// What a COMMIT that was answered so has left behind.
    pub(crate) fn left_by_commit(self) -> Left {
        match self {
            // The commit mark is the last thing written: where space ran out, it is not there.
            Self::Full | Self::Busy => Left::Nothing,
            // The mark may be in the log, and only what follows it (sync, index) failed.
            Self::FullIndex | Self::Damaged | Self::Other => Left::PerhapsAll,
        }
    }
}

/// What a COMMIT that failed may have left in the log, for the next recovery to find.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Left {
    /// Surely not the changes.
    Nothing,
    /// Perhaps the changes.
    PerhapsAll,
}

/// What to tell a caller whose statement on `table` was answered so.
pub(crate) fn store_failed(table: &'static str, error: impl Into<Arc<Error>>) -> StoreFailed {
    let error = error.into();
    match class(&error) {
        Class::Full | Class::FullIndex => StoreFailed::Full,
        Class::Damaged => {
            StoreFailed::Corrupt { table, row: "on an unreadable page".to_owned(), column: "*" }
        }
        Class::Busy | Class::Other => StoreFailed::Unavailable { source: Box::new(error) },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answered(code: i32) -> Error {
        Error::SqliteFailure(ffi::Error::new(code), None)
    }

    #[test]
    fn only_a_commit_that_surely_left_nothing_is_called_not_committed() {
        for (code, left) in [
            (ffi::SQLITE_FULL, Left::Nothing),
            (ffi::SQLITE_BUSY, Left::Nothing),
            (ffi::SQLITE_IOERR_SHMSIZE, Left::PerhapsAll),
            (ffi::SQLITE_IOERR_FSYNC, Left::PerhapsAll),
            (ffi::SQLITE_IOERR_WRITE, Left::PerhapsAll),
            (ffi::SQLITE_NOMEM, Left::PerhapsAll),
            (ffi::SQLITE_CORRUPT, Left::PerhapsAll),
        ] {
            assert_eq!(class(&answered(code)).left_by_commit(), left, "{code}");
        }
        assert_eq!(class(&Error::InvalidQuery).left_by_commit(), Left::PerhapsAll);
    }

    #[test]
    fn callers_hear_what_they_can_act_upon() {
        let heard = |code| store_failed("change", answered(code));
        assert!(matches!(heard(ffi::SQLITE_FULL), StoreFailed::Full));
        assert!(matches!(heard(ffi::SQLITE_IOERR_SHMSIZE), StoreFailed::Full));
        assert!(matches!(heard(ffi::SQLITE_BUSY), StoreFailed::Unavailable { .. }));
        assert!(matches!(heard(ffi::SQLITE_IOERR_READ), StoreFailed::Unavailable { .. }));
        for code in [ffi::SQLITE_CORRUPT, ffi::SQLITE_NOTADB] {
            assert!(matches!(heard(code), StoreFailed::Corrupt { table: "change", .. }));
        }
    }
}
