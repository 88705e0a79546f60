//! The real binary from the outside: killed, restored, given wrong input, searched for secrets.
//!
//! Invariant: every test has machines, vaults and kits of its own in a temporary folder, drives the
//! binary as a person or an AWS client does, and waits for facts and never for time.
//!
//! `cargo xtask test` builds the binary and names it by `KEYSTEAD_BIN`.

#![expect(clippy::unwrap_used, reason = "a test's panic is its answer, also in what it calls")]

mod accesses;
mod audit;
mod backup;
mod canary;
mod events;
mod exits;
mod fencing;
mod fixtures;
mod flood;
mod interrupted;
mod journal;
mod killed;
mod refused_init;
mod refused_restore;
mod refused_serve;
mod restored;
mod stopping;
mod supervised;
mod tree;
mod vaults;
mod web;
mod witness;
mod world;
mod wraps;
