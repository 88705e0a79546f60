//! Checks of what outlives a change: the log, its outcome, materials, and all of it once reopened.

use keystead_domain::Kind;

use super::{
    commit,
    dump::{Dump, dump},
    must,
    sample::{aggregate, deleting, full, guard, material, put, putting, set, version},
};
use crate::{Backend, ChangeSet, Committed, CommittedChange, Expected, MaterialRow};

/// Changes that use every field, in the order in which they can be committed.
fn changes() -> Vec<ChangeSet> {
    let first = full();
    let [key, access] = [0, 1].map(|place| first.puts[place].aggregate);
    let guards = vec![guard(key, Expected::Revision(1)), guard(access, Expected::Revision(1))];
    let second = ChangeSet { guards, ..putting(put(aggregate(Kind::Kit, 9), Expected::Absent)) };
    let third = ChangeSet { events: vec![b"KeyDeleted".to_vec()], ..deleting(key, 1) };
    vec![first, second, set(), third]
}

fn as_logged(changes: &[ChangeSet]) -> Vec<CommittedChange> {
    let sets = changes.iter().map(|set| ChangeSet { materials: Vec::new(), ..set.clone() });
    (1..).zip(sets).map(|(commit_seq, set)| CommittedChange { commit_seq, set }).collect()
}

async fn commit_all(backend: &dyn Backend, changes: &[ChangeSet]) {
    for (place, set) in (1..).zip(changes) {
        assert_eq!(commit(backend, set.clone()).await.commit_seq, place);
    }
}

pub(super) async fn the_log_holds_what_was_committed(backend: &dyn Backend) {
    let changes = changes();
    commit_all(backend, &changes).await;
    assert_eq!(must(backend.changes_after(0, 99).await), as_logged(&changes));
    assert_eq!(must(backend.head().await), changes.len() as u64);
}

pub(super) async fn the_log_is_read_in_parts(backend: &dyn Backend) {
    let changes = changes();
    commit_all(backend, &changes).await;
    let all = as_logged(&changes);
    for seq in 0..=all.len() {
        for limit in [0, 1, 2, usize::MAX] {
            let end = seq.saturating_add(limit).min(all.len());
            let part = must(backend.changes_after(seq as u64, limit).await);
            assert_eq!(part, all[seq..end], "{limit} after {seq}");
        }
    }
    for beyond in [all.len() as u64 + 1, i64::MAX as u64, u64::MAX] {
        assert_eq!(must(backend.changes_after(beyond, 9).await), [], "after {beyond}");
    }
}

pub(super) async fn the_outcome_of_each_change_is_known(backend: &dyn Backend) {
    let changes = changes();
    for (place, set) in (1..).zip(&changes) {
        assert_eq!(must(backend.outcome(set.id).await), None);
        commit(backend, set.clone()).await;
        let found = must(backend.outcome(set.id).await);
        assert_eq!(found, Some(Committed { commit_seq: place }));
    }
}

pub(super) async fn materials_are_rows_beside_the_log(backend: &dyn Backend) {
    let rows = vec![material(1, b"one"), material(2, b"two")];
    commit(backend, ChangeSet { materials: rows.clone(), ..set() }).await;
    for MaterialRow { version, sealed } in rows {
        assert_eq!(must(backend.material(version).await), Some(sealed));
    }
    assert_eq!(must(backend.material(version(3)).await), None);
    let rewrapped = material(1, b"one again");
    commit(backend, ChangeSet { materials: vec![rewrapped.clone()], ..set() }).await;
    assert_eq!(must(backend.material(version(1)).await), Some(rewrapped.sealed));
    let log = must(backend.changes_after(0, 9).await);
    assert!(log.len() == 2 && log.iter().all(|change| change.set.materials.is_empty()));
}

pub(super) async fn an_erased_material_is_gone_and_its_erasure_is_logged(backend: &dyn Backend) {
    let rows = [1, 2].map(|number| material(number, b"material"));
    commit(backend, ChangeSet { materials: rows.to_vec(), ..set() }).await;
    // One that is there, one that never was, and one that the same change writes.
    let erase = vec![version(1), version(3), version(4)];
    let materials = vec![material(4, b"for a moment")];
    let erasing = ChangeSet { materials, erase: erase.clone(), ..set() };
    commit(backend, erasing.clone()).await;
    for gone in [1, 3, 4] {
        assert_eq!(must(backend.material(version(gone)).await), None, "{gone}");
    }
    assert_eq!(must(backend.material(version(2)).await).as_ref(), Some(&rows[1].sealed));
    assert_eq!(must(backend.changes_after(1, 9).await)[0].set.erase, erase);
    let again = material(1, b"material again");
    commit(backend, ChangeSet { materials: vec![again.clone()], ..set() }).await;
    commit(backend, erasing).await;
    let kept = must(backend.material(version(1)).await);
    assert_eq!(kept, Some(again.sealed), "a change that was committed erases once");
}

/// Fills a database with some of everything.
pub(super) async fn filled(backend: &dyn Backend) -> (Dump, Vec<ChangeSet>) {
    let changes = changes();
    commit_all(backend, &changes).await;
    (dump(backend).await, changes)
}

/// Looks at a filled database that was closed and opened again.
pub(super) async fn all_is_there(backend: &dyn Backend, before: (Dump, Vec<ChangeSet>)) {
    let (before, changes) = before;
    assert_eq!(dump(backend).await, before, "what was committed is there after reopening");
    let row = &changes[0].materials[0];
    assert_eq!(must(backend.material(row.version).await).as_ref(), Some(&row.sealed));
    let again = commit(backend, changes[1].clone()).await;
    assert_eq!(again.commit_seq, 2, "ids are known after reopening");
    assert_eq!(commit(backend, set()).await.commit_seq, changes.len() as u64 + 1);
}
