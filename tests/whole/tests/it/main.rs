//! The whole service over memory ports, on one thread, in virtual time.
//!
//! Invariant: a test here stands for a promise of the design; its name says the situation and the
//! answer. Whatever fails is repeated by its seed.

#![expect(clippy::unwrap_used, reason = "a test ends by what it did not expect")]

mod client;
mod determinism;
mod evidence;
mod node;
mod status;
