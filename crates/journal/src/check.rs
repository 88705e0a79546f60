//! Reads files entry by entry: a full check of the log, and the root that it had at some size.
//!
//! Invariant: memory is bounded by a chunk, however long the files are, so that a serving node can
//! check its whole log; what a check passes has its chain, its place and its canonical leaf.

use std::sync::Arc;

use keystead_ledger::Hash;

use crate::{
    Disk, JournalUnreadable,
    frame::{self, HEADER_BYTES, Header},
    reader::Entries,
    scan::{self, Marked, Position},
};

/// Reads all leaves back: whole files, and the one that begins at `first` up to `end`.
pub(crate) fn all(
    disk: &Arc<dyn Disk>,
    first: u64,
    end: &Position,
) -> Result<(), JournalUnreadable> {
    let mut headers = scan::headers(disk)?;
    headers.retain(|(begins, _)| *begins <= first);
    for pair in headers.windows(2) {
        closed(disk, pair[0].0, &pair[1].1)?;
    }
    let found = walk(&**disk, first, |at| at.len < end.len)?;
    match found.len == end.len && found.tree == end.tree {
        true => Ok(()),
        false => Err(scan::damaged(&frame::file_name(first), &found)),
    }
}

/// A closed file ends with a mark, and the header of the next one says what its end must be.
pub(crate) fn closed(
    disk: &Arc<dyn Disk>,
    first: u64,
    next: &Header,
) -> Result<(), JournalUnreadable> {
    let file = frame::file_name(first);
    let len = disk.len_bytes(&file)?;
    let end = walk(&**disk, first, |at| at.len < len)?;
    if end.marked == Marked::No {
        return Err(scan::damaged(&file, &end));
    }
    let same =
        end.tree == next.tree && end.place == next.place && end.chain.as_bytes() == &next.previous;
    match same {
        true => Ok(()),
        false => {
            let file = frame::file_name(next.tree.size());
            Err(JournalUnreadable::NotConsecutive { file })
        }
    }
}

/// The root of the first `size` leaves; nothing where there are fewer.
pub(crate) fn root_at(disk: &dyn Disk, size: u64) -> Result<Option<Hash>, JournalUnreadable> {
    let found = walk(disk, first_of(disk, size)?, |at| at.tree.size() < size)?;
    Ok((found.tree.size() == size).then(|| found.tree.root()))
}

/// The index of the first leaf of the file that holds leaf `index`, or would hold it.
pub(crate) fn first_of(disk: &dyn Disk, index: u64) -> Result<u64, JournalUnreadable> {
    let firsts = disk.list()?.into_iter().filter_map(|file| frame::first_index(&file));
    firsts.filter(|first| *first <= index).max().ok_or(JournalUnreadable::Absent)
}

/// Goes through a file while `goes_on`: entries that cannot follow are damage, since all of it was
/// synced.
fn walk(
    disk: &dyn Disk,
    first: u64,
    goes_on: impl Fn(&Position) -> bool,
) -> Result<Position, JournalUnreadable> {
    let file = frame::file_name(first);
    let bytes = disk.read_at(&file, 0, HEADER_BYTES)?;
    let (header, len, chain) = scan::decode_header(&file, &bytes)?;
    let mut at = Position::begin(&header, len, chain);
    let mut entries = Entries::at(disk, &file, at.len)?;
    while goes_on(&at) {
        let next = entries.following()?;
        let step = next.and_then(|next| at.step(&next.entry, next.len, next.chain));
        step.ok_or_else(|| scan::damaged(&file, &at))?;
    }
    Ok(at)
}
