//! Encodes the events that make up the record, and hashes them into the Merkle log.
//!
//! Invariant: an event has one encoding (`docs/formats/ledger-leaf.md`) and never another; a tree
//! of leaves has one root (RFC 6962, section 2.1). Pure values: no clock, no IO, no randomness.
//! How a log leaves the machine, as checkpoints and tiles, is in `docs/formats/ledger.md`.

mod attribute;
mod base64;
mod chain;
mod checkpoint;
mod event;
pub mod fuzz;
mod head;
mod leaf;
mod log_proof;
mod note;
mod proof;
mod succession;
#[cfg(test)]
mod testing;
mod tile;
mod tree;
mod verify;
mod witness;

pub use attribute::{Attributes, CLEAR_BYTES, Value};
pub use chain::Chain;
pub use checkpoint::{Checkpoint, CheckpointRefused, LOG_LEAVES, checkpoint_size};
pub use event::{
    Act, Event, EventRefused, Front, Operation, Outcome, Resource, StateEvent, StatePlace,
};
pub use head::{BadOrigin, Head, Origin};
/// The codec in which leaves, heads and journal files are written.
pub use keystead_crypto::bytes::{Malformed, Reader, Writer};
pub use leaf::{LEAF_BYTES, Leaf, place};
pub use log_proof::{
    LOG_PROOF_BYTES, LogProof, LogProofRefused, OlderProof, PROOF_HASHES, ProofExtra,
};
pub use note::{
    KeyName, KeyType, NOTE_BYTES, NOTE_SIGNATURES, Note, NoteRefused, NoteSignature, VerifierKey,
    Vouched,
};
pub use proof::{
    ProofRefused, hashes_from_tiles, prove_consistency, prove_inclusion, tiles_for_consistency,
    tiles_for_inclusion, verify_consistency, verify_inclusion,
};
pub use succession::{Succession, SuccessionRefused};
pub use tile::{
    TILE_WIDTH, TOP_LEVEL, TileLevel, TileName, TileRefused, TileRows, new_tiles, tile_root,
    write_entries, write_hashes,
};
pub use tree::{CompactRange, Hash, leaf_hash, node_hash};
pub use verify::{
    LogRefused, Walk, read_leaves, verify_bundles, verify_growth, verify_growth_by_tiles,
};
pub use witness::{AddCheckpoint, WitnessRefused, read_cosignatures, witnessed};
