//! Disks that are full or refuse to write: refused by name, or left open, never half done.

use std::{fs, io::Write, path::Path, process::Command, sync::Arc};

use keystead_store::{Backend, ChangeSet, CommitFailed, StoreFailed};
use keystead_store_sqlite::{OpenFailed, SqliteBackend};

use crate::{
    Folder, child,
    groups::{hold, queue},
    making, making_large, wait,
};

const BODY: usize = 100_000;

/// Runs a child to its end and returns what it printed; it must have succeeded.
fn printed(mut command: Command) -> String {
    let output = command.output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{text}{}", String::from_utf8_lossy(&output.stderr));
    text
}

/// Commits bodies of keys from `first` until one is refused: the last that went in, the one that
/// did not, and why.
fn fill(backend: &SqliteBackend, first: u64) -> (u64, ChangeSet, CommitFailed) {
    for number in first.. {
        let set = making_large(number, BODY);
        if let Err(failed) = wait(backend.commit(set.clone())) {
            return (number - 1, set, failed);
        }
    }
    unreachable!("no disk is endless");
}

/// Fills a disk of a few megabytes, when a parent asks for it.
#[test]
fn filler() {
    let Some(folder) = child::folder() else { return };
    let [small, large] = [(1, "small"), (14, "large")].map(|(mebibytes, name)| {
        let ballast = folder.join(name);
        fs::write(&ballast, vec![1; mebibytes << 20]).unwrap();
        ballast
    });
    let path = folder.join("state.db");
    let backend = Arc::new(SqliteBackend::open(&path).unwrap());
    wait(one_too_large_among_small(&backend, &path));
    let (count, refused, failed) = fill(&backend, 4);
    assert!(matches!(failed, CommitFailed::Failed(StoreFailed::Full)), "{failed:?}");
    assert!(count > 13, "only {count} fit");
    assert_eq!(wait(backend.outcome(refused.id)).unwrap(), None, "surely not committed");
    assert_eq!(wait(backend.head()).unwrap(), count);
    fs::remove_file(small).unwrap();
    assert_eq!(wait(backend.commit(refused)).unwrap().commit_seq, count + 1, "space again");
    let (_, _, failed) = fill(&backend, count + 2);
    assert!(matches!(failed, CommitFailed::Failed(StoreFailed::Full)), "{failed:?}");
    let log = wait(backend.changes_after(0, usize::MAX)).unwrap();
    drop(Arc::into_inner(backend).unwrap());
    // To open is to copy the write-ahead log into the database, which takes space as well.
    let failed = SqliteBackend::open(&path).unwrap_err();
    assert!(matches!(failed, OpenFailed::Full { .. }), "{failed:?}");
    fs::remove_file(large).unwrap();
    let again = SqliteBackend::open(&path).unwrap();
    assert_eq!(wait(again.changes_after(0, usize::MAX)).unwrap(), log, "nothing is lost");
    println!("the disk was filled");
}

async fn one_too_large_among_small(backend: &Arc<SqliteBackend>, path: &Path) {
    let held = hold(path);
    // Too large for the disk and small enough that others join its transaction.
    let sets = [making(1), making_large(9, 15 << 19), making(2), making(3)];
    let tasks = queue(backend, sets).await;
    drop(held);
    let mut answers = Vec::new();
    for task in tasks {
        answers.push(task.await.unwrap());
    }
    let [Ok(one), Err(CommitFailed::Failed(StoreFailed::Full)), Ok(two), Ok(three)] = answers[..]
    else {
        panic!("the small ones fit and the large one does not: {answers:?}");
    };
    assert_eq!([one, two, three].map(|committed| committed.commit_seq), [1, 2, 3]);
}

#[test]
fn a_full_disk_is_named_and_loses_nothing() {
    let folder = Folder::new();
    let mounted = folder.path().parent().unwrap().to_owned();
    let mount = format!("mount -t tmpfs -o size=24m keystead {}", mounted.display());
    let unshare = ["unshare", "--user", "--map-root-user", "--mount", "sh"];
    let allowed = Command::new(unshare[0]).args(&unshare[1..]).args(["-c", &mount]).output();
    if !allowed.is_ok_and(|output| output.status.success()) {
        let mut out = std::io::stderr().lock();
        writeln!(out, "SKIPPED: this machine lets nobody mount a tmpfs, so no disk was filled")
            .unwrap();
        return;
    }
    let text = printed(child::confined(&unshare, &mount, "disk::filler", &mounted));
    assert!(text.contains("the disk was filled"), "{text}");
}

/// Writes up to the largest file that its process may have, when a parent asks for it.
#[test]
fn limited() {
    let Some(folder) = child::folder() else { return };
    let backend = SqliteBackend::open(folder.join("state.db")).unwrap();
    let (count, open, failed) = fill(&backend, 1);
    assert!(matches!(failed, CommitFailed::Unknown), "{failed:?}");
    let unavailable = |failed| matches!(failed, StoreFailed::Unavailable { .. });
    assert!(unavailable(wait(backend.outcome(open.id)).unwrap_err()), "nobody guesses");
    assert!(unavailable(wait(backend.head()).unwrap_err()));
    let after = wait(backend.commit(making(5000)));
    let Err(CommitFailed::Failed(failed)) = after else {
        panic!("a stopped writer answered {after:?}");
    };
    assert!(unavailable(failed));
    println!("acknowledged {count} then {}", open.id);
}

#[test]
fn a_commit_that_the_disk_breaks_off_is_unknown_until_the_database_is_opened_again() {
    let folder = Folder::new();
    // The signal is ignored, so the write itself fails, as on a broken disk.
    let limit = "trap '' XFSZ && ulimit -f 2048";
    let path = folder.path();
    let text = printed(child::confined(&["sh"], limit, "disk::limited", path.parent().unwrap()));
    let (_, fields) = text.split_once("acknowledged ").unwrap();
    let (count, id) = fields.lines().next().unwrap().split_once(" then ").unwrap();
    let count: u64 = count.parse().unwrap();
    let backend = folder.open();
    let head = wait(backend.head()).unwrap();
    let outcome = wait(backend.outcome(id.parse().unwrap())).unwrap();
    assert!(count > 3, "only {count} fit");
    assert_eq!(head, count + u64::from(outcome.is_some()), "all that was acknowledged");
    assert_eq!(wait(backend.commit(making(5000))).unwrap().commit_seq, head + 1);
    assert_eq!(wait(backend.changes_after(0, usize::MAX)).unwrap().len() as u64, head + 1);
}
