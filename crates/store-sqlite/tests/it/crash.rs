//! `kill -9` under load, again and again: what was acknowledged is there, in gapless places.

use std::{
    collections::BTreeMap,
    convert::Infallible,
    io::{BufRead, BufReader, Write},
    path::Path,
    thread,
};

use keystead_domain::ChangeId;
use keystead_store::{
    AggregateRef, Backend, ChangeFailed, CommittedChange, change,
    conformance::sample::{put, putting},
};
use keystead_store_sqlite::SqliteBackend;

use crate::{Folder, child, key, making, wait};

const ROUNDS: usize = 20;

/// Commits until it is killed, when a parent asks for it.
#[test]
fn victim() {
    let Some(folder) = child::folder() else { return };
    let backend = SqliteBackend::open(folder.join("state.db")).unwrap();
    thread::scope(|scope| {
        for worker in 0..8 {
            let backend = &backend;
            scope.spawn(move || wait(commit_for_ever(backend, worker)));
        }
    });
}

/// Half of the workers share one aggregate, so that conflicts and retries are killed as well.
async fn commit_for_ever(backend: &SqliteBackend, worker: u64) {
    let mine = key(worker / 2 * 2);
    loop {
        let made = change(backend, &[mine], |loaded| {
            let set = putting(put(mine, loaded.expected(&mine)));
            let id = set.id;
            Ok::<_, Infallible>((set, id))
        })
        .await;
        match made {
            Ok((committed, id)) => acknowledge(committed.commit_seq, id),
            Err(ChangeFailed::Contended { .. }) => {}
            Err(failed) => panic!("a healthy store failed: {failed:?}"),
        }
    }
}

/// One write of one line: a pipe takes it whole or not at all.
fn acknowledge(place: u64, id: ChangeId) {
    let line = format!("acknowledged {place} {id}\n");
    std::io::stdout().lock().write_all(line.as_bytes()).unwrap();
    std::io::stdout().flush().unwrap();
}

/// Kills a process after so many acknowledgements and returns all that it gave.
fn killed_after(count: usize, folder: &Path) -> Vec<(u64, ChangeId)> {
    let mut victim = child::command("crash::victim", folder).spawn().unwrap();
    let lines = BufReader::new(victim.stdout.take().unwrap()).lines();
    let mut acknowledged = Vec::new();
    for line in lines {
        let line = line.unwrap();
        // The test harness prints beside it.
        let Some((_, fields)) = line.split_once("acknowledged ") else { continue };
        let (place, id) = fields.split_once(' ').unwrap();
        acknowledged.push((place.parse().unwrap(), id.parse().unwrap()));
        if acknowledged.len() == count {
            victim.kill().unwrap();
        }
    }
    assert!(!victim.wait().unwrap().success(), "it was killed and did not end");
    assert!(acknowledged.len() >= count);
    acknowledged
}

#[test]
fn every_acknowledged_commit_survives_kill_9() {
    let folder = Folder::new();
    let mut promised = BTreeMap::new();
    for round in 0..ROUNDS {
        let count = 1 + round * 37 % 101;
        for (place, id) in killed_after(count, folder.path().parent().unwrap()) {
            assert_eq!(promised.insert(place, id), None, "place {place} was given twice");
        }
        let backend = folder.open();
        let log = wait(backend.changes_after(0, usize::MAX)).unwrap();
        check_log(&log, &promised);
        wait(check_state(&backend, &log));
        let own = making(1000 + round as u64);
        let place = wait(backend.commit(own.clone())).unwrap().commit_seq;
        assert_eq!(place, log.len() as u64 + 1, "the next place follows the last");
        promised.insert(place, own.id);
    }
}

fn check_log(log: &[CommittedChange], promised: &BTreeMap<u64, ChangeId>) {
    assert!(log.iter().map(|change| change.commit_seq).eq(1..=log.len() as u64), "gapless");
    for (place, id) in promised {
        let found = usize::try_from(place - 1).ok().and_then(|before| log.get(before));
        assert_eq!(found.map(|change| change.set.id), Some(*id), "acknowledged at {place}");
    }
}

/// The state is what the log makes.
async fn check_state(backend: &SqliteBackend, log: &[CommittedChange]) {
    let mut expected = BTreeMap::new();
    for change in log {
        for put in &change.set.puts {
            expected.insert(put.aggregate, (put.expected.next(), change.commit_seq, &put.body));
        }
    }
    let wanted: Vec<AggregateRef> = expected.keys().copied().collect();
    let found = backend.load(&wanted).await.unwrap();
    for (stored, expected) in found.into_iter().zip(expected.into_values()) {
        let stored = stored.unwrap();
        assert_eq!((stored.revision, stored.commit_seq, &stored.body), expected);
    }
}
