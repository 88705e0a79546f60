//! What a vault that holds this node's log up to one size needs to hold it up to a larger one.
//!
//! Invariant: tiles and bundles come before the checkpoint that needs them; a batch is made from
//! the journal's synced leaves alone, and its root is the journal's own or it is not made.

use std::{collections::BTreeSet, sync::Arc};

use keystead_crypto::NoteKey;
use keystead_journal::{Journal, JournalUnreadable};
use keystead_ledger::{
    Checkpoint, CheckpointRefused, Head, Leaf, TILE_WIDTH, TileLevel, TileName, TileRows,
    new_tiles, write_entries, write_hashes,
};
use thiserror::Error;

/// How many leaves one batch takes at most: what waits longer goes in several, so that none holds
/// up the answers of a machine with few cores for long.
const LEAVES_MAX: u64 = 8 * TILE_WIDTH as u64;

/// Why a batch could not be made.
#[derive(Debug, Error)]
pub(super) enum BatchFailed {
    #[error(transparent)]
    Journal(#[from] JournalUnreadable),
    #[error(transparent)]
    Checkpoint(#[from] CheckpointRefused),
    /// The vault's edge and our leaves give another root than the journal has.
    #[error("the log as the vault holds it is not this node's log at {size} entries")]
    Forked {
        /// The size at which they were compared.
        size: u64,
    },
    #[error("the journal gave {found} leaves where {wanted} were wanted")]
    Short { found: u64, wanted: u64 },
}

/// Objects: first all tiles and bundles, then the checkpoint.
#[derive(Debug)]
pub(super) struct Batch {
    /// The edge that it grows from.
    pub(super) from: TileRows,
    /// The edge that it leaves.
    pub(super) to: TileRows,
    /// What the checkpoint needs, by paths below the node's ledger folder.
    pub(super) tiles: Vec<(String, Arc<[u8]>)>,
    /// What is put once they are there.
    pub(super) checkpoint: (String, Arc<[u8]>),
}

impl Batch {
    /// From the edge `from` towards the journal's head.
    pub(super) fn build(
        journal: &Journal,
        key: &NoteKey,
        from: &TileRows,
        head: &Head,
    ) -> Result<Self, BatchFailed> {
        let width = u64::from(TILE_WIDTH);
        let first = from.size() / width * width;
        let size = head.size.min(first + LEAVES_MAX);
        let leaves = read(journal, first, size)?;
        let mut batch = Tiles { to: from.clone(), objects: Vec::new() };
        let wanted: BTreeSet<TileName> = new_tiles(from.size(), size).collect();
        batch.add_bundles(&leaves, first, size, &wanted);
        let known = usize::try_from(from.size() - first).expect("less than a bundle");
        batch.add_hashes(&leaves[known..], &wanted);
        if size == head.size && batch.to.root() != head.root {
            return Err(BatchFailed::Forked { size });
        }
        let head = Head { origin: head.origin.clone(), size, root: batch.to.root() };
        let checkpoint = Checkpoint::new(head)?;
        let note = checkpoint.sign(key).to_string();
        let checkpoint = (checkpoint.name(), note.into_bytes().into());
        Ok(Self { from: from.clone(), to: batch.to, tiles: batch.objects, checkpoint })
    }
}

/// The tiles of a batch in the making.
struct Tiles {
    to: TileRows,
    objects: Vec<(String, Arc<[u8]>)>,
}

impl Tiles {
    fn add_bundles(&mut self, leaves: &[Leaf], first: u64, size: u64, wanted: &BTreeSet<TileName>) {
        let width = usize::from(TILE_WIDTH);
        for (number, bundle) in (first / width as u64..).zip(leaves.chunks(width)) {
            let name = TileName::at_size(TileLevel::Entries, number, size);
            if let Some(name) = name.filter(|name| wanted.contains(name)) {
                self.objects.push((name.to_string(), write_entries(bundle).into()));
            }
        }
    }

    fn add_hashes(&mut self, leaves: &[Leaf], wanted: &BTreeSet<TileName>) {
        for leaf in leaves {
            for (name, hashes) in self.to.push(leaf.hash()) {
                self.objects.push((name.to_string(), write_hashes(&hashes).into()));
            }
        }
        let partial = self.to.partial().filter(|(name, _)| wanted.contains(name));
        let partial: Vec<_> =
            partial.map(|(name, row)| (name.to_string(), write_hashes(row).into())).collect();
        self.objects.extend(partial);
    }
}

fn read(journal: &Journal, from: u64, to: u64) -> Result<Vec<Leaf>, BatchFailed> {
    let wanted = to - from;
    let limit = usize::try_from(wanted).expect("a batch fits the memory");
    let leaves = journal.read(from, limit)?;
    match leaves.len() as u64 == wanted {
        true => Ok(leaves),
        false => Err(BatchFailed::Short { found: leaves.len() as u64, wanted }),
    }
}
