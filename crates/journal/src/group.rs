//! The records that wait for the next sync, and the tickets that wait for theirs.
//!
//! Invariant: every ticket resolves: with the sync that carried its record, or with the reason why
//! none did. State events enter in commit order, each once; where one is turned away, all behind it
//! are.

use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll},
};

use keystead_ledger::{Leaf, Malformed, StatePlace, place};
use thiserror::Error;
use tokio::sync::oneshot;

/// Why a record is not durable.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum JournalFailed {
    /// The disk under the journal is full. Records are taken again once there is room.
    #[error("the disk under the journal is full")]
    Full,
    /// Too many records wait already.
    #[error("too many records wait for the journal")]
    Busy,
    /// The journal was stopped, or its disk failed: this process records nothing more.
    #[error("the journal has stopped")]
    Stopped,
    /// A change came before the one that must come first. Feed the changes from `expected` on.
    #[error("change {found} came to the journal before change {expected}")]
    OutOfOrder {
        /// The change that must come next.
        expected: u64,
        /// The one that came.
        found: u64,
    },
    /// The bytes that a change carries are no unplaced state event.
    #[error("event {index} of change {commit_seq} is not a state event")]
    NotAnEvent {
        /// Which change.
        commit_seq: u64,
        /// Which of its events.
        index: u16,
        /// What is wrong with it.
        #[source]
        source: Malformed,
    },
}

/// Resolves when the sync that carries the record has ended.
#[must_use = "a record is durable only once its ticket has resolved"]
#[derive(Debug)]
pub struct Ticket(Waiting);

#[derive(Debug)]
enum Waiting {
    Known(Result<(), JournalFailed>),
    For(oneshot::Receiver<Result<(), JournalFailed>>),
}

impl Ticket {
    pub(crate) fn known(outcome: Result<(), JournalFailed>) -> Self {
        Self(Waiting::Known(outcome))
    }

    /// Waits on this thread, which must not be one that drives the journal or an async runtime.
    ///
    /// # Errors
    /// [`JournalFailed`]: the record is not durable, as far as the journal knows.
    pub fn wait(self) -> Result<(), JournalFailed> {
        match self.0 {
            Waiting::Known(outcome) => outcome,
            Waiting::For(answer) => answer.blocking_recv().unwrap_or(Err(JournalFailed::Stopped)),
        }
    }

    /// The outcome, if it is known by now.
    pub fn outcome(&mut self) -> Option<Result<(), JournalFailed>> {
        if let Waiting::For(answer) = &mut self.0 {
            let outcome = match answer.try_recv() {
                Err(oneshot::error::TryRecvError::Empty) => return None,
                answered => answered.unwrap_or(Err(JournalFailed::Stopped)),
            };
            self.0 = Waiting::Known(outcome);
        }
        match &self.0 {
            Waiting::Known(outcome) => Some(outcome.clone()),
            Waiting::For(_) => None,
        }
    }
}

impl Future for Ticket {
    type Output = Result<(), JournalFailed>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match &mut self.0 {
            Waiting::Known(outcome) => Poll::Ready(outcome.clone()),
            Waiting::For(answer) => {
                Pin::new(answer).poll(cx).map(|got| got.unwrap_or(Err(JournalFailed::Stopped)))
            }
        }
    }
}

/// Which records may use the reserve of a full disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Class {
    Ordinary,
    Reserved,
    State,
}

/// Leaves that stand or fall together: one for each use, which needs no list on the heap.
#[derive(Debug)]
pub(crate) enum Leaves {
    One(Leaf),
    Many(Vec<Leaf>),
}

impl Leaves {
    pub(crate) fn as_slice(&self) -> &[Leaf] {
        match self {
            Self::One(leaf) => std::slice::from_ref(leaf),
            Self::Many(leaves) => leaves,
        }
    }

    /// Moves them to the end of a list.
    pub(crate) fn move_to(&mut self, list: &mut Vec<Leaf>) {
        match std::mem::replace(self, Self::Many(Vec::new())) {
            Self::One(leaf) => list.push(leaf),
            Self::Many(mut leaves) => list.append(&mut leaves),
        }
    }
}

/// Leaves and who waits for them.
#[derive(Debug)]
pub(crate) struct Item {
    pub(crate) leaves: Leaves,
    pub(crate) class: Class,
    answer: oneshot::Sender<Result<(), JournalFailed>>,
}

impl Item {
    fn new(leaves: Leaves, class: Class) -> (Self, Ticket) {
        let (answer, waiting) = oneshot::channel();
        (Self { leaves, class, answer }, Ticket(Waiting::For(waiting)))
    }

    pub(crate) fn resolve(self, outcome: Result<(), JournalFailed>) {
        // Whoever asked may have gone; the record is none the less durable.
        drop(self.answer.send(outcome));
    }

    fn len_bytes(&self) -> usize {
        self.leaves.as_slice().iter().map(|leaf| leaf.as_bytes().len()).sum()
    }
}

/// How far the changes have come: all events up to this one; index 65,535 means the whole change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Cursor(pub(crate) StatePlace);

