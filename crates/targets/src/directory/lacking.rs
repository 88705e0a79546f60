//! Which of many names no object has.
//!
//! Invariant: a name counts as held only where a plain file bears it, as in a listing, and nothing
//! is looked for through a symbolic link; a folder that cannot be read is an error and never a
//! lack.

use std::os::fd::OwnedFd;

use rustix::fs::{self, AtFlags, FileType};
use rustix::io::Errno;

use super::folder::{Folder, kind, open_folder};
use crate::{ObjectName, VaultError};

/// Those of `names` that are not held, in their order.
pub(super) fn lacking(
    folder: &Folder,
    names: &[ObjectName],
) -> Result<Vec<ObjectName>, VaultError> {
    let mut at = Descent { root: folder.root()?, below: Vec::new() };
    let mut lacking = Vec::new();
    for name in names {
        if !at.holds(name).map_err(|errno| folder.failure(errno))? {
            lacking.push(name.clone());
        }
    }
    Ok(lacking)
}

/// The folders on the way to the last name: the next one often lies in the same.
struct Descent<'a> {
    root: OwnedFd,
    below: Vec<(&'a str, OwnedFd)>,
}

impl<'a> Descent<'a> {
    fn holds(&mut self, name: &'a ObjectName) -> Result<bool, Errno> {
        let (folders, leaf) = name.parts();
        let shared = folders.iter().zip(&self.below).take_while(|(one, (other, _))| *one == other);
        self.below.truncate(shared.count());
        for segment in &folders[self.below.len()..] {
            match open_folder(self.innermost(), segment) {
                Ok(below) => self.below.push((segment, below)),
                Err(Errno::NOENT | Errno::NOTDIR) => return Ok(false),
                Err(errno) => return Err(errno),
            }
        }
        match fs::statat(self.innermost(), leaf, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(stat) => Ok(kind(&stat) == FileType::RegularFile),
            Err(Errno::NOENT) => Ok(false),
            Err(errno) => Err(errno),
        }
    }

    fn innermost(&self) -> &OwnedFd {
        self.below.last().map_or(&self.root, |(_, below)| below)
    }
}
