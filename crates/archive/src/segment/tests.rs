//! Segments open to what was put in; bounds, chains and erasure hold; no altered bit passes.

use std::collections::BTreeMap;

use keystead_crypto::OpenFailed;
use keystead_domain::{ChangeId, KeyId, Kind, VersionId};

use super::*;
use crate::testing::World;

struct Place {
    world: World,
    signer: NodeSigner,
    keys: BTreeMap<TenantId, SealKey<BackupWrap>>,
}

fn tenant(n: u8) -> TenantId {
    TenantId::from_bytes([n; 16])
}

impl Place {
    fn new() -> Self {
        let world = World::new(1);
        let keys = (1..=3)
            .map(|n| {
                let id = KeyVersion { key: [n; 16], version: [n; 8] };
                (tenant(n), SealKey::new(id, &world.entropy.secret()))
            })
            .collect();
        Self { signer: world.signer(), world, keys }
    }

    fn header(&self, kind: SegmentKind, first: u64, last: u64) -> SegmentHeader {
        let follows = u64::from(kind == SegmentKind::Segment) * 6;
        SegmentHeader {
            kind,
            instance: self.world.instance,
            incarnation: self.world.incarnation,
            sequence: 7,
            follows,
            predecessor_hash: [1; 32],
            first_commit_seq: first,
            last_commit_seq: last,
            at: self.world.now,
            ledger_heads: vec![head("node-b", 2), head("node-a", 1)],
            recipient_set_hash: [2; 32],
            destruction_set_hash: [3; 32],
            epoch: self.world.epoch,
        }
    }

    fn build(
        &self,
        header: &SegmentHeader,
        changes: &[TenantChanges],
    ) -> Result<Vec<u8>, BuildRefused> {
        let public = self.world.epoch_seed.public();
        build_segment(
            &self.world.entropy,
            &self.signer,
            &public,
            header,
            changes.to_vec(),
            |tenant| self.keys.get(&tenant),
        )
    }

    fn open(&self, bytes: &[u8]) -> Result<OpenedSegment, ObjectRefused> {
        let seed = &self.world.epoch_seed;
        open_segment(bytes, &self.world.root.public(), seed, |tenant, version| {
            self.keys.get(&tenant).filter(|key| key.id() == version)
        })
    }
}

fn head(origin: &str, size: u64) -> LedgerHead {
    LedgerHead { origin: origin.into(), size, root: [4; 32] }
}

fn change(commit_seq: u64, body: &[u8]) -> ChangeImage {
    let image = |sensitivity, body: &[u8]| Image {
        kind: Kind::Key,
        id: [1; 16],
        revision: commit_seq,
        sensitivity,
        body: body.to_vec(),
    };
    ChangeImage {
        commit_seq,
        change: ChangeId::from_bytes([5; 16]),
        at: keystead_domain::Timestamp::from_micros(1),
        puts: vec![image(Sensitivity::Metadata, body)],
        deletes: vec![RowRef { kind: Kind::Kit, id: [6; 16], revision: 2 }],
        copies: vec![CopyRef {
            key: KeyId::from_bytes([7; 16]),
            version: VersionId::from_bytes([8; 8]),
            object_hash: [9; 32],
            key_check: [10; 32],
        }],
    }
}

fn with_value(mut change: ChangeImage) -> ChangeImage {
    let mut secret = change.puts[0].clone();
    secret.sensitivity = Sensitivity::SecretValue;
    secret.body = b"a secret value".to_vec();
    change.puts.insert(0, secret);
    change
}

fn of(n: u8, changes: Vec<ChangeImage>) -> TenantChanges {
    TenantChanges { tenant: tenant(n), changes }
}

