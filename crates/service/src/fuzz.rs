//! The oracle of the parser of heads: what parses must print back.
//!
//! Invariant: it takes any text at all and never panics for another reason than a broken oracle. A
//! property test drives it for seconds, a fuzzer for days.

use crate::restore::ExpectedHead;

/// What `--expect-head` takes.
///
/// # Panics
/// Where what parsed prints as another text.
pub fn head_text(text: &str) {
    if let Ok(head) = text.parse::<ExpectedHead>() {
        assert_eq!(head.to_string(), text, "a head prints back");
    }
}

#[cfg(test)]
mod tests;
