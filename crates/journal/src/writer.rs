//! Turns groups of records into synced bytes of the active file; the only code that writes.
//!
//! Invariant: `at` is where the next entry goes, and no byte stands behind it that a caller could
//! take for a record: what an append left on a full disk is cut off before anything else happens. A
//! failed sync is never asked again, for the kernel may have dropped the bytes and then say yes.

use std::{mem, sync::Arc};

use keystead_ledger::{Leaf, Origin};

use crate::{
    Disk, DiskFailed, FileName, JournalUnreadable, Limits,
    frame::{self, Header},
    group::{Class, Item},
    scan::{self, Marked, Position, Tail},
};

#[derive(Debug)]
pub(crate) struct Writer {
    disk: Arc<dyn Disk>,
    limits: Limits,
    origin: Origin,
    /// Index of the first leaf of the active file.
    first: u64,
    at: Position,
    reserve: Reserve,
}

/// Whether the room that was set aside is still there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reserve {
    Whole,
    Spent,
}

/// A group after its sync.
#[derive(Debug)]
pub(crate) struct Written {
    pub(crate) durable: Vec<Item>,
    /// The disk has no room for these.
    pub(crate) refused: Vec<Item>,
}

/// Why a group was not written.
enum Setback {
    /// There is no room, and nothing of it is there.
    Full,
    /// What is there is not known.
    Fatal(DiskFailed),
}

impl Setback {
    /// Of an operation that changes nothing where it finds no room.
    fn of(failed: DiskFailed) -> Self {
        match failed {
            DiskFailed::Full { .. } => Self::Full,
            failed @ DiskFailed::Failed { .. } => Self::Fatal(failed),
        }
    }
}

impl Writer {
    /// Makes the first file of a log.
    pub(crate) fn create(
        disk: Arc<dyn Disk>,
        header: &Header,
        limits: Limits,
    ) -> Result<Self, JournalUnreadable> {
        if let Some(file) = disk.list()?.into_iter().rfind(|f| frame::first_index(f).is_some()) {
            return Err(JournalUnreadable::AlreadyThere { file });
        }
        let (bytes, chain) = header.encode();
        disk.replace(&frame::file_name(0), &bytes)?;
        let at = Position::begin(header, bytes.len(), chain);
        Self::ready(disk, header.origin.clone(), 0, at, limits)
    }

    /// Reads the active file back and repairs its end.
    pub(crate) fn open(disk: Arc<dyn Disk>, limits: Limits) -> Result<Self, JournalUnreadable> {
        let headers = scan::headers(&disk)?;
        let (first, header) = headers.last().ok_or(JournalUnreadable::Absent)?;
        let file = frame::file_name(*first);
        let (mut at, tail) = scan::scan(&*disk, &file)?;
        if tail == Tail::Torn || at.marked == Marked::No {
            let kept = usize::try_from(at.len).expect("a file that was read fits the memory");
            let bytes = disk.read_at(&file, 0, kept)?;
            rewrite(&*disk, &file, bytes, &mut at)?;
        }
        Self::ready(disk, header.origin.clone(), *first, at, limits)
    }

    fn ready(
        disk: Arc<dyn Disk>,
        origin: Origin,
        first: u64,
        at: Position,
        limits: Limits,
    ) -> Result<Self, JournalUnreadable> {
        let mut writer = Self { disk, limits, origin, first, at, reserve: Reserve::Spent };
        writer.restore_reserve()?;
        Ok(writer)
    }

    /// Where the next entry goes.
    pub(crate) fn at(&self) -> &Position {
        &self.at
    }

    /// Index of the first leaf of the active file.
    pub(crate) fn first(&self) -> u64 {
        self.first
    }

    pub(crate) fn origin(&self) -> &Origin {
        &self.origin
    }

    /// Appends a group and syncs it once. After an error the disk is not to be trusted any more.
    pub(crate) fn write(&mut self, items: Vec<Item>) -> Result<Written, Broken> {
        let mut group = Written { durable: items, refused: Vec::new() };
        match self.try_write(&mut group) {
            Ok(()) => Ok(group),
            Err(Setback::Full) => Ok(group.all_refused()),
            Err(Setback::Fatal(source)) => Err(Broken { source, items: group.all() }),
        }
    }

    /// Says behind the last group that it was synced, so that damage to it is told from a torn
    /// tail.
    pub(crate) fn mark(&mut self) -> Result<(), DiskFailed> {
        if self.at.marked == Marked::Yes {
            return Ok(());
        }
        let mut bytes = Vec::new();
        let mut next = self.at.clone();
        next.put_mark(&mut bytes);
        match self.append(&bytes, next) {
            // It will stand before the next group.
            Ok(()) | Err(Setback::Full) => Ok(()),
            Err(Setback::Fatal(failed)) => Err(failed),
        }
    }

    /// Ends the file so that a start finds nothing to repair.
    pub(crate) fn close(&mut self) -> Result<(), DiskFailed> {
        self.mark()?;
        self.disk.truncate(&self.file(), self.at.len)?;
        self.disk.sync(&self.file())
    }

