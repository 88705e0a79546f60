//! What callers rely on: order, exactly once, waiting, refusing, stopping.

use std::sync::Arc;

use keystead_ledger::{
    Act, Attributes, CompactRange, Event, Front, Leaf, Operation, Origin, Outcome, StateEvent,
    StatePlace,
};

use super::*;
use crate::{Loss, MemoryDisk};

const SMALL: Limits = Limits { file_bytes: 2000, pending_bytes: 1 << 20, reserve_bytes: 4096 };

fn origin() -> Origin {
    Origin::new("ins_1/inc_1/nod_1").unwrap()
}

fn act(n: u64) -> Act {
    Act {
        at: i64::try_from(n).unwrap(),
        request: Some([7; 16]),
        tenant: None,
        principal: None,
        front: Front::Aws,
        operation: Operation::new("Encrypt").unwrap(),
        resource: None,
        key_version: None,
        outcome: Outcome::Succeeded,
        source: None,
        attributes: Attributes::new(),
    }
}

fn used(n: u64) -> Leaf {
    Event::Use { keyring_revision: 1, act: act(n) }.encode().unwrap()
}

fn changed(n: u64) -> Vec<u8> {
    StateEvent { act: act(n) }.encode_unplaced().unwrap()
}

fn created(disk: &MemoryDisk) -> Journal {
    Journal::create(Arc::new(disk.clone()), origin(), 0, SMALL).unwrap()
}

fn reopened(disk: &MemoryDisk) -> Journal {
    Journal::open(Arc::new(disk.clone()), SMALL).unwrap()
}

/// The tree over leaves, computed apart from the journal.
fn root(leaves: &[Leaf]) -> [u8; 32] {
    let mut tree = CompactRange::new();
    leaves.iter().for_each(|leaf| tree.push(leaf.hash()));
    tree.root()
}

#[test]
fn a_ticket_resolves_with_the_sync_and_not_before() {
    let disk = MemoryDisk::new();
    let journal = created(&disk);
    let mut ticket = journal.record(used(1));
    assert!(journal.has_work());
    assert_eq!((ticket.outcome(), journal.head().size), (None, 0));
    assert_eq!(journal.flush_once().unwrap(), Flushed { durable: 1, refused: 0 });
    assert_eq!(ticket.outcome(), Some(Ok(())));
    disk.crash(Loss::Everything);
    let journal = reopened(&disk);
    assert_eq!(journal.read(0, 9).unwrap(), [used(1)]);
    assert_eq!(journal.head(), Head { origin: origin(), size: 1, root: root(&[used(1)]) });
}

#[test]
fn leaves_read_back_from_anywhere_across_files() {
    let disk = MemoryDisk::new();
    let journal = created(&disk);
    let leaves: Vec<Leaf> = (0..100).map(used).collect();
    for leaf in &leaves {
        let ticket = journal.record(leaf.clone());
        journal.flush_once().unwrap();
        ticket.wait().unwrap();
    }
    assert!(disk.list().unwrap().len() > 3, "the journal rolled over");
    for journal in [journal, reopened(&disk)] {
        assert_eq!(journal.head().root, root(&leaves));
        journal.verify().unwrap();
        for from in 0..=100 {
            for limit in [0, 1, 7, 200] {
                let read = journal.read(from as u64, limit).unwrap();
                assert_eq!(read, leaves[from..(from + limit).min(100)], "{from} {limit}");
            }
        }
    }
}

#[test]
fn a_change_is_placed_once_however_often_it_is_fed() {
    let disk = MemoryDisk::new();
    let journal = created(&disk);
    let first = journal.record_state(1, &[changed(1), changed(2)]);
    let again = journal.record_state(1, &[changed(1), changed(2)]);
    let second = journal.record_state(2, &[changed(3)]);
    journal.flush_once().unwrap();
    [first, again, second].into_iter().for_each(|ticket| ticket.wait().unwrap());
    assert_eq!(journal.record_state(1, &[changed(1), changed(2)]).outcome(), Some(Ok(())));
    assert!(!journal.has_work());
    let places = |journal: &Journal| -> Vec<_> {
        let leaves = journal.read(0, 99).unwrap();
        leaves.iter().filter_map(Leaf::place).map(|p| (p.commit_seq, p.index)).collect()
    };
    assert_eq!(places(&journal), [(1, 0), (1, 1), (2, 0)]);
    assert_eq!(journal.next_commit_seq(), 3);
    let journal = reopened(&disk);
    assert_eq!(journal.next_commit_seq(), 2, "change 2 may have had more events");
    assert_eq!(journal.last_place(), StatePlace { commit_seq: 2, index: 0 });
    let fed = [journal.record_state(2, &[changed(3)]), journal.record_state(3, &[])];
    journal.flush_once().unwrap();
    fed.into_iter().for_each(|ticket| ticket.wait().unwrap());
    assert_eq!(places(&journal), [(1, 0), (1, 1), (2, 0)]);
    assert_eq!(journal.next_commit_seq(), 4);
}
