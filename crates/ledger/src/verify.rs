//! What a verifier does with a checkpoint and the files of a log, step by step and without reading
//! any file itself.
//!
//! Invariant: a tile is believed only after its root was found in a tile above that was believed
//! before, the edge only after it gave the checkpoint's root; so the first wrong file or entry is
//! named, not one that it spoilt. What is left open: whether others were shown the same log.

mod growth;

use keystead_crypto::bytes::Malformed;
use thiserror::Error;

use crate::{
    Checkpoint, CompactRange, Hash, Head, Leaf, ProofRefused, TILE_WIDTH, TOP_LEVEL, TileLevel,
    TileName, TileRefused, TileRows, leaf_hash, tile::range, tile_root, tree::fold_peaks,
};

pub use growth::{verify_growth, verify_growth_by_tiles};

/// What is wrong with a log.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum LogRefused {
    /// A file that is no tile, or is not there.
    #[error(transparent)]
    Tile(#[from] TileRefused),
    /// The partial tiles do not give the root; one of them is wrong, or the checkpoint.
    #[error("the partial tiles of {size} leaves do not give the root of the checkpoint")]
    WrongEdge {
        /// The checkpoint's size.
        size: u64,
    },
    /// A full tile that is not what the level above says.
    #[error("`{tile}` is not the tile that the level above stands for")]
    WrongTile {
        /// Which.
        tile: TileName,
    },
    /// An entry that is not what its tile says.
    #[error("entry {index} is not the one that was hashed into the log")]
    WrongEntry {
        /// Its place in the log, from 0.
        index: u64,
    },
    /// An entry of the log that is no leaf that this program reads.
    #[error("entry {index} is no leaf: {source}")]
    NotLeaf {
        /// Its place in the log, from 0.
        index: u64,
        /// What is wrong with it.
        source: Malformed,
    },
    /// All entries together do not give the root.
    #[error("the {size} entries do not give the root of the checkpoint")]
    OtherRoot {
        /// The checkpoint's size.
        size: u64,
    },
    /// A bundle that no log of this size has there.
    #[error("all {size} entries were given, and then more")]
    Ended {
        /// The checkpoint's size.
        size: u64,
    },
    /// Checkpoints of different logs cannot be compared.
    #[error("the checkpoints are of two logs")]
    OtherOrigin,
    /// The newer checkpoint cannot follow from the older one: if both are signed, the signer has
    /// shown two histories.
    #[error("no log has both checkpoints: of {} and of {} leaves", .older.size, .newer.size)]
    Fork {
        /// The one.
        older: Box<Head>,
        /// The other.
        newer: Box<Head>,
    },
    /// There is no proof, or it is not one; this alone says nothing about the log.
    #[error(transparent)]
    Proof(ProofRefused),
}

/// The way through all files of a log: [`Walk::wants`] names the next one, [`Walk::give`] takes it.
#[derive(Debug)]
pub struct Walk {
    head: Head,
    /// The partial tiles that are still to come, the next one last.
    edge_wanted: Vec<TileName>,
    /// Those that came, the highest level first; believed once none is to come.
    edge: Vec<(TileName, Vec<Hash>)>,
    /// The full tile at each level that was believed last.
    full: Vec<Option<(TileName, Vec<Hash>)>>,
    /// The next bundle.
    bundle: u64,
}

impl Walk {
    /// Through the log of a checkpoint, whose signature was verified before.
    #[must_use]
    pub fn new(checkpoint: &Checkpoint) -> Self {
        Self {
            head: checkpoint.head().clone(),
            edge_wanted: edge_wanted(checkpoint.size()),
            edge: Vec::new(),
            full: vec![None; usize::from(TOP_LEVEL) + 1],
            bundle: 0,
        }
    }

    /// The next file: first the partial tiles from above; then each bundle, and before it the full
    /// tiles above it that are new. `None` where all were taken and are right.
    #[must_use]
    pub fn wants(&self) -> Option<TileName> {
        if let Some(tile) = self.edge_wanted.last() {
            return Some(*tile);
        }
        let bundle = self.at(TileLevel::Entries, self.bundle)?;
        let mut above = (0..=TOP_LEVEL).rev().filter_map(|level| self.above_bundle(level));
        above.find(|tile| self.believed(tile).is_none()).or(Some(bundle))
    }

