//! Makes a change: load, decide, commit, and start again where somebody else was faster.
//!
//! Invariant: the decision is synchronous and pure, so it can be repeated; whatever it was shown is
//! guarded, so a commit that succeeds rests on what was read. An answer of `Ok` means committed,
//! of [`ChangeFailed::Unknown`] that nobody knows yet, of any other failure surely not committed.

use std::collections::{BTreeMap, BTreeSet};

use keystead_domain::{ChangeId, Kind};
use thiserror::Error;

use crate::{
    AggregateRef, Backend, ChangeSet, CommitFailed, Committed, Expected, Guard, StoreFailed, Stored,
};

/// How often one change is tried before it gives up.
pub const ATTEMPTS: u32 = 16;

/// Why a change was not made, or is not known to be.
#[derive(Debug, Error)]
pub enum ChangeFailed<E> {
    /// The decision was against it.
    #[error(transparent)]
    Decide(E),
    /// Others changed the same aggregates each of [`ATTEMPTS`] times.
    #[error("`{kind}` changed each of {ATTEMPTS} times that it was read")]
    Contended {
        /// Kind of the aggregate that differed at last.
        kind: Kind,
    },
    /// It may or may not have been committed, and the store cannot say at present.
    #[error("whether change `{change}` was committed is not known")]
    Unknown {
        /// Ask [`Backend::outcome`] for it later.
        change: ChangeId,
    },
    /// The store failed; nothing was committed.
    #[error(transparent)]
    Store(#[from] StoreFailed),
}

/// What a decision rests on: the aggregates asked for, from one snapshot.
#[derive(Debug)]
pub struct Loaded(BTreeMap<AggregateRef, Option<Stored>>);

impl Loaded {
    /// The aggregate as it is stored, if it exists.
    ///
    /// # Panics
    /// For an aggregate that was not among those to read: a mistake in the program.
    #[must_use]
    pub fn stored(&self, aggregate: &AggregateRef) -> Option<&Stored> {
        let AggregateRef { kind, .. } = aggregate;
        let asked = self.0.get(aggregate);
        asked
            .unwrap_or_else(|| panic!("this `{kind}` was not among the aggregates to read"))
            .as_ref()
    }

    /// What a put or a guard of this aggregate expects.
    ///
    /// # Panics
    /// For an aggregate that was not among those to read: a mistake in the program.
    #[must_use]
    pub fn expected(&self, aggregate: &AggregateRef) -> Expected {
        expected(self.stored(aggregate))
    }

    async fn read(backend: &dyn Backend, reads: &[AggregateRef]) -> Result<Self, StoreFailed> {
        if reads.is_empty() {
            return Ok(Self(BTreeMap::new()));
        }
        let found = backend.load(reads).await?;
        Ok(Self(reads.iter().copied().zip(found).collect()))
    }

    /// Adds a guard for what was read and is not itself written.
    fn guard(&self, set: &mut ChangeSet) {
        let guards = set.guards.iter().map(|guard| guard.aggregate);
        let covered: BTreeSet<AggregateRef> = set.written().chain(guards).collect();
        for (aggregate, stored) in &self.0 {
            if !covered.contains(aggregate) {
                let expected = expected(stored.as_ref());
                set.guards.push(Guard { aggregate: *aggregate, expected });
            }
        }
    }
}

fn expected(stored: Option<&Stored>) -> Expected {
    stored.map_or(Expected::Absent, |stored| Expected::Revision(stored.revision))
}

/// Loads `reads` from one snapshot, lets `decide` make a change of them and commits it. On conflict
/// it starts again with a fresh snapshot, so `decide` may run more than once.
///
/// # Errors
/// [`ChangeFailed`].
pub async fn change<T, E>(
    backend: &dyn Backend,
    reads: &[AggregateRef],
    mut decide: impl FnMut(&Loaded) -> Result<(ChangeSet, T), E>,
) -> Result<(Committed, T), ChangeFailed<E>> {
    let mut attempt = 1;
    loop {
        let loaded = Loaded::read(backend, reads).await?;
        let (mut set, answer) = decide(&loaded).map_err(ChangeFailed::Decide)?;
        loaded.guard(&mut set);
        match settle(backend, set).await? {
            Settled::Committed(committed) => return Ok((committed, answer)),
            Settled::Conflict(kind) if attempt == ATTEMPTS => {
                return Err(ChangeFailed::Contended { kind });
            }
            Settled::Conflict(_) => attempt += 1,
        }
    }
}

enum Settled {
    Committed(Committed),
    Conflict(Kind),
}

/// Commits until it is known what became of the set. Repeating the same set is safe, since its id
/// commits at most once.
async fn settle<E>(backend: &dyn Backend, set: ChangeSet) -> Result<Settled, ChangeFailed<E>> {
    let unknown = ChangeFailed::Unknown { change: set.id };
    for _ in 0..ATTEMPTS {
        match backend.commit(set.clone()).await {
            Ok(committed) => return Ok(Settled::Committed(committed)),
            Err(CommitFailed::Conflict { kind }) => return Ok(Settled::Conflict(kind)),
            Err(CommitFailed::Failed(failed)) => return Err(failed.into()),
            Err(CommitFailed::Unknown) => match backend.outcome(set.id).await {
                Ok(Some(committed)) => return Ok(Settled::Committed(committed)),
                Ok(None) => {}
                Err(_) => break,
            },
        }
    }
    Err(unknown)
}

#[cfg(test)]
mod tests;
