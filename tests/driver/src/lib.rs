//! Drives the real binary as people and AWS clients do: commands, a server, signed requests.
//!
//! Invariant: nothing here looks into the instance: what it learns it learns from exit codes,
//! output and answers, as users do. It waits for facts (a line, an end, a connection) and never for
//! time.

mod answered;
mod failed;
mod fixture;
mod kms;
mod machine;
mod native;
mod serving;
mod signed;

pub use answered::Answered;
pub use failed::Failed;
pub use fixture::{Fixture, Place, copy};
pub use kms::{Access, CallFailed, Kms};
pub use machine::{Ended, Machine, binary, make_private};
pub use native::{Native, segment};
pub use serving::Serving;
pub use signed::Unsigned;
