//! A witness through every crash, and a node that asks one.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use async_trait::async_trait;
use keystead_crypto::{Entropy, NoteKey, Secret};
use keystead_journal::{Disk, Fault, FaultPlan, FaultyDisk, MemoryDisk};
use keystead_ledger::{
    AddCheckpoint, Checkpoint, CompactRange, Hash, Head, KeyName, Note, Origin, VerifierKey,
    leaf_hash, prove_consistency, read_cosignatures, tile_root,
};
use keystead_service::{
    Service, Witness, start,
    witness::{WitnessAnswer, WitnessBook, WitnessUnusable},
};
use keystead_targets::{MemoryVault, Vault};
use keystead_testkit::{FaultPlans, Process, Sim};

use crate::{
    evidence::now,
    kit::KitForm,
    node::{clock, options, site},
    prepared::Prepared,
};

/// A log of numbers, and one that differs from entry `fork` on.
struct Numbers {
    fork: Option<u64>,
}

impl Numbers {
    fn leaf(&self, at: u64) -> Hash {
        let other = self.fork.is_some_and(|fork| at >= fork);
        leaf_hash(&[&at.to_be_bytes()[..], &[u8::from(other)]].concat())
    }

    fn root(&self, size: u64) -> Hash {
        let mut tree = CompactRange::new();
        (0..size).for_each(|at| tree.push(self.leaf(at)));
        tree.root()
    }

    fn asked(&self, old: u64, size: u64) -> Vec<u8> {
        let hash = |height: u8, index: u64| {
            let leaves: Vec<Hash> =
                (index << height..(index + 1) << height).map(|at| self.leaf(at)).collect();
            Some(tile_root(&leaves))
        };
        let proof = prove_consistency(hash, old, size).unwrap();
        let head = Head { origin: origin(), size, root: self.root(size) };
        let checkpoint = Checkpoint::new(head).unwrap().sign(&log_key());
        AddCheckpoint { old, proof, checkpoint }.to_string().into_bytes()
    }
}

fn origin() -> Origin {
    Origin::new("ins_1/inc_1/nod_1").unwrap()
}

fn log_key() -> NoteKey {
    NoteKey::from_seed(Secret::from_slice(&[1; 32]).unwrap())
}

fn name() -> KeyName {
    KeyName::new("witness.example/w1").unwrap()
}

fn open(disk: Arc<dyn Disk>, logs: Vec<VerifierKey>) -> Result<WitnessBook, WitnessUnusable> {
    WitnessBook::open(disk, clock(&Sim::new(1)), &Entropy::os(), name(), logs)
}

fn of_numbers(disk: Arc<dyn Disk>) -> Result<WitnessBook, WitnessUnusable> {
    open(disk, vec![VerifierKey::of_log(&origin(), log_key().public())])
}

/// What was cosigned, by size; a size with two roots would be a fork.
fn take(cosigned: &mut Vec<(u64, Hash)>, asked: &[u8], answer: &WitnessAnswer) {
    if answer.status != 200 {
        return;
    }
    assert_eq!(read_cosignatures(answer.body.as_bytes()).unwrap().len(), 1);
    let asked = AddCheckpoint::parse(asked).unwrap();
    let head = Checkpoint::parse(asked.checkpoint.text()).unwrap();
    cosigned.push((head.size(), *head.root()));
}

#[test]
fn no_failed_write_and_no_crash_makes_a_witness_cosign_a_fork_or_a_smaller_tree() {
    let (log, fork) = (Numbers { fork: None }, Numbers { fork: Some(3) });
    for fault in Fault::ALL {
        for write in 1..=5 {
            let disk = MemoryDisk::new();
            let plan = FaultPlan::script([(write, fault)]);
            let faulty = Arc::new(FaultyDisk::new(disk.clone(), plan));
            let mut cosigned = Vec::new();
            let mut book = of_numbers(faulty.clone()).ok();
            // Both histories are shown at each step, with every old size that could be claimed.
            for size in [4, 6, 9] {
                for (old, of) in (0..=size).flat_map(|old| [(old, &log), (old, &fork)]) {
                    let asked = of.asked(old, size);
                    if let Some(book) = &book {
                        take(&mut cosigned, &asked, &book.add_checkpoint(&asked));
                    }
                    if faulty.has_crashed() || book.is_none() {
                        // A new process over what the crash has left.
                        book = Some(of_numbers(Arc::new(disk.clone())).unwrap());
                    }
                }
            }
            let sizes: Vec<u64> = cosigned.iter().map(|(size, _)| *size).collect();
            assert!(sizes.is_sorted(), "{fault:?} at {write}: {sizes:?}");
            assert!(cosigned.iter().all(|(_, root)| *root != [0; 32]));
            // All that was cosigned is one history.
            let one = |of: &Numbers| cosigned.iter().all(|(size, root)| of.root(*size) == *root);
            assert!(one(&log) || one(&fork), "{fault:?} at {write}: a fork was cosigned");
            assert!(!cosigned.is_empty(), "{fault:?} at {write}: it cosigns again");
        }
    }
}

