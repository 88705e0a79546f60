//! A folder of the file system as a [`Disk`].
//!
//! Invariant: a file is appended to and synced through one handle, so that an error of the disk in
//! between reaches us; a new name is durable only after its folder was synced too. The folder
//! is 0700 and files are 0600: leaves name tenants and principals. Behind what was appended the
//! file goes on with zeros ([`room`]).
//!
//! Sad path that remains: a file system without `fallocate` gets its reserve written as zeros,
//! which a file system that compresses will not keep as room.

use std::{
    fs::{self, DirBuilder, File, OpenOptions},
    io::{self, ErrorKind, Write as _},
    os::unix::fs::{DirBuilderExt as _, FileExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use rustix::fs::{FallocateFlags, fallocate};

use room::Growing;

use crate::{Disk, DiskFailed, DiskOp, FileName};

const RESERVE: &str = ".reserve";
const TEMPORARY: &str = ".tmp";

/// A folder of the file system.
#[derive(Debug)]
pub struct FileDisk {
    folder: PathBuf,
    handle: File,
    /// The file that was appended to last.
    active: Mutex<Option<(FileName, Arc<Growing>)>>,
}

impl FileDisk {
    /// Opens the folder, makes it where it is missing, and removes what interrupted replaces left.
    ///
    /// # Errors
    /// [`DiskFailed`].
    pub fn open(folder: &Path) -> Result<Self, DiskFailed> {
        let opened = || -> io::Result<Self> {
            make_folder(folder)?;
            let handle = File::open(folder)?;
            remove_temporaries(folder)?;
            Ok(Self { folder: folder.to_owned(), handle, active: Mutex::new(None) })
        };
        opened().map_err(|source| failed(DiskOp::Open, folder.to_owned(), source))
    }

    fn active(&self) -> MutexGuard<'_, Option<(FileName, Arc<Growing>)>> {
        self.active.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn appending(&self, file: &FileName) -> io::Result<Arc<Growing>> {
        let mut active = self.active();
        if let Some((name, handle)) = &*active
            && name == file
        {
            return Ok(Arc::clone(handle));
        }
        let growing = Arc::new(Growing::open(&self.path(file))?);
        *active = Some((file.clone(), Arc::clone(&growing)));
        Ok(growing)
    }

    fn forget(&self, file: &FileName) {
        self.active().take_if(|(name, _)| name == file);
    }

    fn path(&self, file: &FileName) -> PathBuf {
        self.folder.join(file.as_str())
    }

    fn doing<T>(
        &self,
        op: DiskOp,
        name: &str,
        work: impl FnOnce() -> io::Result<T>,
    ) -> Result<T, DiskFailed> {
        work().map_err(|source| failed(op, self.folder.join(name), source))
    }

    fn write_aside(&self, file: &FileName, bytes: &[u8]) -> io::Result<PathBuf> {
        let aside = self.folder.join(format!(".{file}{TEMPORARY}"));
        let written = new_file(&aside).and_then(|mut handle| {
            handle.write_all(bytes)?;
            handle.sync_all()
        });
        if written.is_err() {
            // The next open removes it where this cannot.
            drop(fs::remove_file(&aside));
        }
        written.map(|()| aside)
    }
}

impl Disk for FileDisk {
    fn append(&self, file: &FileName, at: u64, bytes: &[u8]) -> Result<(), DiskFailed> {
        self.doing(DiskOp::Append, file.as_str(), || self.appending(file)?.append(at, bytes))
    }

    fn sync(&self, file: &FileName) -> Result<(), DiskFailed> {
        self.doing(DiskOp::Sync, file.as_str(), || self.appending(file)?.sync())
            .map_err(|error| in_doubt(DiskOp::Sync, error))
    }

    fn replace(&self, file: &FileName, bytes: &[u8]) -> Result<(), DiskFailed> {
        let aside = self.doing(DiskOp::Replace, file.as_str(), || self.write_aside(file, bytes))?;
        self.forget(file);
        self.doing(DiskOp::Replace, file.as_str(), || {
            fs::rename(&aside, self.path(file))?;
            self.handle.sync_all()
        })
        .map_err(|error| in_doubt(DiskOp::Replace, error))
    }

    fn read(&self, file: &FileName) -> Result<Option<Vec<u8>>, DiskFailed> {
        self.doing(DiskOp::Read, file.as_str(), || match fs::read(self.path(file)) {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            read => read.map(Some),
        })
    }

    fn read_at(&self, file: &FileName, offset: u64, len: usize) -> Result<Vec<u8>, DiskFailed> {
        self.doing(DiskOp::Read, file.as_str(), || {
            let handle = File::open(self.path(file))?;
            let left = handle.metadata()?.len().saturating_sub(offset);
            let len = usize::try_from(left).unwrap_or(usize::MAX).min(len);
            let mut bytes = vec![0; len];
            handle.read_exact_at(&mut bytes, offset)?;
            Ok(bytes)
        })
    }

    fn len_bytes(&self, file: &FileName) -> Result<u64, DiskFailed> {
        self.doing(DiskOp::Read, file.as_str(), || Ok(fs::metadata(self.path(file))?.len()))
    }

    fn list(&self) -> Result<Vec<FileName>, DiskFailed> {
        self.doing(DiskOp::List, ".", || {
            let mut names = Vec::new();
            for entry in fs::read_dir(&self.folder)? {
                let name = entry?.file_name();
                names.extend(name.to_str().and_then(|name| FileName::new(name).ok()));
            }
            names.sort();
            Ok(names)
        })
    }

    fn remove(&self, file: &FileName) -> Result<(), DiskFailed> {
        self.forget(file);
        self.doing(DiskOp::Remove, file.as_str(), || {
            remove_if_there(&self.path(file))?;
            self.handle.sync_all()
        })
    }

    fn truncate(&self, file: &FileName, len_bytes: u64) -> Result<(), DiskFailed> {
        self.doing(DiskOp::Truncate, file.as_str(), || self.appending(file)?.cut(len_bytes))
    }

    fn reserve(&self, len_bytes: u64) -> Result<(), DiskFailed> {
        let path = self.folder.join(RESERVE);
        self.doing(DiskOp::Reserve, RESERVE, || {
            let kept = allocate(&path, len_bytes).and_then(|()| self.handle.sync_all());
            if kept.is_err() {
                // A half reserve is room that nobody can use.
                remove_if_there(&path)?;
            }
            kept
        })
    }

    fn release_reserve(&self) -> Result<(), DiskFailed> {
        self.doing(DiskOp::ReleaseReserve, RESERVE, || {
            remove_if_there(&self.folder.join(RESERVE))?;
            self.handle.sync_all()
        })
    }
}

fn make_folder(folder: &Path) -> io::Result<()> {
    match DirBuilder::new().mode(0o700).create(folder) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(error),
        Ok(()) => match folder.parent() {
            Some(parent) if parent.as_os_str().is_empty() => File::open(".")?.sync_all(),
            Some(parent) => File::open(parent)?.sync_all(),
            None => Ok(()),
        },
    }
}

fn remove_temporaries(folder: &Path) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name();
        let left = name.to_str().is_some_and(|n| n.starts_with('.') && n.ends_with(TEMPORARY));
        if left {
            remove_if_there(&entry.path())?;
        }
    }
    Ok(())
}

