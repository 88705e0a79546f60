//! Vaults, folders and processes in one simulated time.
//!
//! Invariant: every process of a world draws its randomness from the world's seed and its own
//! number, so that the whole world repeats itself.

use std::sync::atomic::{AtomicU64, Ordering};

use keystead_crypto::Entropy;
use keystead_targets::{MemoryVault, Vault, VaultUrl};

use crate::{Draws, FaultPlans, Folder, Life, Process, Sim};

/// A simulated world.
#[derive(Debug)]
pub struct World {
    /// Its tasks and its time.
    pub sim: Sim,
    /// Its vaults, each in a failure domain of its own.
    pub vaults: Vec<MemoryVault>,
    seed: u64,
    lives: AtomicU64,
}

impl World {
    /// A world with so many empty vaults.
    ///
    /// # Panics
    /// Never: the vaults' names can stand in a path.
    #[must_use]
    pub fn new(seed: u64, vaults: usize) -> Self {
        let vault = |number| {
            MemoryVault::named(&format!("v{number}")).expect("letters and digits stand in a path")
        };
        Self {
            sim: Sim::new(seed),
            vaults: (0..vaults).map(vault).collect(),
            seed,
            lives: AtomicU64::new(0),
        }
    }

    /// A second world that goes on from this one's vaults and time under another seed: what one
    /// does is not seen in the other.
    #[must_use]
    pub fn copied(&self, seed: u64) -> Self {
        let copy = |vault: &MemoryVault| {
            let copy = MemoryVault::new(vault.url().clone());
            copy.restore(&vault.snapshot());
            copy
        };
        Self {
            sim: Sim::later(seed, self.sim.now_ms()),
            vaults: self.vaults.iter().map(copy).collect(),
            seed,
            // A process of the copy never has the entropy of one before.
            lives: AtomicU64::new(self.lives.load(Ordering::Relaxed)),
        }
    }

    /// Where its vaults are.
    #[must_use]
    pub fn urls(&self) -> Vec<VaultUrl> {
        self.vaults.iter().map(|vault| vault.url().clone()).collect()
    }

    /// Starts a process over a folder; it does nothing by itself.
    #[must_use]
    pub fn process(&self, folder: &Folder, plans: &FaultPlans) -> Process {
        let number = self.lives.fetch_add(1, Ordering::Relaxed);
        let life = Life::begin(number);
        let entropy = Entropy::seeded(Draws::new(self.seed ^ (number << 32)).draw());
        Process::new(&self.sim, &life, folder, &self.vaults, entropy, plans)
    }
}