#[test]
fn a_segment_opens_to_its_changes_sorted_by_tenant() {
    let place = Place::new();
    let header = place.header(SegmentKind::Segment, 41, 43);
    let changes = [
        of(2, vec![change(41, b"two"), with_value(change(43, b"shared"))]),
        of(1, vec![change(42, b"one"), change(43, b"shared")]),
    ];
    let bytes = place.build(&header, &changes).unwrap();
    let read = read_segment_header(&bytes, &place.world.root.public()).unwrap();
    assert_eq!(read.ledger_heads[0].origin, "node-a");
    assert_eq!((read.first_commit_seq, read.commits()), (41, 3));
    let opened = place.open(&bytes).unwrap();
    assert_eq!(opened.header, read);
    assert_eq!(opened.entries, [changes[1].clone(), changes[0].clone()]);
    assert!(opened.skipped.is_empty());
}

#[test]
fn a_point_that_is_written_row_by_row_opens_to_one_change_of_each_tenant() {
    let place = Place::new();
    let header = place.header(SegmentKind::FullPoint, 1, 9);
    let id = ChangeId::from_bytes([5; 16]);
    let row = |n: u8, len: usize| (Kind::Key, [n; 16], u64::from(n), vec![n; len]);
    // One body is longer than the part that is compressed at a time.
    let rows = [row(1, 5), row(2, 0), row(3, 200_000)];
    let copies = change(9, b"").copies;
    let state = || {
        let mut state = PointState::default();
        rows.iter().for_each(|(kind, id, revision, body)| state.put(*kind, id, *revision, body));
        state.rely_on(copies.clone());
        state
    };
    let public = place.world.epoch_seed.public();
    let build = |header: &SegmentHeader, states: BTreeMap<TenantId, PointState>| {
        let key = |tenant: TenantId| place.keys.get(&tenant);
        build_point(&place.world.entropy, &place.signer, &public, header, (id, states), key)
    };
    let states = || BTreeMap::from([(tenant(2), state()), (tenant(1), PointState::default())]);
    let opened = place.open(&build(&header, states()).unwrap()).unwrap();
    let puts = rows.iter().map(|(kind, id, revision, body)| Image {
        kind: *kind,
        id: *id,
        revision: *revision,
        sensitivity: Sensitivity::Metadata,
        body: body.clone(),
    });
    let (puts, deletes, at) = (puts.collect(), Vec::new(), header.at);
    let copies = copies.clone();
    let whole = ChangeImage { commit_seq: 9, change: id, at, puts, deletes, copies };
    let empty = ChangeImage { puts: Vec::new(), copies: Vec::new(), ..whole.clone() };
    assert_eq!(opened.entries, [of(1, vec![empty]), of(2, vec![whole.clone()])]);

    // It is the object that the same change makes whole, but for what is random in it.
    let bytes = place.build(&header, &[of(2, vec![whole])]).unwrap();
    let alone = build(&header, BTreeMap::from([(tenant(2), state())])).unwrap();
    assert!(bytes.len().abs_diff(alone.len()) < 64, "{} and {}", bytes.len(), alone.len());

    let nothing = place.header(SegmentKind::FullPoint, 1, 0);
    assert!(matches!(build(&nothing, states()), Err(BuildRefused::Changes(_))), "no commit 0");
    assert!(build(&nothing, BTreeMap::new()).is_ok());
    let nobody = BTreeMap::from([(tenant(9), state())]);
    assert_eq!(build(&header, nobody), Err(BuildRefused::NoBackupKey { tenant: tenant(9) }));
}

#[test]
fn a_heartbeat_is_empty_and_covers_no_commit() {
    let place = Place::new();
    let bytes = place.build(&place.header(SegmentKind::Segment, 8, 7), &[]).unwrap();
    let opened = place.open(&bytes).unwrap();
    assert_eq!(opened.header.commits(), 0);
    assert!(opened.entries.is_empty());
}

