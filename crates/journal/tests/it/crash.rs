//! The crash matrix: each sync and each replace goes wrong in each of three ways, and the machine
//! forgets all, nothing or a part of what was not synced.

use std::{collections::BTreeSet, sync::Arc};

use keystead_journal::{
    Disk, Fault, FaultPlan, FaultyDisk, Journal, JournalUnreadable, Loss, MemoryDisk, Ticket,
};
use keystead_ledger::{CompactRange, Event, Leaf};

use crate::{LIMITS, changed, origin, used};

const STEPS: u64 = 50;

/// One node through all its lives: what it was told, and what it has committed elsewhere.
struct Node {
    memory: MemoryDisk,
    disk: Arc<FaultyDisk<MemoryDisk>>,
    journal: Option<Journal>,
    loss: Loss,
    lives: u64,
    waiting: Vec<(u64, Ticket)>,
    acknowledged: BTreeSet<u64>,
    /// The database: change n + 1 carries these events.
    committed: Vec<Vec<Vec<u8>>>,
}

impl Node {
    fn new(plan: FaultPlan, loss: Loss, room_bytes: usize) -> Self {
        let memory = MemoryDisk::with_room(room_bytes);
        let disk = Arc::new(FaultyDisk::new(memory.clone(), plan));
        Self {
            memory,
            disk,
            journal: None,
            loss,
            lives: 0,
            waiting: Vec::new(),
            acknowledged: BTreeSet::new(),
            committed: Vec::new(),
        }
    }

    fn journal(&self) -> &Journal {
        self.journal.as_ref().unwrap()
    }

    /// Starts until it stands, and feeds the changes that the journal may lack.
    fn start(&mut self) {
        loop {
            self.lives += 1;
            assert!(self.lives < 20, "a node with two faults starts in the end");
            match self.opened() {
                Ok(journal) => self.journal = Some(journal),
                Err(JournalUnreadable::Disk(_)) => {
                    self.crash();
                    continue;
                }
                Err(other) => panic!("{other:?}"),
            }
            self.check_acknowledged();
            for seq in self.journal().next_commit_seq()..=self.committed.len() as u64 {
                self.feed(seq);
            }
            if self.flush() {
                return;
            }
            self.crash();
        }
    }

    fn opened(&self) -> Result<Journal, JournalUnreadable> {
        let disk: Arc<dyn Disk> = self.disk.clone();
        match Journal::open(Arc::clone(&disk), LIMITS) {
            Err(JournalUnreadable::Absent) => Journal::create(disk, origin(), 0, LIMITS),
            opened => opened,
        }
    }

    /// The machine stops: nobody hears of what waited.
    fn crash(&mut self) {
        self.waiting.clear();
        self.journal = None;
        self.disk.reopen();
        self.memory.crash(self.loss);
    }

    /// Whether the journal lives after it.
    fn flush(&mut self) -> bool {
        let lives = self.journal().flush_once().is_ok();
        for (n, mut ticket) in std::mem::take(&mut self.waiting) {
            match ticket.outcome().unwrap() {
                Ok(()) => drop(self.acknowledged.insert(n)),
                Err(_) => assert!(!lives),
            }
        }
        lives
    }

    fn step(&mut self, n: u64) {
        if n % 3 == 1 {
            let events = (0..n % 4).map(|part| changed(n * 10 + part)).collect();
            self.committed.push(events);
            self.feed(self.committed.len() as u64);
        } else {
            let ticket = self.journal().record(used(n));
            self.waiting.push((n, ticket));
        }
        if (n.is_multiple_of(4) || n % 7 == 1) && !self.flush() {
            self.crash();
            self.start();
        }
        if n == STEPS / 2 {
            self.journal().stop();
            if self.journal().run().is_err() {
                self.crash();
            }
            self.start();
        }
    }

    fn feed(&mut self, seq: u64) {
        let events = &self.committed[usize::try_from(seq).unwrap() - 1];
        let ticket = self.journal().record_state(seq, events);
        self.waiting.push((STEPS + seq, ticket));
    }

    fn leaves(&self) -> Vec<Leaf> {
        self.journal().read(0, usize::MAX).unwrap()
    }

