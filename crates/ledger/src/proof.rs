//! Proofs (RFC 6962, section 2.1): that a leaf is in a log, that a log grew out of an older one.
//!
//! Invariant: the sizes alone say how many hashes a proof has, and another number is refused before
//! anything is hashed. Making one reads hashes of perfect subtrees and trusts them: who makes a
//! proof from files verifies it before he hands it on.

use std::{cell::RefCell, collections::BTreeSet};

use keystead_crypto::hash::sha256;
use thiserror::Error;

use crate::{Hash, TILE_WIDTH, TileLevel, TileName, node_hash, tile_root};

const HEIGHT_BITS: u8 = 8;

/// Why there is no proof, or why it proves nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum ProofRefused {
    /// No such leaf in a log of that size.
    #[error("a log of {size} leaves has no leaf {index}")]
    NoLeaf {
        /// The leaf, from 0.
        index: u64,
        /// The log's size.
        size: u64,
    },
    /// The older log is the longer one.
    #[error("a log of {size} leaves did not grow out of one of {older}")]
    Shrunk {
        /// The older size.
        older: u64,
        /// The newer size.
        size: u64,
    },
    /// A hash that the proof needs is not there.
    #[error("the hash of the subtree {index} of height {height} is not there")]
    Missing {
        /// Its height: 0 for a leaf.
        height: u8,
        /// Its number among those of its height, from 0.
        index: u64,
    },
    /// Not as many hashes as the sizes call for.
    #[error("the proof has {found} hashes and not {wanted}")]
    Length {
        /// How many there are.
        found: usize,
        /// How many there should be.
        wanted: usize,
    },
    /// It leads to the newer root, and to another than the older one: no log has both.
    #[error("the proof leads to another root of the older log")]
    OtherOlderRoot,
    /// It leads to another root.
    #[error("the proof leads to another root")]
    OtherRoot,
}

/// Makes the proof that leaf `index` is in a log of `size` leaves, from the hashes of perfect
/// subtrees by height and number (section 2.1.1).
///
/// # Errors
/// [`ProofRefused::NoLeaf`], [`ProofRefused::Missing`].
pub fn prove_inclusion(
    hash: impl Fn(u8, u64) -> Option<Hash>,
    index: u64,
    size: u64,
) -> Result<Vec<Hash>, ProofRefused> {
    if index >= size {
        return Err(ProofRefused::NoLeaf { index, size });
    }
    let (mut from, mut to, mut proof) = (0, size, Vec::new());
    while to - from > 1 {
        let middle = from + split(to - from);
        if index < middle {
            proof.push(range_hash(&hash, middle, to)?);
            to = middle;
        } else {
            proof.push(range_hash(&hash, from, middle)?);
            from = middle;
        }
    }
    proof.reverse();
    Ok(proof)
}

/// Makes the proof that a log of `size` leaves grew out of one of `older` leaves (section 2.1.2);
/// empty where that is 0 or the same.
///
/// # Errors
/// [`ProofRefused::Shrunk`], [`ProofRefused::Missing`].
pub fn prove_consistency(
    hash: impl Fn(u8, u64) -> Option<Hash>,
    older: u64,
    size: u64,
) -> Result<Vec<Hash>, ProofRefused> {
    if older > size {
        return Err(ProofRefused::Shrunk { older, size });
    }
    let (mut from, mut to, mut proof) = (0, size, Vec::new());
    if older == 0 {
        return Ok(proof);
    }
    while older < to {
        let middle = from + split(to - from);
        if older <= middle {
            proof.push(range_hash(&hash, middle, to)?);
            to = middle;
        } else {
            proof.push(range_hash(&hash, from, middle)?);
            from = middle;
        }
    }
    if from > 0 {
        proof.push(range_hash(&hash, from, to)?);
    }
    proof.reverse();
    Ok(proof)
}

/// Checks that a leaf with that hash is leaf `index` of the log with that size and root (RFC 9162,
/// section 2.1.3.2).
///
/// # Errors
/// [`ProofRefused::NoLeaf`], [`ProofRefused::Length`], [`ProofRefused::OtherRoot`].
pub fn verify_inclusion(
    leaf_hash: &Hash,
    index: u64,
    size: u64,
    root: &Hash,
    proof: &[Hash],
) -> Result<(), ProofRefused> {
    if index >= size {
        return Err(ProofRefused::NoLeaf { index, size });
    }
    let (inner, border) = path(index, size - 1);
    check_length(proof, inner + border)?;
    let found = climb(*leaf_hash, index, inner, proof).0;
    if found == *root { Ok(()) } else { Err(ProofRefused::OtherRoot) }
}