impl Cursor {
    pub(crate) const fn after(commit_seq: u64) -> Self {
        Self(StatePlace { commit_seq, index: u16::MAX })
    }

    /// The change that must come next.
    pub(crate) const fn next(self) -> u64 {
        self.0.commit_seq + (self.0.index == u16::MAX) as u64
    }
}

/// What the journal still does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    Open,
    Stopping,
    Stopped,
}

/// The group that fills while another syncs.
#[derive(Debug)]
pub(crate) struct Group {
    items: Vec<Item>,
    len_bytes: usize,
    pub(crate) cursor: Cursor,
    pub(crate) phase: Phase,
    /// Whether whoever paces the journal wants this group written.
    pub(crate) is_due: bool,
    pub(crate) sleeper: Sleeper,
}

/// What the thread that writes sleeps for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sleeper {
    Nobody,
    UntilRecord,
    UntilDue,
}

impl Group {
    pub(crate) fn new(cursor: Cursor) -> Self {
        let (phase, sleeper) = (Phase::Open, Sleeper::Nobody);
        Self { items: Vec::new(), len_bytes: 0, cursor, phase, is_due: false, sleeper }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// Whether one who sleeps for this is to be woken; it is said once.
    pub(crate) fn wakes(&mut self, sleeper: Sleeper) -> bool {
        let wakes = self.sleeper == sleeper;
        if wakes {
            self.sleeper = Sleeper::Nobody;
        }
        wakes
    }

    /// Takes the records that wait, and how far the changes among them reach.
    pub(crate) fn take(&mut self) -> (Vec<Item>, Cursor) {
        (self.len_bytes, self.is_due) = (0, false);
        (std::mem::take(&mut self.items), self.cursor)
    }

    pub(crate) fn push(&mut self, leaves: Leaves, class: Class, bound_bytes: usize) -> Ticket {
        if self.phase != Phase::Open {
            return Ticket::known(Err(JournalFailed::Stopped));
        }
        let (item, ticket) = Item::new(leaves, class);
        let len_bytes = self.len_bytes + item.len_bytes();
        if len_bytes > bound_bytes && !self.items.is_empty() {
            return Ticket::known(Err(JournalFailed::Busy));
        }
        self.len_bytes = len_bytes;
        self.items.push(item);
        ticket
    }

    /// Takes the events of a change that are not yet here; `synced` is how far syncs have come.
    pub(crate) fn push_change(
        &mut self,
        commit_seq: u64,
        events: &[Vec<u8>],
        synced: Cursor,
        bound_bytes: usize,
    ) -> Ticket {
        let whole = Cursor::after(commit_seq);
        if whole <= synced {
            return Ticket::known(Ok(()));
        }
        let skipped = match self.skipped(commit_seq) {
            Ok(skipped) => skipped,
            Err(failed) => return Ticket::known(Err(failed)),
        };
        let leaves = match placed(commit_seq, events, skipped) {
            Ok(leaves) => leaves,
            Err(failed) => return Ticket::known(Err(failed)),
        };
        let mut ticket = self.push(Leaves::Many(leaves), Class::State, bound_bytes);
        if ticket.outcome().is_none() {
            self.cursor = self.cursor.max(whole);
        }
        ticket
    }

    /// How many events of this change are here already.
    fn skipped(&self, commit_seq: u64) -> Result<usize, JournalFailed> {
        let (at, expected) = (self.cursor.0, self.cursor.next());
        if commit_seq > expected {
            Err(JournalFailed::OutOfOrder { expected, found: commit_seq })
        } else if commit_seq > at.commit_seq {
            Ok(0)
        } else if commit_seq < at.commit_seq {
            Ok(usize::MAX)
        } else {
            Ok(usize::from(at.index).saturating_add(1))
        }
    }

    /// Turns the waiting changes away, so that none overtakes one that was refused.
    pub(crate) fn refuse_changes(&mut self, cursor: Cursor) {
        let (states, others): (Vec<_>, Vec<_>) =
            std::mem::take(&mut self.items).into_iter().partition(|i| i.class == Class::State);
        states.into_iter().for_each(|item| item.resolve(Err(JournalFailed::Full)));
        self.len_bytes = others.iter().map(Item::len_bytes).sum();
        self.items = others;
        self.cursor = cursor;
    }

    /// Turns everything away for good.
    pub(crate) fn stop(&mut self) {
        self.phase = Phase::Stopped;
        let (items, _) = self.take();
        items.into_iter().for_each(|item| item.resolve(Err(JournalFailed::Stopped)));
    }
}

fn placed(commit_seq: u64, events: &[Vec<u8>], skipped: usize) -> Result<Vec<Leaf>, JournalFailed> {
    let placed_at =
        |(index, event): (usize, &Vec<u8>)| {
            let index = u16::try_from(index).unwrap_or(u16::MAX);
            place(event, StatePlace { commit_seq, index })
                .map_err(|source| JournalFailed::NotAnEvent { commit_seq, index, source })
        };
    events.iter().enumerate().skip(skipped).map(placed_at).collect()
}
