//! Tests of `change`: guards, conflicts, unknown outcomes, and that its future may move.

use std::convert::Infallible;

use super::*;
use crate::{
    Fault, FaultPlan, FaultyBackend, MemoryBackend,
    conformance::sample::{aggregate, deleting, put, putting, set},
    wait,
};

const KEY: Kind = Kind::Key;

fn faulty(faults: impl IntoIterator<Item = (u64, Fault)>) -> FaultyBackend<MemoryBackend> {
    FaultyBackend::new(MemoryBackend::new(), FaultPlan::script(faults))
}

/// A decision to write the first aggregate of `reads`, whatever its revision.
fn write(reads: &[AggregateRef]) -> impl FnMut(&Loaded) -> Result<(ChangeSet, u64), Infallible> {
    let first = reads[0];
    move |loaded| {
        let expected = loaded.expected(&first);
        Ok((putting(put(first, expected)), expected.next()))
    }
}

#[test]
fn what_was_read_and_not_written_is_guarded_absence_included() {
    let backend = MemoryBackend::new();
    let [written, read, absent, deleted] = [1, 2, 3, 4].map(|n| aggregate(KEY, n));
    for there in [read, deleted] {
        wait(backend.commit(putting(put(there, Expected::Absent)))).unwrap();
    }
    let reads = [written, read, absent, deleted, read];
    let made = wait(change(&backend, &reads, |loaded| {
        let mut set = deleting(deleted, loaded.stored(&deleted).unwrap().revision);
        set.puts.push(put(written, loaded.expected(&written)));
        set.guards.push(Guard { aggregate: absent, expected: Expected::Absent });
        Ok::<_, Infallible>((set, "answer"))
    }));
    assert_eq!(made.unwrap(), (Committed { commit_seq: 3 }, "answer"));
    let log = wait(backend.changes_after(2, 9)).unwrap();
    let revision = Expected::Revision(1);
    let expected = [
        Guard { aggregate: absent, expected: Expected::Absent },
        Guard { aggregate: read, expected: revision },
    ];
    assert_eq!(log[0].set.guards, expected);
}

#[test]
fn a_conflict_starts_again_with_what_is_there_now() {
    let backend = MemoryBackend::new();
    let [mine, read] = [1, 2].map(|n| aggregate(KEY, n));
    let mut runs = 0;
    let (committed, revision) = wait(change(&backend, &[mine, read], |loaded| {
        runs += 1;
        if runs == 1 {
            wait_elsewhere(&backend, putting(put(read, Expected::Absent)));
        }
        let set = putting(put(mine, loaded.expected(&mine)));
        Ok::<_, Infallible>((set, loaded.stored(&read).map(|stored| stored.revision)))
    }))
    .unwrap();
    assert_eq!((committed.commit_seq, revision, runs), (2, Some(1), 2));
}

/// Commits from a thread of its own, as a runtime cannot be entered twice.
fn wait_elsewhere(backend: &MemoryBackend, set: ChangeSet) {
    std::thread::scope(|scope| scope.spawn(|| wait(backend.commit(set)).unwrap()).join().unwrap());
}

#[test]
fn a_change_that_always_conflicts_ends_and_names_the_kind() {
    let backend = MemoryBackend::new();
    let mut runs = 0;
    let made = wait(change(&backend, &[], |_| {
        runs += 1;
        let set = deleting(aggregate(Kind::Kit, 1), 1);
        Ok::<_, Infallible>((set, ()))
    }));
    assert!(matches!(made, Err(ChangeFailed::Contended { kind: Kind::Kit })), "{made:?}");
    assert_eq!(runs, ATTEMPTS);
    assert_eq!(wait(backend.head()).unwrap(), 0);
}

#[test]
fn a_refused_decision_commits_nothing() {
    let backend = MemoryBackend::new();
    let made = wait(change(&backend, &[], |_| Err::<(ChangeSet, ()), _>("no")));
    assert!(matches!(made, Err(ChangeFailed::Decide("no"))));
    assert_eq!(wait(backend.head()).unwrap(), 0);
}

#[test]
fn a_commit_reported_as_failed_is_found_and_not_repeated() {
    let backend = faulty([(1, Fault::PersistedButReported)]);
    let reads = [aggregate(KEY, 1)];
    let made = wait(change(&backend, &reads, write(&reads))).unwrap();
    assert_eq!(made, (Committed { commit_seq: 1 }, 1));
    assert_eq!((backend.commits(), wait(backend.head()).unwrap()), (1, 1));
}

