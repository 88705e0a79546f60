//! The one locked, non-dumpable region where opened keys live; the only `unsafe`.
//!
//! Invariant: every byte of the arena is either owned by exactly one [`Block`] or zero, and its
//! pages are locked in memory, left out of core dumps and wiped in a forked child.
//!
//! Why one region: a locked page for each key would exceed `RLIMIT_MEMLOCK` (8 MiB by default) at a
//! few thousand keys, so many small blocks share the pages of one region (4 MiB by default).

mod block;
mod errors;
mod harden;
mod pool;
mod region;
mod scratch;
mod slots;
mod wipe;

pub use block::Block;
pub use errors::{HardenFailed, InitFailed};
pub use harden::harden_process;
pub use pool::{Stats, init, stats};
pub use scratch::with_scratch;
pub use slots::MAX_BLOCK_BYTES;
pub use wipe::wipe;

/// Size in bytes of the region that [`Block::new`] maps when nobody called [`init`] before.
pub const DEFAULT_REGION_BYTES: usize = 4 * 1024 * 1024;
