//! The rows of a kind, one page after the other.
//!
//! Invariant: never more than two pages are held at once, however many rows there are: whoever
//! needs all keys goes through them, and keeps of each what it must.

use keystead_domain::Kind;
use keystead_store::{Backend, Scan, StoreFailed, Stored};

const ROWS: usize = 1_000;

/// Where a reader of all rows of a kind is.
#[derive(Debug)]
pub(crate) struct Pages {
    kind: Kind,
    after: Option<[u8; 16]>,
    is_over: bool,
}

impl Pages {
    /// From the first row on.
    pub(crate) fn of(kind: Kind) -> Self {
        Self { kind, after: None, is_over: false }
    }

    /// The next rows in order of id; none behind the last.
    pub(crate) async fn next(&mut self, store: &dyn Backend) -> Result<Vec<Stored>, StoreFailed> {
        if self.is_over {
            return Ok(Vec::new());
        }
        let scan = Scan::Kind { kind: self.kind, after: self.after, limit: ROWS };
        let page = store.scan(scan).await?;
        self.is_over = page.len() < ROWS;
        self.after = page.last().map(|row| row.aggregate.id);
        Ok(page)
    }
}
