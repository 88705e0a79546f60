//! Writes several objects: all staged, all synced, all linked, and each folder synced once.
//!
//! Invariant: no name appears before its bytes are synced, and no answer comes before every folder
//! that holds a new name is synced. A crash or an error before that leaves names that may or may
//! not be durable: the next put of one adopts it.
//!
//! Why in steps: a file system that journals its metadata commits once for all files that were
//! written out when the first of them is synced; one after the other, each costs a commit, and
//! whatever else is synced on that disk waits for each of them.

use std::{collections::BTreeMap, os::fd::OwnedFd, rc::Rc, sync::Arc};

use rustix::fs;

use super::{
    folder::Folder,
    put::{Place, Staged},
};
use crate::{ObjectName, PutNew, VaultError};

/// How many files are open at once.
const TOGETHER: usize = 32;

pub(super) fn put_all(
    folder: &Folder,
    objects: &[(ObjectName, Arc<[u8]>)],
) -> Result<Vec<PutNew>, VaultError> {
    let mut puts = Vec::with_capacity(objects.len());
    for together in objects.chunks(TOGETHER) {
        puts.extend(put_together(folder, together)?);
    }
    Ok(puts)
}

fn put_together(
    folder: &Folder,
    objects: &[(ObjectName, Arc<[u8]>)],
) -> Result<Vec<PutNew>, VaultError> {
    let Some((first, _)) = objects.first() else { return Ok(Vec::new()) };
    let staging = Rc::new(folder.staging(&folder.root()?)?);
    let staged: Result<Vec<_>, _> =
        objects.iter().map(|(_, bytes)| stage(folder, &staging, bytes)).collect();
    let staged = staged?;
    staged.iter().try_for_each(Staged::sync)?;
    let mut parents = BTreeMap::<Vec<&str>, Rc<OwnedFd>>::new();
    let mut puts = Vec::with_capacity(objects.len());
    for ((name, _), file) in objects.iter().zip(&staged) {
        let (folders, leaf) = name.parts();
        let within = match parents.get(&folders) {
            Some(within) => within.clone(),
            None => Rc::new(folder.make(folder.root()?, &folders, name)?),
        };
        let place = Place::within(folder, name, within.clone(), leaf);
        puts.push(match place.link(file)? {
            PutNew::Created => PutNew::Created,
            PutNew::Exists => place.adopt()?,
        });
        parents.insert(folders, within);
    }
    for within in parents.values() {
        fs::fsync(within).map_err(|errno| folder.unknown(first, errno.into()))?;
    }
    Ok(puts)
}

/// A file with these bytes, on their way to the disk.
fn stage<'a>(
    folder: &'a Folder,
    staging: &Rc<OwnedFd>,
    bytes: &[u8],
) -> Result<Staged<'a>, VaultError> {
    let file = Staged::within(folder, staging.clone())?;
    file.write(bytes)?;
    file.start_sync();
    Ok(file)
}
