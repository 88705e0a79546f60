//! The machine: which core is whose, and what a process has used of it.
//!
//! Invariant: servers run on one core and the load on another, where the machine has two; else the
//! report says that they share one.

use std::{fs, time::Duration};

use rustix::{
    process::Pid,
    thread::{CpuSet, sched_getaffinity, sched_setaffinity},
};

use crate::failed::Failed;

/// The core of the servers and that of the load.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cores {
    server: usize,
    load: usize,
}

impl Cores {
    /// The first two that this process may use.
    pub(crate) fn find() -> Self {
        let may = sched_getaffinity(None).unwrap_or_default();
        let mut cores = (0..CpuSet::MAX_CPU).filter(|core| may.is_set(*core));
        let server = cores.next().unwrap_or_default();
        Self { server, load: cores.next().unwrap_or(server) }
    }

    /// Whether each has its own.
    pub(crate) fn are_apart(self) -> bool {
        self.server != self.load
    }

    pub(crate) fn announce(self) {
        let Self { server, load } = self;
        match self.are_apart() {
            true => eprintln!("servers on core {server}, load on core {load}"),
            false => eprintln!("servers and load share core {server}: ratios mean little here"),
        }
    }

    /// Runs `start` so that the processes that it starts stay on the servers' core.
    pub(crate) fn start<T>(self, start: impl FnOnce() -> Result<T, Failed>) -> Result<T, Failed> {
        pin(self.server)?;
        let started = start();
        pin(self.load)?;
        started
    }
}

fn pin(core: usize) -> Result<(), Failed> {
    let mut set = CpuSet::new();
    set.set(core);
    sched_setaffinity(None, &set).map_err(Failed::system("cannot stay on one core"))
}

/// How much processor time a process has used, all its threads, in units of 10 ms.
pub(crate) fn cpu_time(process: Pid) -> Duration {
    let path = format!("/proc/{}/stat", process.as_raw_nonzero());
    let stat = fs::read_to_string(path).unwrap_or_default();
    // The command's name, in parentheses, may hold anything.
    let after = stat.rsplit(')').next().unwrap_or_default();
    let fields = after.split_whitespace().skip(11).take(2);
    let ticks: u64 = fields.filter_map(|field| field.parse::<u64>().ok()).sum();
    Duration::from_millis(ticks * 10)
}

/// The resident memory of a process (VmRSS), in bytes.
pub(crate) fn resident_bytes(process: Pid) -> Result<u64, Failed> {
    let path = format!("/proc/{}/status", process.as_raw_nonzero());
    let status = fs::read_to_string(&path).map_err(Failed::file(&path))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.and_then(|line| line.trim().strip_suffix(" kB")?.parse::<u64>().ok());
    Ok(kib.unwrap_or_default() * 1024)
}

/// Waits until a server has done with what it does after its answers (a second's tiles, an audit
/// file), so that it takes nothing from the one that is measured next.
pub(crate) fn settle(process: Pid) {
    const WINDOW: Duration = Duration::from_millis(100);
    for _ in 0..30 {
        let before = cpu_time(process);
        pause(WINDOW);
        if cpu_time(process) - before <= Duration::from_millis(10) {
            return;
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "measuring is about time: nothing else to wait for")]
pub(crate) fn pause(time: Duration) {
    std::thread::sleep(time);
}
