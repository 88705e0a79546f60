//! Reads journal files back: at every start the active one, in a full check all of them.
//!
//! Invariant: bytes are either an unbroken run of entries, or a torn tail that nobody was told of,
//! or damage that is named by file and entry. What separates the last two is a mark behind the
//! damage: marks are written only after the sync that makes them true.

use std::sync::Arc;

use keystead_ledger::{Chain, CompactRange, Hash, Leaf, Malformed, StatePlace};
use thiserror::Error;

use crate::{
    Disk, DiskFailed, FileName, check,
    frame::{self, Entry, HEADER_BYTES, Header},
    reader::Entries,
};

/// Why the journal cannot be read, or not be made.
#[derive(Debug, Error)]
pub enum JournalUnreadable {
    /// The folder holds no journal.
    #[error("the folder holds no journal")]
    Absent,
    /// The folder holds a journal already.
    #[error("the folder holds a journal already: `{file}`")]
    AlreadyThere {
        /// Its last file.
        file: FileName,
    },
    /// An entry that had been synced is not what was written.
    #[error("`{file}` is damaged at entry {entry}, byte {offset}")]
    Damaged {
        /// Which file.
        file: FileName,
        /// Index of the leaf, or of the leaf that the damaged mark stands before.
        entry: u64,
        /// Where the entry begins in the file.
        offset: u64,
    },
    /// The beginning of a file is not what was written.
    #[error("the header of `{file}` is damaged")]
    BadHeader {
        /// Which file.
        file: FileName,
        /// What is wrong with it.
        #[source]
        source: Malformed,
    },
    /// A file does not go on where the one before it ended.
    #[error("`{file}` does not follow from the file before it")]
    NotConsecutive {
        /// Which file.
        file: FileName,
    },
    /// The disk failed.
    #[error("the journal's disk failed")]
    Disk(#[from] DiskFailed),
}

/// The log at some entry of some file.
#[derive(Debug, Clone)]
pub(crate) struct Position {
    pub(crate) tree: CompactRange,
    /// The place of the last state event.
    pub(crate) place: StatePlace,
    pub(crate) chain: Chain,
    /// Bytes of the file up to here.
    pub(crate) len: u64,
    pub(crate) marked: Marked,
}

/// Whether the last entry is a mark, or there is no leaf that one could tell of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Marked {
    Yes,
    No,
}

/// How a file ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tail {
    /// With an entry.
    Whole,
    /// With bytes that were never acknowledged.
    Torn,
}

impl Position {
    /// Behind the header.
    pub(crate) fn begin(header: &Header, len: usize, chain: Chain) -> Self {
        let (tree, place) = (header.tree.clone(), header.place);
        Self { tree, place, chain, len: len as u64, marked: Marked::Yes }
    }

    /// Goes on by one entry; nothing where it cannot follow.
    pub(crate) fn step(&mut self, entry: &Entry<'_>, len: usize, chain: Chain) -> Option<()> {
        match entry {
            Entry::Mark { size } if *size != self.tree.size() => return None,
            Entry::Mark { .. } => self.marked = Marked::Yes,
            Entry::Leaf { bytes, hash } => {
                let leaf = Leaf::from_bytes(bytes.to_vec()).ok()?;
                if let Some(place) = leaf.place() {
                    self.place = follows(self.place, place).then_some(place)?;
                }
                self.tree.push(*hash);
                self.marked = Marked::No;
            }
        }
        (self.len, self.chain) = (self.len + len as u64, chain);
        Some(())
    }
}

/// Whether a state event can stand behind another: events of one change stand together.
fn follows(before: StatePlace, next: StatePlace) -> bool {
    if next.commit_seq == before.commit_seq {
        before.index.checked_add(1) == Some(next.index)
    } else {
        next.commit_seq > before.commit_seq && next.index == 0
    }
}

/// Reads a file's entries to its end, a chunk at a time.
pub(crate) fn scan(
    disk: &dyn Disk,
    file: &FileName,
) -> Result<(Position, Tail), JournalUnreadable> {
    let (header, len, chain) = decode_header(file, &disk.read_at(file, 0, HEADER_BYTES)?)?;
    let mut position = Position::begin(&header, len, chain);
    let mut entries = Entries::at(disk, file, position.len)?;
    while let Some(next) = entries.following()? {
        // With the right check it is no torn write, whatever else is wrong with it.
        if position.step(&next.entry, next.len, next.chain).is_none() {
            return Err(damaged(file, &position));
        }
    }
    let left = disk.len_bytes(file)?.saturating_sub(position.len);
    let left = usize::try_from(left).expect("a file's end fits the memory");
    end(file, &disk.read_at(file, position.len, left)?, position)
}

/// What stands behind the last entry that follows.
fn end(
    file: &FileName,
    rest: &[u8],
    position: Position,
) -> Result<(Position, Tail), JournalUnreadable> {
    // Zeros are room that nothing was written to, or a group that was lost whole.
    if rest.iter().all(|byte| *byte == 0) {
        return Ok((position, Tail::Whole));
    }
    if frame::has_mark_above(rest, position.tree.size()) {
        return Err(damaged(file, &position));
    }
    Ok((position, Tail::Torn))
}

pub(crate) fn damaged(file: &FileName, at: &Position) -> JournalUnreadable {
    JournalUnreadable::Damaged { file: file.clone(), entry: at.tree.size(), offset: at.len }
}

