//! Group commit: what waits together shares a transaction, and nobody else's trouble.

use std::{future::poll_fn, path::Path, pin::pin, sync::Arc, task::Poll, time::Duration};

use keystead_domain::Kind;
use keystead_store::{
    Backend, ChangeSet, CommitFailed, Committed, Expected,
    conformance::sample::{deleting, put, putting},
};
use keystead_store_sqlite::SqliteBackend;
use rusqlite::Connection;
use tokio::task::JoinHandle;

use crate::{Folder, key, making, wait};

pub(crate) type Answer = Result<Committed, CommitFailed>;

/// Keeps the writer waiting, so that changes queue up, until it is dropped.
pub(crate) fn hold(path: &Path) -> Connection {
    let connection = Connection::open(path).unwrap();
    connection.busy_timeout(Duration::from_secs(30)).unwrap();
    connection.execute_batch("BEGIN IMMEDIATE").unwrap();
    connection
}

/// Gives each change to a task of its own and returns when all are with the writer or queued.
pub(crate) async fn queue(
    backend: &Arc<SqliteBackend>,
    sets: impl IntoIterator<Item = ChangeSet>,
) -> Vec<JoinHandle<Answer>> {
    let (queued, mut all_queued) = tokio::sync::mpsc::unbounded_channel::<()>();
    let tasks = sets.into_iter().map(|set| {
        let (backend, queued) = (Arc::clone(backend), queued.clone());
        tokio::spawn(async move {
            let mut commit = pin!(backend.commit(set));
            let first = poll_fn(|cx| Poll::Ready(commit.as_mut().poll(cx))).await;
            drop(queued);
            match first {
                Poll::Ready(answer) => answer,
                Poll::Pending => commit.await,
            }
        })
    });
    let tasks = tasks.collect();
    drop(queued);
    assert_eq!(all_queued.recv().await, None, "every task has dropped its end");
    tasks
}

#[test]
fn changes_that_wait_together_share_a_transaction_and_no_conflict() {
    let folder = Folder::new();
    let backend = Arc::new(folder.open());
    let answers = wait(async {
        let held = hold(&folder.path());
        // Every fourth conflicts with the one before it.
        let sets = (0..64u64).map(|n| making(if n % 4 == 3 { n - 1 } else { n }));
        let tasks = queue(&backend, sets).await;
        drop(held);
        let mut answers = Vec::new();
        for task in tasks {
            answers.push(task.await.unwrap());
        }
        answers
    });
    let mut place = 0;
    for (n, answer) in answers.into_iter().enumerate() {
        if n % 4 == 3 {
            assert!(
                matches!(answer, Err(CommitFailed::Conflict { kind: Kind::Key })),
                "{answer:?}"
            );
        } else {
            place += 1;
            assert_eq!(answer.unwrap().commit_seq, place);
        }
    }
    assert!(backend.groups() <= 2, "what came before the lock, and all the rest");
    assert_eq!(wait(backend.changes_after(0, 99)).unwrap().len(), 48);
}

#[test]
fn one_change_alone_is_one_transaction() {
    let folder = Folder::new();
    let backend = folder.open();
    for n in 1..=5 {
        wait(backend.commit(making(n))).unwrap();
        assert_eq!(backend.groups(), n);
    }
}

#[test]
fn a_later_change_of_a_group_sees_the_earlier_ones() {
    let folder = Folder::new();
    let backend = Arc::new(folder.open());
    let again = making(9);
    let sets = [
        making(1),
        putting(put(key(1), Expected::Revision(1))),
        deleting(key(1), 2),
        making(1),
        again.clone(),
        again,
    ];
    let places = wait(async {
        let held = hold(&folder.path());
        let tasks = queue(&backend, sets).await;
        drop(held);
        let mut places = Vec::new();
        for task in tasks {
            places.push(task.await.unwrap().unwrap().commit_seq);
        }
        places
    });
    assert_eq!(places, [1, 2, 3, 4, 5, 5], "the same change twice has one place");
}

#[test]
fn a_caller_that_goes_away_cancels_nothing_and_closing_commits_what_is_queued() {
    let folder = Folder::new();
    let backend = Arc::new(folder.open());
    let sets: Vec<_> = (1..=8).map(making).collect();
    wait(async {
        let held = hold(&folder.path());
        for task in queue(&backend, sets.clone()).await {
            task.abort();
            assert!(task.await.unwrap_err().is_cancelled());
        }
        drop(held);
    });
    drop(Arc::into_inner(backend).unwrap());
    let again = folder.open();
    for (place, set) in (1..).zip(sets) {
        let found = wait(again.outcome(set.id)).unwrap();
        assert_eq!(found, Some(Committed { commit_seq: place }));
    }
}

#[test]
fn a_reader_does_not_wait_for_the_writer() {
    let folder = Folder::new();
    let backend = Arc::new(folder.open());
    wait(backend.commit(making(1))).unwrap();
    wait(async {
        let held = hold(&folder.path());
        let tasks = queue(&backend, [making(2)]).await;
        let found = backend.load(&[key(1), key(2)]).await.unwrap();
        assert!(found[0].is_some() && found[1].is_none());
        assert_eq!(backend.head().await.unwrap(), 1);
        drop(held);
        for task in tasks {
            assert_eq!(task.await.unwrap().unwrap().commit_seq, 2);
        }
    });
}
