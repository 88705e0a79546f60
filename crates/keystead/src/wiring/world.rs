//! The real forms of the service's ports.
//!
//! Invariant: blocking work never runs on a thread that answers requests; the journal has a thread
//! of its own, because each sync of it holds up every answer that waits for one.

use std::{
    sync::Arc,
    time::{Duration, Instant, SystemTime},
};

use async_trait::async_trait;
use futures_util::future::BoxFuture;
use keystead_domain::Timestamp;
use keystead_journal::Journal;
use keystead_service::{Clock, Tasks};
use keystead_targets::{Blocking, DirectoryVault, Vault, VaultError, VaultOpener, VaultUrl};
use tokio::runtime::Handle;

/// The machine's clocks.
#[derive(Debug)]
pub(super) struct OsClock {
    began: Instant,
}

impl OsClock {
    pub(super) fn new() -> Self {
        Self { began: Instant::now() }
    }
}

#[async_trait]
impl Clock for OsClock {
    fn now(&self) -> Timestamp {
        let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        Timestamp::from_micros(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
    }

    fn monotonic_ms(&self) -> u64 {
        // From 1, so that 0 can mean never.
        u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX).saturating_add(1)
    }

    async fn sleep_ms(&self, ms: u64) {
        tokio::time::sleep(Duration::from_millis(ms)).await;
    }
}

/// Tasks on the runtime; blocking work on its threads for that.
#[derive(Debug)]
pub(super) struct RuntimeTasks(pub(super) Handle);

impl Tasks for RuntimeTasks {
    fn spawn(&self, _name: &'static str, task: BoxFuture<'static, ()>) {
        self.0.spawn(task);
    }

    fn blocking(&self, job: Box<dyn FnOnce() + Send>) {
        self.0.spawn_blocking(job);
    }

    fn drive(&self, journal: Arc<Journal>) {
        let run = std::thread::Builder::new().name("journal".to_owned());
        let started = run.spawn(move || {
            if let Err(failed) = journal.run() {
                tracing::error!(%failed, "the journal's disk failed; nothing is answered any more");
            }
        });
        started.expect("a process that just started can start a thread");
    }
}

impl Blocking for RuntimeTasks {
    fn run(&self, job: Box<dyn FnOnce() + Send>) {
        self.0.spawn_blocking(job);
    }
}

/// Which adapter serves which scheme: today folders.
#[derive(Debug)]
pub(super) struct Adapters(pub(super) Handle);

#[async_trait]
impl VaultOpener for Adapters {
    async fn open(&self, url: &VaultUrl) -> Result<Arc<dyn Vault>, VaultError> {
        let threads = Arc::new(RuntimeTasks(self.0.clone()));
        Ok(Arc::new(DirectoryVault::open(url.clone(), threads).await?))
    }
}
