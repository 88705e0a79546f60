//! Encodes the events that make up the record, and hashes them into the Merkle log.
//!
//! Invariant: an event has one encoding (`docs/formats/ledger-leaf.md`) and never another; a tree
//! of leaves has one root (RFC 6962, section 2.1). Pure values: no clock, no IO, no randomness.
//! Signed checkpoints, tiles and proofs build on [`CompactRange`] and [`Head`].

mod attribute;
mod chain;
mod event;
pub mod fuzz;
mod head;
mod leaf;
mod tree;

pub use attribute::{Attributes, CLEAR_BYTES, Value};
pub use chain::Chain;
pub use event::{
    Act, Event, EventRefused, Front, Operation, Outcome, Resource, StateEvent, StatePlace,
};
pub use head::{BadOrigin, Head, Origin};
/// The codec in which leaves, heads and journal files are written.
pub use keystead_crypto::bytes::{Malformed, Reader, Writer};
pub use leaf::{LEAF_BYTES, Leaf, place};
pub use tree::{CompactRange, Hash, leaf_hash, node_hash};