    fn try_write(&mut self, group: &mut Written) -> Result<(), Setback> {
        self.restore_reserve().map_err(Setback::of)?;
        if self.reserve == Reserve::Spent {
            group.refuse_ordinary();
        }
        match self.put(&group.durable) {
            Err(Setback::Full) if self.reserve == Reserve::Whole => {
                group.refuse_ordinary();
                if group.durable.iter().all(|item| item.leaves.as_slice().is_empty()) {
                    return Ok(());
                }
                self.disk.release_reserve().map_err(Setback::Fatal)?;
                self.reserve = Reserve::Spent;
                self.put(&group.durable)
            }
            outcome => outcome,
        }
    }

    fn put(&mut self, items: &[Item]) -> Result<(), Setback> {
        if items.iter().all(|item| item.leaves.as_slice().is_empty()) {
            return Ok(());
        }
        if self.at.len >= self.limits.file_bytes && self.at.tree.size() > self.first {
            self.roll()?;
        }
        let leaves = || items.iter().flat_map(|item| item.leaves.as_slice());
        let leaf_bytes = leaves().map(|leaf| leaf.as_bytes().len()).sum();
        let mut bytes = Vec::with_capacity(frame::group_bytes(leaves().count(), leaf_bytes));
        let mut next = self.at.clone();
        next.put_mark(&mut bytes);
        leaves().for_each(|leaf| next.put(&mut bytes, leaf));
        self.append(&bytes, next)?;
        self.disk.sync(&self.file()).map_err(Setback::Fatal)
    }

    /// Appends bytes after which the log stands at `next`; on a full disk leaves none of them.
    fn append(&mut self, bytes: &[u8], next: Position) -> Result<(), Setback> {
        let file = self.file();
        match self.disk.append(&file, self.at.len, bytes) {
            Ok(()) => {
                self.at = next;
                Ok(())
            }
            Err(DiskFailed::Full { .. }) => {
                self.disk.truncate(&file, self.at.len).map_err(Setback::Fatal)?;
                Err(Setback::Full)
            }
            Err(failed) => Err(Setback::Fatal(failed)),
        }
    }

    /// Closes the active file and begins the next.
    fn roll(&mut self) -> Result<(), Setback> {
        let mut bytes = Vec::new();
        let mut next = self.at.clone();
        next.put_mark(&mut bytes);
        self.append(&bytes, next)?;
        self.disk.truncate(&self.file(), self.at.len).map_err(Setback::Fatal)?;
        // Also where the mark was there: it may not have been synced.
        self.disk.sync(&self.file()).map_err(Setback::Fatal)?;
        let header = Header {
            origin: self.origin.clone(),
            tree: self.at.tree.clone(),
            place: self.at.place,
            previous: *self.at.chain.as_bytes(),
        };
        let (bytes, chain) = header.encode();
        let first = self.at.tree.size();
        self.disk.replace(&frame::file_name(first), &bytes).map_err(Setback::of)?;
        self.first = first;
        self.at = Position::begin(&header, bytes.len(), chain);
        Ok(())
    }

    fn file(&self) -> FileName {
        frame::file_name(self.first)
    }

    /// Sets the reserve aside where it is not; with no room for it, it stays spent.
    fn restore_reserve(&mut self) -> Result<(), DiskFailed> {
        if self.reserve == Reserve::Spent {
            match self.disk.reserve(self.limits.reserve_bytes) {
                Ok(()) => self.reserve = Reserve::Whole,
                Err(DiskFailed::Full { .. }) => {}
                Err(failed) => return Err(failed),
            }
        }
        Ok(())
    }
}

/// A group whose fate is not known.
#[derive(Debug)]
pub(crate) struct Broken {
    pub(crate) source: DiskFailed,
    pub(crate) items: Vec<Item>,
}

impl Written {
    fn refuse_ordinary(&mut self) {
        let (ordinary, others): (Vec<_>, Vec<_>) =
            mem::take(&mut self.durable).into_iter().partition(|i| i.class == Class::Ordinary);
        self.durable = others;
        self.refused.extend(ordinary);
    }

    fn all_refused(self) -> Self {
        Self { refused: self.all(), durable: Vec::new() }
    }

    fn all(mut self) -> Vec<Item> {
        self.durable.append(&mut self.refused);
        self.durable
    }
}

impl Position {
    /// Appends a mark unless one stands here; its leaves have been synced.
    fn put_mark(&mut self, out: &mut Vec<u8>) {
        if self.marked == Marked::No {
            let before = out.len();
            self.chain = frame::put_mark(out, self.chain, self.tree.size());
            self.len += (out.len() - before) as u64;
            self.marked = Marked::Yes;
        }
    }

    fn put(&mut self, out: &mut Vec<u8>, leaf: &Leaf) {
        let before = out.len();
        let (hash, chain) = frame::put_leaf(out, self.chain, leaf);
        self.tree.push(hash);
        self.place = leaf.place().unwrap_or(self.place);
        self.len += (out.len() - before) as u64;
        (self.chain, self.marked) = (chain, Marked::No);
    }
}

/// Writes anew what a start has found. A sync that failed may have left bytes that only the kernel
/// remembers: synced again they would seem safe, written again they are.
fn rewrite(
    disk: &dyn Disk,
    file: &FileName,
    mut bytes: Vec<u8>,
    at: &mut Position,
) -> Result<(), DiskFailed> {
    let kept = at.clone();
    at.put_mark(&mut bytes);
    match disk.replace(file, &bytes) {
        Err(DiskFailed::Full { .. }) => {
            *at = kept;
            disk.truncate(file, at.len)?;
            disk.sync(file)
        }
        replaced => replaced,
    }
}
