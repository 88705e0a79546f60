//! Whether the log of one checkpoint grew out of that of an older one, or somebody signed a fork.
//!
//! Invariant: a fork is only said where both roots are proven to be of one shape of tree and
//! differ; a bad proof is called that, since anybody can make one.

use super::LogRefused;
use crate::{
    Checkpoint, Hash, ProofRefused,
    proof::{prove_consistency, root_at, verify_consistency},
};

/// Checks by a proof that the log of one checkpoint grew out of an older one. Both signatures were
/// verified before.
///
/// # Errors
/// [`LogRefused::Fork`] where the newer root is right and the older one is not: two signed
/// checkpoints of which no log has both. [`LogRefused::Proof`] where the proof is none, which says
/// nothing about the log, [`LogRefused::OtherOrigin`].
pub fn verify_growth(
    older: &Checkpoint,
    newer: &Checkpoint,
    proof: &[Hash],
) -> Result<(), LogRefused> {
    if older.origin() != newer.origin() {
        return Err(LogRefused::OtherOrigin);
    }
    verify_consistency(older.size(), older.root(), newer.size(), newer.root(), proof)
        .map_err(|refused| fork_or(older, newer, refused))
}

/// The same from the hashes of the newer log's tiles, see [`crate::hashes_from_tiles`]. Tiles that
/// are not the newer log's are told from a fork.
///
/// # Errors
/// As [`verify_growth`].
pub fn verify_growth_by_tiles(
    older: &Checkpoint,
    newer: &Checkpoint,
    hash: impl Fn(u8, u64) -> Option<Hash>,
) -> Result<(), LogRefused> {
    if older.origin() != newer.origin() {
        return Err(LogRefused::OtherOrigin);
    }
    let (was, size, proves) = (older.size(), newer.size(), LogRefused::Proof);
    let proof = prove_consistency(&hash, was, size).map_err(proves)?;
    let own = if was == size { Ok(*newer.root()) } else { root_at(&hash, was) }.map_err(proves)?;
    // Where this holds, `own` is the root that the newer log had at the older size.
    verify_consistency(was, &own, size, newer.root(), &proof).map_err(proves)?;
    match own == *older.root() {
        true => Ok(()),
        false => Err(fork_or(older, newer, ProofRefused::OtherOlderRoot)),
    }
}

fn fork_or(older: &Checkpoint, newer: &Checkpoint, refused: ProofRefused) -> LogRefused {
    match refused {
        ProofRefused::OtherOlderRoot => LogRefused::Fork {
            older: Box::new(older.head().clone()),
            newer: Box::new(newer.head().clone()),
        },
        refused => LogRefused::Proof(refused),
    }
}
