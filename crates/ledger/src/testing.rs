//! A log for tests, and the definitions of RFC 6962, section 2.1, word for word.
//!
//! Invariant: nothing here uses the code that it is to judge, but for the hash of one leaf and of
//! one node, which have tests of their own.

use std::{cell::RefCell, collections::BTreeMap};

use keystead_crypto::{NoteKey, Secret, hash::sha256};

use crate::{
    Checkpoint, Hash, Head, Origin, TILE_WIDTH, TileLevel, TileName, leaf_hash, new_tiles,
    node_hash,
};

/// A log of numbers.
pub(crate) struct Log {
    pub(crate) entries: Vec<Vec<u8>>,
    roots: RefCell<BTreeMap<(usize, usize), Hash>>,
}

impl Log {
    pub(crate) fn new(size: u32) -> Self {
        let entry = |n: u32| n.to_be_bytes()[(n % 4) as usize..].to_vec();
        Self { entries: (0..size).map(entry).collect(), roots: RefCell::default() }
    }

    /// The same up to entry `at`, which and after which it differs.
    pub(crate) fn forked(&self, at: usize) -> Self {
        let mut entries = self.entries.clone();
        entries[at].push(b'x');
        Self { entries, roots: RefCell::default() }
    }

    /// MTH(D[from:to]).
    pub(crate) fn mth(&self, from: usize, to: usize) -> Hash {
        if let Some(known) = self.roots.borrow().get(&(from, to)) {
            return *known;
        }
        let root = match to - from {
            0 => sha256(&[]),
            1 => leaf_hash(&self.entries[from]),
            n => {
                let k = n.next_power_of_two() / 2;
                node_hash(&self.mth(from, from + k), &self.mth(from + k, to))
            }
        };
        self.roots.borrow_mut().insert((from, to), root);
        root
    }

    /// PATH(m, D[from:to]), with m counted from `from`.
    pub(crate) fn path(&self, m: usize, from: usize, to: usize) -> Vec<Hash> {
        let n = to - from;
        if n == 1 {
            return Vec::new();
        }
        let k = n.next_power_of_two() / 2;
        let (mut path, last) = if m < k {
            (self.path(m, from, from + k), self.mth(from + k, to))
        } else {
            (self.path(m - k, from + k, to), self.mth(from, from + k))
        };
        path.push(last);
        path
    }

    /// SUBPROOF(m, D[from:to], b).
    pub(crate) fn subproof(&self, m: usize, from: usize, to: usize, b: bool) -> Vec<Hash> {
        let n = to - from;
        if m == n {
            return if b { Vec::new() } else { vec![self.mth(from, to)] };
        }
        let k = n.next_power_of_two() / 2;
        let (mut proof, last) = if m <= k {
            (self.subproof(m, from, from + k, b), self.mth(from + k, to))
        } else {
            (self.subproof(m - k, from + k, to, false), self.mth(from, from + k))
        };
        proof.push(last);
        proof
    }

    /// Hashes of perfect subtrees, as the makers of proofs read them.
    pub(crate) fn hash(&self, height: u8, index: u64) -> Option<Hash> {
        let (from, leaves) = (usize::try_from(index).ok()? << height, 1usize << height);
        (from + leaves <= self.entries.len()).then(|| self.mth(from, from + leaves))
    }

    pub(crate) fn origin() -> Origin {
        Origin::new("ins_01/inc_02/nod_03").expect("three parts")
    }

    pub(crate) fn key() -> NoteKey {
        note_key(7)
    }

    pub(crate) fn checkpoint(&self, size: usize) -> Checkpoint {
        let (origin, root) = (Self::origin(), self.mth(0, size));
        Checkpoint::new(Head { origin, size: size as u64, root }).expect("a lawful head")
    }

    /// The bytes of a tile or bundle, from the definition.
    pub(crate) fn file(&self, tile: TileName) -> Vec<u8> {
        let first = usize::try_from(tile.first()).expect("a small log");
        let numbers = first..first + usize::from(tile.width());
        match tile.level() {
            TileLevel::Hashes(level) => {
                let each = usize::from(TILE_WIDTH).pow(level.into());
                numbers.flat_map(|i| self.mth(i * each, (i + 1) * each)).collect()
            }
            TileLevel::Entries => {
                self.entries[numbers].iter().flat_map(|entry| bundled(entry)).collect()
            }
        }
    }

    /// All files of a size by name.
    pub(crate) fn files(&self, size: usize) -> BTreeMap<TileName, Vec<u8>> {
        new_tiles(0, size as u64).map(|tile| (tile, self.file(tile))).collect()
    }
}

pub(crate) fn bundled(entry: &[u8]) -> Vec<u8> {
    let len = u16::try_from(entry.len()).expect("a short entry");
    [&len.to_be_bytes(), entry].concat()
}

pub(crate) fn note_key(number: u8) -> NoteKey {
    NoteKey::from_seed(Secret::from_slice(&[number; 32]).expect("32 bytes"))
}

pub(crate) fn flipped(bytes: &[u8], at: usize) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    bytes[at] ^= 1 << (at % 8);
    bytes
}

pub(crate) fn unhex(text: &str) -> Vec<u8> {
    let byte = |at: usize| u8::from_str_radix(&text[at..at + 2], 16).expect("hex digits");
    (0..text.len()).step_by(2).map(byte).collect()
}
