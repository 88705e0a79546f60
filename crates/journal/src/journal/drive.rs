//! What moves a journal: who writes groups, when, and who tells those that wait.
//!
//! Invariant: a group is published before anybody is told that it is durable. A sync costs the same
//! for one record as for many, so that on a busy machine it pays to let a group fill while there is
//! other work to do: whoever schedules that work says when a group is due.

use std::sync::{Arc, MutexGuard, PoisonError};

use super::{Journal, lock};
use crate::{
    DiskFailed, JournalFailed, Ticket,
    group::{Class, Cursor, Group, Item, Phase, Sleeper},
    writer::{Writer, Written},
};

/// What a flush did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Flushed {
    /// How many tickets it resolved well.
    pub durable: usize,
    /// How many it turned away because the disk is full.
    pub refused: usize,
}

/// Records whose fate is known, before those that wait for them know it. Dropped untold, it leaves
/// them with [`JournalFailed::Stopped`].
#[must_use = "those that wait are told by `tell`"]
#[derive(Debug, Default)]
pub struct Settled {
    durable: Vec<Item>,
    refused: Vec<Item>,
}

impl Settled {
    /// Resolves the tickets.
    pub fn tell(self) -> Flushed {
        let flushed = Flushed { durable: self.durable.len(), refused: self.refused.len() };
        resolve(self.durable, &Ok(()));
        resolve(self.refused, &Err(JournalFailed::Full));
        flushed
    }
}

impl Journal {
    /// Writes all records that wait, syncs once, and resolves their tickets. After
    /// [`Journal::stop`] it also ends the file in order.
    ///
    /// # Errors
    /// The failure of the disk: this journal records nothing more, and the node must stop.
    pub fn flush_once(&self) -> Result<Flushed, Arc<DiskFailed>> {
        self.write_once().map(Settled::tell)
    }

    /// Flushes until the journal is stopped, whenever a record waits.
    ///
    /// # Errors
    /// As [`Journal::flush_once`].
    pub fn run(&self) -> Result<(), Arc<DiskFailed>> {
        self.run_until_stopped(Sleeper::UntilRecord, |settled| {
            settled.tell();
        })
    }

    /// Writes until the journal is stopped, whenever [`Journal::flush_soon`] asks for it, and gives
    /// what is settled to `told`: the body of the thread of a node, whose runtime both asks and
    /// tells.
    ///
    /// # Errors
    /// As [`Journal::flush_once`].
    pub fn run_paced(&self, told: impl FnMut(Settled)) -> Result<(), Arc<DiskFailed>> {
        self.run_until_stopped(Sleeper::UntilDue, told)
    }

    /// Ends when a group has got its first record; that is the time to think of its flush.
    pub async fn group_begun(&self) {
        self.begun.notified().await;
    }

    /// Says that the group that fills is due.
    pub fn flush_soon(&self) {
        let mut group = lock(&self.group);
        group.is_due = true;
        let wakes = group.wakes(Sleeper::UntilDue);
        drop(group);
        if wakes {
            self.wake();
        }
    }

    /// Takes a record in and tells whoever must know of it.
    pub(super) fn enter(
        &self,
        mut group: MutexGuard<'_, Group>,
        push: impl FnOnce(&mut Group) -> Ticket,
    ) -> Ticket {
        let was_empty = group.is_empty();
        let ticket = push(&mut group);
        let begins = was_empty && !group.is_empty();
        let wakes = begins && group.wakes(Sleeper::UntilRecord);
        drop(group);
        if begins {
            self.begun.notify_one();
        }
        if wakes {
            self.wake();
        }
        ticket
    }

    /// A system call where somebody sleeps: it is made only then.
    pub(super) fn wake(&self) {
        self.woken.notify_all();
    }

    fn run_until_stopped(
        &self,
        sleeper: Sleeper,
        mut told: impl FnMut(Settled),
    ) -> Result<(), Arc<DiskFailed>> {
        while self.sleep(sleeper) == Phase::Open {
            told(self.write_once()?);
        }
        self.write_once().map(told)
    }

    /// Blocks this thread until there is something to write, or the journal is stopped.
    fn sleep(&self, sleeper: Sleeper) -> Phase {
        let idle = |group: &mut Group| {
            let ready = !group.is_empty() && (sleeper == Sleeper::UntilRecord || group.is_due);
            let is_idle = !ready && group.phase == Phase::Open;
            group.sleeper = if is_idle { sleeper } else { Sleeper::Nobody };
            is_idle
        };
        let group = lock(&self.group);
        self.woken.wait_while(group, idle).unwrap_or_else(PoisonError::into_inner).phase
    }

    /// Writes all records that wait and syncs once.
    fn write_once(&self) -> Result<Settled, Arc<DiskFailed>> {
        let mut writer = lock(&self.writer);
        if let Some(failure) = self.failure() {
            return Err(failure);
        }
        let (items, cursor) = lock(&self.group).take();
        if items.is_empty() {
            return self.rest(&mut writer).map(|()| Settled::default());
        }
        match writer.write(items) {
            Ok(written) => {
                let settled = self.publish(&writer, cursor, written);
                match self.rest(&mut writer) {
                    Ok(()) => Ok(settled),
                    Err(failure) => {
                        // These are durable, whatever became of the mark behind them.
                        settled.tell();
                        Err(failure)
                    }
                }
            }
            Err(broken) => {
                let failure = self.fail(broken.source);
                resolve(broken.items, &Err(JournalFailed::Stopped));
                Err(failure)
            }
        }
    }

    /// Shows what a group has made durable.
    fn publish(&self, writer: &Writer, cursor: Cursor, mut written: Written) -> Settled {
        let changes_refused = written.refused.iter().any(|item| item.class == Class::State);
        let mut leaves = Vec::with_capacity(written.durable.len());
        written.durable.iter_mut().for_each(|item| item.leaves.move_to(&mut leaves));
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
        }
        Settled { durable: written.durable, refused: written.refused }
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
}

fn resolve(items: Vec<Item>, outcome: &Result<(), JournalFailed>) {
    items.into_iter().for_each(|item| item.resolve(outcome.clone()));
}
