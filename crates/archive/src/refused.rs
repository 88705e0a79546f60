//! Why an object of a vault is not taken: one enum for all of them.
//!
//! Invariant: nothing here carries bytes that an object sealed; ids, lengths and names only.

use keystead_crypto::{OpenFailed, bytes::Malformed};
use keystead_domain::{EpochId, TenantId};
use thiserror::Error;

use crate::ObjectType;

impl ObjectRefused {
    /// Whether a later program may well take it.
    #[must_use]
    pub fn is_newer(&self) -> bool {
        matches!(self, Self::Malformed(malformed) if malformed.is_newer())
    }
}

/// Why an object is refused.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ObjectRefused {
    /// It is not in the format.
    #[error(transparent)]
    Malformed(#[from] Malformed),
    /// It is another object than the caller asked for.
    #[error("the object is a {found}, not a {wanted}")]
    OtherType {
        /// What it is.
        found: ObjectType,
        /// What the caller wanted.
        wanted: ObjectType,
    },
    /// It is larger than its type may be.
    #[error("the {object} has {len} bytes, over its bound of {bound}")]
    TooLarge {
        /// What it is.
        object: ObjectType,
        /// Its length in bytes.
        len: usize,
        /// The bound in bytes.
        bound: usize,
    },
    /// No signature by the expected key, or one that fails.
    #[error("the {object} is not signed by the expected key")]
    BadSignature {
        /// What it is.
        object: ObjectType,
    },
    /// The node certificate is of another instance or incarnation than the object.
    #[error("the node certificate is of another instance or incarnation than the {object}")]
    OtherNode {
        /// What carries it.
        object: ObjectType,
    },
    /// The body is not the one whose digest is in the header.
    #[error("the body of the {object} is not the one that its header names")]
    OtherBody {
        /// What it is.
        object: ObjectType,
    },
    /// The bytes do not open under the key that was given.
    #[error(transparent)]
    Sealed(#[from] OpenFailed),
    /// No slot is for the recipient that was given.
    #[error("the slot table of `{epoch}` has no slot for this recipient")]
    NoSlot {
        /// Of which epoch the table is.
        epoch: EpochId,
    },
    /// What a slot held is not the private half of the epoch.
    #[error("the opened seed is not the private half of `{epoch}`")]
    OtherEpoch {
        /// The epoch that was wanted.
        epoch: EpochId,
    },
    /// The opened material is not what the header describes, or none that its algorithm can use.
    #[error("the material is not the one that the header's key-check value names")]
    OtherMaterial,
    /// A tenant's entry is not what the header describes.
    #[error("the entry of `{tenant}` does not fit its header: `{field}`")]
    BadEntry {
        /// Whose entry.
        tenant: TenantId,
        /// The field that does not fit.
        field: &'static str,
    },
    /// A commit of the range is in no entry, though no entry was skipped.
    #[error("commit {commit} is in no entry of the segment")]
    MissingCommit {
        /// The first such commit.
        commit: u64,
    },
}
