//! Wraps a backend and makes chosen commits go wrong: the store's share of the crash matrix.
//!
//! Invariant: the plan alone decides, from the commit's number; the same plan over the same calls
//! gives the same faults. Only commits are counted, so a matrix fails each durable write once.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;
use keystead_crypto::{Material, Sealed};
use keystead_domain::{ChangeId, VersionId};
use thiserror::Error;

use crate::{
    AggregateRef, Backend, ChangeSet, CommitFailed, Committed, CommittedChange, Fault, Scan,
    StoreFailed, Stored,
};

/// Which commits go wrong, and how. Commits count from 1 and go on counting after a crash.
#[derive(Debug, Clone, Default)]
pub struct FaultPlan(BTreeMap<u64, Fault>);

impl FaultPlan {
    /// No commit goes wrong.
    #[must_use]
    pub fn none() -> Self {
        Self::default()
    }

    /// Exactly these commits go wrong.
    #[must_use]
    pub fn script(faults: impl IntoIterator<Item = (u64, Fault)>) -> Self {
        Self(faults.into_iter().collect())
    }
}

/// A backend whose commits go wrong as planned.
#[derive(Debug)]
pub struct FaultyBackend<B> {
    inner: B,
    plan: FaultPlan,
    run: Mutex<Run>,
}

#[derive(Debug)]
struct Run {
    commits: u64,
    process: Process,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Process {
    Lives,
    Crashed,
}

#[derive(Debug, Error)]
enum Injected {
    #[error("the fault plan says that this commit fails")]
    NotPersisted,
    #[error("the fault plan has crashed this process")]
    Crashed,
}

impl From<Injected> for StoreFailed {
    fn from(injected: Injected) -> Self {
        Self::Unavailable { source: Box::new(injected) }
    }
}

impl<B: Backend> FaultyBackend<B> {
    /// Wraps a backend.
    #[must_use]
    pub fn new(inner: B, plan: FaultPlan) -> Self {
        Self { inner, plan, run: Mutex::new(Run { commits: 0, process: Process::Lives }) }
    }

    /// Ends a crash: the next process opens the database.
    pub fn reopen(&self) {
        self.run().process = Process::Lives;
    }

    /// Whether a planned crash has ended the process.
    #[must_use]
    pub fn has_crashed(&self) -> bool {
        self.run().process == Process::Crashed
    }

    /// How many commits were asked for: the length of a matrix that fails each of them.
    #[must_use]
    pub fn commits(&self) -> u64 {
        self.run().commits
    }

    /// The backend below, without faults.
    #[must_use]
    pub fn inner(&self) -> &B {
        &self.inner
    }

    fn run(&self) -> MutexGuard<'_, Run> {
        self.run.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn alive(&self) -> Result<(), StoreFailed> {
        match self.run().process {
            Process::Lives => Ok(()),
            Process::Crashed => Err(Injected::Crashed.into()),
        }
    }

    fn next_fault(&self) -> Result<Option<Fault>, StoreFailed> {
        self.alive()?;
        let mut run = self.run();
        run.commits += 1;
        Ok(self.plan.0.get(&run.commits).copied())
    }

    /// The answer of a call, unless the process died while it ran.
    fn if_alive<T>(&self, answer: Result<T, StoreFailed>) -> Result<T, StoreFailed> {
        self.alive()?;
        answer
    }
}

#[async_trait]
impl<B: Backend> Backend for FaultyBackend<B> {
    async fn load(&self, wanted: &[AggregateRef]) -> Result<Vec<Option<Stored>>, StoreFailed> {
        self.if_alive(self.inner.load(wanted).await)
    }

    async fn scan(&self, scan: Scan) -> Result<Vec<Stored>, StoreFailed> {
        self.if_alive(self.inner.scan(scan).await)
    }

    async fn material(&self, version: VersionId) -> Result<Option<Sealed<Material>>, StoreFailed> {
        self.if_alive(self.inner.material(version).await)
    }

    async fn commit(&self, set: ChangeSet) -> Result<Committed, CommitFailed> {
        let fault = self.next_fault()?;
        if fault == Some(Fault::NotPersisted) {
            return Err(StoreFailed::from(Injected::NotPersisted).into());
        }
        let answer = self.inner.commit(set).await;
        // What the database refused by itself is no durable write, so there is nothing to lose.
        let fault = fault.filter(|_| answer.is_ok());
        if fault == Some(Fault::CrashAfter) {
            self.run().process = Process::Crashed;
        }
        match fault {
            None if self.alive().is_ok() => answer,
            _ => Err(CommitFailed::Unknown),
        }
    }

    async fn outcome(&self, id: ChangeId) -> Result<Option<Committed>, StoreFailed> {
        self.if_alive(self.inner.outcome(id).await)
    }

    async fn changes_after(
        &self,
        seq: u64,
        limit: usize,
    ) -> Result<Vec<CommittedChange>, StoreFailed> {
        self.if_alive(self.inner.changes_after(seq, limit).await)
    }

    async fn head(&self) -> Result<u64, StoreFailed> {
        self.if_alive(self.inner.head().await)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{MemoryBackend, conformance::sample::set, wait};

    #[test]
    fn a_crash_ends_all_calls_until_the_next_process() {
        let backend =
            FaultyBackend::new(MemoryBackend::new(), FaultPlan::script([(2, Fault::CrashAfter)]));
        assert_eq!(wait(backend.commit(set())).unwrap().commit_seq, 1);
        let lost = set();
        assert!(matches!(wait(backend.commit(lost.clone())), Err(CommitFailed::Unknown)));
        assert!(wait(backend.head()).is_err());
        assert!(wait(backend.load(&[])).is_err());
        assert!(
            wait(backend.scan(Scan::Kind {
                kind: keystead_domain::Kind::Key,
                after: None,
                limit: 1
            }))
            .is_err()
        );
        assert!(wait(backend.material(VersionId::from_bytes([0; 8]))).is_err());
        assert!(wait(backend.outcome(lost.id)).is_err());
        assert!(wait(backend.changes_after(0, 9)).is_err());
        assert!(matches!(wait(backend.commit(set())), Err(CommitFailed::Failed(_))));
        assert_eq!(backend.commits(), 2, "a dead process asks for nothing");
        assert!(backend.has_crashed());
        backend.reopen();
        assert_eq!(wait(backend.commit(lost)).unwrap().commit_seq, 2, "it had been committed");
        assert_eq!(wait(backend.head()).unwrap(), 2);
    }

    #[test]
    fn a_commit_that_was_not_persisted_leaves_no_trace() {
        let backend =
            FaultyBackend::new(MemoryBackend::new(), FaultPlan::script([(1, Fault::NotPersisted)]));
        let lost = set();
        assert!(matches!(wait(backend.commit(lost.clone())), Err(CommitFailed::Failed(_))));
        assert_eq!(wait(backend.outcome(lost.id)).unwrap(), None);
        assert_eq!(wait(backend.commit(lost)).unwrap().commit_seq, 1);
    }
}
