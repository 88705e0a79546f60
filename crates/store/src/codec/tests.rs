//! Tests of the encoding: round trips of any change, and refusals of what no writer writes.

use keystead_crypto::Body;
use proptest::{collection::vec, prelude::*};

use super::*;
use crate::conformance::sample::{full, sealed};

fn any_aggregate() -> impl Strategy<Value = AggregateRef> {
    (prop::sample::select(Kind::ALL), any::<[u8; 16]>())
        .prop_map(|(kind, id)| AggregateRef { kind, id })
}

fn any_revision() -> impl Strategy<Value = u64> {
    prop_oneof![1u64..4, Just(i64::MAX as u64), 1..=i64::MAX as u64]
}

fn any_expected() -> impl Strategy<Value = Expected> {
    prop_oneof![Just(Expected::Absent), any_revision().prop_map(Expected::Revision)]
}

fn any_tenant() -> impl Strategy<Value = TenantId> {
    any::<[u8; 16]>().prop_map(TenantId::from_bytes)
}

/// A body is opaque here, so a real envelope with other bytes behind its header will do.
fn any_body() -> impl Strategy<Value = Sealed<Body>> {
    let envelope = sealed::<Body>(b"").as_bytes().to_vec();
    vec(any::<u8>(), 0..40).prop_map(move |tail| {
        let bytes = [envelope.as_slice(), &tail].concat();
        Sealed::from_bytes(bytes).expect("the header is an envelope's")
    })
}

fn any_entry() -> impl Strategy<Value = IndexEntry> {
    (prop::sample::select(Index::ALL), vec(any::<u8>(), 0..20))
        .prop_map(|(index, value)| IndexEntry { index, value })
}

fn any_put() -> impl Strategy<Value = Put> {
    (any_aggregate(), any_tenant(), any_expected(), any_body(), vec(any_entry(), 0..3)).prop_map(
        |(aggregate, tenant, expected, body, index)| Put {
            aggregate,
            tenant,
            expected,
            body,
            index,
        },
    )
}

fn any_delete() -> impl Strategy<Value = Delete> {
    (any_aggregate(), any_tenant(), any_revision())
        .prop_map(|(aggregate, tenant, revision)| Delete { aggregate, tenant, revision })
}

fn any_follow_up() -> impl Strategy<Value = FollowUp> {
    (".{0,12}", vec(any::<u8>(), 0..20)).prop_map(|(job, argument)| FollowUp { job, argument })
}

prop_compose! {
    fn any_set()(
        id in any::<[u8; 16]>(),
        at in any::<i64>(),
        puts in vec(any_put(), 0..4),
        deletes in vec(any_delete(), 0..4),
        guards in vec((any_aggregate(), any_expected()), 0..4),
        events in vec(vec(any::<u8>(), 0..20), 0..3),
        jobs in vec(any_follow_up(), 0..3),
        erase in vec(any::<[u8; 8]>(), 0..3),
    ) -> ChangeSet {
        let guards =
            guards.into_iter().map(|(aggregate, expected)| Guard { aggregate, expected }).collect();
        let id = ChangeId::from_bytes(id);
        let at = Timestamp::from_micros(at);
        let erase = erase.into_iter().map(VersionId::from_bytes).collect();
        ChangeSet { puts, deletes, guards, events, jobs, erase, ..ChangeSet::new(id, at) }
    }
}

proptest! {
    #[test]
    fn any_change_reads_back_and_is_encoded_in_one_way(set in any_set()) {
        let bytes = set.encode();
        let back = ChangeSet::decode(&bytes).unwrap();
        prop_assert_eq!(back.encode(), bytes);
        prop_assert_eq!(back, set);
    }

    #[test]
    fn altered_bytes_are_refused_or_are_another_change(
        set in any_set(),
        place in any::<prop::sample::Index>(),
        flip in 1u8..,
    ) {
        let mut bytes = set.encode();
        let place = place.index(bytes.len());
        bytes[place] ^= flip;
        if let Ok(other) = ChangeSet::decode(&bytes) {
            prop_assert_eq!(other.encode(), bytes);
            prop_assert_ne!(other, set);
        }
    }
}

#[test]
fn materials_are_left_out() {
    let set = full();
    let row = &set.materials[0];
    let bytes = set.encode();
    let tail = &row.sealed.as_bytes()[27..];
    assert!(!bytes.windows(tail.len()).any(|window| window == tail));
    assert_eq!(ChangeSet::decode(&bytes).unwrap(), ChangeSet { materials: Vec::new(), ..set });
}

#[test]
fn what_ends_early_or_goes_on_is_refused() {
    let mut bytes = full().encode();
    for cut in 0..bytes.len() {
        let found = ChangeSet::decode(&bytes[..cut]);
        assert!(matches!(found, Err(Malformed::Truncated { .. })), "cut at {cut}: {found:?}");
    }
    bytes.push(0);
    assert_eq!(ChangeSet::decode(&bytes), Err(Malformed::Trailing { extra: 1 }));
}

#[test]
fn a_newer_version_is_named() {
    let mut bytes = full().encode();
    bytes[..2].copy_from_slice(&2u16.to_be_bytes());
    let found = Err(Malformed::Version { what: "change set", found: 2, known: 1 });
    assert_eq!(ChangeSet::decode(&bytes), found);
}

/// Offsets in the encoding of a change whose first put has one index entry.
#[test]
fn values_that_no_writer_writes_are_refused_by_name() {
    let entry = IndexEntry { index: Index::WrapSubject, value: b"v".to_vec() };
    let mut set = ChangeSet { materials: Vec::new(), ..full() };
    set.puts[0].expected = Expected::Revision(1);
    set.puts[0].index = vec![entry];
    let bytes = set.encode();
    let put = 2 + 16 + 8 + 4;
    let expected = put + 2 + 16 + 16;
    let body = expected + 1 + 8 + 4;
    let index = body + set.puts[0].body.as_bytes().len() + 4;
    for (place, wrong, field) in [
        (put, vec![0xff, 0xff], "aggregate kind"),
        (expected, vec![2], "expected"),
        (expected + 1, vec![0; 8], "revision"),
        (expected + 1, vec![0x80, 0, 0, 0, 0, 0, 0, 0], "revision"),
        (body, vec![99], "sealed value"),
        (index, vec![0], "index"),
        (index, vec![99], "index"),
    ] {
        let mut bad = bytes.clone();
        bad[place..place + wrong.len()].copy_from_slice(&wrong);
        assert_eq!(ChangeSet::decode(&bad), Err(Malformed::BadValue { field }), "at {place}");
    }
    let mut newer = bytes;
    newer[body] = 2;
    let version = Malformed::Version { what: "ciphertext", found: 2, known: 1 };
    assert_eq!(ChangeSet::decode(&newer), Err(version));
}

#[test]
fn an_index_has_one_number() {
    for index in Index::ALL {
        assert_eq!(Index::from_number(index.number()), Some(*index));
    }
    let numbers: std::collections::BTreeSet<u8> = Index::ALL.iter().map(|i| i.number()).collect();
    assert_eq!(numbers.len(), Index::ALL.len());
}
