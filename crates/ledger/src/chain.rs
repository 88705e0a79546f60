//! The running check of a journal file: each entry's check covers all that stands before it.
//!
//! Invariant: leaves and marks are hashed under different bytes, so that neither passes as the
//! other. It lives here and not in the journal because hashing belongs to ring 0.

use keystead_crypto::hash::sha256_parts;

use crate::Hash;

/// The check up to some place in a journal file (`docs/formats/journal.md`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Chain(Hash);

impl Chain {
    /// The check of a header: SHA-256 of its bytes.
    #[must_use]
    pub fn of_header(header: &[u8]) -> Self {
        Self(sha256_parts(&[header]))
    }

    /// From a check that stands in a file.
    #[must_use]
    pub const fn from_bytes(check: Hash) -> Self {
        Self(check)
    }

    /// The check as it stands in the file.
    #[must_use]
    pub const fn as_bytes(&self) -> &Hash {
        &self.0
    }

    /// Goes on by a leaf.
    #[must_use]
    pub fn leaf(self, leaf_hash: &Hash) -> Self {
        Self(sha256_parts(&[&self.0, &[1], leaf_hash]))
    }

    /// Goes on by a mark: the first `size` leaves of the log are on stable storage.
    #[must_use]
    pub fn mark(self, size: u64) -> Self {
        Self(sha256_parts(&[&self.0, &[2], &size.to_be_bytes()]))
    }
}
