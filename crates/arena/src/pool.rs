//! Holds the process's regions and hands out their slots behind one lock.
//!
//! Invariant: a region, once part of the pool, is never unmapped, so a slot's address is valid for
//! the life of the process; and a slot is handed out to one owner at a time.

use crate::region::{Region, page_bytes};
use crate::slots::{Class, MAX_BLOCK_BYTES, Slot, Slots};
use crate::{DEFAULT_REGION_BYTES, InitFailed};
use std::io;
use std::ptr::NonNull;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// How full the arena is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Stats {
    /// Bytes mapped and locked.
    pub capacity_bytes: usize,
    /// Bytes that live blocks occupy, each rounded up to its size class.
    pub used_bytes: usize,
    /// Live blocks.
    pub blocks: usize,
}

/// Maps and locks the region: `bytes`, rounded up to whole pages and to 8192. Calling it again with
/// the same size does nothing.
///
/// # Errors
/// [`InitFailed::LockRefused`] names `RLIMIT_MEMLOCK`, its soft limit and what is needed;
/// [`InitFailed::AlreadyInitialised`] means that the region exists with another size.
pub fn init(bytes: usize) -> Result<(), InitFailed> {
    pool().init(bytes)
}

/// How full the arena is now.
pub fn stats() -> Stats {
    let pool = pool();
    let capacity_bytes = pool.capacity_bytes();
    Stats { capacity_bytes, used_bytes: pool.used_bytes, blocks: pool.blocks }
}

/// A slot of this class and its address; grows the arena when it is full.
pub(crate) fn take(class: Class) -> Result<(Slot, NonNull<u8>), InitFailed> {
    pool().take(class)
}

/// Puts back a slot whose bytes are zero again.
pub(crate) fn give(slot: Slot, class: Class) {
    pool().give(slot, class);
}

static POOL: Mutex<Pool> =
    Mutex::new(Pool { regions: Vec::new(), slots: Slots::new(), used_bytes: 0, blocks: 0 });

struct Pool {
    regions: Vec<Region>,
    slots: Slots,
    used_bytes: usize,
    blocks: usize,
}

fn pool() -> MutexGuard<'static, Pool> {
    // No step below can panic between two writes that belong together.
    POOL.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Pool {
    fn init(&mut self, bytes: usize) -> Result<(), InitFailed> {
        let asked_bytes = rounded(bytes)?;
        match self.regions.first().map(Region::bytes) {
            None => self.grow(asked_bytes),
            Some(in_force_bytes) if in_force_bytes == asked_bytes => Ok(()),
            Some(in_force_bytes) => {
                Err(InitFailed::AlreadyInitialised { in_force_bytes, asked_bytes })
            }
        }
    }

    fn take(&mut self, class: Class) -> Result<(Slot, NonNull<u8>), InitFailed> {
        let slot = match self.slots.take(class) {
            Some(slot) => slot,
            None => self.take_from_new_region(class)?,
        };
        self.used_bytes += class.bytes();
        self.blocks += 1;
        Ok((slot, self.regions[slot.region].at(slot.offset)))
    }

    fn take_from_new_region(&mut self, class: Class) -> Result<Slot, InitFailed> {
        self.grow(self.regions.first().map_or(DEFAULT_REGION_BYTES, Region::bytes))?;
        Ok(self.slots.take(class).expect("a new region holds a slot of every class"))
    }

    fn give(&mut self, slot: Slot, class: Class) {
        self.slots.give(slot, class);
        self.used_bytes -= class.bytes();
        self.blocks -= 1;
    }

    fn grow(&mut self, bytes: usize) -> Result<(), InitFailed> {
        let region = Region::map(bytes, self.capacity_bytes())?;
        self.slots.add_region(self.regions.len(), bytes);
        self.regions.push(region);
        Ok(())
    }

    fn capacity_bytes(&self) -> usize {
        self.regions.iter().map(Region::bytes).sum()
    }
}

fn rounded(bytes: usize) -> Result<usize, InitFailed> {
    let unit = page_bytes().max(MAX_BLOCK_BYTES);
    bytes
        .max(unit)
        .checked_next_multiple_of(unit)
        .ok_or_else(|| InitFailed::MapRefused { bytes, source: io::ErrorKind::OutOfMemory.into() })
}
