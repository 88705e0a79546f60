//! The oracles of the parsers here: what parses must print or write back.
//!
//! Invariant: it takes any text at all and never panics for another reason than a broken oracle. A
//! property test drives it for seconds, a fuzzer for days.

use crate::{restore::ExpectedHead, witness::State};

/// What `--expect-head` takes.
///
/// # Panics
/// Where what parsed prints as another text.
pub fn head_text(text: &str) {
    if let Ok(head) = text.parse::<ExpectedHead>() {
        assert_eq!(head.to_string(), text, "a head prints back");
    }
}

/// The file `proofs` of a data folder.
///
/// # Panics
/// Where what parsed writes other bytes.
pub fn proofs_file(bytes: &[u8]) {
    crate::proofs::survives(bytes);
}

/// What a witness keeps.
///
/// # Panics
/// Where what parsed writes back to other bytes.
pub fn witness_state(bytes: &[u8]) {
    if let Some(state) = State::decode(bytes) {
        assert_eq!(&state.encode()[..], bytes, "a state writes back");
    }
}

#[cfg(test)]
mod tests;
