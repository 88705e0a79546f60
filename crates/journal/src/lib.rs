//! Appends, syncs and reads back the ledger's leaves over a `Disk`.
//!
//! Invariant: a record is acknowledged only after the sync that carries it has ended well; what was
//! acknowledged is read back at every start, once and in order, or the damage is named. The journal
//! has no thread of its own: the binary gives one to [`Journal::run_paced`], a test calls
//! [`Journal::flush_once`]. File format: `docs/formats/journal.md`.

mod check;
mod disk;
mod faulty;
mod file;
mod frame;
pub mod fuzz;
mod group;
mod journal;
mod memory;
mod reader;
mod recent;
mod scan;
mod writer;

pub use disk::{BadFileName, Disk, DiskFailed, DiskOp, FileName};
pub use faulty::{Fault, FaultPlan, FaultyDisk};
pub use file::FileDisk;
pub use group::{JournalFailed, Ticket};
pub use journal::{Flushed, Journal, Limits, Settled};
pub use memory::{Loss, MemoryDisk};
pub use scan::JournalUnreadable;