#[test]
fn a_commit_that_failed_is_not_made() {
    let backend = faulty([(1, Fault::NotPersisted)]);
    let reads = [aggregate(KEY, 1)];
    let made = wait(change(&backend, &reads, write(&reads)));
    assert!(matches!(made, Err(ChangeFailed::Store(StoreFailed::Unavailable { .. }))));
    assert_eq!(wait(backend.head()).unwrap(), 0);
}

#[test]
fn a_crash_leaves_the_change_unknown_until_the_store_is_back() {
    let backend = faulty([(1, Fault::CrashAfter)]);
    let reads = [aggregate(KEY, 1)];
    let Err(ChangeFailed::Unknown { change: id }) = wait(change(&backend, &reads, write(&reads)))
    else {
        panic!("nobody can know it");
    };
    let again = wait(change(&backend, &reads, write(&reads)));
    assert!(matches!(again, Err(ChangeFailed::Store(_))), "reads fail as well");
    backend.reopen();
    assert_eq!(wait(backend.outcome(id)).unwrap(), Some(Committed { commit_seq: 1 }));
}

/// Answers `Unknown` without committing, `times` times.
#[derive(Debug)]
struct Forgetful {
    inner: MemoryBackend,
    times: std::sync::Mutex<u32>,
}

#[async_trait::async_trait]
impl Backend for Forgetful {
    async fn load(&self, wanted: &[AggregateRef]) -> Result<Vec<Option<Stored>>, StoreFailed> {
        self.inner.load(wanted).await
    }

    async fn scan(&self, scan: crate::Scan) -> Result<Vec<Stored>, StoreFailed> {
        self.inner.scan(scan).await
    }

    async fn material(
        &self,
        version: keystead_domain::VersionId,
    ) -> Result<Option<keystead_crypto::Sealed<keystead_crypto::Material>>, StoreFailed> {
        self.inner.material(version).await
    }

    async fn commit(&self, set: ChangeSet) -> Result<Committed, CommitFailed> {
        {
            let mut times = self.times.lock().unwrap();
            if *times > 0 {
                *times -= 1;
                return Err(CommitFailed::Unknown);
            }
        }
        self.inner.commit(set).await
    }

    async fn outcome(&self, id: ChangeId) -> Result<Option<Committed>, StoreFailed> {
        self.inner.outcome(id).await
    }

    async fn changes_after(
        &self,
        seq: u64,
        limit: usize,
    ) -> Result<Vec<crate::CommittedChange>, StoreFailed> {
        self.inner.changes_after(seq, limit).await
    }

    async fn head(&self) -> Result<u64, StoreFailed> {
        self.inner.head().await
    }
}

#[test]
fn a_set_that_surely_was_not_committed_is_repeated_and_not_decided_anew() {
    for (times, succeeds) in [(1, true), (ATTEMPTS - 1, true), (ATTEMPTS, false)] {
        let backend = Forgetful { inner: MemoryBackend::new(), times: times.into() };
        let mut runs = 0;
        let made = wait(change(&backend, &[], |_| {
            runs += 1;
            Ok::<_, Infallible>((set(), ()))
        }));
        match made {
            Ok((committed, ())) => assert!(succeeds && committed.commit_seq == 1),
            Err(failed) => assert!(!succeeds && matches!(failed, ChangeFailed::Unknown { .. })),
        }
        assert_eq!(runs, 1);
    }
}

#[test]
#[should_panic(expected = "this `kit` was not among the aggregates to read")]
fn to_decide_on_what_was_not_read_is_a_mistake_in_the_program() {
    let backend = MemoryBackend::new();
    let _ = wait(change(&backend, &[aggregate(KEY, 1)], |loaded| {
        let expected = loaded.expected(&aggregate(Kind::Kit, 1));
        Ok::<_, Infallible>((set(), expected))
    }));
}

#[test]
fn the_future_of_a_change_may_move_to_another_thread() {
    fn movable(_: impl Future + Send) {}
    let backend = MemoryBackend::new();
    let reads = [aggregate(KEY, 1)];
    movable(change(&backend, &reads, write(&reads)));
}
