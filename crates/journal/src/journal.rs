//! The journal: records go in, one sync carries many, tickets resolve, leaves are read back.
//!
//! Invariant: what [`Journal::head`] covers is on stable storage. One group fills while another
//! syncs: a caller holds the lock of the group only to put its record in. Locks are taken in the
//! order writer, group, synced.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use keystead_ledger::{Hash, Head, Leaf, Origin, StatePlace};
use tokio::sync::Notify;

use crate::{
    Disk, DiskFailed, FileName, JournalUnreadable, Ticket, check,
    frame::{self, Header},
    group::{Class, Cursor, Group, Leaves, Phase},
    reader::{self, Waypoint, Waypoints},
    recent::{self, Recent},
    scan::Position,
    writer::Writer,
};

/// The bounds that a journal keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// A file is followed by another once it is longer.
    pub file_bytes: u64,
    /// How many bytes of leaves may wait for a sync.
    pub pending_bytes: usize,
    /// How much room is set aside for the time when the disk is full.
    pub reserve_bytes: u64,
}

impl Default for Limits {
    /// 64 MiB, 16 MiB, 1 MiB.
    fn default() -> Self {
        Self { file_bytes: 64 << 20, pending_bytes: 16 << 20, reserve_bytes: 1 << 20 }
    }
}

mod drive;

pub use drive::{Flushed, Settled};

/// The ledger's leaves on this node's disk.
#[derive(Debug)]
pub struct Journal {
    disk: Arc<dyn Disk>,
    limits: Limits,
    origin: Origin,
    writer: Mutex<Writer>,
    group: Mutex<Group>,
    /// Wakes the thread that writes.
    woken: Condvar,
    /// A group has got its first record.
    begun: Notify,
    synced: Mutex<Synced>,
    /// Set once, before the phase becomes stopped.
    failure: Mutex<Option<Arc<DiskFailed>>>,
}

/// What is on stable storage.
#[derive(Debug)]
struct Synced {
    end: Position,
    first: u64,
    cursor: Cursor,
    waypoints: Waypoints,
    recent: Recent,
}

impl Journal {
    /// Begins a log in a folder that holds none. Changes up to `after_commit_seq` are recorded
    /// elsewhere: 0 for a new instance, the restored head for a new incarnation.
    ///
    /// # Errors
    /// [`JournalUnreadable`].
    pub fn create(
        disk: Arc<dyn Disk>,
        origin: Origin,
        after_commit_seq: u64,
        limits: Limits,
    ) -> Result<Self, JournalUnreadable> {
        let place = Cursor::after(after_commit_seq).0;
        let header = Header { origin, tree: Default::default(), place, previous: [0; 32] };
        let writer = Writer::create(Arc::clone(&disk), &header, limits)?;
        Ok(Self::ready(disk, writer, limits))
    }

    /// Reads a log back and goes on with it.
    ///
    /// # Errors
    /// [`JournalUnreadable::Absent`] where there is none; damage by file and entry.
    pub fn open(disk: Arc<dyn Disk>, limits: Limits) -> Result<Self, JournalUnreadable> {
        let writer = Writer::open(Arc::clone(&disk), limits)?;
        Ok(Self::ready(disk, writer, limits))
    }

    /// Records a use or an event of the node.
    pub fn record(&self, leaf: Leaf) -> Ticket {
        self.push(leaf, Class::Ordinary, self.limits.pending_bytes)
    }

    /// The same for events that must be recorded on a full disk too: sign-ins, and those that
    /// say that the disk is full.
    pub fn record_reserved(&self, leaf: Leaf) -> Ticket {
        self.push(leaf, Class::Reserved, self.reserved_bound())
    }

    /// Records the events of a committed change, as its change set carries them, each exactly once.
    ///
    /// Feed every commit in order from [`Journal::next_commit_seq`] on, those without events too. A
    /// change that is there already resolves at once; one that waits for its sync resolves with it.
    /// Changes may use the reserve, since a revocation cannot overtake the change before it. After
    /// any error feed again from [`Journal::next_commit_seq`] on.
    pub fn record_state(&self, commit_seq: u64, unplaced: &[Vec<u8>]) -> Ticket {
        let group = lock(&self.group);
        let synced = lock(&self.synced).cursor;
        let bound_bytes = self.reserved_bound();
        self.enter(group, |group| group.push_change(commit_seq, unplaced, synced, bound_bytes))
    }

    /// The first change that may not be in the log whole.
    #[must_use]
    pub fn next_commit_seq(&self) -> u64 {
        lock(&self.synced).cursor.next()
    }

    /// The place of the last state event on stable storage; of the change before the log's first
    /// where there is none, with index 65,535.
    #[must_use]
    pub fn last_place(&self) -> StatePlace {
        lock(&self.synced).end.place
    }

