//! The real binary in a clean environment: what it prints where, and with which code it ends.
//!
//! Invariant: a test starts from an empty home and no environment at all, so that nothing of the
//! machine that runs it takes part.

#![expect(clippy::unwrap_used, reason = "a test's panic is its answer, also in what it calls")]

mod flags;
mod help;
mod life;
mod profile;
mod run;
mod secrets;
mod settings;
mod silence;
mod wraps;
