//! Says why the process could not be hardened or the region not be had, and how to change that.
//!
//! Invariant: a refused lock names the limit that refused it, its soft value and what is needed,
//! because the operator reads this line at a start that failed and at no other time.

use std::io;

/// Why [`harden_process`](crate::harden_process) failed. The process must not open a key then.
#[derive(Debug, thiserror::Error)]
pub enum HardenFailed {
    /// `setrlimit(RLIMIT_CORE, 0)` was refused.
    #[error("cannot set the core file limit (RLIMIT_CORE) to 0")]
    CoreLimit {
        /// What the kernel answered.
        source: io::Error,
    },
    /// `prctl(PR_SET_DUMPABLE, 0)` was refused.
    #[error("cannot make the process non-dumpable (PR_SET_DUMPABLE)")]
    Dumpable {
        /// What the kernel answered.
        source: io::Error,
    },
}

/// Why the locked region could not be had.
#[derive(Debug, thiserror::Error)]
pub enum InitFailed {
    /// The region exists already, with another size.
    #[error("the arena has {in_force_bytes} bytes already, so it cannot be set to {asked_bytes}")]
    AlreadyInitialised {
        /// Size of the first region in bytes.
        in_force_bytes: usize,
        /// Size asked for now, in bytes, rounded up as the region would be.
        asked_bytes: usize,
    },
    /// `mlock(2)` was refused.
    #[error(
        "cannot lock {needed_bytes} bytes of memory: RLIMIT_MEMLOCK is {soft_limit_bytes} bytes \
         (soft); raise it with `ulimit -l {}` or LimitMEMLOCK={needed_bytes}",
        needed_bytes.div_ceil(1024)
    )]
    LockRefused {
        /// The soft limit of `RLIMIT_MEMLOCK` in bytes (`u64::MAX` is unlimited).
        soft_limit_bytes: u64,
        /// What the arena locks in all, with this region, in bytes.
        needed_bytes: usize,
        /// What the kernel answered.
        source: io::Error,
    },
    /// `mmap(2)` or `mprotect(2)` was refused, or the size cannot be expressed.
    #[error("cannot map {bytes} bytes of memory")]
    MapRefused {
        /// Size of the region in bytes.
        bytes: usize,
        /// What the kernel answered.
        source: io::Error,
    },
    /// `madvise(2)` was refused: the region would appear in core dumps or in forked children.
    #[error("cannot keep the locked memory out of {kept_out_of}")]
    AdviceRefused {
        /// What the region would have appeared in.
        kept_out_of: &'static str,
        /// What the kernel answered.
        source: io::Error,
    },
}
