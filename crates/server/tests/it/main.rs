//! The fronts on a real service over memory ports, spoken to over TCP.

#![expect(clippy::unwrap_used, reason = "a test's panic is its answer, also in what it calls")]

mod admission;
mod kms;
mod native;
mod operating;
mod serving;
mod wire;
mod world;