#[test]
fn an_erased_tenant_is_skipped_and_reported_and_nothing_else_is() {
    let mut place = Place::new();
    let changes = [of(1, vec![change(1, b"one")]), of(2, vec![change(2, b"two")])];
    let bytes = place.build(&place.header(SegmentKind::Segment, 1, 2), &changes).unwrap();
    let erased = place.keys.remove(&tenant(2)).unwrap();
    let opened = place.open(&bytes).unwrap();
    assert_eq!(opened.entries, [changes[0].clone()]);
    let skipped = SkippedEntry { tenant: tenant(2), sealed_under: erased.id() };
    assert_eq!(opened.skipped, [skipped]);
    let wrong = SealKey::new(erased.id(), &place.world.entropy.secret());
    place.keys.insert(tenant(2), wrong);
    assert_eq!(place.open(&bytes), Err(ObjectRefused::Sealed(OpenFailed)));
}

#[test]
fn a_header_needs_its_epoch_root_and_incarnation() {
    let place = Place::new();
    let changes = [of(1, vec![change(1, b"one")])];
    let header = place.header(SegmentKind::Segment, 1, 1);
    let bytes = place.build(&header, &changes).unwrap();
    let other = World::new(2);
    assert!(read_segment_header(&bytes, &other.root.public()).is_err());
    let root = place.world.root.public();
    let keys = |_, _| None::<&SealKey<BackupWrap>>;
    let found = open_segment(&bytes, &root, &other.epoch_seed, keys);
    assert_eq!(found, Err(ObjectRefused::Sealed(OpenFailed)));
    let foreign = SegmentHeader { incarnation: other.incarnation, ..header };
    assert_eq!(place.build(&foreign, &changes), Err(BuildRefused::OtherNode));
}

#[test]
fn every_altered_bit_of_a_heartbeat_is_refused_without_any_key() {
    let place = Place::new();
    let bytes = place.build(&place.header(SegmentKind::Segment, 8, 7), &[]).unwrap();
    let root = place.world.root.public();
    for bit in 0..bytes.len() * 8 {
        let mut altered = bytes.clone();
        altered[bit / 8] ^= 1 << (bit % 8);
        assert!(read_segment_header(&altered, &root).is_err(), "bit {bit}");
    }
}

#[test]
fn commits_must_fill_the_range_and_ascend() {
    let place = Place::new();
    let build = |first, last, commits: &[u64]| {
        let changes = commits.iter().map(|seq| change(*seq, b"x")).collect();
        place.build(&place.header(SegmentKind::Segment, first, last), &[of(1, changes)])
    };
    let tenant = tenant(1);
    let refused = |found: Result<Vec<u8>, BuildRefused>| match found.unwrap_err() {
        BuildRefused::Changes(why) => why,
        other => panic!("{other}"),
    };
    assert_eq!(refused(build(1, 3, &[1, 3])), ObjectRefused::MissingCommit { commit: 2 });
    let order = ObjectRefused::BadEntry { tenant, field: "order of commits" };
    assert_eq!(refused(build(1, 2, &[2, 1])), order);
    assert_eq!(refused(build(1, 2, &[1, 1, 2])), order);
    let range = ObjectRefused::BadEntry { tenant, field: "commit" };
    assert_eq!(refused(build(1, 2, &[1, 2, 3])), range);
    assert!(build(1, 2, &[1, 2]).is_ok());
}

#[test]
fn a_place_that_the_kind_cannot_have_is_refused() {
    let place = Place::new();
    let lawful = place.header(SegmentKind::Segment, 8, 7);
    let bad = |field| Err(Malformed::BadValue { field });
    let write = |header: SegmentHeader| header.write(&[]).map(|_| ());
    assert_eq!(write(lawful.clone()), Ok(()));
    assert_eq!(write(SegmentHeader { follows: 5, ..lawful.clone() }), bad("follows"));
    assert_eq!(write(SegmentHeader { first_commit_seq: 0, ..lawful.clone() }), bad("first commit"));
    assert_eq!(write(SegmentHeader { first_commit_seq: 9, ..lawful.clone() }), bad("last commit"));
    let last_commit_seq = u64::MAX;
    assert_eq!(write(SegmentHeader { last_commit_seq, ..lawful.clone() }), bad("last commit"));
    let many = SegmentHeader { last_commit_seq: 1008, ..lawful.clone() };
    assert_eq!(write(many), bad("last commit"));
    let kind = SegmentKind::FullPoint;
    assert_eq!(write(SegmentHeader { kind, ..lawful.clone() }), bad("first commit"));
    let ledger_heads = vec![head("a", 1), head("a", 2)];
    assert_eq!(write(SegmentHeader { ledger_heads, ..lawful }), bad("ledger heads"));
}

