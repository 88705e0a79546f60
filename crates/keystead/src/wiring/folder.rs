//! A data folder: its lock, its parts, and how a new one comes to be in one step.
//!
//! Invariant: a new instance is made in a folder beside its place and renamed there when it is
//! whole; so a data folder is either not there or complete, whatever kills the process.

use std::{
    fs::{self, File, OpenOptions},
    io,
    os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt},
    path::{Path, PathBuf},
    sync::Arc,
};

use keystead_crypto::{Argon2Cost, Entropy, PassphraseSeal};
use keystead_journal::FileDisk;
use keystead_service::Site;
use keystead_store_sqlite::SqliteBackend;
use keystead_targets::FailureDomain;
use rustix::fs::{FlockOperation, flock};
use tokio::runtime::Handle;

use super::{
    WiringRefused,
    world::{Adapters, OsClock, RuntimeTasks},
};
use crate::secrets::SecretText;

const LOCK: &str = "lock";
const DATABASE: &str = "keystead.db";
const JOURNAL: &str = "journal";

/// A locked data folder.
#[derive(Debug)]
pub(super) struct DataFolder {
    path: PathBuf,
    /// Held for as long as the process uses the folder.
    _lock: File,
}

impl DataFolder {
    /// Locks a folder that is there.
    pub(super) fn lock(path: &Path) -> Result<Self, WiringRefused> {
        let at = |source| WiringRefused::Folder { path: path.to_owned(), source };
        if !path.join(DATABASE).exists() {
            return Err(WiringRefused::NoInstance { path: path.to_owned() });
        }
        let lock = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .mode(0o600)
            .open(path.join(LOCK))
            .map_err(at)?;
        match flock(&lock, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => Ok(Self { path: path.to_owned(), _lock: lock }),
            Err(rustix::io::Errno::WOULDBLOCK) => {
                Err(WiringRefused::InUse { path: path.to_owned() })
            }
            Err(errno) => Err(at(errno.into())),
        }
    }

    /// The instance in this folder, with the passphrase that opens it.
    pub(super) fn site(
        &self,
        handle: &Handle,
        passphrase: &SecretText,
    ) -> Result<Site, WiringRefused> {
        site(&self.path, handle, passphrase)
    }
}

/// A folder in which a new instance is being made.
#[derive(Debug)]
pub(super) struct NewFolder {
    target: PathBuf,
    staging: PathBuf,
}

impl NewFolder {
    /// Begins beside `target`, which is absent or empty.
    pub(super) fn begin(target: &Path) -> Result<Self, WiringRefused> {
        let at = |path: &Path, source| WiringRefused::Folder { path: path.to_owned(), source };
        let target = std::path::absolute(target).map_err(|source| at(target, source))?;
        match fs::read_dir(&target).map(|mut entries| entries.next().is_some()) {
            Ok(true) => return Err(WiringRefused::Occupied { path: target }),
            Ok(false) => {}
            Err(absent) if absent.kind() == io::ErrorKind::NotFound => {}
            Err(source) => return Err(at(&target, source)),
        }
        let mut name = target.file_name().unwrap_or_default().to_owned();
        name.push(".unfinished");
        let staging = target.with_file_name(name);
        // What an interrupted run left behind was never an instance.
        match fs::remove_dir_all(&staging) {
            Err(failed) if failed.kind() != io::ErrorKind::NotFound => {
                return Err(at(&staging, failed));
            }
            _ => {}
        }
        let make = fs::DirBuilder::new().recursive(true).mode(0o700).create(&staging);
        make.map_err(|source| at(&staging, source))?;
        Ok(Self { target, staging })
    }

    /// The site to found the instance in.
    pub(super) fn site(
        &self,
        handle: &Handle,
        passphrase: &SecretText,
    ) -> Result<Site, WiringRefused> {
        site(&self.staging, handle, passphrase)
    }

    /// Puts the finished instance in its place. `site` must be gone: its database is closed by
    /// that.
    pub(super) fn finish(self) -> Result<(), WiringRefused> {
        let at = |source| WiringRefused::Folder { path: self.target.clone(), source };
        File::open(&self.staging).and_then(|folder| folder.sync_all()).map_err(at)?;
        fs::rename(&self.staging, &self.target).map_err(at)?;
        let parent = self.target.parent().unwrap_or(Path::new("/"));
        File::open(parent).and_then(|folder| folder.sync_all()).map_err(at)
    }

    /// Takes an unfinished instance away.
    pub(super) fn abandon(self) {
        if let Err(failed) = fs::remove_dir_all(&self.staging) {
            tracing::warn!(folder = %self.staging.display(), %failed, "an unfinished folder stays");
        }
    }
}

fn site(path: &Path, handle: &Handle, passphrase: &SecretText) -> Result<Site, WiringRefused> {
    let store = SqliteBackend::open(path.join(DATABASE))?;
    Ok(Site {
        witnesses: Vec::new(),
        store: Arc::new(store),
        disk: Arc::new(FileDisk::open(path)?),
        journal_disk: Arc::new(FileDisk::open(&path.join(JOURNAL))?),
        vaults: Arc::new(Adapters(handle.clone())),
        home: fs::metadata(path).ok().map(|folder| FailureDomain::device(folder.dev())),
        clock: Arc::new(OsClock::new()),
        tasks: Arc::new(RuntimeTasks(handle.clone())),
        entropy: Entropy::os(),
        seal: Arc::new(
            passphrase.expose(|text| PassphraseSeal::new(text.as_bytes(), Argon2Cost::FLOOR)),
        ),
    })
}
