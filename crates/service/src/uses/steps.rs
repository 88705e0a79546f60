//! The steps that uses of a key share: find its current version, agree on an algorithm, open it.
//!
//! Invariant: a version is opened only after the key's state was found to allow the use.

use std::sync::Arc;

use keystead_domain::{KeyName, KeySpec, KeyUsage};

use super::{find, meant_for, opening, protecting};
use crate::{
    Cx, Error, Fault,
    door::Resource,
    keyring::{KeyEntry, OpenedKey, Snapshot},
    service::Service,
};

/// What keys of one usage compute with.
pub(super) trait Algorithm: Copy + PartialEq {
    const USAGE: KeyUsage;

    /// The one algorithm of a spec.
    fn of(spec: KeySpec) -> Option<Self>;

    /// The name in the AWS KMS protocol.
    fn name(self) -> &'static str;
}

/// The current version of the key that a caller names.
pub(super) fn current(cx: &Cx, snapshot: &Snapshot, name: &KeyName) -> Result<Resource, Error> {
    let entry = find(cx, snapshot, name)?;
    Ok(Resource::key(entry.id, entry.tenant(), Some(entry.current())))
}

/// The algorithm of a key that is meant for it: the one that the caller named, if any.
pub(super) fn agreed<A: Algorithm>(
    entry: &KeyEntry,
    named: Option<A>,
    operation: &'static str,
) -> Result<A, Error> {
    meant_for(entry, A::USAGE, operation)?;
    let spec = entry.spec;
    let own = A::of(spec).ok_or(Fault::Internal)?;
    match named.filter(|named| *named != own) {
        None => Ok(own),
        Some(other) => Err(Fault::Algorithm { algorithm: other.name(), spec }.into()),
    }
}

/// Opens the current version of a key that may make something now.
pub(super) async fn to_protect(
    service: &Service,
    entry: &KeyEntry,
) -> Result<Arc<OpenedKey>, Error> {
    protecting(service, entry)?;
    service.open_key(entry, entry.current()).await
}

/// Opens the current version of a key that may check what it made.
pub(super) async fn to_check(service: &Service, entry: &KeyEntry) -> Result<Arc<OpenedKey>, Error> {
    opening(entry)?;
    service.open_key(entry, entry.current()).await
}
