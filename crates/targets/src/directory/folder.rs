//! Opens the vault's folder anew for each operation and makes sure that it is still the same one.
//!
//! Invariant: every operation works below a descriptor whose device and inode are those of `open`,
//! and follows no symbolic link, so nothing outside the folder is read or written and a folder that
//! was swapped under a running server is noticed before a byte goes there.
//!
//! Why not hold the descriptor: a disk with an open folder cannot be unmounted.

use crate::{Absence, ObjectName, VaultError, VaultUrl};
use rustix::fs::{self, AtFlags, Dir, FileType, FlockOperation, Mode, OFlags, Stat};
use rustix::io::Errno;
use std::collections::BTreeSet;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

/// Where objects lie while they are written; no object name begins with a dot.
pub(super) const STAGING: &str = ".tmp";
pub(super) const FILE_MODE: Mode = Mode::RUSR.union(Mode::WUSR);
const FOLDER_MODE: Mode = Mode::RWXU;
const ROOT: OFlags = OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::CLOEXEC);
const FOLDER: OFlags = ROOT.union(OFlags::NOFOLLOW);
/// Non-blocking, so that a pipe which bears an object's name stops nobody.
const FILE: OFlags =
    OFlags::RDONLY.union(OFlags::CLOEXEC).union(OFlags::NOFOLLOW).union(OFlags::NONBLOCK);
/// Beyond so many folders the memory of which are settled starts again: that costs syncs only.
const MAX_SETTLED: usize = 4096;

/// The folder as it was when the vault was opened.
pub(super) struct Folder {
    url: VaultUrl,
    root: Identity,
    staging: Option<Identity>,
    temps: AtomicU64,
    settled: Mutex<BTreeSet<String>>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
struct Identity {
    device: u64,
    inode: u64,
}

impl Folder {
    pub(super) fn open(url: VaultUrl) -> Result<Folder, VaultError> {
        let at = open_root(&url)?;
        let root = fs::fstat(&at).map_err(|errno| failure(&url, errno))?;
        // A folder that cannot be written (read-only, full) still has to give its objects back.
        let _ = fs::mkdirat(&at, STAGING, FOLDER_MODE);
        let staging = staging_of(&at);
        if staging.is_some() {
            remove_leftovers(&at);
        }
        Ok(Folder {
            root: identity(&root),
            staging,
            temps: AtomicU64::new(0),
            settled: Mutex::new(BTreeSet::new()),
            url,
        })
    }

    pub(super) fn url(&self) -> &VaultUrl {
        &self.url
    }

    pub(super) fn device(&self) -> u64 {
        self.root.device
    }

    /// The folder, if it is still the one that was opened.
    pub(super) fn root(&self) -> Result<OwnedFd, VaultError> {
        let at = open_root(&self.url)?;
        let found = fs::fstat(&at).map_err(|errno| self.failure(errno))?;
        if identity(&found) != self.root {
            return Err(self.away(Absence::Replaced));
        }
        if self.staging.is_some() && staging_of(&at) != self.staging {
            return Err(self.away(Absence::Emptied));
        }
        Ok(at)
    }

    /// The staging folder, made anew only where it could not be made at open.
    pub(super) fn staging(&self, root: &OwnedFd) -> Result<OwnedFd, VaultError> {
        if self.staging.is_none() {
            match fs::mkdirat(root, STAGING, FOLDER_MODE) {
                Ok(()) | Err(Errno::EXIST) => {}
                Err(errno) => return Err(self.failure(errno)),
            }
        }
        open_folder(root, STAGING).map_err(|errno| self.failure(errno))
    }

    /// A name in the staging folder that this process has not used yet.
    pub(super) fn next_temp(&self) -> String {
        let number = self.temps.fetch_add(1, Ordering::Relaxed);
        format!("{}-{number}", std::process::id())
    }

    /// The innermost of these folders; each missing one is made and synced into its parent.
    pub(super) fn make(
        &self,
        root: OwnedFd,
        folders: &[&str],
        name: &ObjectName,
    ) -> Result<OwnedFd, VaultError> {
        let mut at = root;
        let mut path = String::new();
        for segment in folders {
            path.push_str(segment);
            path.push('/');
            let made = match fs::mkdirat(&at, *segment, FOLDER_MODE) {
                Ok(()) => true,
                Err(Errno::EXIST) => false,
                Err(errno) => return Err(self.failure(errno)),
            };
            // A folder that is there may have been made by a process that crashed before its sync.
            if made || !self.is_settled(&path) {
                fs::fsync(&at).map_err(|errno| self.failure(errno))?;
                self.settle(&path);
            }
            at = open_folder(&at, segment).map_err(|errno| match errno {
                Errno::NOTDIR | Errno::LOOP => self.clash(name),
                errno => self.failure(errno),
            })?;
        }
        Ok(at)
    }

