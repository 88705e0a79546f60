//! Checks of single changes: what is put, what is refused, what a repeated change does.

use keystead_domain::Kind;

use super::{
    commit, must, refused,
    sample::{aggregate, delete, deleting, full, guard, put, putting, set, tenant, version},
};
use crate::{AggregateRef, Backend, ChangeSet, Expected, Put, Scan, Stored};

const KEY: Kind = Kind::Key;
const KIT: Kind = Kind::Kit;

fn key(number: u64) -> AggregateRef {
    aggregate(KEY, number)
}

async fn load(backend: &dyn Backend, aggregate: AggregateRef) -> Option<Stored> {
    must(backend.load(&[aggregate]).await).pop().expect("one was asked for")
}

/// Puts a key so often that it has this revision.
async fn key_at(backend: &dyn Backend, number: u64, revision: u64) -> AggregateRef {
    let mut expected = Expected::Absent;
    for next in 1..=revision {
        commit(backend, putting(put(key(number), expected))).await;
        expected = Expected::Revision(next);
    }
    key(number)
}

pub(super) async fn an_empty_database_has_nothing(backend: &dyn Backend) {
    assert_eq!(must(backend.head().await), 0);
    assert_eq!(must(backend.load(&[]).await), []);
    assert_eq!(must(backend.load(&[key(1)]).await), [None]);
    assert_eq!(must(backend.scan(Scan::Kind { kind: KEY, after: None, limit: 9 }).await), []);
    assert_eq!(must(backend.material(version(1)).await), None);
    assert_eq!(must(backend.outcome(set().id).await), None);
    assert_eq!(must(backend.changes_after(0, 9).await), []);
}

pub(super) async fn what_was_put_is_loaded_in_the_order_asked(backend: &dyn Backend) {
    let [one, other] = [put(key(1), Expected::Absent), put(aggregate(KIT, 1), Expected::Absent)];
    let other = Put { tenant: tenant(9), ..other };
    let first = commit(backend, putting(one.clone())).await.commit_seq;
    let second = commit(backend, putting(other.clone())).await.commit_seq;
    assert_eq!((first, second), (1, 2), "places count from 1");
    let stored = |put: &Put, commit_seq| {
        let Put { aggregate, tenant, body, .. } = put.clone();
        Some(Stored { aggregate, tenant, revision: 1, commit_seq, body })
    };
    let asked = [other.aggregate, key(2), one.aggregate, other.aggregate];
    let found = must(backend.load(&asked).await);
    assert_eq!(found, [stored(&other, 2), None, stored(&one, 1), stored(&other, 2)]);
}

pub(super) async fn a_later_put_replaces_what_was_there(backend: &dyn Backend) {
    key_at(backend, 1, 1).await;
    let next = Put { tenant: tenant(2), ..put(key(1), Expected::Revision(1)) };
    commit(backend, putting(next.clone())).await;
    let found = load(backend, key(1)).await.expect("it was put");
    assert_eq!((found.revision, found.commit_seq, found.tenant), (2, 2, tenant(2)));
    assert_eq!(found.body, next.body);
}

pub(super) async fn a_put_on_another_state_is_refused(backend: &dyn Backend) {
    key_at(backend, 1, 2).await;
    let wrong = [0, 1, 3, u64::MAX].map(Expected::Revision);
    for expected in wrong.into_iter().chain([Expected::Absent]) {
        let put = Put { expected, ..put(key(1), Expected::Absent) };
        refused(backend, putting(put), KEY).await;
    }
    for revision in [0, 1, u64::MAX] {
        let expected = Expected::Revision(revision);
        let put = Put { expected, ..put(aggregate(KIT, 1), Expected::Absent) };
        refused(backend, putting(put), KIT).await;
    }
}

pub(super) async fn a_delete_needs_the_revision_that_is_there(backend: &dyn Backend) {
    key_at(backend, 1, 2).await;
    for revision in [0, 1, 3, u64::MAX] {
        refused(backend, deleting(key(1), revision), KEY).await;
    }
    refused(backend, deleting(aggregate(KIT, 1), 2), KIT).await;
    commit(backend, deleting(key(1), 2)).await;
    assert_eq!(load(backend, key(1)).await, None);
    refused(backend, deleting(key(1), 2), KEY).await;
}

