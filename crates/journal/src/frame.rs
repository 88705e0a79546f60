//! The bytes of a journal file: its header and its entries (`docs/formats/journal.md`).
//!
//! Invariant: an entry is accepted only with the check that follows from the 32 bytes before it, so
//! one that was altered, moved or left out is seen where it is.

use keystead_ledger::{
    Chain, CompactRange, Hash, LEAF_BYTES, Leaf, Malformed, Origin, Reader, StatePlace, Writer,
    leaf_hash,
};

use crate::FileName;

/// The longest header.
pub(crate) const HEADER_BYTES: usize = 4096;
/// The longest entry: a leaf with its tag, length and check.
pub(crate) const ENTRY_BYTES: usize = 1 + 4 + LEAF_BYTES + CHECK_BYTES;
const MARK_BYTES: usize = 1 + 8 + 2 * CHECK_BYTES;
const CHECK_BYTES: usize = 32;
const MAGIC: &[u8; 16] = b"keystead-journal";
const VERSION: u8 = 1;
const LEAF: u8 = 1;
const MARK: u8 = 2;
const PREFIX: &str = "journal-";

/// The name of the file whose first leaf has this index.
pub(crate) fn file_name(first: u64) -> FileName {
    FileName::new(&format!("{PREFIX}{first:020}")).expect("digits and lowercase letters")
}

/// The index of the first leaf of the file with this name; nothing where it is no journal file.
pub(crate) fn first_index(file: &FileName) -> Option<u64> {
    let digits = file.as_str().strip_prefix(PREFIX)?;
    let first = digits.parse().ok()?;
    (file_name(first) == *file).then_some(first)
}

/// What a file says about all that stands before it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) origin: Origin,
    pub(crate) tree: CompactRange,
    pub(crate) place: StatePlace,
    pub(crate) previous: Hash,
}

impl Header {
    /// Its bytes, check included, and the chain that begins with it.
    pub(crate) fn encode(&self) -> (Vec<u8>, Chain) {
        let mut w = Writer::new();
        w.raw(MAGIC).u8(VERSION);
        self.origin.write(&mut w);
        self.tree.write(&mut w);
        w.u64(self.place.commit_seq).u16(self.place.index).raw(&self.previous);
        let chain = Chain::of_header(w.as_slice());
        (w.raw(chain.as_bytes()).finish(), chain)
    }

    /// Reads the header at the start of `bytes`; also its length and the chain that begins there.
    pub(crate) fn decode(bytes: &[u8]) -> Result<(Self, usize, Chain), Malformed> {
        let mut r = Reader::new(bytes);
        if r.raw(MAGIC.len())? != MAGIC {
            return Err(Malformed::BadValue { field: "magic" });
        }
        let found = r.u8()?;
        if found != VERSION {
            let (found, known) = (u16::from(found), u16::from(VERSION));
            return Err(Malformed::Version { what: "journal file", found, known });
        }
        let header = Self {
            origin: Origin::read(&mut r)?,
            tree: CompactRange::read(&mut r)?,
            place: StatePlace { commit_seq: r.u64()?, index: r.u16()? },
            previous: r.array()?,
        };
        let chain = Chain::of_header(&bytes[..r.position()]);
        if r.array()? != *chain.as_bytes() {
            return Err(Malformed::BadValue { field: "check" });
        }
        Ok((header, r.position(), chain))
    }
}

/// An entry and what is known once it is passed.
#[derive(Debug)]
pub(crate) struct Framed<'a> {
    pub(crate) entry: Entry<'a>,
    pub(crate) len: usize,
    pub(crate) chain: Chain,
}

/// What an entry holds.
#[derive(Debug)]
pub(crate) enum Entry<'a> {
    Leaf { bytes: &'a [u8], hash: Hash },
    Mark { size: u64 },
}

/// Appends a leaf; gives its hash and the chain behind it.
pub(crate) fn put_leaf(out: &mut Vec<u8>, chain: Chain, leaf: &Leaf) -> (Hash, Chain) {
    let hash = leaf.hash();
    let chain = chain.leaf(&hash);
    let bytes = leaf.as_bytes();
    let len = u32::try_from(bytes.len()).expect("a leaf has at most 65,535 bytes");
    out.push(LEAF);
    out.extend_from_slice(&len.to_be_bytes());
    out.extend_from_slice(bytes);
    out.extend_from_slice(chain.as_bytes());
    (hash, chain)
}

/// How many bytes leaves take that have `leaf_bytes` together, with a mark before them.
pub(crate) const fn group_bytes(leaves: usize, leaf_bytes: usize) -> usize {
    MARK_BYTES + leaves * (1 + 4 + CHECK_BYTES) + leaf_bytes
}

/// Appends a mark; gives the chain behind it.
pub(crate) fn put_mark(out: &mut Vec<u8>, before: Chain, size: u64) -> Chain {
    let chain = before.mark(size);
    let mut w = Writer::new();
    w.u8(MARK).u64(size).raw(before.as_bytes()).raw(chain.as_bytes());
    out.extend_from_slice(w.as_slice());
    chain
}

/// Reads the entry at the start of `bytes`; nothing where no entry with the right check stands
/// there.
pub(crate) fn entry(bytes: &[u8], before: Chain) -> Option<Framed<'_>> {
    let mut r = Reader::new(bytes);
    let (entry, chain) = match r.u8().ok()? {
        LEAF => {
            let bytes = r.bytes().ok().filter(|leaf| leaf.len() <= LEAF_BYTES)?;
            let hash = leaf_hash(bytes);
            (Entry::Leaf { bytes, hash }, before.leaf(&hash))
        }
        MARK => {
            let size = r.u64().ok()?;
            r.array().ok().filter(|repeated| repeated == before.as_bytes())?;
            (Entry::Mark { size }, before.mark(size))
        }
        _ => return None,
    };
    r.array().ok().filter(|check| check == chain.as_bytes())?;
    Some(Framed { entry, len: r.position(), chain })
}

/// Whether somewhere in `bytes` a mark says that more than `size` leaves had been synced.
pub(crate) fn has_mark_above(bytes: &[u8], size: u64) -> bool {
    bytes.windows(MARK_BYTES).any(|window| {
        let stands_alone = || {
            let before = window[9..9 + CHECK_BYTES].try_into().ok().map(Chain::from_bytes)?;
            match entry(window, before)?.entry {
                Entry::Mark { size } => Some(size),
                Entry::Leaf { .. } => None,
            }
        };
        window[0] == MARK && stands_alone().is_some_and(|marked| marked > size)
    })
}
