//! Takes from the kernel its two ways of writing this process's memory to a disk: core dumps and
//! the reading of `/proc/<pid>/mem` by other processes of the same user.
//!
//! Invariant: both settings hold for the rest of the process's life, also for later threads; both
//! are set before the first key is opened, so the binary calls this first.

use crate::HardenFailed;
use std::io;

/// Sets `RLIMIT_CORE` to 0 (soft and hard) and `PR_SET_DUMPABLE` to 0.
///
/// # Errors
/// [`HardenFailed`] names the setting that the kernel refused.
pub fn harden_process() -> Result<(), HardenFailed> {
    let none = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: `none` is a live, initialised rlimit that the kernel only reads.
    if unsafe { libc::setrlimit(libc::RLIMIT_CORE, &raw const none) } != 0 {
        return Err(HardenFailed::CoreLimit { source: io::Error::last_os_error() });
    }
    let off: libc::c_ulong = 0;
    // SAFETY: PR_SET_DUMPABLE takes integers only and touches no memory of ours.
    if unsafe { libc::prctl(libc::PR_SET_DUMPABLE, off, off, off, off) } != 0 {
        return Err(HardenFailed::Dumpable { source: io::Error::last_os_error() });
    }
    Ok(())
}
