//! A change is a value: what is put and deleted, what must still hold, what it records, what
//! follows.
//!
//! Invariant: bodies are sealed; nothing here can be opened by a store. The same value is what a
//! segment carries as after-images, what the keyring applies and what restore replays. Materials
//! travel beside the after-images, never inside: they are local rows.

use std::collections::BTreeSet;

use keystead_crypto::{Body, Material, Sealed};
use keystead_domain::{ChangeId, Kind, TenantId, Timestamp, VersionId};

/// Names one aggregate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AggregateRef {
    /// Its kind.
    pub kind: Kind,
    /// Its random id.
    pub id: [u8; 16],
}

/// What a writer believes about the state it read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expected {
    /// The aggregate does not exist.
    Absent,
    /// It exists at this revision; the first is 1.
    Revision(u64),
}

impl Expected {
    /// The revision that a put on top of this state makes.
    #[must_use]
    pub const fn next(self) -> u64 {
        match self {
            Self::Absent => 1,
            Self::Revision(revision) => revision + 1,
        }
    }
}

/// A clear value by which an aggregate is found again; absent from vaults.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct IndexEntry {
    /// Which index.
    pub index: Index,
    /// The value in it, compared as bytes.
    pub value: Vec<u8>,
}

/// The indexes that exist. In a unique one a second aggregate with the same value is a conflict.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Index {
    /// Access key id → access key. Unique.
    AccessKeyId,
    /// Tenant id ‖ length of the subject as `u32` ‖ subject → wrap record. Unique.
    WrapSubject,
    /// Tenant id ‖ big-endian sequence → wrap record, for the export. Unique.
    WrapSequence,
    /// Tenant id ‖ principal id ‖ key → idempotency key. Unique.
    IdempotencyKey,
    /// Tenant id ‖ name → alias. Unique.
    AliasName,
}

impl Index {
    /// Every index, in order of its number.
    pub const ALL: &[Self] = &[
        Self::AccessKeyId,
        Self::WrapSubject,
        Self::WrapSequence,
        Self::IdempotencyKey,
        Self::AliasName,
    ];

    /// Its number in formats and databases; never reused.
    #[must_use]
    pub const fn number(self) -> u8 {
        match self {
            Self::AccessKeyId => 1,
            Self::WrapSubject => 2,
            Self::WrapSequence => 3,
            Self::IdempotencyKey => 4,
            Self::AliasName => 5,
        }
    }

    /// The index with this number.
    #[must_use]
    pub fn from_number(number: u8) -> Option<Self> {
        Self::ALL.iter().copied().find(|index| index.number() == number)
    }
}

/// Writes an aggregate whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Put {
    /// Which.
    pub aggregate: AggregateRef,
    /// Who owns it: the seal context and the segment entry go by this.
    pub tenant: TenantId,
    /// The state on which the decision rests.
    pub expected: Expected,
    /// The new body, sealed for revision `expected.next()`.
    pub body: Sealed<Body>,
    /// All its index entries; those of before are replaced. One named twice counts once.
    pub index: Vec<IndexEntry>,
}

/// Removes an aggregate and its index entries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delete {
    /// Which.
    pub aggregate: AggregateRef,
    /// Who owns it.
    pub tenant: TenantId,
    /// The revision on which the decision rests.
    pub revision: u64,
}

/// Something read that must not have changed; absence counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Guard {
    /// Which aggregate.
    pub aggregate: AggregateRef,
    /// What was read.
    pub expected: Expected,
}

/// Work that follows from a change, done by a leased, resumable job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FollowUp {
    /// Which job.
    pub job: String,
    /// Its canonical argument.
    pub argument: Vec<u8>,
}

/// The sealed material of a key version: a local row, never in an after-image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MaterialRow {
    /// Of which version.
    pub version: VersionId,
    /// Sealed under its tenant's master key.
    pub sealed: Sealed<Material>,
}

/// One change, committed whole or not at all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangeSet {
    /// Its id; the same id commits at most once.
    pub id: ChangeId,
    /// When it was decided.
    pub at: Timestamp,
    /// Aggregates written.
    pub puts: Vec<Put>,
    /// Aggregates removed.
    pub deletes: Vec<Delete>,
    /// Aggregates read.
    pub guards: Vec<Guard>,
    /// Canonical events, without their `commit_seq`.
    pub events: Vec<Vec<u8>>,
    /// Jobs to do.
    pub jobs: Vec<FollowUp>,
    /// Materials written beside.
    pub materials: Vec<MaterialRow>,
    /// Versions whose materials are removed, after all else: one written here is gone as well.
    pub erase: Vec<VersionId>,
}

impl ChangeSet {
    /// A change that as yet changes nothing.
    #[must_use]
    pub fn new(id: ChangeId, at: Timestamp) -> Self {
        Self {
            id,
            at,
            puts: Vec::new(),
            deletes: Vec::new(),
            guards: Vec::new(),
            events: Vec::new(),
            jobs: Vec::new(),
            materials: Vec::new(),
            erase: Vec::new(),
        }
    }

    /// The aggregates that it puts or deletes, in that order.
    pub fn written(&self) -> impl Iterator<Item = AggregateRef> + '_ {
        let puts = self.puts.iter().map(|put| put.aggregate);
        puts.chain(self.deletes.iter().map(|delete| delete.aggregate))
    }

    /// An aggregate that it writes more than once, which every backend refuses as a conflict: the
    /// second write cannot expect what the first one left.
    #[must_use]
    pub fn written_twice(&self) -> Option<AggregateRef> {
        let mut seen = BTreeSet::new();
        self.written().find(|aggregate| !seen.insert(*aggregate))
    }
}
