//! Many callers, one thread that syncs: a sync carries many records, and a group fills meanwhile.

use std::{
    sync::{
        Arc, Mutex,
        mpsc::{Receiver, Sender, channel},
    },
    thread,
};

use keystead_journal::{
    Disk, DiskFailed, FaultPlan, FaultyDisk, FileDisk, FileName, Journal, JournalUnreadable,
    Limits, MemoryDisk, Ticket,
};
use keystead_ledger::{Event, Leaf};

use crate::{LIMITS, changed, origin, used};

const THREADS: u64 = 16;
const EACH: u64 = 60;

#[test]
fn a_sync_carries_the_records_of_many_threads() {
    let folder = tempfile::tempdir().unwrap();
    let disk = FileDisk::open(&folder.path().join("journal")).unwrap();
    let disk = Arc::new(FaultyDisk::new(disk, FaultPlan::none()));
    let limits = Limits { file_bytes: 40_000, ..LIMITS };
    let journal = Journal::create(disk.clone(), origin(), 0, limits).unwrap();
    thread::scope(|scope| {
        let runner = scope.spawn(|| journal.run());
        let callers: Vec<_> = (0..THREADS)
            .map(|caller| {
                let journal = &journal;
                scope.spawn(move || {
                    for n in 0..EACH {
                        journal.record(used(caller * 1000 + n)).wait().unwrap();
                    }
                })
            })
            .collect();
        for seq in 1..=EACH {
            journal.record_state(seq, &[changed(seq)]).wait().unwrap();
        }
        callers.into_iter().for_each(|caller| caller.join().unwrap());
        journal.stop();
        runner.join().unwrap().unwrap();
    });
    let records = (THREADS + 1) * EACH;
    assert_eq!(journal.head().size, records);
    assert!(disk.syncs() < records / 2, "{} syncs for {records} records", disk.syncs());
    let journal = Journal::open(disk, limits).unwrap();
    journal.verify().unwrap();
    check_order(&journal.read(0, usize::MAX).unwrap());
}

/// Each caller's records are there once and in the order in which it was answered.
fn check_order(leaves: &[Leaf]) {
    let numbers = |caller: Option<u64>| -> Vec<u64> {
        let of_caller = leaves.iter().filter_map(|leaf| match leaf.event() {
            Event::Use { act, .. } => {
                let at = u64::try_from(act.at).unwrap();
                (caller == Some(at / 1000)).then_some(at % 1000)
            }
            Event::State { place, .. } => caller.is_none().then_some(place.commit_seq),
            Event::Node { .. } => None,
        });
        of_caller.collect()
    };
    for caller in 0..THREADS {
        assert_eq!(numbers(Some(caller)), (0..EACH).collect::<Vec<_>>());
    }
    assert_eq!(numbers(None), (1..=EACH).collect::<Vec<_>>());
}

#[test]
fn sixteen_records_that_wait_are_one_sync() {
    let disk = Arc::new(FaultyDisk::new(MemoryDisk::new(), FaultPlan::none()));
    let journal = Journal::create(disk.clone(), origin(), 0, LIMITS).unwrap();
    let tickets: Vec<_> = thread::scope(|scope| {
        let callers: Vec<_> = (0..THREADS)
            .map(|n| {
                scope.spawn({
                    let j = &journal;
                    move || j.record(used(n))
                })
            })
            .collect();
        callers.into_iter().map(|caller| caller.join().unwrap()).collect()
    });
    assert_eq!(journal.flush_once().unwrap().durable, 16);
    tickets.into_iter().for_each(|ticket| ticket.wait().unwrap());
    assert_eq!(disk.syncs(), 1);
}

#[test]
fn a_paced_journal_writes_what_is_due_and_at_its_end_all_that_waits() {
    let disk = Arc::new(FaultyDisk::new(MemoryDisk::new(), FaultPlan::none()));
    let journal = Journal::create(disk.clone(), origin(), 0, LIMITS).unwrap();
    let (settled, told) = channel();
    thread::scope(|scope| {
        let runner = scope.spawn(|| journal.run_paced(|group| settled.send(group).unwrap()));
        let mut tickets: Vec<_> = (0..3).map(|n| journal.record(used(n))).collect();
        assert_eq!(disk.syncs(), 0, "nobody has asked for it");
        journal.flush_soon();
        let group = told.recv().unwrap();
        assert_eq!((disk.syncs(), journal.head().size), (1, 3));
        assert_eq!(tickets[0].outcome(), None, "durable, but nobody has told it yet");
        assert_eq!(group.tell().durable, 3);
        assert!(tickets.iter_mut().all(|ticket| ticket.outcome() == Some(Ok(()))));
        let last = journal.record(used(3));
        journal.stop();
        runner.join().unwrap().unwrap();
        assert_eq!(told.try_iter().map(|group| group.tell().durable).sum::<usize>(), 1);
        last.wait().unwrap();
    });
    Journal::open(disk, LIMITS).unwrap().verify().unwrap();
}

