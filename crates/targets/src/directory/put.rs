//! Writes one object so that it is new once: stage, sync, link, sync.
//!
//! Invariant: the final name appears only by a link to a file whose bytes are synced, and the
//! answer comes only after the folder that holds the name is synced, also when the name was there
//! before (a crash may have come between the first writer's link and its sync).

use super::folder::{FILE_MODE, Folder, kind, open_file};
use crate::{ObjectName, PutNew, VaultError};
use rustix::fs::{self, Advice, AtFlags, FileType, FlockOperation, OFlags};
use rustix::io::Errno;
use std::fs::File;
use std::io::{self, Write};
use std::os::fd::OwnedFd;
use std::rc::Rc;

pub(super) fn put_new(
    folder: &Folder,
    name: &ObjectName,
    bytes: &[u8],
) -> Result<PutNew, VaultError> {
    let place = Place::make(folder, name)?;
    if place.is_taken()? {
        return place.adopt();
    }
    let staged = Staged::create(folder)?;
    let outcome = staged.write(bytes).and_then(|()| staged.sync()).and_then(|()| {
        match place.link(&staged)? {
            PutNew::Created => place.settle(),
            PutNew::Exists => place.adopt(),
        }
    });
    staged.discard();
    outcome
}

/// The place where an object is or will be.
pub(super) struct Place<'a> {
    folder: &'a Folder,
    name: &'a ObjectName,
    within: Rc<OwnedFd>,
    leaf: &'a str,
}

impl<'a> Place<'a> {
    /// Makes the folders above the object.
    pub(super) fn make(folder: &'a Folder, name: &'a ObjectName) -> Result<Place<'a>, VaultError> {
        let (folders, leaf) = name.parts();
        let within = Rc::new(folder.make(folder.root()?, &folders, name)?);
        Ok(Place::within(folder, name, within, leaf))
    }

    /// A place in a folder that is open.
    pub(super) fn within(
        folder: &'a Folder,
        name: &'a ObjectName,
        within: Rc<OwnedFd>,
        leaf: &'a str,
    ) -> Place<'a> {
        Place { folder, name, within, leaf }
    }

    fn is_taken(&self) -> Result<bool, VaultError> {
        match fs::statat(&self.within, self.leaf, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(_) => Ok(true),
            Err(Errno::NOENT) => Ok(false),
            Err(errno) => Err(self.folder.failure(errno)),
        }
    }

    /// Gives the staged file the object's name unless that is taken.
    pub(super) fn link(&self, staged: &Staged<'_>) -> Result<PutNew, VaultError> {
        let (from, to) = (&staged.within, &self.within);
        match fs::linkat(from, &staged.entry, to, self.leaf, AtFlags::empty()) {
            Ok(()) => Ok(PutNew::Created),
            Err(Errno::EXIST) => Ok(PutNew::Exists),
            Err(errno @ (Errno::IO | Errno::TIMEDOUT)) => Err(self.unknown(errno)),
            Err(errno @ (Errno::PERM | Errno::OPNOTSUPP | Errno::NOSYS)) => {
                let url = self.folder.url().clone();
                Err(VaultError::Unlinkable { url, source: errno.into() })
            }
            Err(errno) => Err(self.folder.failure(errno)),
        }
    }

    /// Makes the new name durable.
    pub(super) fn settle(&self) -> Result<PutNew, VaultError> {
        fs::fsync(&self.within).map_err(|errno| self.unknown(errno))?;
        Ok(PutNew::Created)
    }

    /// Makes the object that is there durable, whoever put it.
    pub(super) fn adopt(&self) -> Result<PutNew, VaultError> {
        let object = open_file(&self.within, self.leaf).map_err(|errno| match errno {
            Errno::LOOP | Errno::NXIO => self.folder.corrupt(self.name),
            errno => self.folder.failure(errno),
        })?;
        let found = fs::fstat(&object).map_err(|errno| self.folder.failure(errno))?;
        match kind(&found) {
            FileType::RegularFile => {}
            FileType::Directory => return Err(self.folder.clash(self.name)),
            _ => return Err(self.folder.corrupt(self.name)),
        }
        fs::fsync(&object)
            .and_then(|()| fs::fsync(&self.within))
            .map_err(|errno| self.unknown(errno))?;
        Ok(PutNew::Exists)
    }

    fn unknown(&self, errno: Errno) -> VaultError {
        self.folder.unknown(self.name, errno.into())
    }
}

/// A file in the staging folder, locked for as long as its put lives: the next process that opens
/// the vault removes those that nobody holds.
pub(super) struct Staged<'a> {
    folder: &'a Folder,
    within: Rc<OwnedFd>,
    entry: String,
    file: File,
}

impl<'a> Staged<'a> {
    pub(super) fn create(folder: &'a Folder) -> Result<Staged<'a>, VaultError> {
        Staged::within(folder, Rc::new(folder.staging(&folder.root()?)?))
    }

    /// A file in the staging folder, which is open.
    pub(super) fn within(
        folder: &'a Folder,
        within: Rc<OwnedFd>,
    ) -> Result<Staged<'a>, VaultError> {
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC;
        loop {
            let entry = folder.next_temp();
            match fs::openat(&within, &entry, flags, FILE_MODE) {
                Ok(file) => {
                    // A file system without locks leaves the file open to removal by another
                    // process's `open`; the link then fails, and nothing is lost.
                    let _ = fs::flock(&file, FlockOperation::NonBlockingLockExclusive);
                    return Ok(Staged { folder, within, entry, file: file.into() });
                }
                Err(Errno::EXIST) => {}
                Err(errno) => return Err(folder.failure(errno)),
            }
        }
    }

    pub(super) fn write(&self, bytes: &[u8]) -> Result<(), VaultError> {
        (&self.file).write_all(bytes).map_err(|error| self.failure(error))
    }

    /// Begins to write the bytes out, without waiting for it.
    pub(super) fn start_sync(&self) {
        // Only a hint: Linux writes out what it is told that nobody will read.
        let _ = fs::fadvise(&self.file, 0, None, Advice::DontNeed);
    }

    pub(super) fn sync(&self) -> Result<(), VaultError> {
        fs::fsync(&self.file).map_err(|errno| self.folder.failure(errno))
    }

    /// Removes the staging name. One that stays is removed when the vault is opened again.
    pub(super) fn discard(self) {
        let _ = fs::unlinkat(&self.within, &self.entry, AtFlags::empty());
    }

    fn failure(&self, error: io::Error) -> VaultError {
        match Errno::from_io_error(&error) {
            Some(errno) => self.folder.failure(errno),
            None => VaultError::Failed { url: self.folder.url().clone(), source: error },
        }
    }
}
