//! The port to one folder of files: what the journal and the outbox of segments need of a disk.
//!
//! Invariant: after `sync` or `replace` answered well, no crash undoes what they made durable;
//! before that, a crash may keep any part of what was appended. Synchronous, because it is called
//! from the thread that the binary gives to [`Journal::run`](crate::Journal::run).

use std::{fmt, io, path::PathBuf, sync::Arc};

use thiserror::Error;

/// Why a text is not the name of a file.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("`{text}` is not 1 to 128 of `a-z`, `0-9`, `.`, `_`, `-` with a letter or digit first")]
pub struct BadFileName {
    /// What was given.
    pub text: String,
}

/// The name of a file in the folder.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FileName(String);

impl FileName {
    /// From its text.
    ///
    /// # Errors
    /// [`BadFileName`]; a name never leads out of the folder nor to a hidden file.
    pub fn new(text: &str) -> Result<Self, BadFileName> {
        let lawful = text.len() <= 128
            && text.starts_with(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit())
            && text.bytes().all(|c| matches!(c, b'a'..=b'z' | b'0'..=b'9' | b'.' | b'_' | b'-'));
        lawful.then(|| Self(text.to_owned())).ok_or_else(|| BadFileName { text: text.to_owned() })
    }

    /// Its text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for FileName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What was asked of a disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DiskOp {
    /// Opening the folder.
    Open,
    /// [`Disk::append`].
    Append,
    /// [`Disk::sync`].
    Sync,
    /// [`Disk::replace`].
    Replace,
    /// [`Disk::read`], [`Disk::read_at`] or [`Disk::len_bytes`].
    Read,
    /// [`Disk::list`].
    List,
    /// [`Disk::remove`].
    Remove,
    /// [`Disk::truncate`].
    Truncate,
    /// [`Disk::reserve`].
    Reserve,
    /// [`Disk::release_reserve`].
    ReleaseReserve,
}

impl fmt::Display for DiskOp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Open => "opened",
            Self::Append => "appended to",
            Self::Sync => "synced",
            Self::Replace => "replaced",
            Self::Read => "read",
            Self::List => "listed",
            Self::Remove => "removed",
            Self::Truncate => "cut",
            Self::Reserve => "reserved",
            Self::ReleaseReserve => "released",
        })
    }
}

/// Why a disk did not do what was asked.
#[derive(Debug, Error)]
pub enum DiskFailed {
    /// There is no room. An append may have written a part; a replace has changed nothing.
    #[error("the disk is full: `{}`", file.display())]
    Full {
        /// Which file.
        file: PathBuf,
    },
    /// Anything else. Whether a sync or a replace took effect is not known.
    #[error("`{}` could not be {op}", file.display())]
    Failed {
        /// What was asked.
        op: DiskOp,
        /// Of which file.
        file: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
}

/// Files in one folder.
pub trait Disk: Send + Sync + fmt::Debug {
    /// Writes at `at`, behind all that was appended to a file that is there; durable after
    /// [`Disk::sync`]. Behind it the file may go on with zeros, its *room*: a disk may make some so
    /// that a sync need not lengthen the file.
    ///
    /// # Errors
    /// [`DiskFailed`]; a part may have been written.
    fn append(&self, file: &FileName, at: u64, bytes: &[u8]) -> Result<(), DiskFailed>;

    /// Makes all that was appended to and cut from a file durable.
    ///
    /// # Errors
    /// [`DiskFailed`]; whether it is durable is not known then, and asking again proves nothing.
    fn sync(&self, file: &FileName) -> Result<(), DiskFailed>;

    /// Makes `bytes` the whole of a file, new or not, durably and in one step.
    ///
    /// # Errors
    /// [`DiskFailed::Full`] and nothing has changed, or [`DiskFailed::Failed`] and it is not known.
    fn replace(&self, file: &FileName, bytes: &[u8]) -> Result<(), DiskFailed>;

    /// All of a file, or nothing where there is none.
    ///
    /// # Errors
    /// [`DiskFailed`].
    fn read(&self, file: &FileName) -> Result<Option<Vec<u8>>, DiskFailed>;

    /// `len_bytes` from `offset`, fewer where the file ends before.
    ///
    /// # Errors
    /// [`DiskFailed`], also where there is no such file.
    fn read_at(
        &self,
        file: &FileName,
        offset: u64,
        len_bytes: usize,
    ) -> Result<Vec<u8>, DiskFailed>;

    /// How long a file is, its room included.
    ///
    /// # Errors
    /// [`DiskFailed`], also where there is no such file.
    fn len_bytes(&self, file: &FileName) -> Result<u64, DiskFailed>;

    /// The names of all files, sorted; the reserve is none of them.
    ///
    /// # Errors
    /// [`DiskFailed`].
    fn list(&self) -> Result<Vec<FileName>, DiskFailed>;

    /// Removes a file durably; one that is not there is removed already.
    ///
    /// # Errors
    /// [`DiskFailed`].
    fn remove(&self, file: &FileName) -> Result<(), DiskFailed>;

    /// Cuts a file to its first `len_bytes`, its room too; durable after [`Disk::sync`].
    ///
    /// # Errors
    /// [`DiskFailed`].
    fn truncate(&self, file: &FileName, len_bytes: u64) -> Result<(), DiskFailed>;

    /// Sets `len_bytes` of room aside, or proves that they still are.
    ///
    /// # Errors
    /// [`DiskFailed::Full`] and nothing is set aside.
    fn reserve(&self, len_bytes: u64) -> Result<(), DiskFailed>;

    /// Gives the room of the reserve to the files.
    ///
    /// # Errors
    /// [`DiskFailed`].
    fn release_reserve(&self) -> Result<(), DiskFailed>;
}

impl<D: Disk + ?Sized> Disk for Arc<D> {
    fn append(&self, file: &FileName, at: u64, bytes: &[u8]) -> Result<(), DiskFailed> {
        D::append(self, file, at, bytes)
    }

    fn sync(&self, file: &FileName) -> Result<(), DiskFailed> {
        D::sync(self, file)
    }

    fn replace(&self, file: &FileName, bytes: &[u8]) -> Result<(), DiskFailed> {
        D::replace(self, file, bytes)
    }

    fn read(&self, file: &FileName) -> Result<Option<Vec<u8>>, DiskFailed> {
        D::read(self, file)
    }

    fn read_at(&self, file: &FileName, offset: u64, len: usize) -> Result<Vec<u8>, DiskFailed> {
        D::read_at(self, file, offset, len)
    }

    fn len_bytes(&self, file: &FileName) -> Result<u64, DiskFailed> {
        D::len_bytes(self, file)
    }

    fn list(&self) -> Result<Vec<FileName>, DiskFailed> {
        D::list(self)
    }

    fn remove(&self, file: &FileName) -> Result<(), DiskFailed> {
        D::remove(self, file)
    }

    fn truncate(&self, file: &FileName, len_bytes: u64) -> Result<(), DiskFailed> {
        D::truncate(self, file, len_bytes)
    }

    fn reserve(&self, len_bytes: u64) -> Result<(), DiskFailed> {
        D::reserve(self, len_bytes)
    }

    fn release_reserve(&self) -> Result<(), DiskFailed> {
        D::release_reserve(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_never_leads_out_of_the_folder() {
        assert!(FileName::new("journal-00000000000000000000").is_ok());
        for bad in ["", ".", "..", "../a", "a/b", ".hidden", "A", "a b", "a\0", &"a".repeat(129)] {
            assert_eq!(FileName::new(bad), Err(BadFileName { text: bad.to_owned() }));
        }
    }
}
