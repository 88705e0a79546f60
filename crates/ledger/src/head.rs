//! Which log, how long, and its root: what a segment names and a checkpoint will sign.
//!
//! Invariant: an origin belongs to one node of one incarnation and is never continued by another,
//! so two heads with one origin are comparable and those of different origins never are.

use keystead_crypto::bytes::{Malformed, Reader, Writer};
use thiserror::Error;

use crate::Hash;

/// Why a text is not an origin.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("`{text}` is not an origin of the form `<instance>/<incarnation>/<node>`")]
pub struct BadOrigin {
    /// What was given.
    pub text: String,
}

/// The name of one log: `<instance>/<incarnation>/<node>`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Origin(String);

impl Origin {
    /// From its text: three parts of 1 to 64 of `a-z`, `0-9`, `_`, `-`.
    ///
    /// # Errors
    /// [`BadOrigin`].
    pub fn new(text: &str) -> Result<Self, BadOrigin> {
        let mut parts = text.split('/');
        let lawful = parts.by_ref().take(3).filter(|part| is_part(part)).count() == 3;
        if lawful && parts.next().is_none() {
            Ok(Self(text.to_owned()))
        } else {
            Err(BadOrigin { text: text.to_owned() })
        }
    }

    /// Its text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Appends the text.
    pub fn write(&self, w: &mut Writer) {
        w.text(&self.0);
    }

    /// Takes an origin.
    ///
    /// # Errors
    /// [`Malformed::BadValue`] where the text is none.
    pub fn read(r: &mut Reader<'_>) -> Result<Self, Malformed> {
        Self::new(r.text("origin")?).map_err(|_| Malformed::BadValue { field: "origin" })
    }
}

impl std::fmt::Display for Origin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::str::FromStr for Origin {
    type Err = BadOrigin;

    fn from_str(text: &str) -> Result<Self, BadOrigin> {
        Self::new(text)
    }
}

/// A log at one size.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// Which log.
    pub origin: Origin,
    /// How many leaves.
    pub size: u64,
    /// The root over them (RFC 6962, section 2.1).
    pub root: Hash,
}

impl Head {
    /// Appends origin, size and root.
    pub fn write(&self, w: &mut Writer) {
        self.origin.write(w);
        w.u64(self.size).raw(&self.root);
    }

    /// Takes a head.
    ///
    /// # Errors
    /// [`Malformed`].
    pub fn read(r: &mut Reader<'_>) -> Result<Self, Malformed> {
        Ok(Self { origin: Origin::read(r)?, size: r.u64()?, root: r.array()? })
    }
}

fn is_part(part: &str) -> bool {
    (1..=64).contains(&part.len())
        && part.bytes().all(|c| matches!(c, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'-'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_has_three_plain_parts() {
        assert_eq!(Origin::new("ins_0a/inc_1/nod-2").unwrap().as_str(), "ins_0a/inc_1/nod-2");
        let long = format!("a/b/{}", "c".repeat(65));
        for bad in
            ["", "a", "a/b", "a/b/", "a//c", "/b/c", "a/b/c/", "a/b/c/d", "A/b/c", "a/b/c ", &long]
        {
            assert_eq!(Origin::new(bad), Err(BadOrigin { text: bad.to_owned() }));
        }
    }

    #[test]
    fn a_head_reads_back() {
        let head = Head { origin: Origin::new("a/b/c").unwrap(), size: 7, root: [9; 32] };
        let mut w = Writer::new();
        head.write(&mut w);
        assert_eq!(Head::read(&mut Reader::new(w.as_slice())), Ok(head));
    }
}