#[test]
fn a_witness_goes_on_where_it_was_and_refuses_without_its_memory() {
    let (log, disk) = (Numbers { fork: None }, MemoryDisk::new());
    let book = of_numbers(Arc::new(disk.clone())).unwrap();
    let key = book.key();
    assert_eq!(book.add_checkpoint(&log.asked(0, 5)).status, 200);
    let again = of_numbers(Arc::new(disk.copied())).unwrap();
    assert_eq!(again.key(), key);
    let late = again.add_checkpoint(&log.asked(0, 7));
    assert_eq!((late.status, late.content_type, &*late.body), (409, "text/x.tlog.size", "5\n"));
    let answer = again.add_checkpoint(&log.asked(5, 7));
    assert_eq!(answer.status, 200, "{}", answer.body);
    let asked = AddCheckpoint::parse(&log.asked(5, 7)).unwrap();
    let line = read_cosignatures(answer.body.as_bytes()).unwrap().pop().unwrap();
    let note = asked.checkpoint.with(line).unwrap();
    assert!(Checkpoint::cosigned_at(&note, key.name(), key.public()).is_ok());
    let statuses: Vec<u16> = [
        AddCheckpoint::parse(&log.asked(7, 8)).map(|of| AddCheckpoint { old: 9, ..of }.to_string()),
        AddCheckpoint::parse(&log.asked(0, 8)).map(|of| AddCheckpoint { old: 7, ..of }.to_string()),
        Ok("junk".to_owned()),
    ]
    .into_iter()
    .map(|asked| again.add_checkpoint(asked.unwrap().as_bytes()).status)
    .collect();
    assert_eq!(statuses, [400, 422, 400]);
    let other = VerifierKey::of_log(&Origin::new("a/b/c").unwrap(), log_key().public());
    let stranger = open(Arc::new(disk.copied()), vec![other]).unwrap();
    assert_eq!(stranger.add_checkpoint(&log.asked(7, 8)).status, 404);
    let forged = VerifierKey::of_log(
        &origin(),
        NoteKey::from_seed(Secret::from_slice(&[2; 32]).unwrap()).public(),
    );
    let stranger = open(Arc::new(disk.copied()), vec![forged]).unwrap();
    assert_eq!(stranger.add_checkpoint(&log.asked(7, 8)).status, 403);
    let file = disk.list().unwrap().pop().unwrap();
    let bytes = disk.read(&file).unwrap().unwrap();
    for at in 0..bytes.len() {
        let spoilt = disk.copied();
        let mut other = bytes.clone();
        other[at] ^= 1;
        spoilt.tamper(&file, other);
        let refused = of_numbers(Arc::new(spoilt)).unwrap_err();
        assert!(matches!(refused, WitnessUnusable::Damaged { .. }), "byte {at}: {refused}");
    }
    let renamed = WitnessBook::open(
        Arc::new(disk),
        clock(&Sim::new(1)),
        &Entropy::os(),
        KeyName::new("other").unwrap(),
        Vec::new(),
    );
    assert!(matches!(renamed, Err(WitnessUnusable::OtherName { .. })));
}

/// A witness beside the node: the real book, with the wire between them left out.
#[derive(Debug)]
struct Beside {
    book: WitnessBook,
    key: VerifierKey,
    is_away: AtomicBool,
}

impl Beside {
    fn new(prepared: &Prepared, logs: Vec<VerifierKey>) -> Arc<Self> {
        let clock = clock(&prepared.world.sim);
        let disk = Arc::new(MemoryDisk::new());
        let book = WitnessBook::open(disk, clock, &Entropy::os(), name(), logs).unwrap();
        Arc::new(Self { key: book.key(), book, is_away: AtomicBool::new(false) })
    }
}

#[async_trait]
impl Witness for Beside {
    fn key(&self) -> &VerifierKey {
        &self.key
    }

    async fn add_checkpoint(&self, body: Vec<u8>) -> Result<(u16, Vec<u8>), String> {
        if self.is_away.load(Ordering::Relaxed) {
            return Err("it is away".to_owned());
        }
        let answer = self.book.add_checkpoint(&body);
        Ok((answer.status, answer.body.into_bytes()))
    }
}

