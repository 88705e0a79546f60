//! Writes several objects: each staged, synced and linked like one, and each folder synced once.
//!
//! Invariant: no answer comes before every folder that holds a new name is synced. A crash or an
//! error before that leaves names that may or may not be durable: the next put of one adopts it.

use std::{collections::BTreeMap, os::fd::OwnedFd, rc::Rc, sync::Arc};

use rustix::fs;

use super::{
    folder::Folder,
    put::{Place, Staged},
};
use crate::{ObjectName, PutNew, VaultError};

pub(super) fn put_all(
    folder: &Folder,
    objects: &[(ObjectName, Arc<[u8]>)],
) -> Result<Vec<PutNew>, VaultError> {
    let Some((first, _)) = objects.first() else { return Ok(Vec::new()) };
    let staging = Rc::new(folder.staging(&folder.root()?)?);
    let mut parents = BTreeMap::<Vec<&str>, Rc<OwnedFd>>::new();
    let mut puts = Vec::with_capacity(objects.len());
    for (name, bytes) in objects {
        let (folders, leaf) = name.parts();
        let within = match parents.get(&folders) {
            Some(within) => within.clone(),
            None => Rc::new(folder.make(folder.root()?, &folders, name)?),
        };
        let place = Place::within(folder, name, within.clone(), leaf);
        puts.push(put(&place, Staged::within(folder, staging.clone())?, bytes)?);
        parents.insert(folders, within);
    }
    for within in parents.values() {
        fs::fsync(within).map_err(|errno| folder.unknown(first, errno.into()))?;
    }
    Ok(puts)
}

/// Puts one object whose name the caller makes durable.
fn put(place: &Place<'_>, staged: Staged<'_>, bytes: &[u8]) -> Result<PutNew, VaultError> {
    let outcome = staged.write(bytes).and_then(|()| staged.sync()).and_then(|()| {
        match place.link(&staged)? {
            PutNew::Created => Ok(PutNew::Created),
            PutNew::Exists => place.adopt(),
        }
    });
    staged.discard();
    outcome
}
