//! Each byte of a journal altered, each length cut, entries moved: what was synced is found damaged
//! by file and entry, and only what nobody was told of is cut off in silence.

use std::sync::Arc;

use keystead_journal::{Disk, FileName, Journal, JournalUnreadable, MemoryDisk};
use keystead_ledger::Leaf;

use crate::{LIMITS, changed, origin, used};

/// An entry as a stranger finds it with `docs/formats/journal.md` in hand.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Span {
    tag: u8,
    begin: usize,
    end: usize,
    /// Index of the leaf, or of the leaf that the mark stands before.
    index: u64,
}

/// The length of the header, and the entries behind it.
fn spans(bytes: &[u8]) -> (usize, Vec<Span>) {
    let u32_at = |at: usize| u32::from_be_bytes(bytes[at..at + 4].try_into().unwrap()) as usize;
    let u64_at = |at: usize| u64::from_be_bytes(bytes[at..at + 8].try_into().unwrap());
    let tree = 16 + 1 + 4 + u32_at(17);
    let mut index = u64_at(tree);
    let header = tree + 8 + 4 + 32 * u32_at(tree + 8) + 8 + 2 + 32 + 32;
    let (mut at, mut spans) = (header, Vec::new());
    while at < bytes.len() {
        let (tag, len) = match bytes[at] {
            1 => (1, 1 + 4 + u32_at(at + 1) + 32),
            2 => (2, 1 + 8 + 32 + 32),
            other => panic!("tag {other} at {at}"),
        };
        spans.push(Span { tag, begin: at, end: at + len, index });
        (at, index) = (at + len, index + u64::from(tag == 1));
    }
    (header, spans)
}

/// A journal of three files that was stopped in order, and what was acknowledged.
fn journal() -> (MemoryDisk, Vec<Leaf>) {
    let disk = MemoryDisk::new();
    let journal = Journal::create(Arc::new(disk.clone()), origin(), 0, LIMITS).unwrap();
    for n in 1..25u64 {
        let tickets = match n % 5 {
            0 => vec![journal.record_state(n / 5, &[changed(n), changed(n + 100)])],
            _ => vec![journal.record(used(n)), journal.record(used(n + 100))],
        };
        journal.flush_once().unwrap();
        tickets.into_iter().for_each(|ticket| ticket.wait().unwrap());
    }
    journal.stop();
    journal.run().unwrap();
    assert!(disk.list().unwrap().len() >= 3);
    (disk, journal.read(0, 999).unwrap())
}

fn reopened(disk: &MemoryDisk) -> Result<Journal, JournalUnreadable> {
    Journal::open(Arc::new(disk.clone()), LIMITS)
}

fn altered(disk: &MemoryDisk, file: &FileName, alter: impl FnOnce(&mut Vec<u8>)) -> MemoryDisk {
    let copy = disk.copied();
    let mut bytes = copy.read(file).unwrap().unwrap();
    alter(&mut bytes);
    copy.tamper(file, bytes);
    copy
}

/// Opens and reads everything: what a start and a full check find together.
fn checked(disk: &MemoryDisk) -> Result<Vec<Leaf>, JournalUnreadable> {
    let journal = reopened(disk)?;
    journal.verify()?;
    journal.read(0, 999)
}

#[test]
fn room_is_no_damage_and_whatever_stands_in_it_was_never_acknowledged() {
    let (disk, leaves) = journal();
    let file = disk.list().unwrap().pop().unwrap();
    let end = disk.read(&file).unwrap().unwrap().len();
    for room in [1, 31, 32, 73, 4096] {
        let with_room = altered(&disk, &file, |bytes| bytes.resize(end + room, 0));
        assert_eq!(checked(&with_room).unwrap(), leaves, "{room} bytes of room");
        let journal = reopened(&with_room).unwrap();
        let ticket = journal.record(used(7));
        journal.flush_once().unwrap();
        ticket.wait().unwrap();
        assert_eq!(checked(&with_room).unwrap().len(), leaves.len() + 1, "it goes on in its room");
        for at in [0, room / 2, room - 1] {
            let torn = altered(&disk, &file, |bytes| {
                bytes.resize(end + room, 0);
                bytes[end + at] = 0xa7;
            });
            assert_eq!(checked(&torn).unwrap(), leaves, "byte {at} of {room}");
        }
    }
}

