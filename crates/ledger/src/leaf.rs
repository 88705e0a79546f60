//! The bytes of one event as they enter the log.
//!
//! Invariant: a [`Leaf`] holds a canonical event of at most 65,535 bytes; it is made by
//! encoding, by placing or by checking, never from bytes on trust.

use std::sync::OnceLock;

use crate::{
    Event, Hash, StateEvent, StatePlace,
    event::{STATE, VERSION},
    leaf_hash,
};
use keystead_crypto::bytes::Malformed;

/// The longest leaf: tiles give each a length of two bytes.
pub const LEAF_BYTES: usize = 65_535;

/// A canonical event, ready to be appended.
#[derive(Debug, Clone)]
pub struct Leaf {
    bytes: Vec<u8>,
    /// Its hash, once somebody has asked: who appends it does, and who ships it a second later.
    hash: OnceLock<Hash>,
}

impl PartialEq for Leaf {
    fn eq(&self, other: &Self) -> bool {
        self.bytes == other.bytes
    }
}

impl Eq for Leaf {}

impl Leaf {
    /// Takes bytes that are one.
    ///
    /// # Errors
    /// [`Malformed`] where no event encodes to them.
    pub fn from_bytes(bytes: Vec<u8>) -> Result<Self, Malformed> {
        Event::decode(&bytes)?;
        Ok(Self::trusted(bytes))
    }

    /// Its bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Its hash in the tree.
    #[must_use]
    pub fn hash(&self) -> Hash {
        *self.hash.get_or_init(|| leaf_hash(&self.bytes))
    }

    /// The event that it holds.
    #[must_use]
    pub fn event(&self) -> Event {
        Event::decode(&self.bytes).expect("a leaf is made from canonical bytes alone")
    }

    /// The place of a state event; nothing for others.
    #[must_use]
    pub fn place(&self) -> Option<StatePlace> {
        let (kind, place) = (self.bytes[1], self.bytes.get(2..12)?);
        let (seq, index) = place.split_first_chunk::<8>()?;
        let index = index.first_chunk::<2>()?;
        (kind == STATE).then(|| StatePlace {
            commit_seq: u64::from_be_bytes(*seq),
            index: u16::from_be_bytes(*index),
        })
    }

    /// `bytes` come out of the encoder.
    pub(crate) fn trusted(bytes: Vec<u8>) -> Self {
        debug_assert_eq!(bytes.first(), Some(&VERSION));
        Self { bytes, hash: OnceLock::new() }
    }
}

/// Gives an unplaced state event, as a change set carried it, its place in the order of commits.
///
/// # Errors
/// [`Malformed`] where the bytes are no unplaced event, or nothing can stand at `place`.
pub fn place(unplaced: &[u8], place: StatePlace) -> Result<Leaf, Malformed> {
    StateEvent::decode_unplaced(unplaced)?;
    if !place.is_lawful() {
        return Err(Malformed::BadValue { field: "place" });
    }
    let mut bytes = unplaced.to_vec();
    bytes[2..10].copy_from_slice(&place.commit_seq.to_be_bytes());
    bytes[10..12].copy_from_slice(&place.index.to_be_bytes());
    Ok(Leaf::trusted(bytes))
}