    pub(super) fn failure(&self, errno: Errno) -> VaultError {
        failure(&self.url, errno)
    }

    pub(super) fn unknown(&self, name: &ObjectName, source: io::Error) -> VaultError {
        VaultError::Unknown { url: self.url.clone(), name: name.clone(), source }
    }

    pub(super) fn corrupt(&self, name: &ObjectName) -> VaultError {
        VaultError::Corrupt { url: self.url.clone(), name: name.clone() }
    }

    pub(super) fn clash(&self, name: &ObjectName) -> VaultError {
        VaultError::Clash { url: self.url.clone(), name: name.clone() }
    }

    fn away(&self, source: Absence) -> VaultError {
        VaultError::Away { url: self.url.clone(), source }
    }

    fn is_settled(&self, path: &str) -> bool {
        self.settled.lock().unwrap_or_else(PoisonError::into_inner).contains(path)
    }

    fn settle(&self, path: &str) {
        let mut settled = self.settled.lock().unwrap_or_else(PoisonError::into_inner);
        if settled.len() >= MAX_SETTLED {
            settled.clear();
        }
        settled.insert(path.to_owned());
    }
}

/// Opens a folder below another, never through a symbolic link.
pub(super) fn open_folder(at: impl AsFd, segment: &str) -> Result<OwnedFd, Errno> {
    fs::openat(at, segment, FOLDER, Mode::empty())
}

/// Opens a file below a folder for reading, never through a symbolic link.
pub(super) fn open_file(at: impl AsFd, segment: &str) -> Result<OwnedFd, Errno> {
    fs::openat(at, segment, FILE, Mode::empty())
}

/// What kind of file this is.
pub(super) fn kind(stat: &Stat) -> FileType {
    FileType::from_raw_mode(stat.st_mode)
}

/// What an errno means for the vault.
fn failure(url: &VaultUrl, errno: Errno) -> VaultError {
    let (url, source) = (url.clone(), io::Error::from(errno));
    match errno {
        Errno::NOSPC | Errno::DQUOT => VaultError::Full { url, source },
        Errno::ACCESS | Errno::PERM | Errno::ROFS => VaultError::Denied { url, source },
        Errno::NODEV
        | Errno::NXIO
        | Errno::STALE
        | Errno::NOTCONN
        | Errno::SHUTDOWN
        | Errno::TIMEDOUT
        | Errno::HOSTDOWN
        | Errno::HOSTUNREACH
        | Errno::NETUNREACH => VaultError::Away { url, source: Absence::Unreachable(source) },
        _ => VaultError::Failed { url, source },
    }
}

fn open_root(url: &VaultUrl) -> Result<OwnedFd, VaultError> {
    fs::open(url.folder(), ROOT, Mode::empty()).map_err(|errno| VaultError::Away {
        url: url.clone(),
        source: Absence::Unreachable(errno.into()),
    })
}

fn identity(stat: &Stat) -> Identity {
    Identity { device: stat.st_dev, inode: stat.st_ino }
}

fn staging_of(root: &OwnedFd) -> Option<Identity> {
    let stat = fs::statat(root, STAGING, AtFlags::SYMLINK_NOFOLLOW).ok()?;
    (kind(&stat) == FileType::Directory).then(|| identity(&stat))
}

/// Removes what no living put holds. What cannot be removed harms nobody: it is no object.
fn remove_leftovers(root: &OwnedFd) {
    let Ok(staging) = open_folder(root, STAGING) else { return };
    let Ok(entries) = Dir::read_from(&staging) else { return };
    for entry in entries.flatten() {
        let Ok(name) = entry.file_name().to_str() else { continue };
        if name.starts_with('.') {
            continue;
        }
        let Ok(file) = open_file(&staging, name) else { continue };
        if fs::flock(&file, FlockOperation::NonBlockingLockExclusive).is_ok() {
            let _ = fs::unlinkat(&staging, name, AtFlags::empty());
        }
    }
}
