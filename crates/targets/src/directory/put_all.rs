//! Writes several objects: a few at a time staged, synced and linked, and each folder synced once.
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

/// How many are written out together: what they come to is what others on that disk wait for.
const TOGETHER: usize = 4;

pub(super) fn put_all(
    folder: &Folder,
    objects: &[(ObjectName, Arc<[u8]>)],
) -> Result<Vec<PutNew>, VaultError> {
    let Some((first, _)) = objects.first() else { return Ok(Vec::new()) };
    let staging = Rc::new(folder.staging(&folder.root()?)?);
    let mut parents = BTreeMap::new();
    let mut puts = Vec::with_capacity(objects.len());
    for together in objects.chunks(TOGETHER) {
        let mut staged = Vec::with_capacity(TOGETHER);
        let outcome = stage(folder, &staging, together, &mut staged).and_then(|()| {
            let files = together.iter().zip(&staged);
            files.map(|((name, _), file)| link(folder, &mut parents, name, file)).collect()
        });
        staged.into_iter().for_each(Staged::discard);
        puts.extend::<Vec<_>>(outcome?);
    }
    for within in parents.values() {
        fs::fsync(within).map_err(|errno| folder.unknown(first, errno.into()))?;
    }
    Ok(puts)
}

/// The folders of the names so far.
type Parents<'a> = BTreeMap<Vec<&'a str>, Rc<OwnedFd>>;

/// Gives a synced file its name, which the caller makes durable.
fn link<'a>(
    folder: &'a Folder,
    parents: &mut Parents<'a>,
    name: &'a ObjectName,
    file: &Staged<'_>,
) -> Result<PutNew, VaultError> {
    let (folders, leaf) = name.parts();
    let within = match parents.get(&folders) {
        Some(within) => within.clone(),
        None => Rc::new(folder.make(folder.root()?, &folders, name)?),
    };
    let place = Place::within(folder, name, within.clone(), leaf);
    parents.insert(folders, within);
    match place.link(file)? {
        PutNew::Created => Ok(PutNew::Created),
        PutNew::Exists => place.adopt(),
    }
}

/// Makes a synced file of each object; those made before one fails are in `staged` too.
fn stage<'a>(
    folder: &'a Folder,
    staging: &Rc<OwnedFd>,
    objects: &[(ObjectName, Arc<[u8]>)],
    staged: &mut Vec<Staged<'a>>,
) -> Result<(), VaultError> {
    for (_, bytes) in objects {
        staged.push(Staged::within(folder, staging.clone())?);
        let Some(file) = staged.last() else { continue };
        file.write(bytes)?;
        file.start_sync();
    }
    staged.iter().try_for_each(Staged::sync)
}