fn new_file(path: &Path) -> io::Result<File> {
    OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)
}

fn remove_if_there(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        removed => removed,
    }
}

fn allocate(path: &Path, len_bytes: u64) -> io::Result<()> {
    let mut options = OpenOptions::new();
    let file = options.write(true).create(true).truncate(false).mode(0o600).open(path)?;
    match fallocate(&file, FallocateFlags::empty(), 0, len_bytes) {
        Err(rustix::io::Errno::OPNOTSUPP) => write_zeros(&file, len_bytes)?,
        done => done?,
    }
    file.set_len(len_bytes)?;
    file.sync_all()
}

fn write_zeros(mut file: &File, len_bytes: u64) -> io::Result<()> {
    let zeros = [0; 4096];
    let mut left = usize::try_from(len_bytes).map_err(io::Error::other)?;
    while left > 0 {
        let now = left.min(zeros.len());
        file.write_all(&zeros[..now])?;
        left -= now;
    }
    Ok(())
}

fn failed(op: DiskOp, file: PathBuf, source: io::Error) -> DiskFailed {
    match source.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => DiskFailed::Full { file },
        _ => DiskFailed::Failed { op, file, source },
    }
}

/// A sync or rename that found no room has left us in doubt: that is not [`DiskFailed::Full`],
/// which promises that nothing changed.
fn in_doubt(op: DiskOp, error: DiskFailed) -> DiskFailed {
    match error {
        DiskFailed::Full { file } => {
            let source = ErrorKind::StorageFull.into();
            DiskFailed::Failed { op, file, source }
        }
        other => other,
    }
}

mod room;
#[cfg(test)]
mod tests;
