//! The whole service over memory ports, on one thread, in virtual time.
//!
//! Invariant: a test here stands for a promise of the design; its name says the situation and the
//! answer. Whatever fails is repeated by its seed.
#![expect(clippy::unwrap_used, reason = "a test stops at what it does not expect")]
#![expect(clippy::print_stderr, reason = "a matrix that fails names its case")]

mod aliases;
mod changing;
mod client;
mod crash;
mod destroying;
mod determinism;
mod drills;
mod evidence;
mod fencing;
mod full;
mod idempotency;
mod kit;
mod leases;
mod ledger;
mod logs;
mod node;
mod operating;
mod outcome;
mod points;
mod prepared;
mod proofs;
mod restore_key;
mod restoring;
mod rotating;
mod signing;
mod tampering;
mod witnessing;
mod wraps;
