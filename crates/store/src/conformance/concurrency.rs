//! Checks of many callers at once: places without gaps, no lost update, whole changes only.

use std::{collections::BTreeSet, convert::Infallible, future::poll_fn, pin::Pin, task::Poll};

use keystead_domain::{ChangeId, Kind};

use super::{
    commit, must,
    sample::{aggregate, put, putting, set},
};
use crate::{
    AggregateRef, Backend, ChangeFailed, ChangeSet, Committed, Expected, Scan, Stored, change,
};

type Task<'a, T> = Pin<Box<dyn Future<Output = T> + 'a>>;

/// Runs all at once on the caller's runtime, whatever that is.
async fn join_all<T>(mut tasks: Vec<Task<'_, T>>) -> Vec<T> {
    let mut ended: Vec<Option<T>> = tasks.iter().map(|_| None).collect();
    poll_fn(|cx| {
        for (task, end) in tasks.iter_mut().zip(&mut ended) {
            if end.is_none()
                && let Poll::Ready(value) = task.as_mut().poll(cx)
            {
                *end = Some(value);
            }
        }
        if ended.iter().all(Option::is_some) { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
    ended.into_iter().flatten().collect()
}

fn key(number: u64) -> AggregateRef {
    aggregate(Kind::Key, number)
}

pub(super) async fn committers_get_gapless_places(backend: &dyn Backend) {
    let tasks = (0..200).map(|number| {
        // Each third change conflicts, and must not take a place.
        let expected = if number % 3 == 0 { Expected::Revision(1) } else { Expected::Absent };
        Box::pin(committed(backend, putting(put(key(number), expected)))) as Task<'_, _>
    });
    let committed: BTreeSet<_> = join_all(tasks.collect()).await.into_iter().flatten().collect();
    let places = committed.iter().map(|(place, _)| *place);
    assert!(places.eq(1..=133), "133 of 200 can be committed, in gapless places");
    let log = must(backend.changes_after(0, 999).await);
    let logged = log.iter().map(|change| (change.commit_seq, change.set.id));
    assert!(logged.eq(committed), "the log has each at the place that was answered");
}

async fn committed(backend: &dyn Backend, set: ChangeSet) -> Option<(u64, ChangeId)> {
    let id = set.id;
    Some((backend.commit(set).await.ok()?.commit_seq, id))
}

pub(super) async fn no_update_is_lost(backend: &dyn Backend) {
    let tasks = (0..8).map(|_| Box::pin(add_ten(backend)) as Task<'_, _>);
    let mut places: Vec<u64> = join_all(tasks.collect()).await.concat();
    places.sort_unstable();
    assert!(places.into_iter().eq(1..=80));
    let found = must(backend.load(&[key(1)]).await).pop().flatten();
    assert_eq!(found.map(|stored| (stored.revision, stored.commit_seq)), Some((80, 80)));
    for (revision, change) in (0..).zip(must(backend.changes_after(0, 99).await)) {
        let before = if revision == 0 { Expected::Absent } else { Expected::Revision(revision) };
        assert_eq!(change.set.puts[0].expected, before, "each rests on the one before");
    }
}

async fn add_ten(backend: &dyn Backend) -> Vec<u64> {
    let mut places = Vec::new();
    while places.len() < 10 {
        let added = change(backend, &[key(1)], |loaded| {
            Ok::<_, Infallible>((putting(put(key(1), loaded.expected(&key(1)))), ()))
        })
        .await;
        match added {
            Ok((Committed { commit_seq }, ())) => places.push(commit_seq),
            Err(ChangeFailed::Contended { .. }) => {}
            Err(failed) => panic!("a contended change failed: {failed:?}"),
        }
    }
    places
}

/// How many keys are always put together; many, so that a commit often falls into a read of all.
const TOGETHER: usize = 64;
const REVISIONS: u64 = 50;

pub(super) async fn readers_see_whole_changes(backend: &dyn Backend) {
    commit(backend, all_at(Expected::Absent)).await;
    let writer = async {
        for revision in 1..REVISIONS {
            commit(backend, all_at(Expected::Revision(revision))).await;
        }
    };
    let mut tasks = vec![Box::pin(writer) as Task<'_, ()>];
    tasks.extend((0..4).map(|_| Box::pin(read_until_the_last(backend)) as Task<'_, ()>));
    join_all(tasks).await;
}

fn all_at(expected: Expected) -> ChangeSet {
    ChangeSet {
        puts: (0..).take(TOGETHER).map(|number| put(key(number), expected)).collect(),
        ..set()
    }
}

async fn read_until_the_last(backend: &dyn Backend) {
    let keys: Vec<AggregateRef> = (0..).take(TOGETHER).map(key).collect();
    let mut newest = 0;
    while newest < REVISIONS {
        let loaded: Vec<Stored> = must(backend.load(&keys).await).into_iter().flatten().collect();
        let loaded = only_revision(&loaded);
        let scan = Scan::Kind { kind: Kind::Key, after: None, limit: usize::MAX };
        let scanned = only_revision(&must(backend.scan(scan).await));
        assert!(newest <= loaded && loaded <= scanned, "time goes forward");
        newest = scanned;
    }
}

/// The revision that all have; a reader that sees several has seen half a change.
fn only_revision(found: &[Stored]) -> u64 {
    let states = found.iter().map(|stored| (stored.revision, stored.commit_seq));
    let states: Vec<(u64, u64)> = states.collect();
    assert_eq!(states, vec![states[0]; TOGETHER], "all keys are of one change");
    states[0].0
}
