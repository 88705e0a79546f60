//! An instance that lies ready: founded, used once, at rest. Each test spoils a copy of it.

use std::sync::{Arc, LazyLock};

use keystead_domain::KeySpec;
use keystead_service::{Service, StartFailed};
use keystead_targets::MemoryVault;
use keystead_testkit::{FaultPlans, Folder, Process, World};

use crate::{
    client::{Client, Notes},
    evidence::{verify_all, verify_vaulted},
    kit::KitForm,
    node::{Operator, RUN_MS, init, serve, within},
};

/// How many keys a prepared instance has: the first one encrypts.
pub(crate) const BEFORE: usize = KeySpec::ALL.len();

/// A world with an instance in it whose node has stopped.
#[derive(Debug)]
pub(crate) struct Prepared {
    pub(crate) world: World,
    pub(crate) folder: Folder,
    pub(crate) operator: Arc<Operator>,
    pub(crate) notes: Notes,
}

/// An instance whose operator holds a real kit; its key derivation is paid once for all tests.
static WITH_REAL_KIT: LazyLock<Prepared> = LazyLock::new(|| Prepared::new(1, KitForm::Real));

/// A node that serves, and a client of it.
#[derive(Debug)]
pub(crate) struct Node {
    pub(crate) process: Arc<Process>,
    pub(crate) service: Arc<Service>,
    pub(crate) client: Client,
}

impl Prepared {
    /// An instance with three vaults of which two must confirm, one key of each spec, each used
    /// once, and one wrapped data key.
    pub(crate) fn new(seed: u64, form: KitForm) -> Self {
        let world = World::new(seed, 3);
        let (folder, notes) = (Folder::new(), Notes::default());
        let process = Arc::new(world.process(&folder, &FaultPlans::default()));
        let (inner, urls, told) = (process.clone(), world.urls(), notes.clone());
        let operator = within(&process, async move {
            let operator = Arc::new(init(&inner, urls, 2, form).await.unwrap());
            let service = serve(&inner).await.unwrap();
            let client = Client::new(&service, &operator, inner.sim(), &told);
            for spec in KeySpec::ALL {
                let key = client.create_as(*spec, "from before").await.unwrap().key;
                client.use_once(&key, b"from before").await.unwrap();
            }
            client.put_wrap("from before").await.unwrap();
            client.settled().await;
            operator
        });
        process.kill();
        Self { world, folder, operator: operator.expect("nothing goes wrong"), notes }
    }

    /// An instance that can be restored.
    pub(crate) fn with_real_kit(seed: u64) -> Self {
        WITH_REAL_KIT.copied(seed)
    }

    /// The same, to be spoilt.
    pub(crate) fn copied(&self, seed: u64) -> Self {
        Self {
            world: self.world.copied(seed),
            folder: self.folder.copied(),
            operator: self.operator.clone(),
            notes: self.notes.copied(),
        }
    }

    pub(crate) fn process(&self, plans: &FaultPlans) -> Arc<Process> {
        self.process_over(&self.folder, plans)
    }

    pub(crate) fn process_over(&self, folder: &Folder, plans: &FaultPlans) -> Arc<Process> {
        Arc::new(self.world.process(folder, plans))
    }

    pub(crate) fn client(&self, service: &Arc<Service>) -> Client {
        Client::new(service, &self.operator, &self.world.sim, &self.notes)
    }

    /// Runs a test in this world's time.
    pub(crate) fn run<T>(&self, test: impl Future<Output = T>) -> T {
        self.world.sim.run(RUN_MS, test)
    }

    /// Starts a node over the folder.
    pub(crate) async fn start(&self) -> Node {
        self.try_start(&self.folder).await.expect("this node starts")
    }

    /// Starts a node over any folder.
    pub(crate) async fn try_start(&self, folder: &Folder) -> Result<Node, StartFailed> {
        let process = self.process_over(folder, &FaultPlans::default());
        let service = serve(&process).await?;
        let client = self.client(&service);
        Ok(Node { process, service, client })
    }

    /// Lets virtual time pass.
    pub(crate) async fn wait_ms(&self, ms: u64) {
        self.world.sim.sleep_ms(ms).await;
    }

    /// Lets days pass in which nothing of this world runs.
    pub(crate) fn later(&self, days: u64) {
        let ms = days * 24 * 60 * 60 * 1000;
        self.world.sim.run(ms + 1, self.world.sim.sleep_ms(ms));
    }

    /// Starts a node without faults and demands all that was acknowledged, and that it goes on.
    pub(crate) fn recover_and_verify(&self) {
        self.world.vaults.iter().for_each(MemoryVault::back);
        let process = self.process(&FaultPlans::default());
        let (inner, operator, notes) = (process.clone(), self.operator.clone(), self.notes.clone());
        let whole = within(&process, async move {
            let service = serve(&inner).await.expect("a crashed node starts again");
            let client = Client::new(&service, &operator, inner.sim(), &notes);
            client.settled().await;
            client.everything_opens().await;
            let key = client.create("after the crash").await.expect("a retry succeeds").key.id;
            client.encrypt(key, b"after the crash").await.unwrap();
            client.put_wrap("after the crash").await.expect("a retry succeeds");
            client.settled().await;
            client.everything_opens().await;
        });
        assert!(whole.is_some());
        process.kill();
        self.verify();
    }

    /// What was answered as vaulted is in the vaults, before any start could heal it.
    pub(crate) fn verify_vaulted(&self) {
        self.world.vaults.iter().for_each(MemoryVault::back);
        verify_vaulted(&self.world, &self.folder, &self.operator, &self.notes);
    }

    /// Everything durable is as it must be.
    pub(crate) fn verify(&self) {
        verify_all(&self.world, &self.folder, &self.operator, &self.notes);
    }
}

impl Node {
    /// A key and a ciphertext that are wholly acknowledged.
    pub(crate) async fn works(&self) {
        let view = self.client.create("it works").await.unwrap();
        self.client.encrypt(view.key.id, b"it works").await.unwrap();
    }

    /// What the node says of itself.
    pub(crate) async fn process_state(&self) -> String {
        self.client.status().await.unwrap().state
    }

    /// Ends the process and the client with it.
    pub(crate) fn kill(self) {
        self.process.kill();
    }
}
