//! What the service needs of the world: time, tasks, and the four ports where data becomes durable.
//!
//! Invariant: the service starts no thread and reads no clock of its own. The binary hands in real
//! forms, a simulation hands in stepped ones, and the code between cannot tell which.

use std::sync::Arc;

use async_trait::async_trait;
use futures_util::future::BoxFuture;
use keystead_crypto::{Entropy, Seal};
use keystead_domain::Timestamp;
use keystead_journal::{Disk, Journal};
use keystead_ledger::VerifierKey;
use keystead_store::Backend;
use keystead_targets::{FailureDomain, VaultOpener};

use crate::metrics::Metrics;

/// Time.
#[async_trait]
pub trait Clock: Send + Sync + std::fmt::Debug {
    /// The wall clock.
    fn now(&self) -> Timestamp;

    /// Milliseconds since some fixed instant; never goes backwards.
    fn monotonic_ms(&self) -> u64;

    /// The same in microseconds, for measuring what takes less than a millisecond.
    fn monotonic_us(&self) -> u64 {
        self.monotonic_ms().saturating_mul(1_000)
    }

    /// Ends `ms` milliseconds of monotonic time from now.
    async fn sleep_ms(&self, ms: u64);
}

/// Runs tasks.
pub trait Tasks: Send + Sync + std::fmt::Debug {
    /// Runs `task` beside the caller; `name` is for logs.
    fn spawn(&self, name: &'static str, task: BoxFuture<'static, ()>);

    /// Runs work that blocks (a sync, a key derivation) where it holds nobody up.
    fn blocking(&self, job: Box<dyn FnOnce() + Send>);

    /// The same for work that nobody's answer waits for at this moment: where the processor is
    /// short, answers go first.
    fn blocking_behind(&self, job: Box<dyn FnOnce() + Send>) {
        self.blocking(job);
    }

    /// Gives the journal what drives it for as long as it lives: a thread that runs
    /// [`Journal::run_paced`] and tasks that pace it, or a simulation's steps.
    fn drive(&self, journal: Arc<Journal>);
}

/// Somebody who cosigns checkpoints (C2SP tlog-witness), and the way there.
#[async_trait]
pub trait Witness: Send + Sync + std::fmt::Debug {
    /// Its name and key.
    fn key(&self) -> &VerifierKey;

    /// Sends the body of an `add-checkpoint`; the status and body of the answer come back.
    ///
    /// # Errors
    /// Why no answer came, for people.
    async fn add_checkpoint(&self, body: Vec<u8>) -> Result<(u16, Vec<u8>), String>;
}

/// Where an instance lives: everything but its opened journal.
#[derive(Debug, Clone)]
pub struct Site {
    /// The database.
    pub store: Arc<dyn Backend>,
    /// Small files of the data folder: seal slot, outbox, status record.
    pub disk: Arc<dyn Disk>,
    /// The journal's own folder.
    pub journal_disk: Arc<dyn Disk>,
    /// Opens vaults.
    pub vaults: Arc<dyn VaultOpener>,
    /// What the data folder is lost together with, where that is known: a vault there is no copy.
    pub home: Option<FailureDomain>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Tasks.
    pub tasks: Arc<dyn Tasks>,
    /// Randomness.
    pub entropy: Entropy,
    /// Opens the seal slot, at start and at root acts.
    pub seal: Arc<dyn Seal>,
    /// Who is asked to cosign checkpoints.
    pub witnesses: Vec<Arc<dyn Witness>>,
}

/// What a restore reads with, before there is a folder to write to.
#[derive(Debug, Clone)]
pub struct RestoreSite {
    /// Opens vaults.
    pub vaults: Arc<dyn VaultOpener>,
    /// Tasks: copies are opened on several threads.
    pub tasks: Arc<dyn Tasks>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub entropy: Entropy,
}

/// A site with its ledger open.
#[derive(Debug, Clone)]
pub(crate) struct Ports {
    pub(crate) site: Site,
    pub(crate) journal: Arc<Journal>,
    pub(crate) metrics: Arc<Metrics>,
}

impl std::ops::Deref for Ports {
    type Target = Site;

    fn deref(&self) -> &Site {
        &self.site
    }
}

/// Runs blocking work through the port and waits for what it returns; `None` where it panicked.
pub(crate) async fn blocking<T: Send + 'static>(
    tasks: &dyn Tasks,
    work: impl FnOnce() -> T + Send + 'static,
) -> Option<T> {
    let (work, answer) = telling(work);
    tasks.blocking(work);
    answer.await.ok()
}

/// The same through [`Tasks::blocking_behind`].
pub(crate) async fn blocking_behind<T: Send + 'static>(
    tasks: &dyn Tasks,
    work: impl FnOnce() -> T + Send + 'static,
) -> Option<T> {
    let (work, answer) = telling(work);
    tasks.blocking_behind(work);
    answer.await.ok()
}

fn telling<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> (Box<dyn FnOnce() + Send>, tokio::sync::oneshot::Receiver<T>) {
    let (done, answer) = tokio::sync::oneshot::channel();
    let job = move || {
        // A caller that went away wants no answer.
        let _ = done.send(work());
    };
    (Box::new(job), answer)
}
