//! One process: what a node is given to live with, and how its world goes wrong.
//!
//! Invariant: every port of a process dies with its life; what it made durable stays in the folder
//! and in the vaults, which belong to the world.

use std::sync::Arc;

use keystead_crypto::Entropy;
use keystead_journal::{Disk, FaultyDisk, Loss};
use keystead_store::{Backend, FaultyBackend};
use keystead_targets::{FaultyVault, MemoryVault, VaultOpener};

use crate::{
    Folder, Life, Sim,
    ports::{ProcessDisk, ProcessStore, ProcessVault, ProcessVaults},
};

/// Which durable operations of a process go wrong.
#[derive(Debug, Clone, Default)]
pub struct FaultPlans {
    /// Commits of the database.
    pub store: keystead_store::FaultPlan,
    /// Replaces in the data folder.
    pub data: keystead_journal::FaultPlan,
    /// Syncs and replaces in the journal's folder.
    pub journal: keystead_journal::FaultPlan,
    /// Puts into one vault, by its number.
    pub vault: Option<(usize, keystead_targets::FaultPlan)>,
}

/// How many durable operations a process has asked for: the length of its crash matrix.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Durable {
    /// Commits of the database.
    pub store: u64,
    /// Replaces in the data folder.
    pub data: u64,
    /// Syncs and replaces in the journal's folder.
    pub journal: u64,
    /// Puts into each vault.
    pub vaults: Vec<u64>,
}

/// A process.
#[derive(Debug)]
pub struct Process {
    sim: Sim,
    life: Life,
    folder: Folder,
    entropy: Entropy,
    store: Arc<ProcessStore>,
    data: Arc<ProcessDisk>,
    journal: Arc<ProcessDisk>,
    vaults: Arc<ProcessVaults>,
}

impl Process {
    pub(crate) fn new(
        sim: &Sim,
        life: &Life,
        folder: &Folder,
        vaults: &[MemoryVault],
        entropy: Entropy,
        plans: &FaultPlans,
    ) -> Self {
        let vault = |(number, vault): (usize, &MemoryVault)| {
            let own = plans.vault.as_ref().filter(|(of, _)| *of == number);
            let plan = own.map_or_else(keystead_targets::FaultPlan::none, |(_, plan)| plan.clone());
            let faulty = FaultyVault::new(vault.clone(), plan);
            Arc::new(ProcessVault::new(faulty, life.clone(), sim.clone()))
        };
        let disk =
            |disk, plan| Arc::new(ProcessDisk::new(FaultyDisk::new(disk, plan), life.clone()));
        let store = FaultyBackend::new(folder.store.clone(), plans.store.clone());
        Self {
            sim: sim.clone(),
            life: life.clone(),
            folder: folder.clone(),
            entropy,
            store: Arc::new(ProcessStore::new(store, life.clone(), sim.clone())),
            data: disk(folder.data.clone(), plans.data.clone()),
            journal: disk(folder.journal.clone(), plans.journal.clone()),
            vaults: Arc::new(ProcessVaults(vaults.iter().enumerate().map(vault).collect())),
        }
    }

    /// The simulation that it lives in.
    #[must_use]
    pub fn sim(&self) -> &Sim {
        &self.sim
    }

    /// Its life.
    #[must_use]
    pub fn life(&self) -> &Life {
        &self.life
    }

    /// Its data folder.
    #[must_use]
    pub fn folder(&self) -> &Folder {
        &self.folder
    }

    /// Its randomness.
    #[must_use]
    pub fn entropy(&self) -> Entropy {
        self.entropy.clone()
    }

    /// Its database.
    #[must_use]
    pub fn store(&self) -> Arc<dyn Backend> {
        self.store.clone()
    }

    /// Its small files.
    #[must_use]
    pub fn data(&self) -> Arc<dyn Disk> {
        self.data.clone()
    }

    /// Its journal's folder.
    #[must_use]
    pub fn journal(&self) -> Arc<dyn Disk> {
        self.journal.clone()
    }

    /// Its vaults.
    #[must_use]
    pub fn vaults(&self) -> Arc<dyn VaultOpener> {
        self.vaults.clone()
    }

    /// One of the world's vaults, as it is and not as this process sees it.
    #[must_use]
    pub fn vault(&self, number: usize) -> &MemoryVault {
        self.vaults.0[number].inner.inner()
    }

    /// Makes the disk under the database full, or gives it room again.
    pub fn fill_store(&self, full: bool) {
        self.store.fill(full);
    }

    /// Loses every answer of the database, commits among them, or hears them again.
    pub fn deafen_store(&self, deaf: bool) {
        self.store.deafen(deaf);
    }

    /// Makes each call of a vault take up to twice so many virtual milliseconds.
    pub fn slow_vault(&self, number: usize, call_ms: u64) {
        self.vaults.0[number].slow_down(call_ms);
    }

    /// What it asked for so far.
    #[must_use]
    pub fn durable(&self) -> Durable {
        Durable {
            store: self.store.inner.commits(),
            data: self.data.inner.durable_writes(),
            journal: self.journal.inner.durable_writes(),
            vaults: self.vaults.0.iter().map(|vault| vault.inner.puts()).collect(),
        }
    }

    /// Kills the process; the machine runs on and forgets nothing.
    pub fn kill(&self) {
        self.life.end();
        self.sim.bury();
    }

    /// Stops the machine: the process ends and what was not synced is lost as `loss` says.
    pub fn crash(&self, loss: Loss) {
        self.kill();
        self.folder.crash(loss);
    }
}
