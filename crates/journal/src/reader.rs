//! Reads leaves from the middle of the log, for proofs, tiles and whoever asks what happened.
//!
//! Invariant: every leaf handed out has passed its check. A reader needs no lock: what it may read
//! is synced, and synced bytes are never written again. Reading begins at a waypoint, so that
//! asking for the newest leaves does not cost a whole file.

use std::{collections::BTreeMap, ops::Range};

use keystead_ledger::{Chain, Leaf};

use crate::{
    Disk, DiskFailed, FileName, JournalUnreadable,
    frame::{self, ENTRY_BYTES, Entry, Framed, HEADER_BYTES, Header},
};

const CHUNK_BYTES: usize = 4 * ENTRY_BYTES;
const CHECK_BYTES: u64 = 32;
/// Leaves between two waypoints, at least.
const STRIDE: u64 = 1024;

/// A place where an entry begins.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Waypoint {
    /// Index of the next leaf.
    pub(crate) index: u64,
    /// Index of the first leaf of its file.
    pub(crate) first: u64,
    /// Byte in its file.
    pub(crate) offset: u64,
}

/// Places that this process has come by.
#[derive(Debug, Default)]
pub(crate) struct Waypoints(BTreeMap<u64, Waypoint>);

impl Waypoints {
    /// Remembers a place, unless one close before it is known.
    pub(crate) fn pass(&mut self, place: Waypoint) {
        let far = self.0.last_key_value().is_none_or(|(last, _)| place.index >= last + STRIDE);
        if far {
            self.0.insert(place.index, place);
        }
    }

    /// The last one at or before `index`.
    pub(crate) fn before(&self, index: u64) -> Option<Waypoint> {
        self.0.range(..=index).next_back().map(|(_, place)| *place)
    }
}

/// The leaves `wanted`, which must be on stable storage.
pub(crate) fn read(
    disk: &dyn Disk,
    wanted: Range<u64>,
    start: Option<Waypoint>,
) -> Result<Vec<Leaf>, JournalUnreadable> {
    let mut leaves = Vec::new();
    if wanted.is_empty() {
        return Ok(leaves);
    }
    let firsts: Vec<u64> = disk.list()?.iter().filter_map(frame::first_index).collect();
    let containing = firsts.partition_point(|first| *first <= wanted.start).saturating_sub(1);
    for (at, first) in firsts.iter().enumerate().skip(containing) {
        let end = firsts.get(at + 1).map_or(wanted.end, |next| wanted.end.min(*next));
        let known = start.filter(|place| place.first == *first && place.index <= wanted.start);
        let begin = known.map_or_else(|| after_header(disk, *first), Ok)?;
        if begin.index < end {
            read_file(disk, begin, wanted.start.max(*first)..end, &mut leaves)?;
        }
    }
    Ok(leaves)
}

fn after_header(disk: &dyn Disk, first: u64) -> Result<Waypoint, JournalUnreadable> {
    let file = frame::file_name(first);
    let bytes = disk.read_at(&file, 0, HEADER_BYTES)?;
    let (_, len, _) =
        Header::decode(&bytes).map_err(|source| JournalUnreadable::BadHeader { file, source })?;
    Ok(Waypoint { index: first, first, offset: len as u64 })
}

fn read_file(
    disk: &dyn Disk,
    begin: Waypoint,
    wanted: Range<u64>,
    leaves: &mut Vec<Leaf>,
) -> Result<(), JournalUnreadable> {
    let file = frame::file_name(begin.first);
    let mut entries = Entries::at(disk, &file, begin.offset)?;
    let mut index = begin.index;
    while index < wanted.end {
        let offset = entries.offset;
        let damaged = || JournalUnreadable::Damaged { file: file.clone(), entry: index, offset };
        let framed = entries.following()?.ok_or_else(damaged)?;
        if let Entry::Leaf { bytes, .. } = framed.entry {
            if wanted.contains(&index) {
                leaves.push(Leaf::from_bytes(bytes.to_vec()).map_err(|_| damaged())?);
            }
            index += 1;
        }
    }
    Ok(())
}

/// The entries of a file, read in chunks.
pub(crate) struct Entries<'a> {
    disk: &'a dyn Disk,
    file: &'a FileName,
    chain: Chain,
    /// Where the next entry begins in the file.
    offset: u64,
    chunk: Vec<u8>,
    /// Where the next entry begins in the chunk.
    at: usize,
}

impl<'a> Entries<'a> {
    /// At an entry; the check before it stands in the 32 bytes before it.
    pub(crate) fn at(
        disk: &'a dyn Disk,
        file: &'a FileName,
        offset: u64,
    ) -> Result<Self, DiskFailed> {
        let before = disk.read_at(file, offset - CHECK_BYTES, 32)?;
        let chain = Chain::from_bytes(before.try_into().unwrap_or_default());
        Ok(Self { disk, file, chain, offset, chunk: Vec::new(), at: 0 })
    }

    /// The next entry; nothing where none with the right check stands there.
    pub(crate) fn following(&mut self) -> Result<Option<Framed<'_>>, DiskFailed> {
        // A short chunk ended with the file, and what is wanted was synced before it was read: to
        // read it anew for each of the last entries would cost the square of their number.
        let goes_on = self.chunk.is_empty() || self.chunk.len() == CHUNK_BYTES;
        if goes_on && self.chunk.len() - self.at < ENTRY_BYTES {
            self.chunk = self.disk.read_at(self.file, self.offset, CHUNK_BYTES)?;
            self.at = 0;
        }
        let framed = frame::entry(&self.chunk[self.at..], self.chain);
        if let Some(framed) = &framed {
            self.chain = framed.chain;
            self.offset += framed.len as u64;
            self.at += framed.len;
        }
        Ok(framed)
    }
}
