//! Turns columns into values, and says which table, row and column hold something else.

use std::fmt::Display;

use keystead_crypto::Sealed;
use keystead_store::StoreFailed;
use rusqlite::{Row, types::ValueRef};

use crate::failure::store_failed;

/// A row of a table, with its key as people would name it: a text only where something is wrong,
/// as a start reads every row there is.
pub(crate) struct Cells<'r, 's, K> {
    table: &'static str,
    row: &'r Row<'s>,
    key: K,
}

impl<'r, 's, K: Display> Cells<'r, 's, K> {
    /// `key` names the row in failures until it is known better.
    pub(crate) fn new(table: &'static str, row: &'r Row<'s>, key: K) -> Self {
        Self { table, row, key }
    }

    /// The same row under the name that its own columns give.
    pub(crate) fn named<N: Display>(&self, key: N) -> Cells<'r, 's, N> {
        Cells { table: self.table, row: self.row, key }
    }

    /// A failure that names this row's column.
    pub(crate) fn corrupt(&self, column: &'static str) -> StoreFailed {
        StoreFailed::Corrupt { table: self.table, row: self.key.to_string(), column }
    }

    fn value(&self, column: &'static str) -> Result<ValueRef<'r>, StoreFailed> {
        self.row.get_ref(column).map_err(|error| store_failed(self.table, error))
    }

    /// A number of at least 1.
    pub(crate) fn counted(&self, column: &'static str) -> Result<u64, StoreFailed> {
        let ValueRef::Integer(number) = self.value(column)? else {
            return Err(self.corrupt(column));
        };
        u64::try_from(number).ok().filter(|n| *n >= 1).ok_or_else(|| self.corrupt(column))
    }

    /// Bytes.
    pub(crate) fn blob(&self, column: &'static str) -> Result<&'r [u8], StoreFailed> {
        match self.value(column)? {
            ValueRef::Blob(bytes) => Ok(bytes),
            _ => Err(self.corrupt(column)),
        }
    }

    /// Exactly `N` bytes.
    pub(crate) fn array<const N: usize>(
        &self,
        column: &'static str,
    ) -> Result<[u8; N], StoreFailed> {
        self.blob(column)?.try_into().map_err(|_| self.corrupt(column))
    }

    /// An envelope.
    pub(crate) fn sealed<C>(&self, column: &'static str) -> Result<Sealed<C>, StoreFailed> {
        Sealed::from_bytes(self.blob(column)?.to_vec()).map_err(|_| self.corrupt(column))
    }
}
