//! One oracle for each parser: what parses must write back to the same bytes.
//!
//! Invariant: every function takes any bytes at all and never panics for another reason than a
//! broken oracle. Property tests drive them for seconds, a fuzzer for days.

use keystead_crypto::bytes::{Malformed, Reader, Writer};

use crate::{CompactRange, Event, Head, Leaf, Origin, StateEvent, StatePlace, place};

/// Leaves, and state events that have no place yet.
///
/// # Panics
/// Where what parsed writes back to other bytes, or does not survive being placed.
pub fn leaf(bytes: &[u8]) {
    if let Ok(event) = Event::decode(bytes) {
        let leaf = event.encode().expect("what was read can be written");
        assert_eq!(leaf.as_bytes(), bytes, "a leaf writes back");
        let same = Leaf::from_bytes(bytes.to_vec()).expect("what decodes is a leaf");
        assert_eq!((same.event(), same.hash()), (event, leaf.hash()), "a leaf keeps its event");
    }
    if let Ok(event) = StateEvent::decode_unplaced(bytes) {
        let written = event.encode_unplaced().expect("what was read can be written");
        assert_eq!(written, bytes, "an unplaced event writes back");
        let at = StatePlace { commit_seq: 1, index: 0 };
        let leaf = place(bytes, at).expect("what is unplaced can be placed");
        assert_eq!(leaf.place(), Some(at), "an event is where it was placed");
    }
}

/// Heads, origins and the peaks of trees.
///
/// # Panics
/// Where what parsed writes back to other bytes.
pub fn head(bytes: &[u8]) {
    writes_back(bytes, Head::read, Head::write);
    writes_back(bytes, CompactRange::read, CompactRange::write);
    let text = String::from_utf8_lossy(bytes);
    if let Ok(origin) = text.parse::<Origin>() {
        assert_eq!(origin.to_string(), text, "an origin prints back");
    }
    if let Ok(tree) = CompactRange::read(&mut Reader::new(bytes)) {
        let _ = tree.root();
    }
}

fn writes_back<T>(
    bytes: &[u8],
    read: impl Fn(&mut Reader<'_>) -> Result<T, Malformed>,
    write: impl Fn(&T, &mut Writer),
) {
    let mut r = Reader::new(bytes);
    let Ok(value) = read(&mut r) else { return };
    let mut w = Writer::new();
    write(&value, &mut w);
    assert_eq!(w.as_slice(), &bytes[..r.position()], "a value writes back");
}

#[cfg(test)]
mod tests;
