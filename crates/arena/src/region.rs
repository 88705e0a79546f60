//! Maps one locked region between two guard pages and keeps it out of dumps and forks.
//!
//! Invariant: a `Region` that exists is readable, writable, locked, zero when fresh, excluded from
//! core dumps and absent (or zero) in a forked child; an access just outside it faults.
//!
//! Why wipe on fork: a child would otherwise hold unlocked copies of every key. Where the kernel
//! is too old for that the mapping is left out of the child.

use crate::InitFailed;
use std::{io, ptr, ptr::NonNull};

/// One mapping; unmapped when dropped, which happens only if its setup fails half-way.
pub(crate) struct Region {
    base: NonNull<u8>,
    bytes: usize,
    guard_bytes: usize,
}

// SAFETY: a Region is an address range; every access to its bytes goes through a Block, which owns
// its part of the range alone.
unsafe impl Send for Region {}

impl Region {
    /// Maps and locks `bytes` (a multiple of the page size). `locked_bytes` is what the arena has
    /// locked already: the refusal names the sum.
    pub(crate) fn map(bytes: usize, locked_bytes: usize) -> Result<Region, InitFailed> {
        let region = Region::reserve(bytes)?;
        region.open()?;
        region.advise()?;
        region.lock(locked_bytes)?;
        Ok(region)
    }

    /// Size in bytes, guards not counted.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// The address of the byte at `offset`.
    pub(crate) fn at(&self, offset: usize) -> NonNull<u8> {
        assert!(offset < self.bytes, "a slot lies inside its region");
        // SAFETY: `offset` is inside the mapping, so the sum neither wraps nor leaves it.
        unsafe { self.base.add(offset) }
    }

    fn reserve(bytes: usize) -> Result<Region, InitFailed> {
        let guard_bytes = page_bytes();
        let refused = |source| InitFailed::MapRefused { bytes, source };
        let whole = guard_bytes
            .checked_mul(2)
            .and_then(|guards| bytes.checked_add(guards))
            .ok_or_else(|| refused(io::ErrorKind::OutOfMemory.into()))?;
        let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS;
        // SAFETY: a new anonymous mapping at an address that the kernel chooses aliases nothing.
        let start = unsafe { libc::mmap(ptr::null_mut(), whole, libc::PROT_NONE, flags, -1, 0) };
        if start == libc::MAP_FAILED {
            return Err(refused(io::Error::last_os_error()));
        }
        let start = NonNull::new(start.cast::<u8>()).expect("the kernel maps nothing at 0 unasked");
        // SAFETY: the first guard page lies inside the mapping just made.
        let base = unsafe { start.add(guard_bytes) };
        Ok(Region { base, bytes, guard_bytes })
    }

    fn open(&self) -> Result<(), InitFailed> {
        let access = libc::PROT_READ | libc::PROT_WRITE;
        // SAFETY: the range is the inner part of our own mapping and nobody refers to it yet.
        checked(unsafe { libc::mprotect(self.start(), self.bytes, access) })
            .map_err(|source| InitFailed::MapRefused { bytes: self.bytes, source })
    }

    fn advise(&self) -> Result<(), InitFailed> {
        let refused = |kept_out_of| move |source| InitFailed::AdviceRefused { kept_out_of, source };
        self.advice(libc::MADV_DONTDUMP).map_err(refused("core dumps"))?;
        self.advice(libc::MADV_WIPEONFORK)
            .or_else(|_| self.advice(libc::MADV_DONTFORK))
            .map_err(refused("forked children"))
    }

    fn advice(&self, advice: libc::c_int) -> io::Result<()> {
        // SAFETY: the range is our own mapping; none of the advices used here frees its pages.
        checked(unsafe { libc::madvise(self.start(), self.bytes, advice) })
    }

    fn lock(&self, locked_bytes: usize) -> Result<(), InitFailed> {
        // SAFETY: the range is our own mapping; locking changes no byte of it.
        checked(unsafe { libc::mlock(self.start(), self.bytes) }).map_err(|source| {
            InitFailed::LockRefused {
                soft_limit_bytes: memlock_soft_limit_bytes(),
                needed_bytes: locked_bytes.saturating_add(self.bytes),
                source,
            }
        })
    }

    fn start(&self) -> *mut libc::c_void {
        self.base.as_ptr().cast()
    }
}

impl Drop for Region {
    fn drop(&mut self) {
        // SAFETY: the whole range, guards included, was mapped by `reserve`; no Block exists in a
        // region whose setup failed, and the pool drops no other.
        unsafe {
            let start = self.base.sub(self.guard_bytes).as_ptr();
            libc::munmap(start.cast(), self.bytes + 2 * self.guard_bytes);
        }
    }
}

/// Size of a memory page in bytes.
pub(crate) fn page_bytes() -> usize {
    // SAFETY: sysconf reads a constant of the running system.
    let bytes = unsafe { libc::sysconf(libc::_SC_PAGESIZE) };
    usize::try_from(bytes).expect("every Linux system knows its page size")
}

fn memlock_soft_limit_bytes() -> u64 {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: `limit` is live and writable for the one rlimit that the kernel stores.
    unsafe { libc::getrlimit(libc::RLIMIT_MEMLOCK, &raw mut limit) };
    limit.rlim_cur
}

fn checked(answer: libc::c_int) -> io::Result<()> {
    if answer == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}