#[test]
fn every_altered_byte_is_named_or_was_never_acknowledged() {
    let (disk, leaves) = journal();
    let files = disk.list().unwrap();
    let (mut named, mut headers, mut cut) = (0, 0, 0);
    for (number, file) in files.iter().enumerate() {
        let bytes = disk.read(file).unwrap().unwrap();
        let (header, entries) = spans(&bytes);
        for at in 0..bytes.len() {
            let mask = [0x01, 0x80, 0xff][at % 3];
            let damaged = altered(&disk, file, |bytes| bytes[at] ^= mask);
            let entry = entries.iter().find(|span| (span.begin..span.end).contains(&at));
            match (checked(&damaged), entry) {
                (Err(JournalUnreadable::BadHeader { file: found, .. }), None) => {
                    assert!(at < header);
                    assert_eq!(found, *file);
                    headers += 1;
                }
                (Err(JournalUnreadable::Damaged { file: found, entry, offset }), Some(span)) => {
                    assert_eq!((&found, entry, offset), (file, span.index, span.begin as u64));
                    named += 1;
                }
                (Ok(read), Some(span)) => {
                    let last = number + 1 == files.len() && *span == entries[entries.len() - 1];
                    assert!(last && span.tag == 2, "{file} byte {at} passed");
                    assert_eq!(read, leaves, "the last mark holds no leaf");
                    cut += 1;
                }
                (other, _) => panic!("{file} byte {at}: {other:?}"),
            }
        }
    }
    assert!(named > 4000 && headers > 300 && cut == 73, "{named} {headers} {cut}");
}

#[test]
fn every_altered_bit_of_the_last_leaf_is_named() {
    let (disk, _) = journal();
    let file = disk.list().unwrap().pop().unwrap();
    let bytes = disk.read(&file).unwrap().unwrap();
    let (_, entries) = spans(&bytes);
    let last = entries.iter().rfind(|span| span.tag == 1).unwrap();
    for bit in last.begin * 8..last.end * 8 {
        let damaged = altered(&disk, &file, |bytes| bytes[bit / 8] ^= 1 << (bit % 8));
        let found = reopened(&damaged);
        let named = matches!(
            &found,
            Err(JournalUnreadable::Damaged { entry, .. }) if *entry == last.index
        );
        assert!(named, "bit {bit}: {found:?}");
    }
}

#[test]
fn a_damaged_leaf_is_never_handed_out() {
    let (disk, _) = journal();
    let file = disk.list().unwrap().remove(0);
    let (_, entries) = spans(&disk.read(&file).unwrap().unwrap());
    let span = entries.iter().rfind(|span| span.tag == 1).unwrap();
    let damaged = altered(&disk, &file, |bytes| bytes[span.begin + 9] ^= 1);
    let journal = reopened(&damaged).unwrap();
    assert_eq!(
        journal.read(0, usize::try_from(span.index).unwrap()).unwrap().len() as u64,
        span.index
    );
    let read = journal.read(span.index, 1);
    assert!(
        matches!(&read, Err(JournalUnreadable::Damaged { entry, .. }) if *entry == span.index),
        "{read:?}"
    );
}

#[test]
fn entries_that_were_moved_doubled_or_taken_out_are_named() {
    let (disk, _) = journal();
    let file = disk.list().unwrap().pop().unwrap();
    let (_, entries) = spans(&disk.read(&file).unwrap().unwrap());
    let leaf = *entries.iter().find(|span| span.tag == 1).unwrap();
    let range = leaf.begin..leaf.end;
    let doubled = altered(&disk, &file, |bytes| {
        let copy = bytes[range.clone()].to_vec();
        bytes.splice(leaf.end..leaf.end, copy);
    });
    let taken = altered(&disk, &file, |bytes| drop(bytes.drain(range.clone())));
    let moved = altered(&disk, &file, |bytes| {
        let next = entries.iter().find(|span| span.begin == leaf.end).unwrap();
        bytes[leaf.begin..next.end].rotate_left(leaf.end - leaf.begin);
    });
    for (damaged, entry) in [(doubled, leaf.index + 1), (taken, leaf.index), (moved, leaf.index)] {
        let found = reopened(&damaged);
        let named =
            matches!(&found, Err(JournalUnreadable::Damaged { entry: e, .. }) if *e == entry);
        assert!(named, "{found:?}");
    }
}