    /// The name of the log.
    #[must_use]
    pub fn origin(&self) -> &Origin {
        &self.origin
    }

    /// The log as it is on stable storage.
    #[must_use]
    pub fn head(&self) -> Head {
        let tree = lock(&self.synced).end.tree.clone();
        Head { origin: self.origin.clone(), size: tree.size(), root: tree.root() }
    }

    /// At most `limit` leaves from index `from` on, of those on stable storage.
    ///
    /// # Errors
    /// [`JournalUnreadable`]: damage by file and entry.
    pub fn read(&self, from: u64, limit: usize) -> Result<Vec<Leaf>, JournalUnreadable> {
        let synced = lock(&self.synced);
        let (size, start) = (synced.end.tree.size(), synced.waypoints.before(from));
        let limit = u64::try_from(limit).unwrap_or(u64::MAX);
        let wanted = from..size.min(from.saturating_add(limit));
        let recent = synced.recent.holding(&wanted);
        drop(synced);
        match recent {
            Some(groups) => Ok(recent::pick(&groups, wanted)),
            None => reader::read(&*self.disk, wanted, start),
        }
    }

    /// Reads everything on stable storage back and checks it, without stopping the journal.
    ///
    /// # Errors
    /// [`JournalUnreadable`]: damage by file and entry.
    pub fn verify(&self) -> Result<(), JournalUnreadable> {
        let (first, end) = {
            let synced = lock(&self.synced);
            (synced.first, synced.end.clone())
        };
        check::all(&self.disk, first, &end)
    }

    /// The root of the log's first `size` leaves, from the leaves themselves; nothing where fewer
    /// are on stable storage.
    ///
    /// # Errors
    /// [`JournalUnreadable`]: damage by file and entry.
    pub fn root_at(&self, size: u64) -> Result<Option<Hash>, JournalUnreadable> {
        let head = self.head();
        match size {
            _ if size > head.size => Ok(None),
            _ if size == head.size => Ok(Some(head.root)),
            _ => check::root_at(&*self.disk, size),
        }
    }

    /// The file that holds leaf `index`, or would hold it as the next one.
    ///
    /// # Errors
    /// [`JournalUnreadable::Disk`].
    pub fn file_of(&self, index: u64) -> Result<FileName, JournalUnreadable> {
        Ok(frame::file_name(check::first_of(&*self.disk, index)?))
    }

    /// Whether records wait for a flush.
    #[must_use]
    pub fn has_work(&self) -> bool {
        !lock(&self.group).is_empty()
    }

    /// Takes no more records; those that wait are still flushed.
    pub fn stop(&self) {
        let mut group = lock(&self.group);
        if group.phase == Phase::Open {
            group.phase = Phase::Stopping;
        }
        drop(group);
        self.wake();
    }

    /// Why the journal has stopped for good, where its disk failed.
    #[must_use]
    pub fn failure(&self) -> Option<Arc<DiskFailed>> {
        lock(&self.failure).clone()
    }

    fn ready(disk: Arc<dyn Disk>, writer: Writer, limits: Limits) -> Self {
        let (end, first, origin) = (writer.at().clone(), writer.first(), writer.origin().clone());
        let cursor = Cursor(end.place);
        Self {
            disk,
            limits,
            origin,
            writer: Mutex::new(writer),
            group: Mutex::new(Group::new(cursor)),
            woken: Condvar::new(),
            begun: Notify::new(),
            synced: Mutex::new(Synced::new(end, first, cursor)),
            failure: Mutex::new(None),
        }
    }

    fn push(&self, leaf: Leaf, class: Class, bound_bytes: usize) -> Ticket {
        self.enter(lock(&self.group), |group| group.push(Leaves::One(leaf), class, bound_bytes))
    }

    fn reserved_bound(&self) -> usize {
        let reserve = usize::try_from(self.limits.reserve_bytes).unwrap_or(usize::MAX);
        self.limits.pending_bytes.saturating_add(reserve)
    }

    fn fail(&self, failure: DiskFailed) -> Arc<DiskFailed> {
        let failure = Arc::new(failure);
        *lock(&self.failure) = Some(Arc::clone(&failure));
        lock(&self.group).stop();
        self.wake();
        failure
    }
}

impl Synced {
    fn new(end: Position, first: u64, cursor: Cursor) -> Self {
        let (waypoints, recent) = (Waypoints::default(), Recent::default());
        Self { end, first, cursor, waypoints, recent }
    }

    fn advance(&mut self, writer: &Writer) {
        (self.end, self.first) = (writer.at().clone(), writer.first());
        let (index, offset) = (self.end.tree.size(), self.end.len);
        self.waypoints.pass(Waypoint { index, first: self.first, offset });
    }
}

/// No code panics half way through a change of what these locks guard.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
