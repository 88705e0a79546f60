//! Reads one object back.
//!
//! Invariant: *nothing there* is answered only by a folder that was checked to be the vault.

use super::folder::{Folder, kind, open_file, open_folder};
use crate::{ObjectName, VaultError};
use rustix::fs::{self, FileType};
use rustix::io::Errno;
use std::fs::File;
use std::io::Read;

pub(super) fn read(folder: &Folder, name: &ObjectName) -> Result<Option<Vec<u8>>, VaultError> {
    let (folders, leaf) = name.parts();
    let mut at = folder.root()?;
    for segment in folders {
        at = match open_folder(&at, segment) {
            Ok(below) => below,
            Err(Errno::NOENT | Errno::NOTDIR) => return Ok(None),
            Err(errno) => return Err(folder.failure(errno)),
        };
    }
    let object = match open_file(&at, leaf) {
        Ok(object) => object,
        Err(Errno::NOENT) => return Ok(None),
        Err(Errno::LOOP | Errno::NXIO) => return Err(folder.corrupt(name)),
        Err(errno) => return Err(folder.failure(errno)),
    };
    let found = fs::fstat(&object).map_err(|errno| folder.failure(errno))?;
    match kind(&found) {
        FileType::RegularFile => contents(folder, object.into()).map(Some),
        FileType::Directory => Ok(None),
        _ => Err(folder.corrupt(name)),
    }
}

fn contents(folder: &Folder, mut object: File) -> Result<Vec<u8>, VaultError> {
    let mut bytes = Vec::new();
    match object.read_to_end(&mut bytes) {
        Ok(_) => Ok(bytes),
        Err(error) => Err(match Errno::from_io_error(&error) {
            Some(errno) => folder.failure(errno),
            None => VaultError::Failed { url: folder.url().clone(), source: error },
        }),
    }
}
