//! The four ports as a living process sees them: they take time, go wrong as planned, and answer
//! nothing once the process is dead.
//!
//! Invariant: a planned crash at one port ends the whole life, so that no other port makes anything
//! durable afterwards.

mod database;
mod disk;
mod vault;

pub(crate) use database::ProcessStore;
pub(crate) use disk::ProcessDisk;
pub(crate) use vault::{ProcessVault, ProcessVaults};