#[test]
fn a_segment_over_one_mebibyte_is_refused_and_a_point_is_not() {
    let place = Place::new();
    let large = change(1, &vec![0; MAX_SEGMENT_BYTES]);
    assert!(large.weight_bytes() > MAX_SEGMENT_BYTES);
    let changes = [of(1, vec![large])];
    let found = place.build(&place.header(SegmentKind::Segment, 1, 1), &changes);
    assert!(matches!(found, Err(BuildRefused::TooLarge { bound: MAX_SEGMENT_BYTES, .. })));
    let bytes = place.build(&place.header(SegmentKind::FullPoint, 1, 1), &changes).unwrap();
    assert!(bytes.len() < 10_000);
    assert_eq!(place.open(&bytes).unwrap().entries, changes);
}

#[test]
fn a_metadata_point_holds_no_value() {
    let place = Place::new();
    let header = place.header(SegmentKind::MetadataPoint, 1, 4);
    let changes = [of(1, vec![change(4, b"x"), change(4, b"y")])];
    let bytes = place.build(&header, &changes).unwrap();
    assert_eq!(place.open(&bytes).unwrap().entries, changes);
    let found = place.build(&header, &[of(1, vec![with_value(change(4, b"x"))])]);
    assert_eq!(found, Err(Malformed::BadValue { field: "sensitivity" }.into()));
}

#[test]
fn a_tenant_without_a_key_or_named_twice_makes_no_segment() {
    let place = Place::new();
    let header = place.header(SegmentKind::Segment, 1, 1);
    let found = place.build(&header, &[of(9, vec![change(1, b"x")])]);
    assert_eq!(found, Err(BuildRefused::NoBackupKey { tenant: tenant(9) }));
    let twice = [of(1, vec![change(1, b"x")]), of(1, vec![change(1, b"x")])];
    let found = place.build(&header, &twice);
    assert_eq!(found, Err(Malformed::BadValue { field: "entries" }.into()));
}

#[test]
fn a_bomb_stops_at_its_stated_length_and_the_length_at_the_bound() {
    let entry = |length: u32, plain: &[u8]| {
        let packed = zstd::bulk::compress(plain, 3).unwrap();
        let mut w = Writer::new();
        w.u32(length).bytes(&packed).u32(0).finish()
    };
    let read = |plain: &[u8]| {
        let mut budget = MAX_SEGMENT_BYTES;
        entry::read(plain, SegmentKind::Segment, tenant(1), &mut budget).unwrap_err()
    };
    let bad = |field| ObjectRefused::BadEntry { tenant: tenant(1), field };
    let bomb = vec![0; 64 << 20];
    assert_eq!(read(&entry(4, &bomb)), bad("compressed changes"));
    assert_eq!(read(&entry(64 << 20, &bomb)), bad("length"));
    assert_eq!(read(&entry(5, &[0; 4])), bad("compressed changes"));
    let twice = [entry(4, &[0; 4]), Vec::new()].concat();
    let mut budget = MAX_SEGMENT_BYTES;
    let none = entry::read(&twice, SegmentKind::Segment, tenant(1), &mut budget);
    assert_eq!(none, Ok(Vec::new()));
    assert_eq!(budget, MAX_SEGMENT_BYTES - 4);
}