    /// Takes the bytes of the file that was wanted. Of a bundle it tells the entries, which are
    /// what the checkpoint covers, though perhaps no leaves that this program reads.
    ///
    /// # Errors
    /// [`LogRefused`]; the same file may then be given again, from elsewhere. After a wrong edge
    /// the walk begins anew.
    pub fn give<'a>(&mut self, bytes: &'a [u8]) -> Result<Vec<&'a [u8]>, LogRefused> {
        let tile = self.wants().ok_or(LogRefused::Ended { size: self.head.size })?;
        if tile.level() == TileLevel::Entries {
            return self.give_entries(tile, bytes);
        }
        let hashes = tile.read_hashes(bytes)?;
        match self.edge_wanted.last() {
            Some(_) => self.give_edge(tile, hashes)?,
            None => self.give_full(tile, hashes)?,
        }
        Ok(Vec::new())
    }

    fn give_edge(&mut self, tile: TileName, hashes: Vec<Hash>) -> Result<(), LogRefused> {
        self.edge.push((tile, hashes));
        self.edge_wanted.pop();
        let ranges: Vec<_> = self.edge.iter().map(|(_, hashes)| range(hashes)).collect();
        let root = fold_peaks(ranges.iter().flat_map(CompactRange::peaks).copied());
        if !self.edge_wanted.is_empty() || root == self.head.root {
            return Ok(());
        }
        self.edge.clear();
        self.edge_wanted = edge_wanted(self.head.size);
        Err(LogRefused::WrongEdge { size: self.head.size })
    }

    fn give_full(&mut self, tile: TileName, hashes: Vec<Hash>) -> Result<(), LogRefused> {
        let level = level_of(&tile);
        let above = self.at(TileLevel::Hashes(level + 1), tile.index() / u64::from(TILE_WIDTH));
        let stands = above.and_then(|above| {
            let at = usize::try_from(tile.index() - above.first()).ok()?;
            self.believed(&above)?.get(at).copied()
        });
        if stands != Some(tile_root(&hashes)) {
            return Err(LogRefused::WrongTile { tile });
        }
        self.full[usize::from(level)] = Some((tile, hashes));
        Ok(())
    }

    fn give_entries<'a>(
        &mut self,
        bundle: TileName,
        bytes: &'a [u8],
    ) -> Result<Vec<&'a [u8]>, LogRefused> {
        let entries = bundle.read_entries(bytes)?;
        let hashes = self.above_bundle(0).and_then(|tile| self.believed(&tile));
        let hashes = hashes.expect("a bundle is wanted after the tile of its hashes");
        let differs = |(entry, hash): (&&[u8], &Hash)| leaf_hash(entry) != *hash;
        match entries.iter().zip(hashes).position(differs) {
            Some(at) => Err(LogRefused::WrongEntry { index: bundle.first() + at as u64 }),
            None => {
                self.bundle += 1;
                Ok(entries)
            }
        }
    }

    /// The tile of hashes at a level that the next bundle lies under.
    fn above_bundle(&self, level: u8) -> Option<TileName> {
        self.at(TileLevel::Hashes(level), self.bundle >> (8 * u32::from(level)))
    }

    fn at(&self, level: TileLevel, index: u64) -> Option<TileName> {
        TileName::at_size(level, index, self.head.size)
    }

    fn believed(&self, tile: &TileName) -> Option<&[Hash]> {
        let mut known = self.edge.iter().chain(self.full.iter().flatten());
        known.find(|(name, _)| name == tile).map(|(_, hashes)| &hashes[..])
    }
}

/// Reads entries, the first of which is entry `first` of the log, as events.
///
/// # Errors
/// [`LogRefused::NotLeaf`], naming the first that is none.
pub fn read_leaves(first: u64, entries: &[&[u8]]) -> Result<Vec<Leaf>, LogRefused> {
    let read = |(index, entry): (u64, &&[u8])| {
        Leaf::from_bytes(entry.to_vec()).map_err(|source| LogRefused::NotLeaf { index, source })
    };
    (first..).zip(entries).map(read).collect()
}

/// Checks a log of which only the bundles are left, in order: whether something is wrong, not what.
///
/// # Errors
/// [`LogRefused::Tile`], [`LogRefused::Ended`], [`LogRefused::OtherRoot`].
pub fn verify_bundles<'a>(
    checkpoint: &Checkpoint,
    bundles: impl IntoIterator<Item = &'a [u8]>,
) -> Result<(), LogRefused> {
    let (size, mut bundles, mut tree) =
        (checkpoint.size(), bundles.into_iter(), CompactRange::new());
    let wanted = (0..).map_while(|index| TileName::at_size(TileLevel::Entries, index, size));
    for tile in wanted {
        let bytes = bundles.next().ok_or(TileRefused::Missing { tile })?;
        tile.read_entries(bytes)?.iter().for_each(|entry| tree.push(leaf_hash(entry)));
    }
    match bundles.next() {
        Some(_) => Err(LogRefused::Ended { size }),
        None if tree.root() == *checkpoint.root() => Ok(()),
        None => Err(LogRefused::OtherRoot { size }),
    }
}

fn edge_wanted(size: u64) -> Vec<TileName> {
    let mut edge: Vec<_> = TileRows::edge(size).collect();
    edge.reverse();
    edge
}

fn level_of(tile: &TileName) -> u8 {
    match tile.level() {
        TileLevel::Entries => 0,
        TileLevel::Hashes(level) => level,
    }
}

#[cfg(test)]
mod tests;
