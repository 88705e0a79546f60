//! Small change sets with bodies that are really sealed, for the suite and for adapters' own tests.
//!
//! Invariant: nobody can open them; a store needs no key, so the key is forgotten at once.

use keystead_crypto::{Content, Entropy, KeyVersion, MasterWrap, SealContext, SealKey, Sealed};
use keystead_domain::{ChangeId, Kind, TenantId, Timestamp, VersionId};

use crate::{
    AggregateRef, ChangeSet, Delete, Expected, FollowUp, Guard, Index, IndexEntry, MaterialRow, Put,
};

/// The aggregate of this kind with a number as its id.
#[must_use]
pub fn aggregate(kind: Kind, number: u64) -> AggregateRef {
    AggregateRef { kind, id: id(number) }
}

/// An id that sorts like its number.
#[must_use]
pub fn id(number: u64) -> [u8; 16] {
    u128::from(number).to_be_bytes()
}

/// A tenant with a number as its id.
#[must_use]
pub fn tenant(number: u64) -> TenantId {
    TenantId::from_bytes(id(number))
}

/// A version with a number as its id.
#[must_use]
pub fn version(number: u64) -> VersionId {
    VersionId::from_bytes(number.to_be_bytes())
}

/// `plaintext` sealed under a key that exists for this call only.
#[must_use]
pub fn sealed<C: Content>(plaintext: &[u8]) -> Sealed<C> {
    let entropy = Entropy::os();
    let name = KeyVersion { key: [7; 16], version: [8; 8] };
    let key = SealKey::<MasterWrap>::new(name, &entropy.secret());
    key.seal(&entropy, &SealContext::new(&[0; 16], "sample", &[], 0), plaintext)
}

/// A change with a new id that as yet changes nothing.
#[must_use]
pub fn set() -> ChangeSet {
    let id = ChangeId::random(&Entropy::os());
    ChangeSet::new(id, Timestamp::from_micros(1_763_780_400_000_000))
}

/// A change with one put.
#[must_use]
pub fn putting(put: Put) -> ChangeSet {
    ChangeSet { puts: vec![put], ..set() }
}

/// A change with one delete.
#[must_use]
pub fn deleting(aggregate: AggregateRef, revision: u64) -> ChangeSet {
    ChangeSet { deletes: vec![delete(aggregate, revision)], ..set() }
}

/// A put without index entries, whose body says what it is.
#[must_use]
pub fn put(aggregate: AggregateRef, expected: Expected) -> Put {
    let text = format!("{} {:?} at {}", aggregate.kind, aggregate.id, expected.next());
    let body = sealed(text.as_bytes());
    Put { aggregate, tenant: tenant(1), expected, body, index: Vec::new() }
}

/// A put with one index entry.
pub fn indexed(
    aggregate: AggregateRef,
    expected: Expected,
    index: Index,
    value: impl Into<Vec<u8>>,
) -> Put {
    let entry = IndexEntry { index, value: value.into() };
    Put { index: vec![entry], ..put(aggregate, expected) }
}

/// A delete of this revision.
#[must_use]
pub fn delete(aggregate: AggregateRef, revision: u64) -> Delete {
    Delete { aggregate, tenant: tenant(1), revision }
}

/// A guard.
#[must_use]
pub fn guard(aggregate: AggregateRef, expected: Expected) -> Guard {
    Guard { aggregate, expected }
}

/// The material of a version.
#[must_use]
pub fn material(number: u64, plaintext: &[u8]) -> MaterialRow {
    MaterialRow { version: version(number), sealed: sealed(plaintext) }
}

/// A change that has some of everything, on aggregates that do not exist yet.
#[must_use]
pub fn full() -> ChangeSet {
    let key = aggregate(Kind::Key, 1);
    let access = aggregate(Kind::AccessKey, 2);
    ChangeSet {
        puts: vec![
            put(key, Expected::Absent),
            indexed(access, Expected::Absent, Index::AccessKeyId, "AKIA1"),
        ],
        guards: vec![guard(aggregate(Kind::Tenant, 3), Expected::Absent)],
        events: vec![b"KeyCreated".to_vec(), Vec::new()],
        jobs: vec![FollowUp { job: "renew-locks".to_owned(), argument: vec![0, 1, 2] }],
        materials: vec![material(4, b"material")],
        erase: vec![version(5)],
        ..set()
    }
}
