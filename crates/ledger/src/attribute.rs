//! What an event says beyond its fixed fields: named values, clear, as a MAC or as a digest.
//!
//! Invariant: pairs are a set in one order, and a body has one form: what fits is clear, what does
//! not is a digest. Personal and guessable values enter as [`Value::Mac`] only, so that erasing a
//! tenant's audit key takes their meaning and leaves the tree whole.

use std::collections::BTreeSet;

use keystead_crypto::{
    bytes::{Malformed, Reader, Writer},
    hash::sha256,
};

use crate::EventRefused;

/// The longest body that stands in a leaf itself; a longer one is kept elsewhere.
pub const CLEAR_BYTES: usize = 4096;

const NAME_BYTES: usize = 64;
const MOST: usize = 256;

/// The value of an attribute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// Public bytes, at most [`CLEAR_BYTES`].
    Clear(Vec<u8>),
    /// HMAC-SHA-256 under the tenant's audit key.
    Mac([u8; 32]),
    /// A public body that is kept elsewhere.
    Digest {
        /// Its SHA-256.
        sha256: [u8; 32],
        /// Its length, above [`CLEAR_BYTES`].
        len_bytes: u64,
    },
}

impl Value {
    /// Public bytes in the form that their length calls for.
    #[must_use]
    pub fn of(body: &[u8]) -> Self {
        if body.len() <= CLEAR_BYTES {
            Self::Clear(body.to_vec())
        } else {
            Self::Digest { sha256: sha256(body), len_bytes: body.len() as u64 }
        }
    }

    fn write(&self, w: &mut Writer) {
        match self {
            Self::Clear(bytes) => w.u8(1).bytes(bytes),
            Self::Mac(mac) => w.u8(2).raw(mac),
            Self::Digest { sha256, len_bytes } => w.u8(3).raw(sha256).u64(*len_bytes),
        };
    }

    fn read(r: &mut Reader<'_>) -> Result<Self, Malformed> {
        let value = match r.u8()? {
            1 => Self::Clear(r.bytes()?.to_vec()),
            2 => Self::Mac(r.array()?),
            3 => Self::Digest { sha256: r.array()?, len_bytes: r.u64()? },
            _ => return Err(BAD_VALUE),
        };
        if value.is_lawful() { Ok(value) } else { Err(BAD_VALUE) }
    }

    fn is_lawful(&self) -> bool {
        match self {
            Self::Clear(bytes) => bytes.len() <= CLEAR_BYTES,
            Self::Mac(_) => true,
            Self::Digest { len_bytes, .. } => *len_bytes > CLEAR_BYTES as u64,
        }
    }
}

const BAD_VALUE: Malformed = Malformed::BadValue { field: "attribute value" };
const BAD_NAME: Malformed = Malformed::BadValue { field: "attribute name" };

/// The attributes of an event, in their one order.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Attributes {
    /// Each pair in its encoding, behind the name: the order of the format.
    pairs: BTreeSet<(String, Vec<u8>)>,
}

impl Attributes {
    /// None.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a pair; one that is there already stays single.
    ///
    /// # Errors
    /// [`EventRefused::Attribute`] for a name outside `[a-z][a-z0-9-]{0,63}`, a value of unlawful
    /// length, or more than 256 pairs.
    pub fn insert(&mut self, name: &str, value: &Value) -> Result<(), EventRefused> {
        let refused = || EventRefused::Attribute { name: name.to_owned() };
        if !is_name(name) || !value.is_lawful() || self.pairs.len() == MOST {
            return Err(refused());
        }
        self.pairs.insert((name.to_owned(), encoded(value)));
        Ok(())
    }

    /// The same with one pair more, for literals.
    ///
    /// # Errors
    /// As [`Attributes::insert`].
    pub fn with(mut self, name: &str, value: &Value) -> Result<Self, EventRefused> {
        self.insert(name, value)?;
        Ok(self)
    }

    /// The pairs in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, Value)> {
        self.pairs.iter().map(|(name, value)| {
            let value = Value::read(&mut Reader::new(value)).expect("encoded when it was inserted");
            (name.as_str(), value)
        })
    }

    /// The values with this name, in order.
    pub fn named<'a>(&'a self, name: &'a str) -> impl Iterator<Item = Value> + 'a {
        self.iter().filter(move |(found, _)| *found == name).map(|(_, value)| value)
    }

    pub(crate) fn write(&self, w: &mut Writer) {
        w.list(self.pairs.iter(), |w, (name, value)| {
            w.text(name).raw(value);
        });
    }

    pub(crate) fn read(r: &mut Reader<'_>) -> Result<Self, Malformed> {
        let mut pairs = BTreeSet::new();
        let found = r.list(|r| {
            let name = r.text("attribute name")?.to_owned();
            let value = encoded(&Value::read(r)?);
            if !is_name(&name) {
                return Err(BAD_NAME);
            }
            let pair = (name, value);
            if pairs.last().is_some_and(|last| *last >= pair) || pairs.len() == MOST {
                return Err(Malformed::BadValue { field: "attributes" });
            }
            pairs.insert(pair);
            Ok(())
        });
        found.map(|_| Self { pairs })
    }
}

fn encoded(value: &Value) -> Vec<u8> {
    let mut w = Writer::new();
    value.write(&mut w);
    w.finish()
}

fn is_name(name: &str) -> bool {
    name.len() <= NAME_BYTES
        && name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.bytes().all(|c| matches!(c, b'a'..=b'z' | b'0'..=b'9' | b'-'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_of_insertion_does_not_show() {
        let (a, b) = (Value::Mac([1; 32]), Value::of(b"x"));
        let one = Attributes::new().with("k", &a).unwrap().with("k", &b).unwrap();
        let other = Attributes::new().with("k", &b).unwrap().with("k", &a).unwrap();
        assert_eq!(one, other);
        assert_eq!(one.named("k").collect::<Vec<_>>(), [b, a]);
    }

    #[test]
    fn a_body_is_clear_up_to_the_bound_and_a_digest_above() {
        assert!(matches!(Value::of(&[0; CLEAR_BYTES]), Value::Clear(_)));
        let long = Value::of(&[0; CLEAR_BYTES + 1]);
        assert!(matches!(long, Value::Digest { len_bytes: 4097, .. }), "{long:?}");
        let too_long = Value::Clear(vec![0; CLEAR_BYTES + 1]);
        assert!(Attributes::new().with("body", &too_long).is_err());
    }

    #[test]
    fn names_outside_the_alphabet_are_refused() {
        for bad in ["", "K", "1k", "-k", "a_b", "a b", "ä", &"a".repeat(65)] {
            let refused = Attributes::new().with(bad, &Value::of(b""));
            assert_eq!(refused, Err(EventRefused::Attribute { name: bad.to_owned() }));
        }
    }
}
