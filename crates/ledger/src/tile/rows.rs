//! A log's tiles as it grows: the hashes of each level that no full tile holds yet.
//!
//! Invariant: row *l* holds (size / 256^l) mod 256 hashes, the partial tile of that level at this
//! size. A leaf costs a hash now and then; all memory is the edge, at most 64 KiB.

use super::{TILE_WIDTH, TOP_LEVEL, TileLevel, TileName, TileRefused, body, tile_root};
use crate::{
    Hash,
    tree::{CompactRange, fold_peaks},
};

/// The edge of a log, from which its next tiles grow.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TileRows {
    size: u64,
    /// Level 0 first.
    rows: Vec<Vec<Hash>>,
}

impl TileRows {
    /// Of the empty log.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Of a log of `size` leaves, at most 2^63 − 1, from its partial tiles. Whether these are the
    /// log's, its root tells.
    ///
    /// # Errors
    /// [`TileRefused::Missing`], [`TileRefused::Length`].
    pub fn resume(
        size: u64,
        partial: impl Fn(TileName) -> Option<Vec<u8>>,
    ) -> Result<Self, TileRefused> {
        let mut rows = vec![Vec::new(); usize::from(TOP_LEVEL) + 1];
        for tile in Self::edge(size) {
            let bytes = partial(tile).ok_or(TileRefused::Missing { tile })?;
            rows[usize::from(tile.level.height())] = tile.read_hashes(&bytes)?;
        }
        Ok(Self { size, rows })
    }

    /// The partial tiles of a log of `size` leaves, the highest level first: what its root
    /// follows from.
    pub fn edge(size: u64) -> impl Iterator<Item = TileName> {
        (0..=TOP_LEVEL).rev().filter_map(move |level| {
            let level = TileLevel::Hashes(level);
            let index = level.count(size) / u64::from(TILE_WIDTH);
            TileName::at_size(level, index, size)
        })
    }

    /// How many leaves the log has.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The root over them.
    #[must_use]
    pub fn root(&self) -> Hash {
        let ranges: Vec<_> = self.rows.iter().rev().map(|row| body::range(row)).collect();
        fold_peaks(ranges.iter().flat_map(CompactRange::peaks).copied())
    }

    /// Appends the hash of a leaf. Tells of the tiles of hashes that it made full, from below.
    pub fn push(&mut self, leaf_hash: Hash) -> Vec<(TileName, Vec<Hash>)> {
        let (mut full, mut hash) = (Vec::new(), leaf_hash);
        self.size += 1;
        for level in 0..=TOP_LEVEL {
            let row = self.row(level);
            row.push(hash);
            if row.len() < usize::from(TILE_WIDTH) {
                break;
            }
            let hashes = std::mem::take(row);
            hash = tile_root(&hashes);
            let index = (TileLevel::Hashes(level).count(self.size) - 1) / u64::from(TILE_WIDTH);
            let name = TileName::new(TileLevel::Hashes(level), index, TILE_WIDTH);
            full.push((name.expect("a log of fewer than 2^63 leaves has it"), hashes));
        }
        full
    }

    /// The partial tiles of hashes at this size, the highest level first.
    pub fn partial(&self) -> impl Iterator<Item = (TileName, &[Hash])> {
        Self::edge(self.size).map(|tile| (tile, &self.rows[usize::from(tile.level.height())][..]))
    }

    fn row(&mut self, level: u8) -> &mut Vec<Hash> {
        let level = usize::from(level);
        if self.rows.len() == level {
            self.rows.push(Vec::new());
        }
        &mut self.rows[level]
    }
}
