//! Commits a group of changes in one transaction: one sync for all of them.
//!
//! Invariant: each change stands in a savepoint of its own, so one that conflicts takes neither its
//! neighbours with it nor a place in the order. No answer exists before the COMMIT has returned.

use std::sync::Arc;

use keystead_store::{ChangeSet, CommitFailed, Committed};
use rusqlite::{Connection, Statement};

use crate::{
    failure::{Left, class, store_failed},
    writes::{Refused, Writes, committed},
};

/// A change that waits for its commit.
#[derive(Debug)]
pub(crate) struct Waiting {
    /// The change.
    pub(crate) set: ChangeSet,
    /// Its canonical bytes, made by the caller, who is not the one thread that all wait for.
    pub(crate) encoded: Vec<u8>,
}

/// What a caller is told.
pub(crate) type Answer = Result<Committed, CommitFailed>;

/// Why a whole group has no answers.
#[derive(Debug)]
pub(crate) enum GroupFailed {
    /// Surely nothing of it was committed.
    NotCommitted(Arc<rusqlite::Error>),
    /// COMMIT failed so that a crash from here on may still bring it back.
    Open,
}

impl From<rusqlite::Error> for GroupFailed {
    fn from(error: rusqlite::Error) -> Self {
        Self::NotCommitted(Arc::new(error))
    }
}

/// The writer's connection with its statements.
pub(crate) struct Groups<'c> {
    connection: &'c Connection,
    writes: Writes<'c>,
    begin: Statement<'c>,
    commit: Statement<'c>,
    save: Statement<'c>,
    release: Statement<'c>,
    undo: Statement<'c>,
}

impl<'c> Groups<'c> {
    /// Prepares all statements.
    pub(crate) fn prepare(connection: &'c Connection) -> rusqlite::Result<Self> {
        Ok(Self {
            connection,
            writes: Writes::prepare(connection)?,
            begin: connection.prepare("BEGIN IMMEDIATE")?,
            commit: connection.prepare("COMMIT")?,
            save: connection.prepare("SAVEPOINT one_change")?,
            release: connection.prepare("RELEASE one_change")?,
            undo: connection.prepare("ROLLBACK TO one_change")?,
        })
    }

    /// Commits the group; the answers are in its order.
    pub(crate) fn commit(&mut self, group: &[Waiting]) -> Result<Vec<Answer>, GroupFailed> {
        self.begin.execute([])?;
        match self.apply(group) {
            Ok(answers) => self.end().map(|()| answers),
            Err(error) => {
                self.roll_back()?;
                Err(error.into())
            }
        }
    }

    fn apply(&mut self, group: &[Waiting]) -> rusqlite::Result<Vec<Answer>> {
        let mut head = self.writes.head()?;
        group.iter().map(|waiting| self.apply_one(waiting, &mut head)).collect()
    }

    /// Fails only where the transaction of the whole group is lost.
    fn apply_one(&mut self, waiting: &Waiting, head: &mut i64) -> rusqlite::Result<Answer> {
        let Waiting { set, encoded } = waiting;
        if let Some(committed) = self.writes.place(set.id)? {
            return Ok(Ok(committed));
        }
        self.save.execute([])?;
        match self.writes.apply(set, encoded, *head + 1) {
            Ok(()) => {
                self.release.execute([])?;
                *head += 1;
                Ok(Ok(committed(*head)))
            }
            // SQLite rolls back everything where it cannot go on, as on a full disk.
            Err(Refused::Sqlite(error)) if self.connection.is_autocommit() => Err(error),
            Err(refused) => {
                self.undo.execute([])?;
                self.release.execute([])?;
                Ok(Err(answer(refused)))
            }
        }
    }

    fn end(&mut self) -> Result<(), GroupFailed> {
        let Err(error) = self.commit.execute([]) else { return Ok(()) };
        match class(&error).left_by_commit() {
            Left::Nothing => {
                self.roll_back()?;
                Err(error.into())
            }
            Left::PerhapsAll => Err(GroupFailed::Open),
        }
    }

    fn roll_back(&self) -> Result<(), GroupFailed> {
        if self.connection.is_autocommit() {
            return Ok(());
        }
        // A transaction that can neither end nor be undone must not take in the next group.
        self.connection.execute_batch("ROLLBACK").map_err(|_| GroupFailed::Open)
    }
}

fn answer(refused: Refused) -> CommitFailed {
    match refused {
        Refused::Conflict(kind) => CommitFailed::Conflict { kind },
        Refused::Sqlite(error) => CommitFailed::Failed(store_failed("change", error)),
    }
}
