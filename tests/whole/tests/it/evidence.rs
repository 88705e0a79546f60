//! What must be true of the durable remains, whatever happened: read with the formats alone.

use std::{collections::BTreeMap, sync::Arc};

use keystead_archive::{
    EpochRecord, KeyCopy, Opening, SlotTable, names, names::ObjectKind, object_hash,
    read_segment_header,
};
use keystead_crypto::{RecipientSeed, Secret};
use keystead_domain::{EpochId, Key, Kind};
use keystead_journal::{Journal, JournalUnreadable, Limits};
use keystead_ledger::{Event, Outcome, Value};
use keystead_service::{KeyView, Vaulted};
use keystead_store::{AggregateRef, Backend, Index, Scan};
use keystead_targets::{MemoryVault, ObjectName, Vault};
use keystead_testkit::{Folder, World};

use crate::{
    client::{Answer, Notes},
    node::Operator,
};

/// Runs what never waits.
pub(crate) fn now<T>(future: impl Future<Output = T>) -> T {
    use futures_util::FutureExt;
    future.now_or_never().expect("memory ports without a process answer at once")
}

/// Every durable byte of a world, by name.
pub(crate) fn everything(world: &World, folder: &Folder) -> Vec<(String, Vec<u8>)> {
    let mut all = Vec::new();
    for (number, vault) in world.vaults.iter().enumerate() {
        for name in listed(vault) {
            let bytes = now(vault.read(&name)).unwrap().unwrap();
            all.push((format!("vault {number}: {name}"), bytes));
        }
    }
    let files = folder.files().into_iter();
    all.extend(files.map(|(name, bytes)| (format!("file {name}"), bytes)));
    all.extend(rows(folder));
    all
}

fn listed(vault: &MemoryVault) -> Vec<ObjectName> {
    now(vault.list("")).unwrap().into_iter().map(|object| object.name).collect()
}

/// The dump of the database: aggregates, indexes, materials, log.
fn rows(folder: &Folder) -> Vec<(String, Vec<u8>)> {
    let store = &folder.store;
    let mut rows = Vec::new();
    for kind in Kind::ALL {
        let scan = Scan::Kind { kind: *kind, after: None, limit: usize::MAX };
        for row in now(store.scan(scan)).unwrap() {
            let name = format!("{:?} {} {}", row.aggregate, row.revision, row.commit_seq);
            rows.push((name, row.body.as_bytes().to_vec()));
        }
    }
    for index in Index::ALL {
        let scan =
            Scan::Index { index: *index, prefix: Vec::new(), after: None, limit: usize::MAX };
        for row in now(store.scan(scan)).unwrap() {
            rows.push((format!("{index:?}"), row.aggregate.id.to_vec()));
        }
    }
    for (version, sealed) in store.materials() {
        rows.push((version.to_string(), sealed.as_bytes().to_vec()));
    }
    for change in now(store.changes_after(0, usize::MAX)).unwrap() {
        let name = format!("change {} {} {}", change.commit_seq, change.set.id, change.set.at);
        let bytes = |put: &keystead_store::Put| put.body.as_bytes().to_vec();
        rows.push((name, change.set.puts.iter().flat_map(bytes).collect()));
        rows.extend(change.set.events.into_iter().map(|event| ("event".to_owned(), event)));
    }
    rows
}

/// All that must hold together, for an instance whose node has come to rest.
pub(crate) fn verify_all(world: &World, folder: &Folder, operator: &Operator, notes: &Notes) {
    verify_events(folder, notes);
    verify_chains(world, operator);
    let keys = notes.told().keys.clone();
    verify_copies(world, operator, &keys);
    verify_backups(folder, &keys);
}

/// The ledger of a folder; nothing where it was never begun.
pub(crate) fn events(folder: &Folder) -> Vec<Event> {
    let disk = Arc::new(folder.journal.copied());
    match Journal::open(disk, Limits::default()) {
        Ok(journal) => {
            journal.verify().unwrap();
            journal.read(0, usize::MAX).unwrap().iter().map(keystead_ledger::Leaf::event).collect()
        }
        Err(JournalUnreadable::Absent) => Vec::new(),
        Err(damaged) => panic!("the journal does not open: {damaged}"),
    }
}