    fn check_acknowledged(&self) {
        let leaves = self.leaves();
        let uses: BTreeSet<u64> = uses(&leaves).into_iter().collect();
        for n in self.acknowledged.iter().filter(|n| **n <= STEPS) {
            assert!(uses.contains(n), "use {n} was acknowledged and is lost");
        }
        for seq in self.acknowledged.iter().filter_map(|n| n.checked_sub(STEPS)) {
            let want = self.committed.get(usize::try_from(seq).unwrap().wrapping_sub(1));
            let found = leaves.iter().filter_map(Leaf::place).filter(|p| p.commit_seq == seq);
            assert_eq!(found.count(), want.map_or(0, Vec::len), "change {seq}");
        }
    }

    fn check_all(&self) {
        let leaves = self.leaves();
        let uses = uses(&leaves);
        assert!(uses.is_sorted_by(|one, next| one < next), "{uses:?}");
        let placed: Vec<Vec<u8>> = leaves
            .iter()
            .filter_map(|leaf| leaf.place().map(|place| (place, leaf)))
            .map(|(place, leaf)| {
                let events = &self.committed[usize::try_from(place.commit_seq).unwrap() - 1];
                let event = &events[usize::from(place.index)];
                assert_eq!(keystead_ledger::place(event, place).unwrap(), *leaf);
                event.clone()
            })
            .collect();
        assert_eq!(placed, self.committed.concat(), "each event once, in commit order");
        let mut tree = CompactRange::new();
        leaves.iter().for_each(|leaf| tree.push(leaf.hash()));
        let head = self.journal().head();
        assert_eq!((head.size, head.root), (tree.size(), tree.root()));
        self.journal().verify().unwrap();
    }
}

/// The numbers of the uses among the leaves.
fn uses(leaves: &[Leaf]) -> Vec<u64> {
    let uses = leaves.iter().map(Leaf::event).filter_map(|event| match event {
        Event::Use { act, .. } => Some(u64::try_from(act.at).unwrap()),
        _ => None,
    });
    uses.collect()
}

/// Files that grow with each append, and files with room for some.
const ROOMS: [usize; 2] = [0, 700];

fn live(plan: FaultPlan, loss: Loss, room_bytes: usize) -> Node {
    let mut node = Node::new(plan, loss, room_bytes);
    node.start();
    (1..=STEPS).for_each(|n| node.step(n));
    while !node.flush() {
        node.crash();
        node.start();
    }
    node.check_acknowledged();
    node.check_all();
    node.crash();
    node.memory.crash(Loss::Everything);
    node.start();
    node.check_acknowledged();
    node.check_all();
    node
}

fn losses(seed: u64) -> [Loss; 3] {
    [Loss::Everything, Loss::Nothing, Loss::Part(seed)]
}

#[test]
fn no_single_fault_loses_doubles_or_moves_what_was_acknowledged() {
    for room in ROOMS {
        let calm = live(FaultPlan::none(), Loss::Everything, room);
        let writes = calm.disk.durable_writes();
        assert!(writes > 25, "{writes} durable writes");
        assert!(calm.memory.list().unwrap().len() > 4, "the scenario rolls over");
        assert_eq!(calm.acknowledged.len() as u64, STEPS);
        let mut lives = 0;
        for write in 1..=writes {
            for fault in Fault::ALL {
                for loss in losses(write) {
                    let node = live(FaultPlan::script([(write, fault)]), loss, room);
                    lives += node.lives;
                }
            }
        }
        assert!(lives > writes * 9 * 3, "each fault ended a life: {lives}");
    }
}

#[test]
fn no_second_fault_while_it_recovers_does_either() {
    for room in ROOMS {
        let writes = live(FaultPlan::none(), Loss::Everything, room).disk.durable_writes();
        for write in 1..=writes {
            for (first, second) in Fault::ALL.into_iter().flat_map(|f| Fault::ALL.map(|g| (f, g))) {
                let plan = FaultPlan::script([(write, first), (write + 1, second)]);
                live(plan, Loss::Part(write), room);
            }
        }
    }
}
