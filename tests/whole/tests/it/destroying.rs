//! Destruction: at its time, for good, and on the way back as well.

use std::sync::Arc;

use keystead_archive::{names, read_segment_header};
use keystead_domain::{KeyId, KeyName, KeyState, Timestamp};
use keystead_service::{AliasChange, Fault, KeyChange, restore::RestorePlan};
use keystead_targets::Vault;
use keystead_testkit::{FaultPlans, Folder};

use crate::{
    client::Client,
    evidence::{now, verify_chain},
    kit::KitForm,
    node::{bring_back, serve},
    prepared::{BEFORE, Node, Prepared},
};

const DOOM: KeyChange = KeyChange::ScheduleDeletion { window_days: 7 };

fn is_destroyed(state: KeyState) -> bool {
    matches!(state, KeyState::Destroyed { .. })
}

/// The chain of destructions that the newest segment of the first vault names.
fn destructions(prepared: &Prepared) -> [u8; 32] {
    let (vault, operator) = (&prepared.world.vaults[0], &prepared.operator);
    let (last, _) = verify_chain(vault, operator);
    let name = names::segment(operator.instance, operator.incarnation, last);
    let bytes = now(vault.read(&name.parse().unwrap())).unwrap().unwrap();
    read_segment_header(&bytes, &operator.root).unwrap().destruction_set_hash
}

async fn promise(node: &Node) -> (String, String) {
    let promise = node.client.status().await.unwrap().promises.remove(4);
    (promise.verdict, promise.reason.unwrap())
}

#[test]
fn a_key_is_destroyed_when_it_is_due_and_not_before() {
    let prepared = Prepared::new(2000, KitForm::Bare);
    let key = prepared.notes.told().keys[0].key.id;
    let materials = || prepared.folder.store.materials().len();
    prepared.run(async {
        let node = prepared.start().await;
        node.client.rotate(key).await.unwrap();
        let target = KeyName::Id(key);
        node.client.alias("alias/doomed", AliasChange::Create { target }).await.unwrap();
        let none = ("not due".to_owned(), "nothing was destroyed".to_owned());
        assert_eq!(promise(&node).await, none);
        let view = node.client.change(key, DOOM).await.unwrap();
        let KeyState::Doomed { due } = view.key.state else { panic!("{view:?}") };
        assert!(promise(&node).await.1.contains(&due.to_string()));
        prepared.wait_ms(600_000).await;
        assert!(!is_destroyed(node.client.describe(key).await.unwrap().key.state));
        node.client.settled().await;
        node.kill();
    });
    let (before, kept) = (destructions(&prepared), materials());
    assert_eq!(before, [0; 32]);
    prepared.later(8);
    prepared.run(async {
        let node = prepared.start().await;
        prepared.wait_ms(70_000).await;
        let view = node.client.look_at(key).await;
        assert!(is_destroyed(view.key.state), "{view:?}");
        let sealed = prepared.notes.told().sealed[0].clone();
        let refused = node.client.decrypt(&sealed).await.unwrap_err();
        assert!(matches!(refused.fault, Fault::KeyState { state, .. } if is_destroyed(state)));
        assert!(node.client.named("alias/doomed").await.is_err(), "its names went with it");
        let refused = node.client.change(key, KeyChange::CancelDeletion).await.unwrap_err();
        assert!(matches!(refused.fault, Fault::NotDoomed { .. }), "{refused}");
        let (verdict, reason) = promise(&node).await;
        assert_eq!(verdict, "weak");
        assert!(reason.contains("2 versions of 1 destroyed keys are residual"), "{reason}");
        node.client.settled().await;
        node.client.everything_opens().await;
        node.kill();
    });
    assert_eq!(materials(), kept - 2, "the materials of both versions are erased");
    assert_ne!(destructions(&prepared), before);
    prepared.verify();
    // The next segment goes on from there, also after a restart.
    let after = destructions(&prepared);
    prepared.run(async {
        let node = prepared.start().await;
        node.works().await;
        node.client.settled().await;
        node.kill();
    });
    assert_eq!(destructions(&prepared), after);
}

#[test]
fn a_key_that_was_taken_back_in_time_is_not_destroyed() {
    let prepared = Prepared::new(2010, KitForm::Bare);
    let key = prepared.notes.told().keys[0].key.id;
    prepared.run(async {
        let node = prepared.start().await;
        node.client.change(key, DOOM).await.unwrap();
        node.client.change(key, KeyChange::CancelDeletion).await.unwrap();
        node.client.settled().await;
        node.kill();
    });
    prepared.later(8);
    prepared.run(async {
        let node = prepared.start().await;
        prepared.wait_ms(200_000).await;
        let view = node.client.change(key, KeyChange::Enable).await.unwrap();
        assert!(view.key.state.may_open());
        node.client.settled().await;
        node.client.everything_opens().await;
        node.kill();
    });
    prepared.verify();
}

