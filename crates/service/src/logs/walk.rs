//! The way through one log, file by file.
//!
//! Invariant: a file is read when the walk wants it and believed when the walk takes it.

use keystead_ledger::{
    Checkpoint, CompactRange, Hash, Head, Leaf, LogRefused, Succession, Walk, leaf_hash,
};

use super::{EachEntry, LogRead, LogsRefused};
use crate::tiles::LogIn;

/// Reads a log whole, against its largest signed checkpoint.
pub(super) async fn whole(log: &LogIn<'_>, each: EachEntry<'_>) -> Result<LogRead, LogsRefused> {
    let origin = log.place.origin();
    let unsigned = || LogsRefused::NoCheckpoint { origin: origin.clone() };
    let checkpoint = log.largest().await?.ok_or_else(unsigned)?;
    let (mut index, mut follows) = (0, Vec::new());
    through(log, &checkpoint, |entry| {
        let not_leaf = |source| LogsRefused::Log {
            origin: origin.clone(),
            refused: LogRefused::NotLeaf { index, source },
        };
        let leaf = Leaf::from_bytes(entry.to_vec()).map_err(not_leaf)?;
        if index == 0 {
            let refused = |refused| LogsRefused::Succession { origin: origin.clone(), refused };
            let past = Succession::read(&origin, &leaf.event()).map_err(refused)?;
            follows = past.heads().map(|(head, unknown)| (head.clone(), unknown)).collect();
        }
        each(&origin, index, &leaf);
        index += 1;
        Ok(())
    })
    .await?;
    Ok(LogRead { head: checkpoint.head().clone(), follows, missing: 0 })
}

/// The heads that must come out of the logs, and what it means where one does not.
pub(super) fn wanted(read: &[LogRead], older: Option<&Checkpoint>) -> Vec<(Head, LogsRefused)> {
    let followed = read.iter().flat_map(|log| {
        log.follows.iter().map(|(head, _)| {
            let (origin, next) = (head.origin.clone(), log.head.origin.clone());
            (head.clone(), LogsRefused::NotFollowed { origin, next, size: head.size })
        })
    });
    let older = older.map(|older| {
        let (head, size) = (older.head().clone(), older.size());
        (head.clone(), LogsRefused::Rewritten { origin: head.origin, size })
    });
    followed.chain(older).collect()
}

/// The root of a log's first `size` entries; `None` where it has fewer.
pub(super) async fn root_at(log: &LogIn<'_>, size: u64) -> Result<Option<Hash>, LogsRefused> {
    let Some(checkpoint) = log.largest().await? else { return Ok(None) };
    let mut tree = CompactRange::new();
    through(log, &checkpoint, |entry| {
        if tree.size() < size {
            tree.push(leaf_hash(entry));
        }
        Ok(())
    })
    .await?;
    Ok((tree.size() == size).then(|| tree.root()))
}

/// Gives each entry under a checkpoint, in order, as the tiles that verify hold it.
pub(crate) async fn through(
    log: &LogIn<'_>,
    checkpoint: &Checkpoint,
    mut each: impl FnMut(&[u8]) -> Result<(), LogsRefused>,
) -> Result<(), LogsRefused> {
    let origin = log.place.origin();
    let mut walk = Walk::new(checkpoint);
    while let Some(tile) = walk.wants() {
        let path = tile.to_string();
        let bytes = log.read(&path).await?;
        let bytes = bytes.ok_or(LogsRefused::Missing { origin: origin.clone(), path })?;
        let refused = |refused| LogsRefused::Log { origin: origin.clone(), refused };
        for entry in walk.give(&bytes).map_err(refused)? {
            each(entry)?;
        }
    }
    Ok(())
}
