//! Checks of index entries: who holds a value, and when it is free again.

use keystead_domain::Kind;

use super::{
    commit, must, refused,
    sample::{aggregate, delete, deleting, indexed, put, putting, set},
};
use crate::{AggregateRef, Backend, ChangeSet, Expected, Index, IndexEntry, Put, Scan};

const ACCESS: Kind = Kind::AccessKey;
const RECORD: Kind = Kind::WrapRecord;
const FIRST: Expected = Expected::Absent;

fn access(number: u64) -> AggregateRef {
    aggregate(ACCESS, number)
}

/// Puts the aggregate as the holder of a value of the first index.
fn holder(number: u64, expected: Expected, value: &str) -> Put {
    indexed(access(number), expected, Index::AccessKeyId, value)
}

/// Who holds exactly this value.
async fn held(backend: &dyn Backend, index: Index, value: &str) -> Option<AggregateRef> {
    let scan = Scan::Index { index, prefix: value.into(), after: None, limit: 1 };
    must(backend.scan(scan).await).pop().map(|stored| stored.aggregate)
}

async fn held_first(backend: &dyn Backend, value: &str) -> Option<AggregateRef> {
    held(backend, Index::AccessKeyId, value).await
}

pub(super) async fn a_value_has_one_holder(backend: &dyn Backend) {
    for index in Index::ALL {
        let number = u64::from(index.number());
        commit(backend, putting(indexed(access(number), FIRST, *index, "v"))).await;
        assert_eq!(held(backend, *index, "v").await, Some(access(number)), "one in each index");
        let record = aggregate(RECORD, number);
        refused(backend, putting(indexed(record, FIRST, *index, "v")), RECORD).await;
        let mut late = putting(put(record, FIRST));
        late.puts.push(indexed(access(9), FIRST, *index, "v"));
        refused(backend, late, ACCESS).await;
    }
}

pub(super) async fn a_put_replaces_its_entries(backend: &dyn Backend) {
    commit(backend, putting(holder(1, FIRST, "old"))).await;
    commit(backend, putting(holder(1, Expected::Revision(1), "old"))).await;
    assert_eq!(held_first(backend, "old").await, Some(access(1)), "it may keep its value");
    commit(backend, putting(holder(1, Expected::Revision(2), "new"))).await;
    assert_eq!(held_first(backend, "old").await, None);
    assert_eq!(held_first(backend, "new").await, Some(access(1)));
    commit(backend, putting(put(access(1), Expected::Revision(3)))).await;
    assert_eq!(held_first(backend, "new").await, None);
    commit(backend, putting(holder(2, FIRST, "new"))).await;
}

pub(super) async fn a_delete_frees_its_values(backend: &dyn Backend) {
    commit(backend, putting(holder(1, FIRST, "v"))).await;
    commit(backend, deleting(access(1), 1)).await;
    assert_eq!(held_first(backend, "v").await, None);
    commit(backend, putting(holder(2, FIRST, "v"))).await;
    assert_eq!(held_first(backend, "v").await, Some(access(2)));
}

pub(super) async fn values_move_within_one_change(backend: &dyn Backend) {
    let puts = vec![holder(1, FIRST, "a"), holder(2, FIRST, "b"), holder(3, FIRST, "c")];
    commit(backend, ChangeSet { puts, ..set() }).await;
    let swapped = |number, value| holder(number, Expected::Revision(1), value);
    let puts = vec![swapped(1, "b"), swapped(2, "a"), holder(4, FIRST, "c")];
    let deletes = vec![delete(access(3), 1)];
    commit(backend, ChangeSet { puts, deletes, ..set() }).await;
    for (value, number) in [("a", 2), ("b", 1), ("c", 4)] {
        assert_eq!(held_first(backend, value).await, Some(access(number)), "value `{value}`");
    }
}

pub(super) async fn two_puts_of_one_change_cannot_share_a_value(backend: &dyn Backend) {
    let record = indexed(aggregate(RECORD, 1), FIRST, Index::AccessKeyId, "v");
    let puts = vec![holder(1, FIRST, "v"), record];
    refused(backend, ChangeSet { puts, ..set() }, RECORD).await;
}

pub(super) async fn an_entry_named_twice_counts_once(backend: &dyn Backend) {
    let entry = |index| IndexEntry { index, value: b"v".to_vec() };
    let [one, two, three] = [Index::WrapSubject, Index::AccessKeyId, Index::WrapSubject].map(entry);
    let put = Put { index: vec![one, two, three], ..put(access(1), FIRST) };
    commit(backend, putting(put)).await;
    assert_eq!(held(backend, Index::WrapSubject, "v").await, Some(access(1)));
    assert_eq!(held_first(backend, "v").await, Some(access(1)));
    assert_eq!(held(backend, Index::WrapSequence, "v").await, None);
}
