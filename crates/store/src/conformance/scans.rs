//! Checks of lists: their order, where they begin and where they end.

use keystead_domain::Kind;

use super::{
    commit, must,
    sample::{aggregate, id, indexed, put, set},
};
use crate::{AggregateRef, Backend, ChangeSet, Expected, Index, Scan};

const NEW: Expected = Expected::Absent;

async fn kind(backend: &dyn Backend, after: Option<[u8; 16]>, limit: usize) -> Vec<[u8; 16]> {
    let found = must(backend.scan(Scan::Kind { kind: Kind::Key, after, limit }).await);
    assert!(found.iter().all(|stored| stored.aggregate.kind == Kind::Key));
    found.iter().map(|stored| stored.aggregate.id).collect()
}

pub(super) async fn a_kind_is_listed_in_order_of_id(backend: &dyn Backend) {
    let last = AggregateRef { kind: Kind::Key, id: [0xff; 16] };
    let first = aggregate(Kind::Key, 0);
    let order = [first, aggregate(Kind::Key, 255), aggregate(Kind::Key, 256), last];
    let others = [Kind::Tenant, Kind::AccessKey].map(|kind| aggregate(kind, 100));
    for put_order in [2, 0, 3, 1] {
        let puts = vec![put(order[put_order], NEW)];
        commit(backend, ChangeSet { puts, ..set() }).await;
    }
    let puts = others.map(|other| put(other, NEW)).to_vec();
    commit(backend, ChangeSet { puts, ..set() }).await;
    let ids = order.map(|aggregate| aggregate.id);
    for limit in [0, 1, 3, 4, 5, usize::MAX] {
        assert_eq!(kind(backend, None, limit).await, ids[..limit.min(4)], "limit {limit}");
    }
    for (after, rest) in
        [(ids[0], 1), (id(254), 1), (id(255), 2), (id(256), 3), (id(300), 3), (ids[3], 4)]
    {
        assert_eq!(kind(backend, Some(after), 9).await, ids[rest..], "after {after:?}");
        assert_eq!(kind(backend, Some(after), 1).await, ids[rest..4.min(rest + 1)]);
    }
    assert_eq!(
        must(backend.scan(Scan::Kind { kind: Kind::Vault, after: None, limit: 9 }).await),
        []
    );
}

async fn index(
    backend: &dyn Backend,
    index: Index,
    prefix: &[u8],
    after: Option<&[u8]>,
    limit: usize,
) -> Vec<u8> {
    let scan =
        Scan::Index { index, prefix: prefix.to_vec(), after: after.map(<[u8]>::to_vec), limit };
    must(backend.scan(scan).await).iter().map(|stored| stored.aggregate.id[15]).collect()
}

pub(super) async fn each_index_is_listed_in_order_of_value(backend: &dyn Backend) {
    let values = [(1, "b2"), (2, "b"), (3, "a"), (4, "b1"), (5, "c"), (6, "b10")];
    for of in Index::ALL {
        let first = u64::from(of.number()) * 256;
        let puts =
            values.map(|(n, value)| indexed(aggregate(Kind::Key, first + n), NEW, *of, value));
        commit(backend, ChangeSet { puts: puts.to_vec(), ..set() }).await;
    }
    for of in Index::ALL {
        let all = |prefix: &'static str| index(backend, *of, prefix.as_bytes(), None, 99);
        assert_eq!(all("").await, [3, 2, 4, 6, 1, 5]);
        assert_eq!(all("b").await, [2, 4, 6, 1]);
        assert_eq!(all("b1").await, [4, 6]);
        assert_eq!(all("b11").await, []);
        assert_eq!(all("d").await, []);
        for (prefix, after, limit, found) in [
            ("b", "b", 99, &[4, 6, 1][..]),
            ("b", "b1", 1, &[6]),
            ("b", "b1", 0, &[]),
            ("b", "a", 2, &[2, 4]),
            ("b", "b2", 99, &[]),
            ("b", "z", 99, &[]),
            ("", "b19", usize::MAX, &[1, 5]),
        ] {
            let listed =
                index(backend, *of, prefix.as_bytes(), Some(after.as_bytes()), limit).await;
            assert_eq!(listed, found, "{of:?}: `{prefix}` after `{after}`, at most {limit}");
        }
    }
}

pub(super) async fn prefixes_are_bytes(backend: &dyn Backend) {
    let values: [&[u8]; 6] = [b"", b"\x00", b"\xfe\xff", b"\xff", b"\xff\xff", b"\xff\xff\x00"];
    let puts = values
        .iter()
        .zip(1..)
        .map(|(value, n)| indexed(aggregate(Kind::Key, n), NEW, Index::WrapSubject, *value));
    commit(backend, ChangeSet { puts: puts.collect(), ..set() }).await;
    let of = Index::WrapSubject;
    for (prefix, found) in [
        (&b""[..], &[1, 2, 3, 4, 5, 6][..]),
        (b"\x00", &[2]),
        (b"\xfe", &[3]),
        (b"\xff", &[4, 5, 6]),
        (b"\xff\xff", &[5, 6]),
        (b"\xff\xff\xff", &[]),
    ] {
        assert_eq!(index(backend, of, prefix, None, 99).await, found, "prefix {prefix:?}");
    }
    assert_eq!(index(backend, of, b"", Some(b""), 2).await, [2, 3], "after the empty value");
    assert_eq!(index(backend, of, b"\xff", Some(b"\xff"), 9).await, [5, 6]);
}
