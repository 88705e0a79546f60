//! The database of a process: time passes around each call, a crash ends the life.

use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use keystead_crypto::{Material, Sealed};
use keystead_domain::{ChangeId, VersionId};
use keystead_store::{
    AggregateRef, Backend, ChangeSet, CommitFailed, Committed, CommittedChange, FaultyBackend,
    MemoryBackend, Scan, StoreFailed, Stored,
};

use crate::{Life, Sim};

/// Longest time of one call, in virtual milliseconds.
const CALL_MS: u64 = 1;

/// A database of one process.
#[derive(Debug)]
pub(crate) struct ProcessStore {
    pub(crate) inner: FaultyBackend<MemoryBackend>,
    life: Life,
    sim: Sim,
    full: AtomicBool,
    deaf: AtomicBool,
}

#[derive(Debug, thiserror::Error)]
#[error("this process is over")]
struct Over;

#[derive(Debug, thiserror::Error)]
#[error("the connection hangs")]
struct Deaf;

impl ProcessStore {
    pub(crate) fn new(inner: FaultyBackend<MemoryBackend>, life: Life, sim: Sim) -> Self {
        let (full, deaf) = (AtomicBool::new(false), AtomicBool::new(false));
        Self { inner, life, sim, full, deaf }
    }

    /// From now on commits find no room, or find it again.
    pub(crate) fn fill(&self, full: bool) {
        self.full.store(full, Ordering::Release);
    }

    /// From now on what is asked may happen and no answer is heard, or everything again.
    pub(crate) fn deafen(&self, deaf: bool) {
        self.deaf.store(deaf, Ordering::Release);
    }

    async fn begin(&self) -> Result<(), StoreFailed> {
        self.sim.pause(CALL_MS).await;
        match self.deaf.load(Ordering::Acquire) {
            true => Err(StoreFailed::Unavailable { source: Box::new(Deaf) }),
            false => self.alive(),
        }
    }

    /// What the process hears, if it still lives.
    async fn end<T>(&self, answer: Result<T, StoreFailed>) -> Result<T, StoreFailed> {
        self.sim.pause(CALL_MS).await;
        self.alive()?;
        answer
    }

    fn alive(&self) -> Result<(), StoreFailed> {
        if self.inner.has_crashed() {
            self.life.end();
        }
        match self.life.is_over() {
            true => Err(StoreFailed::Unavailable { source: Box::new(Over) }),
            false => Ok(()),
        }
    }
}

#[async_trait]
impl Backend for ProcessStore {
    async fn load(&self, wanted: &[AggregateRef]) -> Result<Vec<Option<Stored>>, StoreFailed> {
        self.begin().await?;
        self.end(self.inner.load(wanted).await).await
    }

    async fn scan(&self, scan: Scan) -> Result<Vec<Stored>, StoreFailed> {
        self.begin().await?;
        self.end(self.inner.scan(scan).await).await
    }

    async fn material(&self, version: VersionId) -> Result<Option<Sealed<Material>>, StoreFailed> {
        self.begin().await?;
        self.end(self.inner.material(version).await).await
    }

    async fn commit(&self, set: ChangeSet) -> Result<Committed, CommitFailed> {
        self.sim.pause(CALL_MS).await;
        self.alive()?;
        if self.full.load(Ordering::Acquire) {
            return Err(StoreFailed::Full.into());
        }
        let answer = self.inner.commit(set).await;
        self.alive()?;
        if self.deaf.load(Ordering::Acquire) {
            return Err(CommitFailed::Unknown);
        }
        self.sim.pause(CALL_MS).await;
        answer
    }

    async fn outcome(&self, id: ChangeId) -> Result<Option<Committed>, StoreFailed> {
        self.begin().await?;
        self.end(self.inner.outcome(id).await).await
    }

    async fn changes_after(
        &self,
        seq: u64,
        limit: usize,
    ) -> Result<Vec<CommittedChange>, StoreFailed> {
        self.begin().await?;
        self.end(self.inner.changes_after(seq, limit).await).await
    }

    async fn head(&self) -> Result<u64, StoreFailed> {
        self.begin().await?;
        self.end(self.inner.head().await).await
    }
}
