//! The journal: records go in, one sync carries many, tickets resolve, leaves are read back.
//!
//! Invariant: what [`Journal::head`] covers is on stable storage. One group fills while another
//! syncs: a caller holds the lock of the group only to put its record in. Locks are taken in the
//! order writer, group, synced.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use keystead_ledger::{Hash, Head, Leaf, Origin, StatePlace};

use crate::{
    Disk, DiskFailed, FileName, JournalFailed, JournalUnreadable, Ticket, check,
    frame::{self, Header},
    group::{Class, Cursor, Group, Item, Phase},
    reader::{self, Waypoint, Waypoints},
    recent::{self, Recent},
    scan::Position,
    writer::{Writer, Written},
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

/// What a flush did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Flushed {
    /// How many tickets it resolved well.
    pub durable: usize,
    /// How many it turned away because the disk is full.
    pub refused: usize,
}

/// What [`Journal::wait_for_work`] waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Work {
    /// Records wait.
    Pending,
    /// The journal was stopped, or its disk failed.
    Stopped,
}

/// The ledger's leaves on this node's disk.
#[derive(Debug)]
pub struct Journal {
    disk: Arc<dyn Disk>,
    limits: Limits,
    origin: Origin,
    writer: Mutex<Writer>,
    group: Mutex<Group>,
    arrived: Condvar,
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
        let mut group = lock(&self.group);
        let synced = lock(&self.synced).cursor;
        let ticket = group.push_change(commit_seq, unplaced, synced, self.reserved_bound());
        let is_waited_for = group.take_waiter();
        drop(group);
        self.wake(is_waited_for);
        ticket
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
        let recent = synced.recent.from(from);
        drop(synced);
        if let Some(groups) = recent {
            let limit = u64::try_from(limit).unwrap_or(u64::MAX);
            return Ok(recent::pick(&groups, from..size.min(from.saturating_add(limit))));
        }
        reader::read(&*self.disk, from..size, limit, start)
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

    /// Blocks this thread until records wait or the journal is stopped.
    #[must_use]
    pub fn wait_for_work(&self) -> Work {
        let group = lock(&self.group);
        let idle = |group: &mut Group| {
            let is_idle = group.is_empty() && group.phase == Phase::Open;
            group.has_waiter = is_idle;
            is_idle
        };
        let group = self.arrived.wait_while(group, idle).unwrap_or_else(PoisonError::into_inner);
        if group.is_empty() { Work::Stopped } else { Work::Pending }
    }

    /// Writes all records that wait, syncs once, and resolves their tickets. After
    /// [`Journal::stop`] it also ends the file in order.
    ///
    /// # Errors
    /// The failure of the disk: this journal records nothing more, and the node must stop.
    pub fn flush_once(&self) -> Result<Flushed, Arc<DiskFailed>> {
        let mut writer = lock(&self.writer);
        if let Some(failure) = self.failure() {
            return Err(failure);
        }
        let (items, cursor) = lock(&self.group).take();
        if items.is_empty() {
            return self.rest(&mut writer).map(|()| Flushed::default());
        }
        match writer.write(items) {
            Ok(written) => {
                let flushed = self.publish(&writer, cursor, written);
                self.rest(&mut writer).map(|()| flushed)
            }
            Err(broken) => {
                let failure = self.fail(broken.source);
                resolve(broken.items, &Err(JournalFailed::Stopped));
                Err(failure)
            }
        }
    }

    /// Flushes until the journal is stopped: the body of the thread that the binary gives.
    ///
    /// # Errors
    /// As [`Journal::flush_once`].
    pub fn run(&self) -> Result<(), Arc<DiskFailed>> {
        while self.wait_for_work() == Work::Pending {
            self.flush_once()?;
        }
        self.flush_once().map(drop)
    }

    /// Takes no more records; those that wait are still flushed.
    pub fn stop(&self) {
        let mut group = lock(&self.group);
        if group.phase == Phase::Open {
            group.phase = Phase::Stopping;
        }
        drop(group);
        self.arrived.notify_all();
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
            arrived: Condvar::new(),
            synced: Mutex::new(Synced::new(end, first, cursor)),
            failure: Mutex::new(None),
        }
    }

    fn push(&self, leaf: Leaf, class: Class, bound_bytes: usize) -> Ticket {
        let mut group = lock(&self.group);
        let ticket = group.push(vec![leaf], class, bound_bytes);
        let is_waited_for = group.take_waiter();
        drop(group);
        self.wake(is_waited_for);
        ticket
    }

    /// Waking is a system call: it is made only for somebody.
    fn wake(&self, is_waited_for: bool) {
        if is_waited_for {
            self.arrived.notify_all();
        }
    }

    fn reserved_bound(&self) -> usize {
        let reserve = usize::try_from(self.limits.reserve_bytes).unwrap_or(usize::MAX);
        self.limits.pending_bytes.saturating_add(reserve)
    }

    /// Shows what a group has made durable, and only then tells those who wait.
    fn publish(&self, writer: &Writer, cursor: Cursor, mut written: Written) -> Flushed {
        let changes_refused = written.refused.iter().any(|item| item.class == Class::State);
        let leaves = written.durable.iter_mut().flat_map(Item::take_leaves).collect();
        let mut synced = lock(&self.synced);
        let first = synced.end.tree.size();
        synced.recent.push(first, leaves);
        synced.advance(writer);
        if changes_refused {
            let back = synced.cursor;
            drop(synced);
            lock(&self.group).refuse_changes(back);
        } else {
            synced.cursor = cursor;
            drop(synced);
        }
        let (durable, refused) = (written.durable.len(), written.refused.len());
        resolve(written.durable, &Ok(()));
        resolve(written.refused, &Err(JournalFailed::Full));
        Flushed { durable, refused }
    }

    /// Where no group waits, leaves the file so that a crash now costs nothing.
    fn rest(&self, writer: &mut Writer) -> Result<(), Arc<DiskFailed>> {
        let group = lock(&self.group);
        let (idle, phase) = (group.is_empty(), group.phase);
        drop(group);
        let done = match phase {
            Phase::Open if idle => writer.mark(),
            Phase::Stopping if idle => {
                lock(&self.group).stop();
                writer.close()
            }
            _ => Ok(()),
        };
        lock(&self.synced).advance(writer);
        done.map_err(|failure| self.fail(failure))
    }

    fn fail(&self, failure: DiskFailed) -> Arc<DiskFailed> {
        let failure = Arc::new(failure);
        *lock(&self.failure) = Some(Arc::clone(&failure));
        lock(&self.group).stop();
        self.arrived.notify_all();
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

fn resolve(items: Vec<Item>, outcome: &Result<(), JournalFailed>) {
    items.into_iter().for_each(|item| item.resolve(outcome.clone()));
}

/// No code panics half way through a change of what these locks guard.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
