//! Lists the objects under a prefix.
//!
//! Invariant: every plain file whose path is an object name is listed, and nothing else; a folder
//! that cannot be read is an error and never a shorter list.
//!
//! Why other files are skipped: file systems and people leave some (`lost+found`, `.DS_Store`), and
//! whoever can add a file to a vault must not be able to stop a restore with it.

use super::folder::{Folder, kind, open_folder};
use crate::name::prefix_folders;
use crate::{Listed, ObjectName, VaultError};
use rustix::fs::{self, AtFlags, Dir, FileType};
use rustix::io::Errno;
use std::os::fd::OwnedFd;

/// Lists what lies under `prefix`, without what lies below folders with a name in `apart`.
pub(super) fn list(
    folder: &Folder,
    prefix: &str,
    apart: &[String],
) -> Result<Vec<Listed>, VaultError> {
    let folders = prefix_folders(prefix)
        .map_err(|source| VaultError::PrefixInvalid { prefix: prefix.to_owned(), source })?;
    let mut at = folder.root()?;
    for segment in folders {
        at = match open_folder(&at, segment) {
            Ok(below) => below,
            Err(Errno::NOENT | Errno::NOTDIR) => return Ok(Vec::new()),
            Err(errno) => return Err(folder.failure(errno)),
        };
    }
    let mut found = Vec::new();
    collect(&at, prefix, apart, &mut found).map_err(|errno| folder.failure(errno))?;
    found.sort_unstable_by(|one, other| one.name.cmp(&other.name));
    Ok(found)
}

/// Descends at most 256 levels: a longer path is no object name.
fn collect(
    at: &OwnedFd,
    prefix: &str,
    apart: &[String],
    found: &mut Vec<Listed>,
) -> Result<(), Errno> {
    for name in names(at, prefix)? {
        let entry = &name.as_str()[prefix.len()..];
        let stat = match fs::statat(at, entry, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(stat) => stat,
            Err(Errno::NOENT) => continue,
            Err(errno) => return Err(errno),
        };
        match kind(&stat) {
            FileType::RegularFile => {
                let bytes = u64::try_from(stat.st_size).expect("no file has a negative size");
                found.push(Listed { name, bytes, versions: 1 });
            }
            FileType::Directory if !apart.iter().any(|folder| folder == entry) => {
                collect(&open_folder(at, entry)?, &format!("{name}/"), apart, found)?;
            }
            _ => {}
        }
    }
    Ok(())
}

fn names(at: &OwnedFd, prefix: &str) -> Result<Vec<ObjectName>, Errno> {
    let mut names = Vec::new();
    for entry in Dir::read_from(at)? {
        let entry = entry?;
        let Ok(segment) = entry.file_name().to_str() else { continue };
        // As long as it is: `format!` would leave room behind each of very many names.
        names.extend(ObjectName::try_from([prefix, segment].concat()).ok());
    }
    Ok(names)
}
