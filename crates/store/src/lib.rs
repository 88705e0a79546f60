//! The `Backend` port: load, scan, commit a change set, find its outcome.
//!
//! Invariant: rules live in `domain` and `service`; a backend loads and stores whole aggregates
//! with an expected revision, and everything in it is sealed.

mod backend;
mod change;
mod change_set;
mod codec;
pub mod conformance;
mod fault;
mod faulty;
pub mod fuzz;
mod memory;

pub use backend::{Backend, CommitFailed, Committed, CommittedChange, Scan, StoreFailed, Stored};
pub use change::{ATTEMPTS, ChangeFailed, Loaded, change};
pub use change_set::{
    AggregateRef, ChangeSet, Delete, Expected, FollowUp, Guard, Index, IndexEntry, MaterialRow, Put,
};
pub use fault::Fault;
pub use faulty::{FaultPlan, FaultyBackend};
pub use memory::MemoryBackend;

#[cfg(test)]
fn wait<F: Future>(future: F) -> F::Output {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
}
