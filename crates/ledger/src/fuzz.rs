//! One oracle for each parser: what parses must write back to the same bytes.
//!
//! Invariant: every function takes any bytes at all and never panics for another reason than a
//! broken oracle. Property tests drive them for seconds, a fuzzer for days.

use keystead_crypto::{
    NotePublic,
    bytes::{Malformed, Reader, Writer},
};

use crate::{
    AddCheckpoint, Checkpoint, CompactRange, Event, Hash, Head, KeyName, KeyType, Leaf, LogProof,
    Note, NoteSignature, Origin, ProofExtra, StateEvent, StatePlace, Succession, TileLevel,
    TileName, VerifierKey, Walk, checkpoint_size, place, read_cosignatures, verify_bundles,
    verify_consistency, verify_inclusion, witnessed, write_hashes,
};

/// A public key whose private half nobody has.
const NOBODY: [u8; 32] = *b"nobody has the key to this note.";

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
        succession(&same.event());
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

/// Notes, checkpoints, signature lines and verifier keys.
///
/// # Panics
/// Where what parsed prints to other bytes, or a note is by a key that nobody has.
pub fn note(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    if let Ok(key) = text.parse::<VerifierKey>() {
        assert_eq!(key.to_string(), text, "a verifier key prints back");
    }
    if let Some(line) = NoteSignature::parse(&text) {
        assert_eq!(line.to_string(), text, "a signature line prints back");
    }
    let _ = checkpoint_text(&text);
    let Ok(note) = Note::parse(bytes) else { return };
    assert_eq!(note.to_string().as_bytes(), bytes, "a note prints back");
    for line in note.signatures() {
        for key_type in [KeyType::Log, KeyType::Witness] {
            let name = KeyName::new(line.name().as_str()).expect("a line has a name");
            let key = VerifierKey::new(name, key_type, NotePublic(NOBODY));
            assert!(note.verify(&key).is_err(), "nobody signed it");
        }
    }
    if let Some(checkpoint) = checkpoint_text(note.text()) {
        let key = NotePublic(NOBODY);
        assert!(Checkpoint::verify(&note, checkpoint.origin(), key).is_err(), "nobody signed it");
        walk(&checkpoint, bytes);
    }
}

/// Names and bytes of tiles and bundles: a line with the name, then what is in the file.
///
/// # Panics
/// Where what parsed prints or writes back to other bytes.
pub fn tile(bytes: &[u8]) {
    let end = bytes.iter().position(|byte| *byte == b'\n').unwrap_or(bytes.len());
    let (name, body) = (String::from_utf8_lossy(&bytes[..end]), bytes.get(end + 1..));
    if let Some(size) = checkpoint_size(&name) {
        assert_eq!(format!("checkpoint/{size}"), name, "a name prints back");
    }
    let (Ok(tile), Some(body)) = (name.parse::<TileName>(), body) else { return };
    assert_eq!(tile.to_string(), name, "a name prints back");
    assert_eq!(TileName::new(tile.level(), tile.index(), tile.width()), Some(tile));
    if let Ok(hashes) = tile.read_hashes(body) {
        assert_ne!(tile.level(), TileLevel::Entries, "a bundle has no hashes");
        assert_eq!(hashes.len(), usize::from(tile.width()), "a tile is as wide as it says");
        assert_eq!(write_hashes(&hashes), body, "a tile writes back");
    }
    if let Ok(entries) = tile.read_entries(body) {
        assert_eq!(entries.len(), usize::from(tile.width()), "a bundle is as wide as it says");
        let len = |entry: &&[u8]| u16::try_from(entry.len()).expect("two bytes").to_be_bytes();
        let pair = |entry: &&[u8]| [&len(entry)[..], entry].concat();
        assert_eq!(entries.iter().flat_map(pair).collect::<Vec<_>>(), body, "it writes back");
    }
}

/// Proofs: two numbers, then hashes. Nothing leads to a root that was chosen before.
///
/// # Panics
/// Where a proof is taken that nobody can have made.
pub fn proof(bytes: &[u8]) {
    let mut r = Reader::new(bytes);
    let (Ok(number), Ok(size)) = (r.u64(), r.u64()) else { return };
    let proof: Vec<Hash> = r.rest().as_chunks().0.to_vec();
    let (one, other) = ([1; 32], [2; 32]);
    let taken = verify_inclusion(&one, number, size, &other, &proof);
    assert!(taken.is_err(), "a leaf of a log that it is not in");
    let taken = verify_consistency(number, &one, size, &other, &proof);
    assert!(taken.is_err(), "a log that grew out of another");
}

/// Proof files and their extra data.
///
/// # Panics
/// Where what parsed prints to other bytes.
pub fn tlog_proof(bytes: &[u8]) {
    if let Ok(extra) = ProofExtra::decode(bytes) {
        assert_eq!(extra.encode(), bytes, "extra data writes back");
    }
    let Ok(proof) = LogProof::parse(bytes) else { return };
    assert_eq!(proof.to_string().as_bytes(), bytes, "a proof prints back");
    if let Some(extra) = &proof.extra {
        tlog_proof(extra);
    }
}

/// Requests to witnesses, and their answers.
///
/// # Panics
/// Where what parsed prints to other bytes, or a witness takes what nobody signed.
pub fn witness(bytes: &[u8]) {
    if let Ok(lines) = read_cosignatures(bytes) {
        let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
        assert_eq!(text.as_bytes(), bytes, "an answer prints back");
    }
    let Ok(asked) = AddCheckpoint::parse(bytes) else { return };
    assert_eq!(asked.to_string().as_bytes(), bytes, "a request prints back");
    let Ok(checkpoint) = Checkpoint::parse(asked.checkpoint.text()) else { return };
    let key = VerifierKey::of_log(checkpoint.origin(), NotePublic(NOBODY));
    assert!(witnessed(&asked, &[key], |_| None).is_err(), "nobody signed it");
}

fn checkpoint_text(text: &str) -> Option<Checkpoint> {
    let checkpoint = Checkpoint::parse(text).ok()?;
    assert_eq!(checkpoint.text(), text, "a checkpoint prints back");
    assert_eq!(checkpoint_size(&checkpoint.name()), Some(checkpoint.size()));
    Some(checkpoint)
}

/// No single file is all of a log with a root that was chosen before, but for the empty one.
fn walk(checkpoint: &Checkpoint, bytes: &[u8]) {
    let mut walk = Walk::new(checkpoint);
    let empty = checkpoint.size() == 0;
    assert_eq!(walk.wants().is_none(), empty, "a log that is not empty has a file");
    if walk.give(bytes).is_ok() {
        assert!(walk.wants().is_some(), "one file is no log");
    }
    assert_eq!(verify_bundles(checkpoint, []).is_ok(), empty, "no bundle is no log");
}

fn succession(first: &Event) {
    let origin = Origin::new("a/b/c").expect("three parts");
    let Ok(found) = Succession::read(&origin, first) else { return };
    let named: Vec<_> = found.attributes().iter().map(|(name, _)| name.to_owned()).collect();
    let kept = |name: &str| first.act().attributes.named(name).count();
    let again = |name: &str| named.iter().filter(|found| *found == name).count();
    for name in ["previous-head", "tail-unknown-after"] {
        assert_eq!(again(name), kept(name), "predecessors write back");
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
