//! What callers rely on: order, exactly once, waiting, refusing, stopping.

use std::sync::Arc;

use keystead_ledger::{
    Act, Attributes, CompactRange, Event, Front, Leaf, Operation, Origin, Outcome, StateEvent,
    StatePlace,
};

use super::*;
use crate::{Fault, FaultPlan, FaultyDisk, JournalFailed, Loss, MemoryDisk};

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

#[test]
fn a_change_that_comes_early_is_turned_away_and_named() {
    let journal = created(&MemoryDisk::new());
    let early = journal.record_state(2, &[changed(2)]).outcome();
    assert_eq!(early, Some(Err(JournalFailed::OutOfOrder { expected: 1, found: 2 })));
    let (first, second) =
        (journal.record_state(1, &[changed(1)]), journal.record_state(2, &[changed(2)]));
    journal.flush_once().unwrap();
    assert_eq!((first.wait(), second.wait()), (Ok(()), Ok(())));
}

#[test]
fn a_log_that_begins_with_a_restore_takes_the_changes_after_its_head() {
    let disk = MemoryDisk::new();
    let journal = Journal::create(Arc::new(disk.clone()), origin(), 41, SMALL).unwrap();
    assert_eq!(journal.next_commit_seq(), 42);
    assert_eq!(journal.record_state(41, &[changed(1)]).outcome(), Some(Ok(())));
    let ticket = journal.record_state(42, &[changed(1)]);
    journal.flush_once().unwrap();
    ticket.wait().unwrap();
    let places: Vec<_> = journal.read(0, 9).unwrap().iter().filter_map(Leaf::place).collect();
    assert_eq!(places, [StatePlace { commit_seq: 42, index: 0 }]);
    assert_eq!(reopened(&disk).next_commit_seq(), 42);
}

#[test]
fn a_change_that_was_placed_in_part_is_completed() {
    let disk = MemoryDisk::new();
    let journal = created(&disk);
    let ticket = journal.record_state(1, &[changed(1)]);
    journal.flush_once().unwrap();
    ticket.wait().unwrap();
    let journal = reopened(&disk);
    let ticket = journal.record_state(1, &[changed(1), changed(2), changed(3)]);
    journal.flush_once().unwrap();
    ticket.wait().unwrap();
    let indices: Vec<_> =
        journal.read(0, 9).unwrap().iter().map(|leaf| leaf.place().unwrap().index).collect();
    assert_eq!(indices, [0, 1, 2]);
    journal.verify().unwrap();
}

#[test]
fn bytes_that_are_no_state_event_are_named_and_block_nothing() {
    let journal = created(&MemoryDisk::new());
    let use_bytes = used(1).as_bytes().to_vec();
    let refused = journal.record_state(1, &[changed(1), use_bytes]).outcome();
    let named =
        matches!(refused, Some(Err(JournalFailed::NotAnEvent { commit_seq: 1, index: 1, .. })));
    assert!(named, "{refused:?}");
    assert!(!journal.has_work());
    let ticket = journal.record_state(1, &[changed(1)]);
    journal.flush_once().unwrap();
    ticket.wait().unwrap();
}

#[test]
fn what_waits_is_bounded_and_the_reserved_bound_is_higher() {
    let limits = Limits { pending_bytes: 300, reserve_bytes: 300, ..SMALL };
    let journal = Journal::create(Arc::new(MemoryDisk::new()), origin(), 0, limits).unwrap();
    let mut outcomes = Vec::new();
    let mut waiting = Vec::new();
    for n in 0..9 {
        let mut ticket = journal.record(used(n));
        outcomes.extend(ticket.outcome());
        waiting.push(ticket);
    }
    assert!(!outcomes.is_empty() && outcomes.len() < 9);
    assert!(outcomes.iter().all(|outcome| *outcome == Err(JournalFailed::Busy)));
    assert_eq!(journal.record_reserved(used(10)).outcome(), None);
    assert_eq!(journal.record_state(1, &[changed(1)]).outcome(), None);
    let flushed = journal.flush_once().unwrap();
    assert_eq!(flushed.durable, 9 - outcomes.len() + 2);
    assert_eq!(journal.record(used(11)).outcome(), None, "there is room again");
}