pub(super) async fn a_deleted_aggregate_begins_anew(backend: &dyn Backend) {
    key_at(backend, 1, 3).await;
    commit(backend, deleting(key(1), 3)).await;
    refused(backend, putting(put(key(1), Expected::Revision(3))), KEY).await;
    commit(backend, putting(put(key(1), Expected::Absent))).await;
    let found = load(backend, key(1)).await.expect("it was put again");
    assert_eq!((found.revision, found.commit_seq), (1, 5));
}

pub(super) async fn a_guard_that_does_not_hold_refuses_the_change(backend: &dyn Backend) {
    let there = key_at(backend, 1, 2).await;
    let absent = aggregate(KIT, 1);
    for (of, expected) in [
        (there, Expected::Absent),
        (there, Expected::Revision(1)),
        (there, Expected::Revision(3)),
        (absent, Expected::Revision(1)),
        (absent, Expected::Revision(u64::MAX)),
    ] {
        let put = put(key(2), Expected::Absent);
        let set = ChangeSet { guards: vec![guard(of, expected)], ..putting(put) };
        refused(backend, set, of.kind).await;
    }
    let guards = vec![guard(there, Expected::Revision(2)), guard(absent, Expected::Absent)];
    commit(backend, ChangeSet { guards, ..putting(put(key(2), Expected::Absent)) }).await;
    assert_eq!(load(backend, there).await.map(|s| s.revision), Some(2), "guards change nothing");
    assert_eq!(load(backend, absent).await, None);
}

pub(super) async fn a_guard_looks_at_the_state_before_the_change(backend: &dyn Backend) {
    let there = key_at(backend, 1, 1).await;
    let next = || put(there, Expected::Revision(1));
    let after = vec![guard(there, Expected::Revision(2))];
    refused(backend, ChangeSet { guards: after, ..putting(next()) }, KEY).await;
    let before = vec![guard(there, Expected::Revision(1))];
    commit(backend, ChangeSet { guards: before, ..putting(next()) }).await;
}

pub(super) async fn one_conflict_refuses_the_whole_change(backend: &dyn Backend) {
    let kit = aggregate(KIT, 7);
    commit(backend, putting(put(kit, Expected::Absent))).await;
    let mut late_put = full();
    late_put.puts.push(put(kit, Expected::Absent));
    refused(backend, late_put, KIT).await;
    let late_delete = ChangeSet { deletes: vec![delete(kit, 2)], ..full() };
    refused(backend, late_delete, KIT).await;
    let mut late_guard = full();
    late_guard.guards.push(guard(kit, Expected::Absent));
    refused(backend, late_guard, KIT).await;
    assert_eq!(must(backend.material(full().materials[0].version).await), None);
    assert_eq!(commit(backend, full()).await.commit_seq, 2, "a refused change takes no place");
}

pub(super) async fn an_aggregate_written_twice_is_refused(backend: &dyn Backend) {
    let there = key_at(backend, 1, 1).await;
    let new = aggregate(KIT, 1);
    let mut puts = putting(put(new, Expected::Absent));
    puts.puts.push(put(new, Expected::Absent));
    refused(backend, puts, KIT).await;
    let mut follows = putting(put(new, Expected::Absent));
    follows.puts.push(put(new, Expected::Revision(1)));
    refused(backend, follows, KIT).await;
    let mut both = putting(put(there, Expected::Revision(1)));
    both.deletes.push(delete(there, 1));
    refused(backend, both, KEY).await;
    let twice = ChangeSet { deletes: vec![delete(there, 1), delete(there, 1)], ..set() };
    refused(backend, twice, KEY).await;
}

pub(super) async fn the_same_change_again_changes_nothing(backend: &dyn Backend) {
    let first = full();
    let committed = commit(backend, first.clone()).await;
    commit(backend, deleting(first.puts[0].aggregate, 1)).await;
    let before = super::dump(backend).await;
    let other = ChangeSet { id: first.id, ..deleting(first.puts[1].aggregate, 1) };
    for again in [first, other] {
        assert_eq!(commit(backend, again).await, committed, "the place of the first time");
        assert_eq!(super::dump(backend).await, before);
    }
}

pub(super) async fn a_refused_change_may_be_mended_under_its_id(backend: &dyn Backend) {
    let wrong = putting(put(key(1), Expected::Revision(1)));
    refused(backend, wrong.clone(), KEY).await;
    let mended = ChangeSet { id: wrong.id, ..putting(put(key(1), Expected::Absent)) };
    assert_eq!(commit(backend, mended).await.commit_seq, 1);
}
