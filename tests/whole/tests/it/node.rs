//! A node: a process of the simulated world with the service in it.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use futures_util::future::BoxFuture;
use keystead_crypto::{Secret, VerifyingKey};
use keystead_domain::{IncarnationId, InstanceId, Timestamp};
use keystead_journal::Journal;
use keystead_service::{
    Clock, FoundFailed, InitPlan, NewInstance, RestoreSite, Service, Site, StartFailed,
    StartOptions, Tasks,
    restore::{self, Reading, RestoreFailed, RestorePlan, Watcher},
    start,
};
use keystead_targets::VaultUrl;
use keystead_testkit::{FixedSeal, Life, Process, Sim};

use crate::kit::{HeldKit, KitForm};

/// How long a node of the tests serves unseen, in milliseconds.
pub(crate) const MAX_UNFENCED_MS: u64 = 10 * 60 * 1000;
/// How long a run may last, in virtual milliseconds.
pub(crate) const RUN_MS: u64 = 2 * 60 * 60 * 1000;

/// The clock port over a simulation.
#[derive(Debug)]
struct SimClock(Sim);

/// The clock of a simulation.
pub(crate) fn clock(sim: &Sim) -> Arc<dyn Clock> {
    Arc::new(SimClock(sim.clone()))
}

/// The tasks port over a simulation: everything belongs to one life.
#[derive(Debug)]
struct SimTasks(Sim, Life);

/// A restore that nobody watches.
pub(crate) struct Unwatched;

#[async_trait]
impl Clock for SimClock {
    fn now(&self) -> Timestamp {
        self.0.now()
    }

    fn monotonic_ms(&self) -> u64 {
        self.0.now_ms()
    }

    async fn sleep_ms(&self, ms: u64) {
        self.0.sleep_ms(ms).await;
    }
}

impl Tasks for SimTasks {
    fn spawn(&self, name: &'static str, task: BoxFuture<'static, ()>) {
        self.0.spawn(&self.1, name, task);
    }

    fn blocking(&self, job: Box<dyn FnOnce() + Send>) {
        job();
    }

    fn drive(&self, journal: Arc<Journal>) {
        self.0.drive(&self.1, journal);
    }
}

impl Watcher for Unwatched {
    fn phase(&self, _: &'static str, _: u64) {}

    fn phase_bytes(&self, _: &'static str, _: u64) {}

    fn advance(&self, _: u64) {}

    fn warn(&self, _: String) {}
}

/// What the operator of an instance holds: its credential and its kit.
#[derive(Debug)]
pub(crate) struct Operator {
    pub(crate) instance: InstanceId,
    pub(crate) incarnation: IncarnationId,
    pub(crate) root: VerifyingKey,
    pub(crate) access_key_id: String,
    pub(crate) secret: Secret<40>,
    pub(crate) kit: Arc<HeldKit>,
    pub(crate) vaults_min: usize,
}

/// The ports of a process, as the service wants them.
pub(crate) fn site(process: &Process) -> Site {
    Site {
        witnesses: Vec::new(),
        home: None,
        store: process.store(),
        disk: process.data(),
        journal_disk: process.journal(),
        vaults: process.vaults(),
        clock: Arc::new(SimClock(process.sim().clone())),
        tasks: Arc::new(SimTasks(process.sim().clone(), process.life().clone())),
        entropy: process.entropy(),
        seal: Arc::new(FixedSeal::new("gravel-otter-lunar")),
    }
}

/// Founds an instance.
pub(crate) async fn init(
    process: &Process,
    vaults: Vec<VaultUrl>,
    vaults_min: usize,
    form: KitForm,
) -> Result<Operator, FoundFailed> {
    let site = site(process);
    let account = "111122223333".parse().unwrap();
    let plan = InitPlan { account, vaults, vaults_min, admin: "administrator".to_owned() };
    let instance = NewInstance::new(&site.entropy, site.clock.now(), plan);
    let (new, kit) = HeldKit::make(form, &site.entropy, &instance);
    let made = instance.found(&site, &new, kit.seed()).await?;
    Ok(Operator {
        instance: made.instance,
        incarnation: made.incarnation,
        root: made.root_public,
        access_key_id: made.access.access_key_id,
        secret: made.access.secret_access_key,
        kit: Arc::new(kit),
        vaults_min,
    })
}

/// Brings an instance back into the folder of a process.
pub(crate) async fn bring_back(
    process: &Process,
    before: &Operator,
    plan: RestorePlan,
) -> Result<(Operator, Reading), RestoreFailed> {
    let site = site(process);
    let reading_site = RestoreSite {
        vaults: site.vaults.clone(),
        tasks: site.tasks.clone(),
        clock: site.clock.clone(),
        entropy: site.entropy.clone(),
    };
    let kit = before.kit.opened();
    let staged = restore::read(reading_site, kit, plan, &Unwatched).await?;
    let closed = staged.close(kit, &Unwatched).await?;
    let restored = closed.found(&site, None, &kit.seed, &Unwatched).await?;
    let operator = Operator {
        instance: before.instance,
        incarnation: restored.incarnation,
        root: before.root,
        access_key_id: restored.access.access_key_id,
        secret: restored.access.secret_access_key,
        kit: before.kit.clone(),
        vaults_min: before.vaults_min,
    };
    Ok((operator, restored.reading))
}

/// Starts the service in a process.
pub(crate) async fn serve(process: &Process) -> Result<Arc<Service>, StartFailed> {
    serve_with(process, options()).await
}

/// As the nodes of the tests are started.
pub(crate) fn options() -> StartOptions {
    StartOptions { max_unfenced_ms: MAX_UNFENCED_MS, ..StartOptions::default() }
}

/// Starts the service with other options.
pub(crate) async fn serve_with(
    process: &Process,
    options: StartOptions,
) -> Result<Arc<Service>, StartFailed> {
    start(site(process), options).await
}

/// Runs `work` as a part of the process: it dies with it. Returns what it came to, if it lived.
pub(crate) fn within<T: Send + 'static>(
    process: &Process,
    work: impl Future<Output = T> + Send + 'static,
) -> Option<T> {
    let done = Arc::new(Mutex::new(None));
    let (into, sim) = (done.clone(), process.sim());
    let task = async move {
        let result = work.await;
        *into.lock().unwrap() = Some(result);
    };
    sim.spawn(process.life(), "the test's own work", Box::pin(task));
    sim.run(RUN_MS, async {
        while done.lock().unwrap().is_none() && !process.life().is_over() {
            sim.sleep_ms(1).await;
        }
    });
    done.lock().unwrap().take()
}
