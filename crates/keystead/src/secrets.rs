//! How a passphrase, a printed secret or a data key comes into this process, and how a new
//! passphrase leaves it.
//!
//! Invariant: a secret is read from a file, a descriptor, the environment, a credential folder or a
//! terminal, never from an argument; it lives in a buffer that is wiped and that nothing prints.

mod ask;
mod made;
mod place;
mod read;
mod text;

#[cfg(test)]
pub(crate) use ask::tests;
pub(crate) use ask::{Questions, Terminal};
pub(crate) use made::write_made;
pub(crate) use place::{Reference, ReferenceInvalid};
pub(crate) use read::{IntakeRefused, Use, read, read_bytes, refuse_shared};
pub(crate) use text::SecretText;
