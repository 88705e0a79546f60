//! Recovery points: what is restored from one is what base and segments say.
//!
//! Invariant: a point is a shortcut and never a source of its own: without it, or with a bad one,
//! the same comes back. Level 2 of verification compares every row, so a point that would restore
//! another state is found by it.

use keystead_archive::{Inspected, SegmentKind, inspect, names, names::ObjectKind};
use keystead_domain::{KeyName, PointKind, RecoveryPoint};
use keystead_service::{
    AliasChange, Fault, KeyChange, Level,
    restore::{Reading, RestorePlan},
};
use keystead_targets::{MemoryVault, ObjectName, Vault};
use keystead_testkit::{FaultPlans, Folder};

use crate::{
    client::Client,
    crash::matrix,
    evidence::now,
    kit::KitForm,
    node::{bring_back, options, serve, serve_with},
    prepared::{BEFORE, Prepared},
};

fn name_of(prepared: &Prepared, point: &RecoveryPoint) -> ObjectName {
    let name = names::point(prepared.operator.instance, point.id.incarnation, point.id.number);
    name.parse().unwrap()
}

/// Restores into a new folder, and demands that everything opens.
fn restored(prepared: &Prepared, plan: RestorePlan) -> Reading {
    let plan = RestorePlan { vaults: prepared.world.urls(), ..plan };
    let process = prepared.process_over(&Folder::new(), &FaultPlans::default());
    prepared.run(async {
        let (operator, reading) = bring_back(&process, &prepared.operator, plan).await.unwrap();
        let service = serve(&process).await.unwrap();
        let sim = &prepared.world.sim;
        let client = Client::new(&service, &operator.into(), sim, &prepared.notes);
        client.everything_opens().await;
        process.kill();
        reading
    })
}

/// Changes of every sort, one after the other.
async fn history(client: &Client, round: u64) {
    let first = client.notes.told().keys[0].key.id;
    let made = client.create(&format!("round {round}")).await.unwrap().key.id;
    client.encrypt(made, b"in between").await.unwrap();
    let name = format!("alias/round-{}", round / 2);
    let target = KeyName::Id(made);
    match round % 2 {
        0 => client.alias(&name, AliasChange::Create { target }).await.unwrap(),
        _ => client.alias(&name, AliasChange::Delete).await.unwrap(),
    }
    client.put_wrap(&format!("document {round}")).await.unwrap();
    if round < 3 {
        client.rotate(first).await.unwrap();
    }
    client.change(made, KeyChange::Describe { description: "later".to_owned() }).await.unwrap();
}

#[test]
fn a_restore_begins_from_the_newest_full_point_that_opens_and_else_from_the_base() {
    let prepared = Prepared::with_real_kit(2200);
    let points = prepared.run(async {
        let node = prepared.start().await;
        let mut points = Vec::new();
        for round in 0..2 {
            history(&node.client, round).await;
            points.push(node.client.create_point(PointKind::Full).await.unwrap());
        }
        node.works().await;
        points.push(node.client.create_point(PointKind::Metadata).await.unwrap());
        node.client.settled().await;
        assert_eq!(node.client.points().await, points);
        node.kill();
        points
    });
    let numbers: Vec<u64> = points.iter().map(|point| point.id.number).collect();
    assert_eq!(numbers, [2, 3, 4]);
    let keys = BEFORE + 3;
    let whole = restored(&prepared.copied(1), RestorePlan::default());
    assert_eq!((whole.point, whole.keys), (3, keys), "a metadata point restores nothing");
    let early = RestorePlan { to: Some(points[0].at), ..RestorePlan::default() };
    assert_eq!(restored_keys(&prepared.copied(2), early), (2, BEFORE + 1), "the one before");
    let spoilt = prepared.copied(3);
    for vault in &spoilt.world.vaults {
        let name = name_of(&spoilt, &points[1]);
        let mut bytes = now(vault.read(&name)).unwrap().unwrap();
        *bytes.last_mut().unwrap() ^= 1;
        vault.remove(&name);
        now(vault.put_new(&name, &bytes)).unwrap();
    }
    let passed_over = restored(&spoilt, RestorePlan::default());
    assert_eq!((passed_over.point, passed_over.keys), (2, keys));
    let without = prepared.copied(4);
    for (vault, point) in
        without.world.vaults.iter().flat_map(|v| points.iter().map(move |p| (v, p)))
    {
        vault.remove(&name_of(&without, point));
    }
    let from_base = restored(&without, RestorePlan::default());
    assert_eq!((from_base.point, from_base.keys), (1, keys));
    assert_eq!(from_base.head, whole.head);
}

/// From which point, and how many keys: of a state in which later uses cannot open.
fn restored_keys(prepared: &Prepared, plan: RestorePlan) -> (u64, usize) {
    let plan = RestorePlan { vaults: prepared.world.urls(), ..plan };
    let process = prepared.process_over(&Folder::new(), &FaultPlans::default());
    let (_, reading) = prepared.run(bring_back(&process, &prepared.operator, plan)).unwrap();
    process.kill();
    (reading.point, reading.keys)
}

#[test]
fn a_point_that_is_made_while_changes_are_on_their_way_holds_what_the_segments_say() {
    for seed in 0..6 {
        let prepared = Prepared::new(2210 + seed, KitForm::Bare);
        prepared.run(async {
            let node = prepared.start().await;
            // One vault that lags, so that changes wait behind the watermark meanwhile.
            node.process.slow_vault(1, 40 + 200 * (seed % 3));
            for round in 0..4 {
                let changes = history(&node.client, round);
                let point = node.client.create_point(PointKind::Full);
                let ((), point) = futures_util::future::join(changes, point).await;
                let point = point.unwrap();
                node.client.settled().await;
                let walked = node.client.verify_backups(Level::Recovery).await.unwrap();
                assert_eq!(walked.findings, [""; 0], "round {round} of {seed}, {}", point.id);
                assert!(walked.versions > 0);
            }
            node.kill();
        });
    }
}