/// No acknowledged answer without its event, and no event twice.
pub(crate) fn verify_events(folder: &Folder, notes: &Notes) {
    let mut found = BTreeMap::<[u8; 16], Vec<&Event>>::new();
    let events = events(folder);
    for event in &events {
        if let Some(request) = event.act().request {
            found.entry(request).or_default().push(event);
        }
    }
    let told = notes.told();
    let open = |id: &[u8; 16]| {
        told.requests.iter().any(|of| of.id.as_bytes() == id && of.answer == Answer::Open)
    };
    for (request, events) in &found {
        // Where nobody knew the outcome, one event says so and the other comes with the change.
        let most = if open(request) { 2 } else { 1 };
        assert!(events.len() <= most, "request {request:02x?} has events {events:?}");
    }
    verify_order(&events);
    for request in &told.requests {
        let event = found.get(request.id.as_bytes()).map(|events| events[0].act());
        match (request.answer, event) {
            (Answer::Open, _) => {}
            (_, None) => {
                panic!("{} {} was answered without an event", request.operation, request.id)
            }
            (answer, Some(act)) => {
                let succeeded = act.outcome == Outcome::Succeeded;
                assert_eq!(succeeded, answer == Answer::Done, "{act:?}");
                assert_eq!(act.operation.as_str(), request.operation);
            }
        }
    }
}

/// Each key that was made names its copy in the ledger: the backup is on record (R002-30).
fn verify_backups(folder: &Folder, keys: &[KeyView]) {
    let events = events(folder);
    for view in keys {
        let made = events.iter().map(Event::act).find(|act| {
            let of = act.resource.map(|at| at.id) == Some(*view.key.id.as_bytes());
            of && act.operation.as_str() == "CreateKey"
        });
        // A key of an earlier incarnation is in the ledger of that one.
        let Some(made) = made else { continue };
        let hash = keystead_domain::to_hex(&view.key.versions[0].copy_hash);
        let copy = Value::Clear(hash.into_bytes());
        assert!(made.attributes.named("key-copy").eq([copy]), "{made:?}");
    }
}

/// Whatever a use was decided on was in the ledger before it.
fn verify_order(events: &[Event]) {
    let mut earliest_after = u64::MAX;
    for event in events.iter().rev() {
        match event {
            Event::State { place, .. } => {
                assert!(place.commit_seq <= earliest_after, "{place:?} stands behind a later one");
                earliest_after = place.commit_seq;
            }
            Event::Use { keyring_revision, act } => {
                assert!(*keyring_revision < earliest_after, "{act:?} foresaw {earliest_after}");
            }
            Event::Node { .. } => {}
        }
    }
}

/// Whatever was answered as vaulted lies in as many vaults as must confirm: copy and segment.
pub(crate) fn verify_vaulted(world: &World, folder: &Folder, operator: &Operator, notes: &Notes) {
    let keys = notes.told().keys.clone();
    verify_copies(world, operator, &keys);
    let chains: Vec<u64> =
        world.vaults.iter().map(|vault| verify_chain(vault, operator).1).collect();
    let unsure = notes.told().unsure.clone();
    let sure = |view: &&KeyView| view.vaulted == Vaulted::Yes && !unsure.contains(&view.key.id);
    for view in keys.iter().filter(sure) {
        let wanted = [AggregateRef { kind: Kind::Key, id: *view.key.id.as_bytes() }];
        let row = now(folder.store.load(&wanted)).unwrap().remove(0).expect("it was committed");
        let holding = chains.iter().filter(|last| **last >= row.commit_seq).count();
        assert!(holding >= operator.vaults_min, "`{}` is in {holding} chains", view.key.id);
    }
    // The last change of the registry is behind all that was answered of it.
    let scan = Scan::Kind { kind: Kind::WrapRecord, after: None, limit: usize::MAX };
    let mut rows: Vec<u64> =
        now(folder.store.scan(scan)).unwrap().iter().map(|r| r.commit_seq).collect();
    rows.sort_unstable();
    let answered = notes.told().wraps.len();
    if let Some(commit_seq) = answered.checked_sub(1).and_then(|last| rows.get(last)) {
        let holding = chains.iter().filter(|last| *last >= commit_seq).count();
        assert!(holding >= operator.vaults_min, "{answered} wraps are in {holding} chains");
    } else {
        assert_eq!(answered, 0, "answered wrap records are in the database");
    }
}

/// Each vault's chain: signed, without gaps, each segment naming the one before.
pub(crate) fn verify_chains(world: &World, operator: &Operator) {
    for vault in &world.vaults {
        verify_chain(vault, operator);
    }
}

