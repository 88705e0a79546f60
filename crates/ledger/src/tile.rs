//! Tiles (C2SP tlog-tiles): the hashes and entries of a log, cut into files of 256.
//!
//! Invariant: a [`TileName`] has one text, and names something that a log of at most 2^63 − 1
//! leaves can have; so no arithmetic on it overflows. A partial tile has its width in its name:
//! objects in vaults are new once and never replaced.

mod body;
mod rows;

use std::{fmt, str::FromStr};

use thiserror::Error;

use crate::{LEAF_BYTES, LOG_LEAVES};

pub(crate) use body::range;
pub use body::{tile_root, write_entries, write_hashes};
pub use rows::TileRows;

/// How many hashes or entries a full tile has.
pub const TILE_WIDTH: u16 = 256;
/// The highest level: each hash of it stands for 256^7 leaves.
pub const TOP_LEVEL: u8 = 7;

const LEVEL_BITS: u32 = 8;

/// Why something is not a tile.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum TileRefused {
    /// The name of none.
    #[error("`{name}` is not the name of a tile")]
    Name {
        /// What was given.
        name: String,
    },
    /// Entries were wanted of a tile of hashes, or hashes of a bundle.
    #[error("`{tile}` does not hold what was asked of it")]
    OtherContent {
        /// Which tile.
        tile: TileName,
    },
    /// Not 32 bytes for each hash.
    #[error("`{tile}` has {found_bytes} bytes and not {wanted_bytes}")]
    Length {
        /// Which tile.
        tile: TileName,
        /// How many there are.
        found_bytes: usize,
        /// How many its width calls for.
        wanted_bytes: usize,
    },
    /// The bytes end within an entry, or before the last one.
    #[error("`{tile}` ends within its entry {entry}")]
    Truncated {
        /// Which bundle.
        tile: TileName,
        /// The entry within it, from 0.
        entry: u16,
    },
    /// Bytes follow the last entry.
    #[error("`{tile}` has {extra_bytes} bytes behind its last entry")]
    Trailing {
        /// Which bundle.
        tile: TileName,
        /// How many.
        extra_bytes: usize,
    },
    /// Not there.
    #[error("`{tile}` is missing")]
    Missing {
        /// Which tile.
        tile: TileName,
    },
}

/// What a tile holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum TileLevel {
    /// Entries: each a length of two bytes and at most 65,535 bytes.
    Entries,
    /// Hashes of that level, 0 to 7; at level 0 of leaves.
    Hashes(u8),
}

impl TileLevel {
    /// The level whose hashes it counts: 0 for entries.
    fn height(self) -> u8 {
        match self {
            Self::Entries => 0,
            Self::Hashes(level) => level,
        }
    }

    /// How many hashes or entries a log of `size` leaves has there.
    fn count(self, size: u64) -> u64 {
        size.checked_shr(LEVEL_BITS * u32::from(self.height())).unwrap_or(0)
    }
}

/// The name of a tile: what it holds, its number within the level, its width.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct TileName {
    level: TileLevel,
    index: u64,
    width: u16,
}

impl TileName {
    /// From its parts; `None` where the level is above 7, the width not 1 to 256, or no log is
    /// long enough.
    #[must_use]
    pub fn new(level: TileLevel, index: u64, width: u16) -> Option<Self> {
        let is_lawful = (1..=TILE_WIDTH).contains(&width) && level.height() <= TOP_LEVEL;
        let end = index.checked_mul(TILE_WIDTH.into())?.checked_add(width.into())?;
        (is_lawful && end <= level.count(LOG_LEAVES)).then_some(Self { level, index, width })
    }

    /// The tile with that number as a log of `size` leaves has it; `None` where it has none.
    #[must_use]
    pub fn at_size(level: TileLevel, index: u64, size: u64) -> Option<Self> {
        let first = index.checked_mul(TILE_WIDTH.into())?;
        let left = level.count(size.min(LOG_LEAVES)).checked_sub(first)?;
        Self::new(level, index, u16::try_from(left).unwrap_or(TILE_WIDTH).min(TILE_WIDTH))
    }

    /// What it holds.
    #[must_use]
    pub fn level(&self) -> TileLevel {
        self.level
    }

    /// Its number within the level, from 0.
    #[must_use]
    pub fn index(&self) -> u64 {
        self.index
    }

    /// How many hashes or entries it has, 1 to 256; below 256 it is partial.
    #[must_use]
    pub fn width(&self) -> u16 {
        self.width
    }

    /// The number within its level of its first hash or entry.
    #[must_use]
    pub fn first(&self) -> u64 {
        self.index * u64::from(TILE_WIDTH)
    }
}

/// The tiles and bundles that a log of `size` leaves has and one of `older` leaves has not:
/// bundles first, then level after level. Of an older size 0: all. Sizes are at most 2^63 − 1.
pub fn new_tiles(older: u64, size: u64) -> impl Iterator<Item = TileName> {
    let levels = (0..=TOP_LEVEL).map(TileLevel::Hashes);
    [TileLevel::Entries].into_iter().chain(levels).flat_map(move |level| {
        let (from, to) = (level.count(older), level.count(size.min(LOG_LEAVES)));
        let width = u64::from(TILE_WIDTH);
        let indices = if from < to { from / width..to.div_ceil(width) } else { 0..0 };
        indices.filter_map(move |index| TileName::at_size(level, index, size))
    })
}

impl fmt::Display for TileName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.level {
            TileLevel::Entries => f.write_str("tile/entries/")?,
            TileLevel::Hashes(level) => write!(f, "tile/{level}/")?,
        }
        let digits = self.index.to_string();
        let digits = format!("{digits:0>width$}", width = digits.len().next_multiple_of(3));
        let (groups, last) = digits.split_at(digits.len() - 3);
        for at in (0..groups.len()).step_by(3) {
            write!(f, "x{}/", &groups[at..at + 3])?;
        }
        f.write_str(last)?;
        if self.width < TILE_WIDTH { write!(f, ".p/{}", self.width) } else { Ok(()) }
    }
}

impl FromStr for TileName {
    type Err = TileRefused;

    fn from_str(name: &str) -> Result<Self, TileRefused> {
        let read = || {
            let (level, rest) = name.strip_prefix("tile/")?.split_once('/')?;
            let level = match level {
                "entries" => TileLevel::Entries,
                number => TileLevel::Hashes(number.parse().ok()?),
            };
            let (index, width) = match rest.split_once(".p/") {
                None => (rest, TILE_WIDTH),
                Some((index, width)) => (index, width.parse().ok()?),
            };
            Self::new(level, index.replace(['x', '/'], "").parse().ok()?, width)
        };
        // What a parser this lenient took in another spelling does not print back to it.
        read()
            .filter(|tile| tile.to_string() == name)
            .ok_or_else(|| TileRefused::Name { name: name.to_owned() })
    }
}

const _: () = assert!(LEAF_BYTES == u16::MAX as usize, "a bundle gives each length two bytes");

#[cfg(test)]
mod tests;
