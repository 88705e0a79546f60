//! The state of a recovery point as it is written: row by row.
//!
//! Invariant: it encodes to what one change with all rows would, and is never there in two forms: a
//! state of a million keys has hundreds of megabytes.

use keystead_crypto::bytes::Writer;
use keystead_domain::Kind;

use super::change::{CopyRef, write_copy, write_put};

/// The rows of one tenant in a recovery point.
#[derive(Default)]
pub struct PointState {
    rows: Writer,
    count: usize,
    copies: Vec<CopyRef>,
}

impl PointState {
    /// Appends an aggregate as it is. What a point holds of it is no secret value.
    pub fn put(&mut self, kind: Kind, id: &[u8; 16], revision: u64, body: &[u8]) {
        write_put(&mut self.rows, kind, id, revision, body);
        self.count += 1;
    }

    /// Adds the key copies that an aggregate relies on.
    pub fn rely_on(&mut self, copies: impl IntoIterator<Item = CopyRef>) {
        self.copies.extend(copies);
    }

    /// The parts of its change behind the head: how many rows, the rows, and what comes after them.
    pub(super) fn into_parts(mut self) -> (usize, Vec<u8>, Vec<u8>) {
        self.copies.sort_unstable();
        let mut rest = Writer::new();
        rest.u32(0).list(self.copies.iter(), write_copy);
        (self.count, self.rows.finish(), rest.finish())
    }
}

impl std::fmt::Debug for PointState {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "PointState({} rows)", self.count)
    }
}