#[test]
fn a_stopped_journal_flushes_what_waits_and_takes_no_more() {
    let disk = MemoryDisk::new();
    let journal = created(&disk);
    let before = journal.record(used(1));
    journal.stop();
    assert_eq!(journal.record(used(2)).outcome(), Some(Err(JournalFailed::Stopped)));
    journal.run().unwrap();
    assert_eq!(before.wait(), Ok(()));
    journal.run().unwrap();
    disk.crash(Loss::Everything);
    let before = disk.read(&name()).unwrap();
    assert_eq!(reopened(&disk).read(0, 9).unwrap(), [used(1)]);
    assert_eq!(disk.read(&name()).unwrap(), before, "an orderly end needs no repair");
}

#[test]
fn after_a_failed_sync_nothing_is_recorded_any_more() {
    for fault in [Fault::NotPersisted, Fault::PersistedButReported] {
        // Write 1 makes the file.
        let disk = FaultyDisk::new(MemoryDisk::new(), FaultPlan::script([(2, fault)]));
        let journal = Journal::create(Arc::new(disk), origin(), 0, SMALL).unwrap();
        let (mut used_ticket, mut state) =
            (journal.record(used(1)), journal.record_state(1, &[changed(1)]));
        assert!(journal.flush_once().is_err());
        let stopped = Some(Err(JournalFailed::Stopped));
        assert_eq!((used_ticket.outcome(), state.outcome()), (stopped.clone(), stopped.clone()));
        assert_eq!(journal.record(used(2)).outcome(), stopped);
        assert_eq!(journal.record_reserved(used(2)).outcome(), stopped);
        assert_eq!(journal.record_state(1, &[changed(1)]).outcome(), stopped);
        assert!(journal.failure().is_some() && journal.flush_once().is_err());
        assert!(journal.run().is_err());
        assert_eq!(journal.head().size, 0);
    }
}

fn name() -> FileName {
    frame::file_name(0)
}

#[test]
fn what_only_the_kernel_remembers_is_written_anew_at_the_start() {
    let memory = MemoryDisk::new();
    let plan = FaultPlan::script([(2, Fault::NotPersisted)]);
    let disk = Arc::new(FaultyDisk::new(memory.clone(), plan));
    let journal = Journal::create(disk, origin(), 0, SMALL).unwrap();
    let _lost = journal.record_state(1, &[changed(1)]);
    assert!(journal.flush_once().is_err());
    // The next process still sees the bytes; without care it would count the change as placed.
    let journal = reopened(&memory);
    assert_eq!(journal.head().size, 1);
    memory.crash(Loss::Everything);
    assert_eq!(reopened(&memory).head(), journal.head());
}

#[test]
fn a_full_disk_refuses_and_takes_records_again_once_there_is_room() {
    let disk = MemoryDisk::new();
    let journal = created(&disk);
    disk.limit(disk.used_bytes() + 50);
    let refused = journal.record(used(1));
    assert_eq!(journal.flush_once().unwrap(), Flushed { durable: 0, refused: 1 });
    assert_eq!(refused.wait(), Err(JournalFailed::Full));
    let len = disk.read(&name()).unwrap().unwrap().len();
    disk.limit(u64::MAX);
    let taken = journal.record(used(2));
    journal.flush_once().unwrap();
    assert_eq!(taken.wait(), Ok(()));
    assert!(disk.read(&name()).unwrap().unwrap().len() > len);
    assert_eq!(reopened(&disk).read(0, 9).unwrap(), [used(2)]);
}

#[test]
fn the_reserve_serves_changes_and_reserved_records_and_no_others() {
    let disk = MemoryDisk::new();
    let journal = created(&disk);
    disk.limit(disk.used_bytes());
    let (ordinary, signed_in, revoked) = (
        journal.record(used(1)),
        journal.record_reserved(used(2)),
        journal.record_state(1, &[changed(1)]),
    );
    assert_eq!(journal.flush_once().unwrap(), Flushed { durable: 2, refused: 1 });
    let outcomes = (ordinary.wait(), signed_in.wait(), revoked.wait());
    assert_eq!(outcomes, (Err(JournalFailed::Full), Ok(()), Ok(())));
    // There is room in what was the reserve, but not for those.
    let ordinary = journal.record(used(3));
    journal.flush_once().unwrap();
    assert_eq!(ordinary.wait(), Err(JournalFailed::Full));
    assert_eq!(journal.read(0, 9).unwrap().len(), 2);
    disk.limit(u64::MAX);
    let ordinary = journal.record(used(4));
    journal.flush_once().unwrap();
    assert_eq!(ordinary.wait(), Ok(()));
    assert_eq!(reopened(&disk).head().size, 3);
}

