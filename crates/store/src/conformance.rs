//! What every backend must do: one suite that each backend, here and in other crates, passes.
//!
//! Invariant: the suite uses nothing but the port, so a backend that passes can replace any other.
//! Each check gets a fresh, empty database.

pub(crate) mod sample;
