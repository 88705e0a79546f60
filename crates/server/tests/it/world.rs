//! A whole instance in memory behind the real fronts on a free port.

use std::{future::Future, net::SocketAddr, sync::Arc};

use async_trait::async_trait;
use keystead_crypto::{Entropy, RecipientSeed, SigningKey};
use keystead_domain::{KitId, Timestamp};
use keystead_journal::{Journal, MemoryDisk};
use keystead_server::{MachineReadings, Node, serve_operators};
use keystead_service::{
    Clock, FirstAccess, InitPlan, NewInstance, NewKit, Site, StartOptions, Tasks, sigv4, start,
};
use keystead_store::MemoryBackend;
use keystead_targets::{MemoryVault, Vault, VaultError, VaultOpener, VaultUrl};
use keystead_testkit::FixedSeal;
use tokio::{net::TcpListener, runtime::Runtime, sync::oneshot, task::JoinHandle};

/// The instant at which every test happens: 2015-08-30T12:36:00Z.
pub(crate) const NOW_SECONDS: i64 = 1_440_938_160;
pub(crate) const ACCOUNT: &str = "123456789012";

pub(crate) struct World {
    pub(crate) at: SocketAddr,
    /// Where metrics and probes are answered.
    pub(crate) operators: SocketAddr,
    pub(crate) access: FirstAccess,
    pub(crate) vaults: Vec<MemoryVault>,
    stop: Option<oneshot::Sender<()>>,
    serving: Option<JoinHandle<std::io::Result<()>>>,
    runtime: Option<Runtime>,
}

impl World {
    pub(crate) fn new() -> Self {
        let runtime = Runtime::new().unwrap();
        let vaults: Vec<_> = ["a", "b"].map(|name| MemoryVault::named(name).unwrap()).into();
        let site = site(&runtime, &vaults);
        let (access, listener) = runtime.block_on(async {
            let access = found(&site, &vaults).await;
            (access, TcpListener::bind("127.0.0.1:0").await.unwrap())
        });
        let at = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel();
        let service = runtime.block_on(start(site, StartOptions::default())).unwrap();
        let shutdown = async { stopped.await.unwrap_or(()) };
        let node = Node::starting(MachineReadings::default);
        let operators_listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        let operators = operators_listener.local_addr().unwrap();
        let forever = std::future::pending();
        runtime.spawn(serve_operators(operators_listener, node.clone(), forever));
        node.serves(service.clone());
        let serving = runtime.spawn(keystead_server::serve(listener, service, node, shutdown));
        Self {
            at,
            operators,
            access,
            vaults,
            stop: Some(stop),
            serving: Some(serving),
            runtime: Some(runtime),
        }
    }

    /// Waits until the server has ended.
    pub(crate) fn wait(&mut self) {
        let runtime = self.runtime.as_ref().unwrap();
        runtime.block_on(self.serving.take().unwrap()).unwrap().unwrap();
    }

    pub(crate) fn begin_shutdown(&mut self) {
        self.stop.take().unwrap().send(()).unwrap();
    }
}

impl Drop for World {
    fn drop(&mut self) {
        // Jobs of the service never end by themselves.
        self.runtime.take().unwrap().shutdown_background();
    }
}

pub(crate) fn amz_date() -> String {
    sigv4::amz_date(NOW_SECONDS)
}

async fn found(site: &Site, vaults: &[MemoryVault]) -> FirstAccess {
    let entropy = &site.entropy;
    let plan = InitPlan {
        account: ACCOUNT.parse().unwrap(),
        vaults: vaults.iter().map(|vault| vault.url().clone()).collect(),
        vaults_min: 2,
        admin: "admin".into(),
    };
    let seed = RecipientSeed::random(entropy);
    let proof_key = SigningKey::from_seed(entropy.secret()).public();
    let kit = NewKit { id: KitId::random(entropy), public: seed.public(), proof_key };
    let instance = NewInstance::new(entropy, site.clock.now(), plan);
    instance.found(site, &kit, &seed).await.unwrap().access
}

fn site(runtime: &Runtime, vaults: &[MemoryVault]) -> Site {
    Site {
        witnesses: Vec::new(),
        home: None,
        store: Arc::new(MemoryBackend::new()),
        disk: Arc::new(MemoryDisk::new()),
        journal_disk: Arc::new(MemoryDisk::new()),
        vaults: Arc::new(Opener(vaults.to_vec())),
        clock: Arc::new(StoppedClock(tokio::time::Instant::now())),
        tasks: Arc::new(RuntimeTasks(runtime.handle().clone())),
        entropy: Entropy::os(),
        seal: Arc::new(FixedSeal::new("passphrase")),
    }
}

/// A wall clock that stands, so that signatures are good at any time of day.
#[derive(Debug)]
struct StoppedClock(tokio::time::Instant);

#[async_trait]
impl Clock for StoppedClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(NOW_SECONDS * 1_000_000)
    }

    fn monotonic_ms(&self) -> u64 {
        u64::try_from(self.0.elapsed().as_millis()).unwrap()
    }

    async fn sleep_ms(&self, ms: u64) {
        tokio::time::sleep(std::time::Duration::from_millis(ms)).await;
    }
}

#[derive(Debug)]
struct RuntimeTasks(tokio::runtime::Handle);

impl Tasks for RuntimeTasks {
    fn spawn(
        &self,
        _: &'static str,
        task: std::pin::Pin<Box<dyn Future<Output = ()> + Send + 'static>>,
    ) {
        self.0.spawn(task);
    }

    fn blocking(&self, job: Box<dyn FnOnce() + Send>) {
        self.0.spawn_blocking(job);
    }

    fn drive(&self, journal: Arc<Journal>) {
        self.0.spawn_blocking(move || journal.run());
    }
}

#[derive(Debug)]
struct Opener(Vec<MemoryVault>);

#[async_trait]
impl VaultOpener for Opener {
    async fn open(&self, url: &VaultUrl) -> Result<Arc<dyn Vault>, VaultError> {
        let vault = self.0.iter().find(|vault| vault.url() == url);
        Ok(Arc::new(vault.expect("the tests name only these vaults").clone()))
    }
}
