//! What the kernel and the arena say about this process, for the metrics.
//!
//! Invariant: what cannot be read is left out, never guessed: a service manager may hide `/proc`.

use std::{
    fs,
    sync::OnceLock,
    time::{Duration, SystemTime},
};

use keystead_server::MachineReadings;
use rustix::process::{Resource, getrlimit};

/// Ticks of processor time a second, as the kernel tells them to every program on this platform.
const TICKS_PER_SECOND: f64 = 100.0;

static STARTED: OnceLock<SystemTime> = OnceLock::new();

/// Notes when the process started.
pub(super) fn started() {
    STARTED.get_or_init(SystemTime::now);
}

/// How the process stands now.
pub(super) fn readings() -> MachineReadings {
    let arena = keystead_arena::stats();
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let since = STARTED.get().and_then(|at| at.duration_since(SystemTime::UNIX_EPOCH).ok());
    MachineReadings {
        arena_bytes: arena.capacity_bytes as u64,
        arena_used_bytes: arena.used_bytes as u64,
        arena_blocks: arena.blocks as u64,
        resident_bytes: resident_bytes(&status),
        open_fds: fs::read_dir("/proc/self/fd").ok().map(|fds| fds.count() as u64),
        max_fds: getrlimit(Resource::Nofile).current,
        started_at_s: since.as_ref().map(Duration::as_secs_f64),
        cpu_s: cpu_s(&stat),
    }
}

fn resident_bytes(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib * 1024)
}

/// The name of the program stands in parentheses and may hold anything; fields count from behind
/// it.
fn cpu_s(stat: &str) -> Option<f64> {
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace().skip(11);
    let mut ticks = || fields.next()?.parse::<u32>().ok();
    Some((f64::from(ticks()?) + f64::from(ticks()?)) / TICKS_PER_SECOND)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernel_s_texts_are_read() {
        let status = "Name:\tkeystead\nVmHWM:\t    9 kB\nVmRSS:\t   12345 kB\nThreads:\t3\n";
        assert_eq!(resident_bytes(status), Some(12_345 * 1024));
        assert_eq!(resident_bytes("Name:\tkeystead\n"), None);
        let stat = "7 (a ) b) S 1 2 3 4 5 6 7 8 9 10 150 25 0 0";
        assert_eq!(cpu_s(stat), Some(1.75));
        assert_eq!(cpu_s(""), None);
    }

    #[test]
    fn this_process_is_resident_and_has_descriptors() {
        started();
        let now = readings();
        assert!(now.resident_bytes.unwrap() > 1 << 20, "{now:?}");
        assert!(now.open_fds.unwrap() >= 3 && now.max_fds.unwrap() >= now.open_fds.unwrap());
        assert!(now.started_at_s.unwrap() > 1.6e9 && now.cpu_s.unwrap() >= 0.0, "{now:?}");
    }
}
