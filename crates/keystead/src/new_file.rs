//! A new file that is there whole or not at all.
//!
//! Invariant: its owner alone can read it, from its first byte on; it replaces nothing; a failure
//! leaves nothing behind. So a data key or an export is never half there, nor over another one.

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;
use thiserror::Error;

use crate::exit::{Exit, Explained};

/// A file that is being written beside its place.
#[derive(Debug)]
pub(crate) struct NewFile {
    staged: NamedTempFile,
    path: PathBuf,
}

/// Why a file is not written.
#[derive(Debug, Error)]
#[error("cannot write `{}`: {source}", .path.display())]
pub(crate) struct Unwritten {
    path: PathBuf,
    source: io::Error,
}

impl Explained for Unwritten {
    fn exit(&self) -> Exit {
        match self.source.kind() {
            io::ErrorKind::AlreadyExists
            | io::ErrorKind::NotFound
            | io::ErrorKind::NotADirectory
            | io::ErrorKind::PermissionDenied => Exit::Usage,
            _ => Exit::Failed,
        }
    }

    fn hint(&self) -> Option<String> {
        match self.source.kind() {
            io::ErrorKind::AlreadyExists => Some("name a new file".to_owned()),
            _ => Some("check the path and its permissions".to_owned()),
        }
    }
}

impl NewFile {
    /// Begins the file at `path`, where nothing may be.
    pub(crate) fn begin(path: &Path) -> Result<Self, Unwritten> {
        let failed = |source| Unwritten { path: path.to_owned(), source };
        if path.symlink_metadata().is_ok() {
            return Err(failed(io::ErrorKind::AlreadyExists.into()));
        }
        let staged = NamedTempFile::new_in(folder(path)).map_err(failed)?;
        Ok(Self { staged, path: path.to_owned() })
    }

    /// Writes more.
    pub(crate) fn write(&mut self, bytes: &[u8]) -> Result<(), Unwritten> {
        let written = self.staged.write_all(bytes);
        written.map_err(|source| Unwritten { path: self.path.clone(), source })
    }

    /// Puts it in its place, once the disk has all of it.
    pub(crate) fn finish(self) -> Result<(), Unwritten> {
        let Self { staged, path } = self;
        let put = || -> io::Result<()> {
            staged.as_file().sync_all()?;
            staged.persist_noclobber(&path).map_err(|kept| kept.error)?;
            File::open(folder(&path))?.sync_all()
        };
        put().map_err(|source| Unwritten { path, source })
    }
}

fn folder(path: &Path) -> &Path {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    folder.unwrap_or(Path::new("."))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::MetadataExt;

    use super::*;

    #[test]
    fn it_is_private_whole_and_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("new");
        let mut file = NewFile::begin(&path).unwrap();
        file.write(b"ab").unwrap();
        assert!(!path.exists());
        file.finish().unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"ab");
        assert_eq!(path.metadata().unwrap().mode() & 0o777, 0o600);
        assert_eq!(folder.path().read_dir().unwrap().count(), 1);
    }

    #[test]
    fn nothing_is_replaced_and_nothing_left_behind() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("new");
        drop(NewFile::begin(&path).unwrap());
        let mut late = NewFile::begin(&path).unwrap();
        late.write(b"late").unwrap();
        std::fs::write(&path, "there").unwrap();
        for refused in [NewFile::begin(&path).unwrap_err(), late.finish().unwrap_err()] {
            assert_eq!((refused.exit(), refused.hint().as_deref()), NEW);
        }
        assert_eq!(std::fs::read(&path).unwrap(), b"there");
        assert_eq!(folder.path().read_dir().unwrap().count(), 1);
        let absent = NewFile::begin(&folder.path().join("no/folder")).unwrap_err();
        assert_eq!(absent.exit(), Exit::Usage);
    }

    const NEW: (Exit, Option<&str>) = (Exit::Usage, Some("name a new file"));
}