/// An instance with a rotated key, names and tags, a key that was destroyed, and one whose doom was
/// taken back; and an instant before both dooms.
fn with_a_past(seed: u64) -> (Prepared, [KeyId; 3], Timestamp) {
    let prepared = Prepared::with_real_kit(seed);
    let kept = prepared.notes.told().keys[0].key.id;
    let (gone, spared, before) = prepared.run(async {
        let node = prepared.start().await;
        let client = &node.client;
        let gone = client.create("gone").await.unwrap().key.id;
        let spared = client.create("spared").await.unwrap().key.id;
        client.encrypt(gone, b"gone").await.unwrap();
        client.encrypt(spared, b"spared").await.unwrap();
        for (name, key) in [("alias/kept", kept), ("alias/gone", gone)] {
            let target = KeyName::Id(key);
            client.alias(name, AliasChange::Create { target }).await.unwrap();
        }
        let tags = [("team".to_owned(), "records".to_owned())].into();
        client.change(kept, KeyChange::Tag { tags }).await.unwrap();
        client.change(kept, KeyChange::EnableRotation { period_days: 90 }).await.unwrap();
        client.rotate(kept).await.unwrap();
        client.encrypt(kept, b"under the second version").await.unwrap();
        client.settled().await;
        let before = prepared.world.sim.now();
        prepared.wait_ms(1_000).await;
        client.change(spared, DOOM).await.unwrap();
        client.change(spared, KeyChange::CancelDeletion).await.unwrap();
        client.change(spared, KeyChange::Enable).await.unwrap();
        client.change(gone, DOOM).await.unwrap();
        client.settled().await;
        node.kill();
        (gone, spared, before)
    });
    prepared.later(8);
    prepared.run(async {
        let node = prepared.start().await;
        prepared.wait_ms(70_000).await;
        assert!(is_destroyed(node.client.look_at(gone).await.key.state));
        node.client.settled().await;
        node.kill();
    });
    (prepared, [kept, gone, spared], before)
}

#[test]
fn a_restore_brings_back_names_tags_and_versions_and_nothing_that_was_destroyed() {
    let (prepared, [kept, gone, spared], before) = with_a_past(2020);
    let chain = destructions(&prepared);
    for to in [None, Some(before)] {
        let world = prepared.copied(2021);
        let folder = Folder::new();
        let process = world.process_over(&folder, &FaultPlans::default());
        world.run(async {
            let plan = RestorePlan { vaults: world.world.urls(), to, ..RestorePlan::default() };
            let (operator, reading) = bring_back(&process, &world.operator, plan).await.unwrap();
            // Two keys more than before; one more version, and one destroyed.
            let (keys, versions) = (BEFORE + 2, BEFORE + 2);
            assert_eq!((reading.keys, reading.versions), (keys, versions), "no copy of it");
            let (service, operator) = (serve(&process).await.unwrap(), Arc::new(operator));
            let client = Client::new(&service, &operator, &world.world.sim, &world.notes);
            let view = client.describe(kept).await.unwrap();
            assert_eq!((view.key.versions.len(), view.key.tags.len()), (2, 1));
            assert!(view.key.rotation.is_some());
            assert_eq!(client.named("alias/kept").await.unwrap(), kept);
            assert!(client.named("alias/gone").await.is_err());
            assert!(is_destroyed(client.describe(gone).await.unwrap().key.state));
            let state = client.describe(spared).await.unwrap().key.state;
            assert!(matches!(state, KeyState::Active { .. }), "{state}");
            if to.is_some() {
                // Its state is that of then, so what was noted of it later does not hold.
                world.notes.told().unsure.insert(spared);
            }
            client.everything_opens().await;
            client.rotate(kept).await.unwrap();
            client.settled().await;
            client.everything_opens().await;
            let last = verify_chain(&world.world.vaults[0], &operator).0;
            let name = names::segment(operator.instance, operator.incarnation, last);
            let bytes = world.world.vaults[0].read(&name.parse().unwrap()).await.unwrap().unwrap();
            let header = read_segment_header(&bytes, &operator.root).unwrap();
            assert_eq!(header.destruction_set_hash, chain, "the chain goes on");
        });
        process.kill();
    }
}
