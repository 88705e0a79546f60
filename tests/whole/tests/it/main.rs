//! The whole service over memory ports, on one thread, in virtual time.
//!
//! Invariant: a test here stands for a promise of the design; its name says the situation and the
//! answer. Whatever fails is repeated by its seed.

mod client;
mod crash;
mod determinism;
mod evidence;
mod node;
