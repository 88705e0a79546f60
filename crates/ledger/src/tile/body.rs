//! The bytes of tiles: hashes without a gap, entries with their lengths.
//!
//! Invariant: a width and bytes that agree; what is read has exactly as many hashes or entries as
//! the name says. Entries are bytes here: whether they are leaves is for who reads them, so that
//! a log with entries of a later version still verifies.

use super::{TileLevel, TileName, TileRefused};
use crate::{CompactRange, Hash, Leaf};

const HASH_BYTES: usize = 32;

/// The bytes of a tile of hashes.
#[must_use]
pub fn write_hashes(hashes: &[Hash]) -> Vec<u8> {
    hashes.concat()
}

/// The bytes of a bundle: each leaf behind its length, a big-endian `u16`.
#[must_use]
pub fn write_entries(leaves: &[Leaf]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for leaf in leaves {
        let len = u16::try_from(leaf.as_bytes().len()).expect("a leaf has at most 65,535 bytes");
        bytes.extend(len.to_be_bytes());
        bytes.extend(leaf.as_bytes());
    }
    bytes
}

/// The root over a tile's hashes: of a full tile, the hash that stands for it in the level above.
#[must_use]
pub fn tile_root(hashes: &[Hash]) -> Hash {
    range(hashes).root()
}

/// The hashes of a level, as leaves of a tree of their own.
pub(crate) fn range(hashes: &[Hash]) -> CompactRange {
    let mut range = CompactRange::new();
    hashes.iter().for_each(|hash| range.push(*hash));
    range
}

impl TileName {
    /// Takes the hashes out of a tile's bytes.
    ///
    /// # Errors
    /// [`TileRefused::OtherContent`] for a bundle, [`TileRefused::Length`].
    pub fn read_hashes(&self, bytes: &[u8]) -> Result<Vec<Hash>, TileRefused> {
        if self.level == TileLevel::Entries {
            return Err(TileRefused::OtherContent { tile: *self });
        }
        let (tile, wanted_bytes) = (*self, usize::from(self.width) * HASH_BYTES);
        if bytes.len() != wanted_bytes {
            return Err(TileRefused::Length { tile, found_bytes: bytes.len(), wanted_bytes });
        }
        Ok(bytes.as_chunks().0.to_vec())
    }

    /// Takes the entries out of a bundle's bytes, in order.
    ///
    /// # Errors
    /// [`TileRefused::OtherContent`] for a tile of hashes, [`TileRefused::Truncated`],
    /// [`TileRefused::Trailing`].
    pub fn read_entries<'a>(&self, bytes: &'a [u8]) -> Result<Vec<&'a [u8]>, TileRefused> {
        if self.level != TileLevel::Entries {
            return Err(TileRefused::OtherContent { tile: *self });
        }
        let (mut rest, tile) = (bytes, *self);
        let mut next = |entry| {
            let (found, behind) =
                split_entry(rest).ok_or(TileRefused::Truncated { tile, entry })?;
            rest = behind;
            Ok(found)
        };
        let entries = (0..self.width).map(&mut next).collect::<Result<_, _>>()?;
        match rest.len() {
            0 => Ok(entries),
            extra_bytes => Err(TileRefused::Trailing { tile, extra_bytes }),
        }
    }
}

fn split_entry(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (len, rest) = bytes.split_first_chunk()?;
    rest.split_at_checked(u16::from_be_bytes(*len).into())
}
