//! Instances that released versions left in `tests/fixtures/`, brought back to where they lived.
//!
//! Invariant: the signed state names its vaults by absolute paths, so a fixture lives in one place
//! of the machine and nowhere else: whoever uses that place holds a lock, also against other
//! checkouts. What is kept in git is never served: a copy is.

use std::{
    fs::{self, File, OpenOptions},
    os::unix::fs::{OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
};

use rustix::fs::{FlockOperation, flock};
use serde_json::Value;

use crate::{Failed, Machine};

/// Where a fixture lives while it is made or used.
const PLACE: &str = "/tmp/keystead-fixture";

/// The one place, held by this value alone.
#[derive(Debug)]
pub struct Place {
    folder: PathBuf,
    _lock: File,
}

impl Place {
    /// Waits until nobody uses the place, and empties it.
    ///
    /// # Errors
    /// [`Failed::File`].
    pub fn take() -> Result<Self, Failed> {
        let (folder, lock) = (PathBuf::from(PLACE), PathBuf::from(format!("{PLACE}.lock")));
        let mut options = OpenOptions::new();
        let file = options.create(true).truncate(false).write(true).mode(0o600).open(&lock);
        let file = file.map_err(Failed::file(&lock))?;
        flock(&file, FlockOperation::LockExclusive).map_err(|no| Failed::file(&lock)(no.into()))?;
        remove(&folder)?;
        fs::create_dir(&folder).map_err(Failed::file(&folder))?;
        Ok(Self { folder, _lock: file })
    }

    /// A path in it.
    #[must_use]
    pub fn at(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// Brings a fixture here, for its owner alone.
    ///
    /// # Errors
    /// [`Failed::File`].
    pub fn fill(&self, fixture: &Path) -> Result<(), Failed> {
        copy(fixture, &self.folder, &|_| true)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        // The next one who takes the place empties it as well.
        let _ = remove(&self.folder);
    }
}

/// What a fixture tells of itself, and the machine that its instance lived on.
#[derive(Debug)]
pub struct Fixture {
    /// `manifest.json`.
    pub manifest: Value,
    place: Place,
}

impl Fixture {
    /// A copy of the fixture in `folder`, in the place where it was made.
    ///
    /// # Errors
    /// [`Failed::File`].
    pub fn open(folder: &Path) -> Result<Self, Failed> {
        let place = Place::take()?;
        place.fill(folder)?;
        let path = place.at("manifest.json");
        let text = fs::read_to_string(&path).map_err(Failed::file(&path))?;
        let manifest = serde_json::from_str(&text);
        let line = path.display().to_string();
        let manifest =
            manifest.map_err(|bad| Failed::Printed { line, printed: bad.to_string() })?;
        Ok(Self { manifest, place })
    }

    /// A path in it.
    #[must_use]
    pub fn at(&self, name: &str) -> PathBuf {
        self.place.at(name)
    }

    /// The machine whose home it is.
    ///
    /// # Errors
    /// [`Failed::NoBinary`], [`Failed::File`].
    pub fn machine(&self) -> Result<Machine, Failed> {
        Machine::new(self.at("home"))
    }
}

/// Copies a tree; what is copied is for its owner alone.
///
/// # Errors
/// [`Failed::File`].
pub fn copy(from: &Path, to: &Path, wanted: &dyn Fn(&Path) -> bool) -> Result<(), Failed> {
    fs::create_dir_all(to).map_err(Failed::file(to))?;
    allow(to, 0o700)?;
    let entries = fs::read_dir(from).map_err(Failed::file(from))?;
    for entry in entries {
        let path = entry.map_err(Failed::file(from))?.path();
        let into = to.join(path.file_name().unwrap_or_default());
        if !wanted(&path) {
            continue;
        }
        if path.is_dir() {
            copy(&path, &into, wanted)?;
        } else {
            fs::copy(&path, &into).map_err(Failed::file(&path))?;
            allow(&into, 0o600)?;
        }
    }
    Ok(())
}

fn allow(path: &Path, mode: u32) -> Result<(), Failed> {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).map_err(Failed::file(path))
}

fn remove(folder: &Path) -> Result<(), Failed> {
    match fs::remove_dir_all(folder) {
        Err(failed) if failed.kind() != std::io::ErrorKind::NotFound => {
            Err(Failed::file(folder)(failed))
        }
        _ => Ok(()),
    }
}