#[test]
fn changes_keep_their_order_when_even_the_reserve_is_spent() {
    let disk = MemoryDisk::new();
    let journal = created(&disk);
    disk.limit(disk.used_bytes());
    let mut seq = 1;
    while let Ok(()) = flushed(&journal, seq) {
        seq += 1;
    }
    assert!(seq > 5, "the reserve carried {seq} changes");
    assert_eq!(journal.next_commit_seq(), seq);
    let late = journal.record_state(seq + 1, &[changed(seq + 1)]).outcome();
    assert_eq!(late, Some(Err(JournalFailed::OutOfOrder { expected: seq, found: seq + 1 })));
    disk.limit(u64::MAX);
    for seq in seq..seq + 3 {
        flushed(&journal, seq).unwrap();
    }
    let places: Vec<_> =
        journal.read(0, 999).unwrap().iter().map(|leaf| leaf.place().unwrap().commit_seq).collect();
    assert_eq!(places, (1..seq + 3).collect::<Vec<_>>());
    reopened(&disk).verify().unwrap();
}

fn flushed(journal: &Journal, seq: u64) -> Result<(), JournalFailed> {
    let ticket = journal.record_state(seq, &[changed(seq)]);
    journal.flush_once().unwrap();
    ticket.wait()
}

#[test]
fn a_start_on_a_full_disk_keeps_what_is_there() {
    let disk = MemoryDisk::new();
    let journal = created(&disk);
    let ticket = journal.record(used(1));
    journal.flush_once().unwrap();
    ticket.wait().unwrap();
    let mut torn = disk.read(&name()).unwrap().unwrap();
    torn.extend_from_slice(&[1, 0, 0, 0]);
    disk.tamper(&name(), torn);
    disk.limit(disk.used_bytes());
    disk.release_reserve().unwrap();
    let journal = reopened(&disk);
    assert_eq!(journal.read(0, 9).unwrap(), [used(1)]);
    disk.crash(Loss::Everything);
    assert_eq!(reopened(&disk).read(0, 9).unwrap(), [used(1)]);
}

#[test]
fn a_journal_is_neither_made_twice_nor_opened_where_there_is_none() {
    let disk = MemoryDisk::new();
    let absent = Journal::open(Arc::new(disk.clone()), SMALL);
    assert!(matches!(absent, Err(JournalUnreadable::Absent)), "{absent:?}");
    drop(created(&disk));
    let twice = Journal::create(Arc::new(disk.clone()), origin(), 0, SMALL);
    assert!(matches!(twice, Err(JournalUnreadable::AlreadyThere { .. })), "{twice:?}");
    assert_eq!(*reopened(&disk).origin(), origin());
}

#[test]
fn leaves_read_from_memory_are_those_on_the_disk() {
    let disk = MemoryDisk::new();
    let journal = created(&disk);
    for group in 0..8 {
        for n in 0..=group {
            drop(journal.record(used(100 * group + n)));
        }
        journal.flush_once().unwrap();
    }
    let size = journal.head().size;
    assert_eq!(size, 36);
    // It remembers nothing, so it reads.
    let fresh = reopened(&disk);
    for from in 0..size {
        for limit in [1, 2, 7, 50] {
            let known = journal.read(from, limit).unwrap();
            assert_eq!(known, fresh.read(from, limit).unwrap(), "{limit} from {from} on");
        }
    }
    drop(fresh.record(used(900)));
    fresh.flush_once().unwrap();
    assert_eq!(fresh.read(0, 100).unwrap().len(), 37, "what was before it opened and what came");
    assert_eq!(fresh.read(36, 100).unwrap(), [used(900)]);
}