#[test]
fn files_that_are_missing_or_swapped_are_named() {
    let (disk, _) = journal();
    let files = disk.list().unwrap();
    for missing in &files[..files.len() - 1] {
        let copy = disk.copied();
        copy.remove(missing).unwrap();
        let found = reopened(&copy);
        assert!(matches!(found, Err(JournalUnreadable::NotConsecutive { .. })), "{found:?}");
    }
    let swapped = disk.copied();
    swapped.tamper(&files[0], disk.read(&files[1]).unwrap().unwrap());
    swapped.tamper(&files[1], disk.read(&files[0]).unwrap().unwrap());
    let found = checked(&swapped);
    assert!(matches!(found, Err(JournalUnreadable::NotConsecutive { .. })), "{found:?}");
}

#[test]
fn a_file_of_another_log_is_not_taken_for_a_continuation() {
    let (disk, _) = journal();
    let other = MemoryDisk::new();
    let origin = "ins_1/inc_2/nod_1".parse().unwrap();
    let stranger = Journal::create(Arc::new(other.clone()), origin, 0, LIMITS).unwrap();
    for n in 0..30 {
        let ticket = stranger.record(used(n));
        stranger.flush_once().unwrap();
        ticket.wait().unwrap();
    }
    let file = other.list().unwrap().pop().unwrap();
    for taken in disk.list().unwrap().iter().filter(|name| **name >= file) {
        disk.remove(taken).unwrap();
    }
    disk.tamper(&file, other.read(&file).unwrap().unwrap());
    let found = reopened(&disk);
    assert!(matches!(found, Err(JournalUnreadable::NotConsecutive { .. })), "{found:?}");
}

#[test]
fn a_cut_file_gives_a_beginning_of_the_log_or_names_the_cut() {
    let (disk, leaves) = journal();
    let files = disk.list().unwrap();
    for (number, file) in files.iter().enumerate() {
        let bytes = disk.read(file).unwrap().unwrap();
        let (header, entries) = spans(&bytes);
        for len in 0..bytes.len() {
            let found = checked(&altered(&disk, file, |bytes| bytes.truncate(len)));
            match found {
                Ok(read) => {
                    assert!(number + 1 == files.len() && len >= header, "{file} cut to {len}");
                    assert!(leaves.starts_with(&read));
                }
                Err(JournalUnreadable::BadHeader { file: found, .. }) => {
                    assert!(len < header && found == *file);
                }
                Err(JournalUnreadable::Damaged { file: found, .. }) => {
                    assert!(number + 1 < files.len() && found == *file);
                }
                Err(JournalUnreadable::NotConsecutive { file: next }) => {
                    let at_mark = entries.iter().any(|span| span.end == len && span.tag == 2);
                    assert!(at_mark || len == header, "{file} cut to {len}");
                    assert_eq!(next, files[number + 1]);
                }
                Err(other) => panic!("{file} cut to {len}: {other:?}"),
            }
        }
    }
}

#[test]
fn damage_after_a_kill_is_named_too() {
    let disk = MemoryDisk::new();
    let journal = Journal::create(Arc::new(disk.clone()), origin(), 0, LIMITS).unwrap();
    let ticket = journal.record(used(1));
    journal.flush_once().unwrap();
    ticket.wait().unwrap();
    // The process is killed: nothing was stopped in order, and the kernel keeps what it has.
    drop(journal);
    let file = disk.list().unwrap().remove(0);
    let (_, entries) = spans(&disk.read(&file).unwrap().unwrap());
    for at in entries[0].begin..entries[0].end {
        let found = reopened(&altered(&disk, &file, |bytes| bytes[at] ^= 1));
        let named = matches!(found, Err(JournalUnreadable::Damaged { entry: 0, .. }));
        assert!(named, "byte {at}: {found:?}");
    }
}
