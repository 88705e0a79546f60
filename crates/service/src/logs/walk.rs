//! The way through one log, file by file.
//!
//! Invariant: a file is read when the walk wants it and believed when the walk takes it.

use keystead_ledger::{Checkpoint, Leaf, LogRefused, Walk};

use super::LogsRefused;
use crate::tiles::LogIn;

/// The entries under a checkpoint, in order, as the tiles that verify hold them.
#[derive(Debug)]
pub struct Entries<'l> {
    log: &'l LogIn<'l>,
    walk: Walk,
    passed: u64,
}

impl<'l> Entries<'l> {
    pub(crate) fn new(log: &'l LogIn<'l>, checkpoint: &Checkpoint) -> Self {
        Self { log, walk: Walk::new(checkpoint), passed: 0 }
    }

    /// How many entries were handed out.
    #[must_use]
    pub fn passed(&self) -> u64 {
        self.passed
    }

    /// The entries of the next bundle; nothing where all were handed out.
    ///
    /// # Errors
    /// [`LogsRefused`], at the first file or entry that is wrong.
    pub async fn next(&mut self) -> Result<Option<Vec<Leaf>>, LogsRefused> {
        while let Some(tile) = self.walk.wants() {
            let (origin, path) = (self.log.place.origin(), tile.to_string());
            let Some(bytes) = self.log.read(&path).await? else {
                return Err(LogsRefused::Missing { origin, path });
            };
            let refused = |refused| LogsRefused::Log { origin: origin.clone(), refused };
            let entries = self.walk.give(&bytes).map_err(refused)?;
            let leaves: Vec<Leaf> = (self.passed..)
                .zip(entries)
                .map(|(index, entry)| {
                    let not_leaf = |source| refused(LogRefused::NotLeaf { index, source });
                    Leaf::from_bytes(entry.to_vec()).map_err(not_leaf)
                })
                .collect::<Result<_, _>>()?;
            if !leaves.is_empty() {
                self.passed += leaves.len() as u64;
                return Ok(Some(leaves));
            }
        }
        Ok(None)
    }
}
