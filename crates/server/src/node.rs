//! The node as probes and metrics see it, from before it serves until after.
//!
//! Invariant: it is there before the service is, so that whoever asks early learns *starting* and
//! not silence. It holds counters of probes, which are no events: they come every few seconds and
//! say nothing about who used what.

use std::sync::{
    Arc, OnceLock,
    atomic::{AtomicU64, Ordering},
};

use keystead_service::{NotReady, Service};

/// What the binary reads of the process and its locked memory.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct MachineReadings {
    /// Locked memory for opened keys, in bytes.
    pub arena_bytes: u64,
    /// How much of it is taken.
    pub arena_used_bytes: u64,
    /// By how many keys and secrets.
    pub arena_blocks: u64,
    /// Resident memory, in bytes.
    pub resident_bytes: Option<u64>,
    /// Open descriptors.
    pub open_fds: Option<u64>,
    /// How many there may be.
    pub max_fds: Option<u64>,
    /// When the process started, in seconds since 1970.
    pub started_at_s: Option<f64>,
    /// Processor time, in seconds.
    pub cpu_s: Option<f64>,
}

/// A node that starts, serves or stops.
#[derive(Debug)]
pub struct Node {
    service: OnceLock<Arc<Service>>,
    machine: fn() -> MachineReadings,
    probes: [AtomicU64; 3],
}

/// What a probe was told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Probe {
    Live,
    Ready,
    NotReady,
}

impl Node {
    /// A node that starts; `machine` reads its process.
    #[must_use]
    pub fn starting(machine: fn() -> MachineReadings) -> Arc<Self> {
        let probes = std::array::from_fn(|_| AtomicU64::new(0));
        Arc::new(Self { service: OnceLock::new(), machine, probes })
    }

    /// It has started.
    pub fn serves(&self, service: Arc<Service>) {
        // A node starts once; a second service would be a second node.
        let _ = self.service.set(service);
    }

    /// Why it should get no requests; nothing where it should.
    #[must_use]
    pub fn not_ready(&self) -> Vec<NotReady> {
        self.service().map_or_else(|| vec![NotReady::Starting], |service| service.not_ready())
    }

    pub(crate) fn service(&self) -> Option<&Arc<Service>> {
        self.service.get()
    }

    pub(crate) fn machine(&self) -> MachineReadings {
        (self.machine)()
    }

    pub(crate) fn probed(&self, probe: Probe) {
        self.probes[place(probe)].fetch_add(1, Ordering::Relaxed);
    }

    /// Probes so far: which, the outcome, how many.
    pub(crate) fn probes(&self) -> [(&'static str, &'static str, u64); 3] {
        let read = |probe| self.probes[place(probe)].load(Ordering::Relaxed);
        [
            ("livez", "ok", read(Probe::Live)),
            ("readyz", "ok", read(Probe::Ready)),
            ("readyz", "refused", read(Probe::NotReady)),
        ]
    }
}

fn place(probe: Probe) -> usize {
    match probe {
        Probe::Live => 0,
        Probe::Ready => 1,
        Probe::NotReady => 2,
    }
}
