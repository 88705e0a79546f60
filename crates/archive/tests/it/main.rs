//! Reads the normative vectors of `tests/vectors/` through the public API alone.
//!
//! Invariant: the files are never written here; what they refuse is refused for the reason they
//! name.

mod ciphertext;
mod kit;
mod objects;

use keystead_crypto::Secret;
use serde_json::Value;

/// One vector of a file.
struct Vector<'a>(&'a Value);

impl Vector<'_> {
    fn name(&self) -> &str {
        self.text("name")
    }

    fn text(&self, field: &str) -> &str {
        self.0[field].as_str().unwrap_or_else(|| panic!("`{field}` of {}", self.0))
    }

    fn bytes(&self, field: &str) -> Vec<u8> {
        unhex(self.text(field))
    }

    fn array<const N: usize>(&self, field: &str) -> [u8; N] {
        self.bytes(field).try_into().unwrap_or_else(|_| panic!("`{field}` has {N} bytes"))
    }

    fn secret(&self, field: &str) -> Secret<32> {
        Secret::from_slice(&self.bytes(field)).expect("32 bytes")
    }

    fn number(&self, field: &str) -> u64 {
        self.0[field].as_u64().unwrap_or_else(|| panic!("`{field}` of {}", self.0))
    }

    fn has(&self, field: &str) -> bool {
        !self.0[field].is_null()
    }

    /// Compares what was found with the reason or the value that the vector wants.
    fn judge<T, R>(&self, found: Result<T, R>, reason: impl Fn(&R) -> &'static str) -> Option<T>
    where
        R: std::fmt::Debug,
    {
        match found {
            Ok(value) => {
                assert!(!self.has("refused"), "`{}` was taken", self.name());
                Some(value)
            }
            Err(why) => {
                assert!(self.has("refused"), "`{}` was refused: {why:?}", self.name());
                assert_eq!(reason(&why), self.text("refused"), "`{}`: {why:?}", self.name());
                None
            }
        }
    }
}

fn vectors(file: &Value) -> impl Iterator<Item = Vector<'_>> {
    list(file, "vectors")
}

fn list<'a>(file: &'a Value, field: &str) -> impl Iterator<Item = Vector<'a>> {
    let all = file[field].as_array().unwrap_or_else(|| panic!("a list `{field}`"));
    assert!(!all.is_empty());
    all.iter().map(Vector)
}

fn unhex(text: &str) -> Vec<u8> {
    let digit = |c: u8| char::from(c).to_digit(16).expect("a hex digit");
    let byte = |two: &[u8]| u8::try_from(digit(two[0]) << 4 | digit(two[1])).expect("a byte");
    assert!(text.len().is_multiple_of(2), "{text}");
    text.as_bytes().chunks(2).map(byte).collect()
}
