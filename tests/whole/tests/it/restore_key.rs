//! One key is brought back from a recovery point, in place.
//!
//! Invariant: the difference is told before anything is done, and done only while it is true; a
//! lost material comes back from its copy, and nothing that was taken away does.

use keystead_domain::{ChangeId, KeyId, KeyName, KeyState, PointKind, RecoveryPoint, VersionId};
use keystead_service::{Fault, KeyChange, KeyRestored, Level, MaterialFound, RestoreKey};
use keystead_store::{Backend, ChangeSet};

use crate::{
    evidence::now,
    kit::KitForm,
    prepared::{Node, Prepared},
};

fn from(key: KeyId, point: Option<&RecoveryPoint>, apply: Option<u64>) -> RestoreKey {
    RestoreKey { key: KeyName::Id(key), version: None, point: point.map(|of| of.id), apply }
}

fn fields(told: &KeyRestored) -> Vec<(&'static str, &str, &str)> {
    told.fields.iter().map(|of| (of.field, of.now.as_str(), of.then.as_str())).collect()
}

async fn change(node: &Node, key: KeyId, change: KeyChange) {
    node.client.change(key, change).await.unwrap();
}

#[test]
fn what_was_said_of_a_key_comes_back_after_it_was_shown_and_only_while_it_is_true() {
    let prepared = Prepared::new(2400, KitForm::Bare);
    let key = prepared.notes.told().keys[0].key.id;
    prepared.run(async {
        let node = prepared.start().await;
        let tags = [("team".to_owned(), "billing".to_owned())].into();
        change(&node, key, KeyChange::Tag { tags }).await;
        node.client.settled().await;
        let point = node.client.create_point(PointKind::Full).await.unwrap();
        let names = vec!["team".to_owned()];
        change(&node, key, KeyChange::Untag { names }).await;
        change(&node, key, KeyChange::Describe { description: "oops".to_owned() }).await;
        change(&node, key, KeyChange::Disable).await;
        let told = node.client.restore_key(from(key, None, None)).await.unwrap();
        let all = [
            ("description", "oops", "from before"),
            ("tags", "", "team=billing"),
            ("state", "suspended", "active"),
        ];
        assert_eq!((fields(&told), told.applied), (all.to_vec(), false));
        assert_eq!(told.point, Some((point.id, point.at)));
        assert_eq!(node.client.look_at(key).await.key.description, "oops", "nothing was done");
        let late = from(key, Some(&point), Some(told.revision - 1));
        let refused = node.client.restore_key(late).await.unwrap_err();
        assert!(matches!(refused.fault, Fault::Contended), "{refused}");
        let done = node.client.restore_key(from(key, None, Some(told.revision))).await.unwrap();
        assert!(done.applied);
        let view = node.client.look_at(key).await;
        assert_eq!(view.key.description, "from before");
        assert!(matches!(view.key.state, KeyState::Active { .. }));
        node.client.encrypt(key, b"again").await.unwrap();
        let told = node.client.restore_key(from(key, None, Some(0))).await.unwrap();
        assert_eq!((fields(&told), told.applied), (Vec::new(), false), "nothing differs");
        node.client.settled().await;
        node.client.everything_opens().await;
        node.kill();
    });
    prepared.verify();
}

/// Takes the material of a version out of the database, or puts another's in its place.
fn spoil(prepared: &Prepared, version: VersionId, by: Option<VersionId>) {
    let store = &prepared.folder.store;
    let mut set = ChangeSet::new(ChangeId::from_bytes([9; 16]), prepared.world.sim.now());
    match by {
        None => set.erase.push(version),
        Some(other) => {
            let sealed = now(store.material(other)).unwrap().unwrap();
            set.materials.push(keystead_store::MaterialRow { version, sealed });
        }
    }
    now(store.commit(set)).unwrap();
}

#[test]
fn a_material_that_the_database_lost_or_damaged_comes_back_from_its_copy() {
    for damaged in [false, true] {
        let prepared = Prepared::new(2410 + u64::from(damaged), KitForm::Bare);
        let keys: Vec<_> = prepared.notes.told().keys.iter().map(|v| v.key.clone()).collect();
        let (key, version) = (keys[0].id, keys[0].current().id);
        spoil(&prepared, version, damaged.then(|| keys[2].current().id));
        prepared.run(async {
            let node = prepared.start().await;
            node.client.encrypt(key, b"not now").await.unwrap_err();
            let walked = node.client.verify_backups(Level::Recovery).await.unwrap();
            let [finding] = &walked.findings[..] else { panic!("{:?}", walked.findings) };
            assert!(finding.contains("restore key") && finding.contains(&key.to_string()));
            let one = RestoreKey { version: Some(version), ..from(key, None, None) };
            let told = node.client.restore_key(one.clone()).await.unwrap();
            let found = if damaged { MaterialFound::Damaged } else { MaterialFound::Missing };
            assert_eq!(told.versions.iter().map(|of| of.material).collect::<Vec<_>>(), [found]);
            let one = RestoreKey { apply: Some(told.revision), ..one };
            assert!(node.client.restore_key(one).await.unwrap().applied);
            node.client.encrypt(key, b"as before").await.unwrap();
            node.client.settled().await;
            node.client.everything_opens().await;
            let walked = node.client.verify_backups(Level::Recovery).await.unwrap();
            assert_eq!(walked.findings, [""; 0]);
            node.kill();
        });
        prepared.verify();
    }
}

#[test]
fn what_was_taken_away_stays_away() {
    let prepared = Prepared::new(2420, KitForm::Bare);
    let key = prepared.notes.told().keys[0].key.id;
    let doom = KeyChange::ScheduleDeletion { window_days: 7 };
    prepared.run(async {
        let node = prepared.start().await;
        let point = node.client.create_point(PointKind::Full).await.unwrap();
        change(&node, key, doom).await;
        let told = node.client.restore_key(from(key, Some(&point), None)).await.unwrap();
        assert_eq!(fields(&told), [], "a doomed key keeps its state");
        let stranger = node.client.create("made later").await.unwrap().key.id;
        let refused = node.client.restore_key(from(stranger, Some(&point), None)).await;
        assert!(matches!(refused.unwrap_err().fault, Fault::Nothing { what: "key", .. }));
        let other = VersionId::from_bytes([7; 8]);
        let command = RestoreKey { version: Some(other), ..from(key, None, None) };
        let refused = node.client.restore_key(command).await.unwrap_err();
        assert!(matches!(refused.fault, Fault::Nothing { what: "version", .. }), "{refused}");
        node.client.settled().await;
        node.kill();
    });
    prepared.later(8);
    prepared.run(async {
        let node = prepared.start().await;
        prepared.wait_ms(70_000).await;
        node.client.look_at(key).await;
        let refused = node.client.restore_key(from(key, None, None)).await.unwrap_err();
        assert!(matches!(refused.fault, Fault::KeyState { .. }), "{refused}");
        node.kill();
    });
}
