//! Checks of large changes: as many aggregates as a segment takes, and large bodies.

use keystead_domain::Kind;

use super::{
    commit, must,
    sample::{aggregate, indexed, material, put, putting, sealed, set},
};
use crate::{AggregateRef, Backend, ChangeSet, Expected, Index, Put, Scan};

pub(super) async fn a_thousand_aggregates_fit_into_one_change(backend: &dyn Backend) {
    let key = |number| aggregate(Kind::Key, number);
    let puts = (0..1000u64).map(|number| {
        let value = number.to_be_bytes();
        indexed(key(number), Expected::Absent, Index::WrapSequence, value)
    });
    let change = ChangeSet { puts: puts.collect(), ..set() };
    commit(backend, change.clone()).await;
    let asked: Vec<AggregateRef> = (0..1000).rev().map(key).collect();
    let found = must(backend.load(&asked).await);
    let bodies = found.iter().rev().map(|stored| stored.as_ref().map(|stored| &stored.body));
    assert!(bodies.eq(change.puts.iter().map(|put| Some(&put.body))), "all as they were put");
    let prefix = vec![0; 6];
    let scan = Scan::Index { index: Index::WrapSequence, prefix, after: None, limit: 2000 };
    assert_eq!(must(backend.scan(scan).await).len(), 1000);
    assert_eq!(must(backend.changes_after(0, 9).await)[0].set, change);
}

pub(super) async fn a_body_of_a_mebibyte_comes_back(backend: &dyn Backend) {
    let bytes: Vec<u8> = (0u32..1 << 18).flat_map(u32::to_be_bytes).collect();
    let key = aggregate(Kind::Key, 1);
    let large = Put { body: sealed(&bytes), ..put(key, Expected::Absent) };
    let row = material(1, &bytes);
    let change = ChangeSet { materials: vec![row.clone()], ..putting(large.clone()) };
    commit(backend, change).await;
    let found = must(backend.load(&[key]).await).pop().flatten().map(|stored| stored.body);
    assert!(found == Some(large.body), "the body is as it was put");
    assert!(must(backend.material(row.version).await) == Some(row.sealed));
    commit(backend, putting(put(key, Expected::Revision(1)))).await;
}