/// Checks that the log with that size and root grew out of the older one (RFC 9162, section
/// 2.1.4.2).
///
/// # Errors
/// [`ProofRefused::Shrunk`], [`ProofRefused::Length`], [`ProofRefused::OtherOlderRoot`],
/// [`ProofRefused::OtherRoot`].
pub fn verify_consistency(
    older: u64,
    older_root: &Hash,
    size: u64,
    root: &Hash,
    proof: &[Hash],
) -> Result<(), ProofRefused> {
    if older > size {
        return Err(ProofRefused::Shrunk { older, size });
    }
    if older == 0 || older == size {
        check_length(proof, 0)?;
        let wanted = if older == size { *root } else { sha256(&[]) };
        return if *older_root == wanted { Ok(()) } else { Err(ProofRefused::OtherOlderRoot) };
    }
    // The proof begins at the largest subtree that ends where the older log ends; where that is
    // the whole older log, its root is known and left out.
    let height = older.trailing_zeros();
    let known = older.is_power_of_two();
    let (index, last) = ((older - 1) >> height, (size - 1) >> height);
    let (inner, border) = path(index, last);
    check_length(proof, inner + border + usize::from(!known))?;
    let (start, rest) = if known { (*older_root, proof) } else { (proof[0], &proof[1..]) };
    let (found, found_older) = climb(start, index, inner, rest);
    match (found == *root, found_older == *older_root) {
        (false, _) => Err(ProofRefused::OtherRoot),
        (true, false) => Err(ProofRefused::OtherOlderRoot),
        (true, true) => Ok(()),
    }
}

/// Reads the hashes of perfect subtrees out of the tiles of a log of `size` leaves, as the makers
/// of proofs want them.
pub fn hashes_from_tiles(
    size: u64,
    tiles: impl Fn(TileName) -> Option<Vec<Hash>>,
) -> impl Fn(u8, u64) -> Option<Hash> {
    move |height, index| {
        let within = height % HEIGHT_BITS;
        let first = index.checked_mul(1 << within)?;
        let level = TileLevel::Hashes(height / HEIGHT_BITS);
        let tile = TileName::at_size(level, first / u64::from(TILE_WIDTH), size)?;
        let at = usize::try_from(first - tile.first()).ok()?;
        let hashes = tiles(tile)?;
        hashes.get(at..at + (1 << within)).map(tile_root)
    }
}

/// The tiles of a log of `size` leaves that the proof of one leaf is made from.
#[must_use]
pub fn tiles_for_inclusion(index: u64, size: u64) -> BTreeSet<TileName> {
    tiles_of(size, |hash| drop(prove_inclusion(hash, index, size)))
}

/// The tiles of a log of `size` leaves that the proof of its growth, and the root that it had at
/// the `older` size, are made from.
#[must_use]
pub fn tiles_for_consistency(older: u64, size: u64) -> BTreeSet<TileName> {
    tiles_of(size, |hash| {
        if prove_consistency(hash, older, size).is_ok() && older < size {
            let _ = root_at(&hash, older);
        }
    })
}

/// Lets a proof be made from hashes of nothing, and tells which tiles it asked for.
fn tiles_of(size: u64, prove: impl FnOnce(&dyn Fn(u8, u64) -> Option<Hash>)) -> BTreeSet<TileName> {
    let asked = RefCell::new(BTreeSet::new());
    prove(&hashes_from_tiles(size, |tile| {
        asked.borrow_mut().insert(tile);
        Some(vec![[0; 32]; tile.width().into()])
    }));
    asked.into_inner()
}

/// The root that the log had at `size`.
pub(crate) fn root_at(
    hash: &impl Fn(u8, u64) -> Option<Hash>,
    size: u64,
) -> Result<Hash, ProofRefused> {
    if size == 0 { Ok(sha256(&[])) } else { range_hash(hash, 0, size) }
}

/// The root over the leaves `from..to`, of which all but the last subtree are perfect.
fn range_hash(
    hash: &impl Fn(u8, u64) -> Option<Hash>,
    from: u64,
    to: u64,
) -> Result<Hash, ProofRefused> {
    let leaves = to - from;
    if leaves.is_power_of_two() {
        let height = leaves.trailing_zeros();
        let index = from >> height;
        let height = u8::try_from(height).expect("below 64");
        return hash(height, index).ok_or(ProofRefused::Missing { height, index });
    }
    let middle = from + split(leaves);
    Ok(node_hash(&range_hash(hash, from, middle)?, &range_hash(hash, middle, to)?))
}

/// The largest power of two below `leaves`, which is at least 2.
fn split(leaves: u64) -> u64 {
    1 << (leaves - 1).ilog2()
}

/// How many siblings the path from node `index` has up to where it joins that of node `last`, and
/// how many, all to its left, from there to the root.
fn path(index: u64, last: u64) -> (usize, usize) {
    let inner = u64::BITS - (index ^ last).leading_zeros();
    let border = index.checked_shr(inner).unwrap_or(0).count_ones();
    (inner as usize, border as usize)
}

/// The root over all, and the root over what is not to the right of the node at the start.
fn climb(start: Hash, index: u64, inner: usize, proof: &[Hash]) -> (Hash, Hash) {
    let (mut all, mut left) = (start, start);
    for (height, sibling) in proof.iter().enumerate() {
        if height >= inner || index >> height & 1 == 1 {
            (all, left) = (node_hash(sibling, &all), node_hash(sibling, &left));
        } else {
            all = node_hash(&all, sibling);
        }
    }
    (all, left)
}

fn check_length(proof: &[Hash], wanted: usize) -> Result<(), ProofRefused> {
    let found = proof.len();
    if found == wanted { Ok(()) } else { Err(ProofRefused::Length { found, wanted }) }
}

#[cfg(test)]
mod tests;
