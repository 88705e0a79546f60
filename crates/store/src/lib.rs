//! The `Backend` port: load, scan, commit a change set, find its outcome.
//!
//! Invariant: rules live in `domain` and `service`; a backend loads and stores whole aggregates with
//! an expected revision, and everything in it is sealed.

mod backend;
mod change_set;

pub use backend::{Backend, CommitFailed, Committed, CommittedChange, Scan, StoreFailed, Stored};
pub use change_set::{
    AggregateRef, ChangeSet, Delete, Expected, FollowUp, Guard, Index, IndexEntry, MaterialRow, Put,
};