pub(crate) fn decode_header(
    file: &FileName,
    bytes: &[u8],
) -> Result<(Header, usize, Chain), JournalUnreadable> {
    Header::decode(bytes)
        .map_err(|source| JournalUnreadable::BadHeader { file: file.clone(), source })
}

/// The journal files of a folder, in order, with their headers: each goes on where the one before
/// it ended.
pub(crate) fn headers(disk: &Arc<dyn Disk>) -> Result<Vec<(u64, Header)>, JournalUnreadable> {
    let mut found: Vec<(u64, Header)> = Vec::new();
    for first in disk.list()?.iter().filter_map(frame::first_index) {
        let file = frame::file_name(first);
        let (header, ..) = decode_header(&file, &disk.read_at(&file, 0, HEADER_BYTES)?)?;
        let consecutive = match found.last() {
            None => first == 0,
            Some((before, last)) => first > *before && last.origin == header.origin,
        };
        if !consecutive || header.tree.size() != first {
            return Err(JournalUnreadable::NotConsecutive { file });
        }
        if let Some((before, _)) = found.last()
            && !ends_with(disk, *before, &header.previous)?
        {
            check::closed(disk, *before, &header)?;
            return Err(JournalUnreadable::NotConsecutive { file });
        }
        found.push((first, header));
    }
    Ok(found)
}

/// Whether the last check of a file is this one; that is known without reading the file.
fn ends_with(disk: &Arc<dyn Disk>, first: u64, check: &Hash) -> Result<bool, DiskFailed> {
    let file = frame::file_name(first);
    let len = disk.len_bytes(&file)?;
    let end = disk.read_at(&file, len.saturating_sub(check.len() as u64), check.len())?;
    Ok(end == check)
}

#[cfg(test)]
mod tests {
    use keystead_ledger::{Act, Attributes, Event, Front, Operation, Origin, Outcome, leaf_hash};

    use super::*;
    use crate::MemoryDisk;

    fn state(commit_seq: u64, index: u16) -> Leaf {
        let act = Act {
            at: 0,
            request: Some([7; 16]),
            tenant: None,
            principal: None,
            front: Front::Native,
            operation: Operation::new("CreateKey").unwrap(),
            resource: None,
            key_version: None,
            outcome: Outcome::Succeeded,
            source: None,
            attributes: Attributes::new(),
        };
        Event::State { place: StatePlace { commit_seq, index }, act }.encode().unwrap()
    }

    /// A file whose checks are all right, by somebody who can compute them.
    fn forged(leaves: &[Leaf], marked: u64) -> Vec<u8> {
        let header = Header {
            origin: Origin::new("a/b/c").unwrap(),
            tree: CompactRange::new(),
            place: StatePlace { commit_seq: 4, index: u16::MAX },
            previous: [0; 32],
        };
        let (mut bytes, mut chain) = header.encode();
        for leaf in leaves {
            (_, chain) = frame::put_leaf(&mut bytes, chain, leaf);
        }
        frame::put_mark(&mut bytes, chain, marked);
        bytes
    }

    fn scanned(bytes: &[u8]) -> Result<(u64, Tail), u64> {
        let (disk, file) = (MemoryDisk::new(), frame::file_name(0));
        disk.tamper(&file, bytes.to_vec());
        match scan(&disk, &file) {
            Ok((position, tail)) => Ok((position.tree.size(), tail)),
            Err(JournalUnreadable::Damaged { entry, .. }) => Err(entry),
            Err(other) => panic!("{other:?}"),
        }
    }

    #[test]
    fn state_events_stand_in_commit_order_and_each_once() {
        /// Places in the file, and the entry that is out of order.
        type Case = (&'static [(u64, u16)], Option<u64>);
        let cases: [Case; 9] = [
            (&[(5, 0), (5, 1), (6, 0), (9, 0)], None),
            (&[(4, 0)], Some(0)),
            (&[(5, 1)], Some(0)),
            (&[(5, 0), (5, 0)], Some(1)),
            (&[(5, 0), (5, 2)], Some(1)),
            (&[(5, 0), (6, 1)], Some(1)),
            (&[(6, 0), (5, 0)], Some(1)),
            (&[(6, 0), (5, 1)], Some(1)),
            (&[(5, 0), (6, 0), (5, 1)], Some(2)),
        ];
        for (places, want) in cases {
            let leaves: Vec<Leaf> = places.iter().map(|(seq, index)| state(*seq, *index)).collect();
            let size = leaves.len() as u64;
            let found = scanned(&forged(&leaves, size));
            assert_eq!(found, want.map_or(Ok((size, Tail::Whole)), Err), "{places:?}");
        }
    }

    #[test]
    fn a_mark_that_miscounts_is_not_taken_for_one() {
        let leaves = [state(5, 0), state(6, 0)];
        assert_eq!(scanned(&forged(&leaves, 2)), Ok((2, Tail::Whole)));
        assert_eq!(scanned(&forged(&leaves, 1)), Err(2));
        assert_eq!(scanned(&forged(&leaves, 3)), Err(2));
    }

    #[test]
    fn a_leaf_that_is_no_event_is_named() {
        let (header, chain) = Header {
            origin: Origin::new("a/b/c").unwrap(),
            tree: CompactRange::new(),
            place: StatePlace { commit_seq: 0, index: u16::MAX },
            previous: [0; 32],
        }
        .encode();
        let chain = chain.leaf(&leaf_hash(b"not an event"));
        let entry = [&[1, 0, 0, 0, 12][..], b"not an event", chain.as_bytes()].concat();
        assert_eq!(scanned(&[header, entry].concat()), Err(0));
    }
}