/// The log of a prepared instance, as whoever registers it at a witness learns it from a vault.
fn log_of(prepared: &Prepared) -> VerifierKey {
    let (vaults, root) = ([&prepared.world.vaults[0] as &dyn Vault], &prepared.operator.root);
    let ledgers = now(keystead_service::logs::Ledgers::find(&vaults, root)).unwrap();
    let log = ledgers.logs().last().unwrap();
    VerifierKey::of_log(&log.head().origin, log.signer())
}

/// A node that has worked and shipped, and is gone.
fn used(prepared: &Prepared) {
    prepared.run(async {
        let node = prepared.start().await;
        node.works().await;
        node.client.settled().await;
        prepared.wait_ms(3_000).await;
        node.kill();
    });
}

async fn serve_beside(process: &Process, witness: &Arc<Beside>) -> Arc<Service> {
    let mut site = site(process);
    site.witnesses = vec![witness.clone()];
    start(site, options()).await.unwrap()
}

/// The largest cosigned checkpoint in a vault.
fn cosigned(vault: &MemoryVault) -> Option<Note> {
    let listed = now(vault.list("")).unwrap().into_iter().map(|object| object.name);
    let size = |name: &keystead_targets::ObjectName| -> Option<u64> {
        name.as_str().rsplit_once("/cosigned/")?.1.parse().ok()
    };
    let largest = listed.filter(|name| size(name).is_some()).max_by_key(size)?;
    Some(Note::parse(&now(vault.read(&largest)).unwrap().unwrap()).unwrap())
}

async fn promise(prepared: &Prepared, service: &Arc<Service>) -> (String, String) {
    let status = prepared.client(service).status().await.unwrap();
    let record = status.promises.into_iter().find(|promise| promise.number == 4).unwrap();
    (record.verdict, record.reason.unwrap_or_default())
}

#[test]
fn a_node_has_its_ledger_cosigned_and_says_so_also_after_a_restart_and_an_absence() {
    let prepared = Prepared::new(3300, KitForm::Bare);
    used(&prepared);
    let witness = Beside::new(&prepared, vec![log_of(&prepared)]);
    for restart in 0..2 {
        let process = prepared.process(&FaultPlans::default());
        prepared.run(async {
            let service = serve_beside(&process, &witness).await;
            let client = prepared.client(&service);
            client.create("witnessed").await.unwrap();
            client.settled().await;
            prepared.wait_ms(5_000).await;
            let (verdict, reason) = promise(&prepared, &service).await;
            assert_eq!(verdict, "holds", "{restart}: {reason}");
            assert!(reason.starts_with("1 of 1 witnesses cosigned "), "{reason}");
            witness.is_away.store(true, Ordering::Relaxed);
            client.create("unseen").await.unwrap();
            prepared.wait_ms(90_000).await;
            let (verdict, reason) = promise(&prepared, &service).await;
            assert_eq!(verdict, "weak");
            assert!(reason.contains("0 of 1") && reason.contains("it is away"), "{reason}");
            witness.is_away.store(false, Ordering::Relaxed);
            prepared.wait_ms(65_000).await;
            assert_eq!(promise(&prepared, &service).await.0, "holds");
        });
        process.kill();
    }
    for vault in &prepared.world.vaults {
        let note = cosigned(vault).unwrap();
        assert!(Checkpoint::cosigned_at(&note, &name(), witness.key.public()).is_ok());
    }
    let (vaults, root) = ([&prepared.world.vaults[0] as &dyn Vault], &prepared.operator.root);
    let read = now(keystead_service::logs::read_logs(&vaults, root, None, &mut |_, _, _| ()));
    assert!(read.unwrap()[0].head.size > 10);
}

#[test]
fn of_two_histories_of_one_node_the_witness_cosigns_one() {
    let prepared = Prepared::new(3310, KitForm::Bare);
    used(&prepared);
    let witness = Beside::new(&prepared, vec![log_of(&prepared)]);
    // A whole copy, vaults included, that nobody compares with the first: a split view.
    let other = prepared.copied(3311);
    for (world, verdict) in [(&prepared, "holds"), (&other, "weak")] {
        let process = world.process(&FaultPlans::default());
        world.run(async {
            let service = serve_beside(&process, &witness).await;
            world.client(&service).create("mine").await.unwrap();
            world.wait_ms(5_000).await;
            let (found, reason) = promise(world, &service).await;
            assert_eq!(found, verdict, "{reason}");
        });
        process.kill();
    }
    assert!(cosigned(&prepared.world.vaults[0]).is_some());
    assert!(cosigned(&other.world.vaults[0]).is_none(), "the fork has no cosignature");
}
