//! One log of 300 leaves that most vectors are about.
//!
//! Invariant: made from fixed seeds, so that the same program makes the same bytes.

use std::collections::BTreeMap;

use keystead_crypto::{NoteKey, Secret};
use keystead_ledger::{
    Act, Attributes, Checkpoint, Event, Front, Hash, Head, Leaf, Note, Operation, Origin, Outcome,
    TileLevel, TileName, TileRows, leaf_hash, new_tiles, write_hashes,
};
use serde_json::{Value, json};

pub(crate) const SIZE: u64 = 300;
pub(crate) const OLDER: u64 = 200;

pub(crate) struct World {
    pub(crate) origin: Origin,
    pub(crate) key: NoteKey,
    pub(crate) entries: Vec<Vec<u8>>,
}

impl World {
    pub(crate) fn new() -> Self {
        let (instance, incarnation, node) = ("01".repeat(16), "02".repeat(16), "03".repeat(16));
        let origin = Origin::new(&format!("ins_{instance}/inc_{incarnation}/nod_{node}"));
        Self {
            origin: origin.expect("three parts"),
            key: note_key(1),
            entries: (0..SIZE).map(|at| entry(at, Attributes::new())).collect(),
        }
    }

    pub(crate) fn base(&self) -> Value {
        json!({
            "origin": self.origin.as_str(),
            "key": hex(&self.key.public().0),
            "root": hex(self.checkpoint(SIZE).root()),
            "older": self.note(OLDER).to_string(),
            "newer": self.note(SIZE).to_string(),
            "entries": self.entries.iter().map(|entry| hex(entry)).collect::<Vec<_>>(),
            "objects": objects(&files(&self.entries)),
        })
    }

    pub(crate) fn head(&self, size: u64) -> Head {
        let root = root(&self.entries[..usize::try_from(size).expect("300")]);
        Head { origin: self.origin.clone(), size, root }
    }

    pub(crate) fn checkpoint(&self, size: u64) -> Checkpoint {
        checkpoint(self.head(size))
    }

    pub(crate) fn note(&self, size: u64) -> Note {
        self.checkpoint(size).sign(&self.key)
    }
}

pub(crate) fn checkpoint(head: Head) -> Checkpoint {
    Checkpoint::new(head).expect("lawful")
}

pub(crate) fn entry(at: u64, attributes: Attributes) -> Vec<u8> {
    leaf(at, attributes).as_bytes().to_vec()
}

pub(crate) fn leaf(at: u64, attributes: Attributes) -> Leaf {
    let act = Act {
        at: 1_763_780_400_000_000 + i64::try_from(at).expect("small"),
        request: None,
        tenant: None,
        principal: None,
        front: Front::Local,
        operation: Operation::new("Said").expect("a name"),
        resource: None,
        key_version: None,
        outcome: Outcome::Succeeded,
        source: None,
        attributes,
    };
    Event::Node { act }.encode().expect("short")
}

pub(crate) fn rows(entries: &[Vec<u8>]) -> (TileRows, BTreeMap<TileName, Vec<Hash>>) {
    let (mut rows, mut tiles) = (TileRows::new(), BTreeMap::new());
    entries.iter().for_each(|entry| tiles.extend(rows.push(leaf_hash(entry))));
    let partial: Vec<_> = rows.partial().map(|(tile, row)| (tile, row.to_vec())).collect();
    tiles.extend(partial);
    (rows, tiles)
}

pub(crate) fn root(entries: &[Vec<u8>]) -> Hash {
    rows(entries).0.root()
}

pub(crate) fn files(entries: &[Vec<u8>]) -> BTreeMap<TileName, Vec<u8>> {
    let (rows, tiles) = rows(entries);
    let mut files: BTreeMap<_, _> =
        tiles.iter().map(|(tile, hashes)| (*tile, write_hashes(hashes))).collect();
    for tile in new_tiles(0, rows.size()).filter(|tile| tile.level() == TileLevel::Entries) {
        let first = usize::try_from(tile.first()).expect("300");
        files.insert(tile, bundle(&entries[first..first + usize::from(tile.width())]));
    }
    files
}

/// Written from the page and not with the crate's writer, which takes leaves alone.
pub(crate) fn bundle(entries: &[Vec<u8>]) -> Vec<u8> {
    let pair = |entry: &Vec<u8>| {
        let len = u16::try_from(entry.len()).expect("short");
        [&len.to_be_bytes()[..], entry].concat()
    };
    entries.iter().flat_map(pair).collect()
}

pub(crate) fn objects(files: &BTreeMap<TileName, Vec<u8>>) -> BTreeMap<String, Value> {
    files.iter().map(|(tile, bytes)| (tile.to_string(), hex(bytes))).collect()
}

pub(crate) fn note_key(number: u8) -> NoteKey {
    NoteKey::from_seed(Secret::from_slice(&[number; 32]).expect("32 bytes"))
}

pub(crate) fn hex(bytes: &[u8]) -> Value {
    json!(bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>())
}

pub(crate) fn refused(mut case: Value, why: &str) -> Value {
    case["refused"] = json!(why);
    case
}