/// Verifies one vault's chain and says how many segments and commits it holds.
pub(crate) fn verify_chain(vault: &MemoryVault, operator: &Operator) -> (u64, u64) {
    let (instance, incarnation) = (operator.instance, operator.incarnation);
    let read = |name: String| now(vault.read(&name.parse().unwrap())).unwrap();
    let Some(opening) = read(names::opening(instance, incarnation)) else { return (0, 0) };
    assert_eq!(Opening::verify(&opening, &operator.root).unwrap().incarnation, incarnation);
    let base = read(names::point(instance, incarnation, 1));
    let mut commit =
        base.map_or(0, |base| read_segment_header(&base, &operator.root).unwrap().last_commit_seq);
    let (mut before, mut sequence) = (object_hash(&opening), 0);
    while let Some(bytes) = read(names::segment(instance, incarnation, sequence + 1)) {
        let header = read_segment_header(&bytes, &operator.root).unwrap();
        sequence += 1;
        assert_eq!((header.sequence, header.follows), (sequence, sequence - 1));
        assert_eq!(header.predecessor_hash, before, "segment {sequence} of {}", vault.url());
        if commit > 0 {
            assert_eq!(header.first_commit_seq, commit + 1, "segment {sequence}");
        }
        commit = header.last_commit_seq;
        before = object_hash(&bytes);
    }
    let beyond = listed(vault).into_iter().find(|name| match names::parse(name.as_str()) {
        Some(ObjectKind::Segment { incarnation: of, sequence: at, .. }) => {
            of == incarnation && at > sequence
        }
        _ => false,
    });
    assert_eq!(beyond, None, "a vault holds a segment behind a gap");
    (sequence, commit)
}

/// Every acknowledged key has its copy, which the kit opens, in as many vaults as must confirm.
pub(crate) fn verify_copies(world: &World, operator: &Operator, keys: &[KeyView]) {
    let epochs = epochs(world, operator);
    for view in keys {
        for version in &view.key.versions {
            let name = names::key_copy(operator.instance, view.key.id, version.id, version.epoch);
            let name: ObjectName = name.parse().unwrap();
            let holds = |vault: &&MemoryVault| match now(vault.read(&name)) {
                Ok(Some(bytes)) => {
                    assert_eq!(object_hash(&bytes), version.copy_hash);
                    let seed = &epochs[&version.epoch];
                    let opened = KeyCopy::open(&bytes, &operator.root, seed).unwrap();
                    assert_eq!(opened.header.key_check, version.key_check);
                    true
                }
                _ => false,
            };
            let copies = world.vaults.iter().filter(holds).count();
            assert!(copies >= operator.vaults_min, "`{}` has {copies} copies", view.key.id);
        }
    }
}

/// The material of a key, out of whichever vault has its copy.
pub(crate) fn material(world: &World, operator: &Operator, key: &Key) -> Secret<32> {
    let version = key.current();
    let name = names::key_copy(operator.instance, key.id, version.id, version.epoch);
    let name: ObjectName = name.parse().unwrap();
    let copies = world.vaults.iter().filter_map(|vault| now(vault.read(&name)).unwrap());
    let bytes = copies.into_iter().next().expect("a vault holds it");
    let seed = &epochs(world, operator)[&version.epoch];
    KeyCopy::open(&bytes, &operator.root, seed).unwrap().material
}

/// The epochs that the kit opens, from whichever vault shows them.
fn epochs(world: &World, operator: &Operator) -> BTreeMap<EpochId, RecipientSeed> {
    let mut found = BTreeMap::new();
    for vault in &world.vaults {
        let read = |name: &str| now(vault.read(&name.parse().unwrap())).ok().flatten();
        let Ok(objects) = now(vault.list("")) else { continue };
        for object in objects {
            let kind = names::parse(object.name.as_str());
            let Some(ObjectKind::Slots { instance, epoch, .. }) = kind else { continue };
            if instance != operator.instance {
                continue;
            }
            let Some(record) = read(&names::epoch(instance, epoch)) else { continue };
            let record = EpochRecord::verify(&record, &operator.root).unwrap();
            let table = read(object.name.as_str()).unwrap();
            let table = SlotTable::verify(&table, &operator.root).unwrap();
            if let Ok(seed) = table.open(operator.kit.seed(), &record) {
                found.insert(epoch, seed);
            }
        }
    }
    found
}
