//! Reads the normative vectors of `tests/vectors/ledger.json` through the public API alone, and
//! compares with another implementation.
//!
//! Invariant: the file is never written here; what it refuses is refused for the reason it names.

mod logs;
mod notes;
mod others;
mod tiles;

use std::{fmt::Debug, sync::LazyLock};

use serde_json::Value;

static FILE: LazyLock<Value> = LazyLock::new(|| {
    serde_json::from_str(include_str!("../../../../tests/vectors/ledger.json")).expect("JSON")
});

/// One case of the file.
#[derive(Clone, Copy)]
struct Case<'a>(&'a Value);

impl<'a> Case<'a> {
    fn text(&self, field: &str) -> &'a str {
        self.0[field].as_str().unwrap_or_else(|| panic!("`{field}` of {}", self.0))
    }

    fn bytes(&self, field: &str) -> Vec<u8> {
        unhex(self.text(field))
    }

    fn array<const N: usize>(&self, field: &str) -> [u8; N] {
        self.bytes(field).try_into().unwrap_or_else(|_| panic!("`{field}` has {N} bytes"))
    }

    fn number(&self, field: &str) -> u64 {
        self.0[field].as_u64().unwrap_or_else(|| panic!("`{field}` of {}", self.0))
    }

    fn list(&self, field: &str) -> &'a [Value] {
        self.0[field].as_array().unwrap_or_else(|| panic!("`{field}` of {}", self.0))
    }

    fn hashes(&self, field: &str) -> Vec<[u8; 32]> {
        let hash = |value: &Value| {
            unhex(value.as_str().expect("hex digits")).try_into().expect("32 bytes")
        };
        self.list(field).iter().map(hash).collect()
    }

    /// Compares what was found with the reason or the value that the case wants.
    fn judge<T, R: Debug>(&self, found: Result<T, R>, reason: impl Fn(&R) -> String) -> Option<T> {
        let (name, wanted) = (self.text("name"), self.0["refused"].as_str());
        match (found, wanted) {
            (Ok(value), None) => Some(value),
            (Ok(_), Some(wanted)) => panic!("`{name}` was taken, not refused: {wanted}"),
            (Err(why), None) => panic!("`{name}` was refused: {why:?}"),
            (Err(why), Some(wanted)) => {
                assert_eq!(reason(&why), wanted, "`{name}`: {why:?}");
                None
            }
        }
    }
}

fn cases(group: &str) -> impl Iterator<Item = Case<'static>> {
    let all = FILE[group].as_array().unwrap_or_else(|| panic!("a list `{group}`"));
    assert!(!all.is_empty());
    all.iter().map(Case)
}

fn unhex(text: &str) -> Vec<u8> {
    assert!(text.len().is_multiple_of(2), "{text}");
    let byte = |at: usize| u8::from_str_radix(&text[at..at + 2], 16).expect("hex digits");
    (0..text.len()).step_by(2).map(byte).collect()
}
