//! Every use case, the door, authentication and the jobs.
//!
//! Invariant: no HTTP, SQL, thread or ambient clock: the whole service runs on one current-thread
//! runtime over memory ports, and two runs from one seed are equal.

mod command;
mod error;
pub mod status;

pub use command::*;
pub use error::{AuthFault, Error, ErrorKind, Fault, FenceReason, LedgerFault};