/// A disk whose syncs wait until the test lets them end.
#[derive(Debug)]
struct Gate {
    below: MemoryDisk,
    begun: Mutex<Sender<()>>,
    end: Mutex<Receiver<()>>,
}

impl Disk for Gate {
    fn append(&self, file: &FileName, at: u64, bytes: &[u8]) -> Result<(), DiskFailed> {
        self.below.append(file, at, bytes)
    }
    fn sync(&self, file: &FileName) -> Result<(), DiskFailed> {
        self.begun.lock().unwrap().send(()).unwrap();
        self.end.lock().unwrap().recv().unwrap();
        self.below.sync(file)
    }
    fn replace(&self, file: &FileName, bytes: &[u8]) -> Result<(), DiskFailed> {
        self.below.replace(file, bytes)
    }
    fn read(&self, file: &FileName) -> Result<Option<Vec<u8>>, DiskFailed> {
        self.below.read(file)
    }
    fn read_at(&self, file: &FileName, offset: u64, len: usize) -> Result<Vec<u8>, DiskFailed> {
        self.below.read_at(file, offset, len)
    }
    fn len_bytes(&self, file: &FileName) -> Result<u64, DiskFailed> {
        self.below.len_bytes(file)
    }
    fn list(&self) -> Result<Vec<FileName>, DiskFailed> {
        self.below.list()
    }
    fn remove(&self, file: &FileName) -> Result<(), DiskFailed> {
        self.below.remove(file)
    }
    fn truncate(&self, file: &FileName, len_bytes: u64) -> Result<(), DiskFailed> {
        self.below.truncate(file, len_bytes)
    }
    fn reserve(&self, len_bytes: u64) -> Result<(), DiskFailed> {
        self.below.reserve(len_bytes)
    }
    fn release_reserve(&self) -> Result<(), DiskFailed> {
        self.below.release_reserve()
    }
}

#[test]
fn one_group_fills_while_another_syncs() {
    let ((begun, has_begun), (let_end, end)) = (channel(), channel());
    let below = MemoryDisk::new();
    let gate = Gate { below: below.clone(), begun: Mutex::new(begun), end: Mutex::new(end) };
    let journal = Journal::create(Arc::new(gate), origin(), 0, LIMITS).unwrap();
    thread::scope(|scope| {
        let runner = scope.spawn(|| journal.run());
        let first = journal.record(used(1));
        has_begun.recv().unwrap();
        // The sync of the first group is under way: none of this waits for it.
        let mut second = [journal.record(used(2)), journal.record(used(3))];
        assert_eq!(journal.head().size, 0);
        assert!(journal.read(0, 9).unwrap().is_empty());
        let_end.send(()).unwrap();
        first.wait().unwrap();
        has_begun.recv().unwrap();
        assert_eq!(second.each_mut().map(Ticket::outcome), [None, None]);
        assert_eq!(journal.head().size, 1);
        let_end.send(()).unwrap();
        second.into_iter().for_each(|ticket| ticket.wait().unwrap());
        journal.stop();
        has_begun.recv().unwrap();
        let_end.send(()).unwrap();
        runner.join().unwrap().unwrap();
    });
    assert_eq!(journal.head().size, 3);
    check_mark_between(&below);
}

/// The second group begins with the mark that says of the first that it was synced.
fn check_mark_between(disk: &MemoryDisk) {
    let file = disk.list().unwrap().remove(0);
    let mut bytes = disk.read(&file).unwrap().unwrap();
    let last_mark = 1 + 8 + 32 + 32;
    bytes.truncate(bytes.len() - last_mark);
    let leaf = used(1).as_bytes().to_vec();
    let at = bytes.windows(leaf.len()).position(|window| window == leaf).unwrap();
    bytes[at] ^= 1;
    disk.tamper(&file, bytes);
    let found = Journal::open(Arc::new(disk.clone()), LIMITS);
    assert!(matches!(found, Err(JournalUnreadable::Damaged { entry: 0, .. })), "{found:?}");
}
