//! The oracle of the journal's reader: what a start takes it has read whole, and takes again.
//!
//! Invariant: it takes any bytes at all and never panics for another reason than a broken oracle.
//! Bytes alone never get past the first check, so the second form makes the checks right and leaves
//! the rest to the bytes. A property test drives both for seconds, a fuzzer for days.

use std::sync::Arc;

use keystead_ledger::{Chain, CompactRange, Head, Origin, StatePlace, Writer, leaf_hash};

use crate::{
    Journal, Limits, MemoryDisk,
    frame::{self, Header},
};

/// A folder whose one file has these bytes; its head where a start takes it.
///
/// # Panics
/// Where a journal that opened does not read back, or opens to another head the next time.
pub fn file(bytes: &[u8]) -> Option<Head> {
    let limits = Limits { reserve_bytes: 0, ..Limits::default() };
    let disk = MemoryDisk::new();
    disk.tamper(&frame::file_name(0), bytes.to_vec());
    let journal = Journal::open(Arc::new(disk.clone()), limits).ok()?;
    let head = journal.head();
    journal.verify().expect("what a start took is whole");
    let leaves = journal.read(0, usize::MAX).expect("what a start took can be read");
    let mut tree = CompactRange::new();
    leaves.iter().for_each(|leaf| tree.push(leaf.hash()));
    assert_eq!((tree.size(), tree.root()), (head.size, head.root), "its leaves make its head");
    drop(journal);
    let again = Journal::open(Arc::new(disk.copied()), limits).expect("it opened once");
    assert_eq!(again.head(), head, "a second start finds the same log");
    Some(head)
}

/// A file whose header and checks are right: the bytes say which entries follow.
///
/// # Panics
/// As [`file()`].
pub fn entries(script: &[u8]) -> Option<Head> {
    let place = StatePlace { commit_seq: 0, index: u16::MAX };
    let origin = Origin::new("ins/inc/nod").expect("three plain parts");
    let header = Header { origin, tree: CompactRange::new(), place, previous: [0; 32] };
    let (mut bytes, mut chain) = header.encode();
    let mut rest = script;
    while let Some((kind, after)) = rest.split_first() {
        let len = after.len().min(usize::from(*kind >> 2));
        let (with, after) = after.split_at(len);
        rest = after;
        match kind & 3 {
            0 => chain = frame::put_mark(&mut bytes, chain, with.len() as u64),
            1 => bytes.extend_from_slice(with),
            _ => chain = put_leaf(&mut bytes, chain, with),
        }
    }
    file(&bytes)
}

/// A leaf that nobody has looked at.
fn put_leaf(out: &mut Vec<u8>, before: Chain, leaf: &[u8]) -> Chain {
    let chain = before.leaf(&leaf_hash(leaf));
    let mut w = Writer::new();
    w.u8(1).bytes(leaf).raw(chain.as_bytes());
    out.extend_from_slice(w.as_slice());
    chain
}

#[cfg(test)]
mod tests;
