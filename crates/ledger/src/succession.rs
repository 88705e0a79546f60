//! What the first entry of an origin says of those before it (`docs/formats/ledger.md`).
//!
//! Invariant: no origin follows itself, none is named twice, and an unknown tail belongs to a head
//! that is named. So a chain of logs can be walked back, and where it has a gap it says so.

use thiserror::Error;

use crate::{Attributes, CLEAR_BYTES, Event, Head, Origin, Reader, Value, Writer};

const PREVIOUS_HEAD: &str = "previous-head";
const TAIL_UNKNOWN_AFTER: &str = "tail-unknown-after";
const SIZE_BYTES: usize = 8;

/// Why the first entry of an origin says nothing lawful about those before it.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum SuccessionRefused {
    /// It is not an event of the node.
    #[error("the first entry of an origin is an event of the node")]
    NotOfNode,
    /// An attribute that does not hold what its name says.
    #[error("an attribute `{name}` of the first entry is malformed")]
    Attribute {
        /// Its name.
        name: &'static str,
    },
    /// The origin itself, or one that was named before.
    #[error("`{origin}` cannot be named as a predecessor, or was named twice")]
    Origin {
        /// Which.
        origin: Origin,
    },
    /// An unknown tail of no head.
    #[error("a tail is unknown after {size}, which is the size of no head that is named")]
    Tail {
        /// The size that it names.
        size: u64,
    },
}

/// The origins that a new one follows.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Succession {
    heads: Vec<Head>,
    tails: Vec<u64>,
}

impl Succession {
    /// Of an origin that follows nothing.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Reads what the first entry of `origin` says.
    ///
    /// # Errors
    /// [`SuccessionRefused`].
    pub fn read(origin: &Origin, first: &Event) -> Result<Self, SuccessionRefused> {
        let Event::Node { act } = first else { return Err(SuccessionRefused::NotOfNode) };
        let mut found = Self::new();
        for value in act.attributes.named(PREVIOUS_HEAD) {
            let head =
                read_head(&value).ok_or(SuccessionRefused::Attribute { name: PREVIOUS_HEAD })?;
            found = found.after(origin, head)?;
        }
        for value in act.attributes.named(TAIL_UNKNOWN_AFTER) {
            let size = read_size(&value)
                .ok_or(SuccessionRefused::Attribute { name: TAIL_UNKNOWN_AFTER })?;
            found = found.with_unknown_tail(size)?;
        }
        Ok(found)
    }

    /// The same after one log more, by the last head of it that is known.
    ///
    /// # Errors
    /// [`SuccessionRefused::Origin`].
    pub fn after(mut self, origin: &Origin, head: Head) -> Result<Self, SuccessionRefused> {
        if head.origin == *origin || self.heads.iter().any(|known| known.origin == head.origin) {
            return Err(SuccessionRefused::Origin { origin: head.origin });
        }
        self.heads.push(head);
        Ok(self)
    }

    /// The same where nobody knows what the log of that size recorded behind it.
    ///
    /// # Errors
    /// [`SuccessionRefused::Tail`].
    pub fn with_unknown_tail(mut self, size: u64) -> Result<Self, SuccessionRefused> {
        if !self.heads.iter().any(|head| head.size == size) {
            return Err(SuccessionRefused::Tail { size });
        }
        self.tails.push(size);
        Ok(self)
    }

    /// The last known heads of the logs before, and whether each one's tail is unknown.
    pub fn heads(&self) -> impl Iterator<Item = (&Head, bool)> {
        self.heads.iter().map(|head| (head, self.tails.contains(&head.size)))
    }

    /// As attributes of the first entry.
    ///
    /// # Panics
    /// Above 256 of them.
    #[must_use]
    pub fn attributes(&self) -> Attributes {
        let heads = self.heads.iter().map(|head| (PREVIOUS_HEAD, written(head)));
        let tails = self.tails.iter().map(|size| (TAIL_UNKNOWN_AFTER, size.to_be_bytes().to_vec()));
        let mut all = Attributes::new();
        for (name, bytes) in heads.chain(tails) {
            all.insert(name, &Value::Clear(bytes)).expect("a head is short, and they are few");
        }
        all
    }
}

fn written(head: &Head) -> Vec<u8> {
    let mut w = Writer::new();
    head.write(&mut w);
    w.finish()
}

fn read_head(value: &Value) -> Option<Head> {
    let mut r = Reader::new(clear(value)?);
    let head = Head::read(&mut r).ok()?;
    r.finish().ok().map(|()| head)
}

fn read_size(value: &Value) -> Option<u64> {
    let bytes: [u8; SIZE_BYTES] = clear(value)?.try_into().ok()?;
    Some(u64::from_be_bytes(bytes))
}

fn clear(value: &Value) -> Option<&[u8]> {
    match value {
        Value::Clear(bytes) if bytes.len() <= CLEAR_BYTES => Some(bytes),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
