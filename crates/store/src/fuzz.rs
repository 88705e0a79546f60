//! The oracle of the parser of changes: what parses must write back to the same bytes.
//!
//! Invariant: it takes any bytes at all and never panics for another reason than a broken oracle.
//! A property test drives it for seconds, a fuzzer for days.

use crate::ChangeSet;

/// Changes as the change log keeps them.
///
/// # Panics
/// Where what parsed writes back to other bytes.
pub fn change_set(bytes: &[u8]) {
    if let Ok(set) = ChangeSet::decode(bytes) {
        assert_eq!(set.encode(), bytes, "a change writes back");
    }
}

#[cfg(test)]
mod tests;