#[test]
fn a_point_is_made_by_schedule_where_anything_changed_and_is_not_made_twice() {
    let prepared = Prepared::new(2220, KitForm::Bare);
    prepared.later(2);
    prepared.run(async {
        let node = prepared.start().await;
        prepared.wait_ms(70_000).await;
        let points = node.client.points().await;
        assert_eq!(points.len(), 1, "the base is two days old");
        let status = node.client.status().await.unwrap();
        assert_eq!(status.newest_point, Some(points[0].id.to_string()));
        node.client.settled().await;
        node.kill();
    });
    prepared.later(2);
    prepared.run(async {
        let node = prepared.start().await;
        prepared.wait_ms(200_000).await;
        assert_eq!(node.client.points().await.len(), 1, "nothing changed since");
        node.works().await;
        prepared.wait_ms(70_000).await;
        let points = node.client.points().await;
        assert_eq!(points.len(), 2);
        assert!(points[1].commit_seq > points[0].commit_seq);
        node.kill();
    });
}

#[test]
fn a_point_that_too_few_vaults_take_is_refused_and_its_number_is_not_used_again() {
    let prepared = Prepared::new(2230, KitForm::Bare);
    prepared.run(async {
        let node = prepared.start().await;
        node.works().await;
        prepared.world.vaults[1..].iter().for_each(MemoryVault::away);
        let refused = node.client.create_point(PointKind::Full).await.unwrap_err();
        assert!(matches!(refused.fault, Fault::VaultsAway { .. }), "{refused}");
        assert_eq!(node.client.points().await, []);
        prepared.world.vaults.iter().for_each(MemoryVault::back);
        prepared.wait_ms(60_000).await;
        let point = node.client.create_point(PointKind::Full).await.unwrap();
        assert_eq!(point.id.number, 3, "number 2 lies in the vault that answered");
        node.client.settled().await;
        node.kill();
    });
    let reopened = prepared.run(async {
        let node = prepared.start().await;
        let point = node.client.create_point(PointKind::Full).await.unwrap();
        node.kill();
        point
    });
    assert_eq!(reopened.id.number, 4);
    // The feeders gave every vault every point, also the one that nobody acknowledged.
    for vault in &prepared.world.vaults {
        let points = now(vault.list("")).unwrap().into_iter().filter(|listed| {
            matches!(names::parse(listed.name.as_str()), Some(ObjectKind::Point { .. }))
        });
        assert!(points.count() >= 3, "{}", vault.url());
    }
}

#[test]
fn a_metadata_point_says_what_it_is_and_holds_no_wrapped_data_key() {
    let prepared = Prepared::new(2240, KitForm::Bare);
    prepared.run(async {
        let node = prepared.start().await;
        let full = node.client.create_point(PointKind::Full).await.unwrap();
        let cut = node.client.create_point(PointKind::Metadata).await.unwrap();
        assert!(cut.bytes < full.bytes, "{} of {}", cut.bytes, full.bytes);
        for (point, kind) in [(full, SegmentKind::FullPoint), (cut, SegmentKind::MetadataPoint)] {
            let name = name_of(&prepared, &point);
            let bytes = now(prepared.world.vaults[0].read(&name)).unwrap().unwrap();
            assert_eq!(keystead_archive::object_hash(&bytes), point.hash);
            let parsed = names::parse(name.as_str()).unwrap();
            let found = inspect(&parsed, &bytes, &prepared.operator.root).unwrap();
            let Inspected::Link(header) = found else { panic!("{found:?}") };
            assert_eq!((header.kind, header.sequence), (kind, point.id.number));
            for at in 0..bytes.len() {
                let mut altered = bytes.clone();
                altered[at] ^= 1 << (at % 8);
                assert!(inspect(&parsed, &altered, &prepared.operator.root).is_err(), "{at}");
            }
        }
        node.kill();
    });
}

async fn make_points(client: Client) {
    drop(client.create_point(PointKind::Full).await);
    drop(client.create("between two points").await);
    drop(client.create_point(PointKind::Full).await);
    drop(client.verify_backups(Level::Recovery).await);
    client.settled_if_it_can().await;
}

#[test]
fn nothing_acknowledged_is_lost_whatever_goes_wrong_while_points_are_made() {
    matrix::run(2250, 40, |client, _| make_points(client));
}

#[test]
fn points_for_their_segments_take_no_more_than_a_part_of_the_time() {
    let prepared = Prepared::new(2230, KitForm::Bare);
    prepared.run(async {
        let mut options = options();
        options.upkeep.points.after_segments = 3;
        let process = prepared.process_over(&prepared.folder, &FaultPlans::default());
        let service = serve_with(&process, options).await.unwrap();
        let client = prepared.client(&service);
        let few = async |client: &Client| {
            for number in 0..3 {
                client.create(&format!("key {number}")).await.unwrap();
                client.settled().await;
            }
        };
        few(&client).await;
        // This point takes seconds, as one of a million keys does.
        (0..2).for_each(|vault| process.slow_vault(vault, 3_000));
        prepared.wait_ms(80_000).await;
        (0..2).for_each(|vault| process.slow_vault(vault, 5));
        assert_eq!(client.points().await.len(), 1, "three segments lie behind the base");
        few(&client).await;
        prepared.wait_ms(60_000).await;
        assert_eq!(client.points().await.len(), 1, "the next one waits");
        prepared.wait_ms(600_000).await;
        assert_eq!(client.points().await.len(), 2, "and is made");
        process.kill();
    });
}
