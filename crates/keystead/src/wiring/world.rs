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
use keystead_crypto::Entropy;
use keystead_domain::Timestamp;
use keystead_journal::{Journal, Settled};
use keystead_service::{Clock, RestoreSite, Tasks};
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

    fn monotonic_us(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_micros()).unwrap_or(u64::MAX)
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

    fn blocking_behind(&self, job: Box<dyn FnOnce() + Send>) {
        behind(&self.0, job);
    }

    fn drive(&self, journal: Arc<Journal>) {
        let (settled, mut told) = tokio::sync::mpsc::unbounded_channel::<Settled>();
        self.0.spawn(pace(journal.clone()));
        self.0.spawn(async move {
            while let Some(group) = told.recv().await {
                group.tell();
            }
        });
        let run = std::thread::Builder::new().name("journal".to_owned());
        let started = run.spawn(move || {
            // All answers wait for this thread, and it works for microseconds at a time. Who may
            // not ask for that goes without: it costs throughput where processors are short.
            let _ = rustix::process::setpriority_process(None, JOURNAL_NICE);
            // Where the runtime has ended, nobody waits any more.
            let ended = journal.run_paced(|group| drop(settled.send(group)));
            if let Err(failed) = ended {
                tracing::error!(%failed, "the journal's disk failed; nothing is answered any more");
            }
        });
        started.expect("a process that just started can start a thread");
    }
}

/// By how much the journal's thread goes before the others.
const JOURNAL_NICE: i32 = -10;

/// Asks for a sync once all that is ready to run has run, twice, and may have joined its group: a
/// hundred polls at most, and at once where nothing else is ready. The second time is for requests
/// that came in meanwhile: fewer and larger syncs leave more of a processor to them.
async fn pace(journal: Arc<Journal>) {
    loop {
        journal.group_begun().await;
        tokio::task::yield_now().await;
        tokio::task::yield_now().await;
        journal.flush_soon();
    }
}

impl Blocking for RuntimeTasks {
    fn run(&self, job: Box<dyn FnOnce() + Send>) {
        self.0.spawn_blocking(job);
    }

    fn run_behind(&self, job: Box<dyn FnOnce() + Send>) {
        behind(&self.0, job);
    }
}

/// How much a job yields to the threads that answer: on a processor that is wanted all the time it
/// gets about a tenth (sched(7)), which is more than the ledger's way into the vaults needs.
const NICE: i32 = 10;

/// Runs a job on a thread of its own, for a thread that has become nice stays so.
fn behind(runtime: &Handle, job: Box<dyn FnOnce() + Send>) {
    let (hand_over, job_here) = std::sync::mpsc::sync_channel::<Box<dyn FnOnce() + Send>>(1);
    let thread = std::thread::Builder::new().name("behind".to_owned());
    let started = thread.spawn(move || {
        // Linux has a nice value for each thread; elsewhere the job runs as it is.
        let _ = rustix::process::setpriority_process(None, NICE);
        if let Ok(job) = job_here.recv() {
            job();
        }
    });
    match started {
        // The receiver lives until it has the job.
        Ok(_) => drop(hand_over.send(job)),
        // No thread to be had: one of those that are there does it.
        Err(_) => drop(runtime.spawn_blocking(job)),
    }
}

/// Which adapter serves which scheme: today folders.
#[derive(Debug)]
pub(super) struct Adapters(pub(super) Handle);

/// What a command reads vaults with.
pub(super) fn reading_site(runtime: &Handle) -> RestoreSite {
    RestoreSite {
        vaults: Arc::new(Adapters(runtime.clone())),
        tasks: Arc::new(RuntimeTasks(runtime.clone())),
        clock: Arc::new(OsClock::new()),
        entropy: Entropy::os(),
    }
}

#[async_trait]
impl VaultOpener for Adapters {
    async fn open(&self, url: &VaultUrl) -> Result<Arc<dyn Vault>, VaultError> {
        let threads = Arc::new(RuntimeTasks(self.0.clone()));
        Ok(Arc::new(DirectoryVault::open(url.clone(), threads).await?))
    }
}
