//! The embedded `Backend`: SQLite with one writer thread that commits in groups.
//!
//! Invariant: a commit is answered after the COMMIT that carries it was synced (WAL,
//! `synchronous=FULL`), and `commit_seq` is gapless. Threads live here and nowhere above: one
//! writes, a few read, and a reader never waits for the writer. One process opens a database at a
//! time; the binary's lock on the data folder sees to that.

mod backend;
mod failure;
mod group;
mod open;
mod query;
mod readers;
mod row;
mod schema;
mod writer;
mod writes;

pub use backend::SqliteBackend;
pub use open::{Damage, OpenFailed};
